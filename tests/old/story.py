"""What happened on a machine that 0.1 watched over, for make.py: commands and their times."""

import uuid

_DAYS = range(11, 26)  # of October 2026
_BERLIN_CHANGES = 25  # its clocks go back at 01:00 UTC of that day
_OUTPUT = "copied 1 200 files\r\nWarnung: Größe > 2 GB 🗄\n\x1b[32mdone\x1b[0m\n".encode()
_LONG = "".join(f"line {n:04d}: ä{'.' * 40}\n" for n in range(120)).encode()
_NO_TEXT = b"\xff\xfe not UTF-8 \x80\nradar-ping/1 9 0123abcd\n\nid=1&kind=start\n"

Step = tuple[str, tuple[str, ...], bytes]  # when, the words of the command, its stdin


def run_id(key: str, when: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{key}.{when}"))


def step(when: str, *words: str, stdin: bytes = b"") -> Step:
    """A command in October 2026: `20 12:00` is its twentieth at noon, in UTC."""
    return f"2026-10-{when}:00", words, stdin


def whole_run(key: str, begin: str, end: str, *declared: str, how: str = "success") -> list[Step]:
    """A run that took its time, told by two pings."""
    rid = ("--rid", run_id(key, begin))
    return [
        step(begin, "ping", key, "start", *rid, *declared),
        step(end, "ping", key, how, "-", *rid, *declared, stdin=_OUTPUT),
    ]


def story() -> list[Step]:
    """What the jobs of a machine did, so that at NOW each kind of judgement is among them."""
    steps: list[Step] = []
    backup: tuple[str, ...] = ("--schedule", "5 2 * * *", "--tz", "Europe/Berlin")
    backup += ("--grace", "30m", "--max-runtime", "2h", "--name", "Zürich: nächtliche Sicherung ✓")
    backup += ("--tag", "nightly", "--tag", "db")
    for day in range(16, 27):
        hour = 0 if day < _BERLIN_CHANGES else 1
        steps += whole_run("backup", f"{day} {hour:02}:05", f"{day} {hour:02}:44", *backup)
        night = ("--schedule", "30 2 * * *", "--tz", "Europe/Berlin", "--grace", "10m")
        at = f"{day} 00:30" if day <= _BERLIN_CHANGES else f"{day} 01:30"
        steps.append(step(at, "run", "night", *night, "--", "true"))
        steps.append(
            step(
                f"{day} 05:00",
                "run",
                "mended",
                "--every",
                "1d",
                "--",
                "sh",
                "-c",
                f"echo run {day}; exit {int(day == 21) * 4}",
            )
        )
        if day in (16, 19, 20, 21, 22, 23):
            steps.append(
                step(
                    f"{day} 06:00",
                    "run",
                    "report",
                    "--schedule",
                    "0 6 * * 1-5",
                    "--tz",
                    "UTC",
                    "--grace",
                    "15m",
                    "--",
                    "echo",
                    "sent",
                )
            )
        importing = ("--schedule", "0 8 * * *", "--tz", "UTC", "--max-runtime", "30m")
        if day < 26:
            steps += whole_run("import", f"{day} 08:00", f"{day} 08:10", *importing)
        steps.append(step(f"{day} 02:00", "run", "settled", "--every", "1h", "--", "true"))
    steps.append(
        step("26 08:00", "ping", "import", "start", *importing, "--rid", run_id("import", "26"))
    )
    for hour in range(2, 9):
        steps += whole_run(
            "sync", f"26 {hour:02}:57", f"26 {hour + 1:02}:01", "--every", "1h", "--grace", "10m"
        )
    fail = "echo 'Traceback: ValueError: Rechnung № 7 fehlt' >&2; exit 3"
    six = ("--every", "6h", "--grace", "30m")
    steps += [
        step("26 01:00", "run", "invoices", *six, "--", "echo", "all sent"),
        step("26 07:00", "run", "invoices", *six, "--", "sh", "-c", fail),
        step("25 09:00", "run", "flaky", "--every", "2d", "--", "true"),
        step("26 07:30", "run", "flaky", "--every", "2d", "--", "false"),
        step("26 09:30", "run", "flaky", "--every", "2d", "--", "false"),
        step("21 10:00", "run", "holiday", "--every", "1d", "--", "true"),
        step("25 08:30", "run", "window", "--every", "1d", "--", "sh", "-c", "exit 9"),
        step("21 11:00", "run", "resumed", "--every", "1d", "--", "true"),
        step("25 20:00", "run", "resumed", "--every", "1d", "--", "true"),
        step("17 10:00", "run", "hello", "--", "echo", "hello, Zoë"),
        step("18 10:00", "run", "crashed", "--", "sh", "-c", "echo half; kill -9 $$"),
        step("26 04:00", "run", "slow", "--every", "1d", "--timeout", "0.2s", "--", "sleep", "60"),
        step(
            "26 04:10",
            "run",
            "retried",
            "--every",
            "1d",
            "--retries",
            "2",
            "--",
            "sh",
            "-c",
            "test -e tried || { touch tried; echo again; exit 1; }",
        ),
        step(
            "26 09:50",
            "ping",
            "running",
            "start",
            "--every",
            "1h",
            "--max-runtime",
            "45m",
            "--rid",
            run_id("running", "26"),
        ),
        step("25 17:00", "run", "silent", "--every", "1h", "--grace", "10m", "--", "echo", "last"),
        step(
            "25 18:00",
            "ping",
            "stuck",
            "start",
            "--max-runtime",
            "30m",
            "--rid",
            run_id("stuck", "25"),
        ),
        step("24 10:00", "run", "odd", "--schedule", "99 * * * *", "--", "true"),
        step("24 11:00", "ping", "notes", "log", "--message", "release 2.0 «Föhn» is out"),
        step("24 11:30", "ping", "notes", "success", "--exit-code", "0", "-", stdin=_LONG),
        step("24 12:30", "run", "bytes", "--", "cat", stdin=_NO_TEXT),
        step("25 12:30", "run", "deleted", "--", "true"),
    ]
    steps += whole_run("overlap", "26 03:00", "26 03:40", "--every", "1d")
    steps += whole_run("overlap", "26 03:20", "26 03:30", "--every", "1d", how="fail")
    return steps


def by_hand() -> list[Step]:
    """What persons did meanwhile."""
    m = "monitors"
    return [
        step("20 12:30", m, "create", "never", "--every", "1d", "--name", "nobody's job"),
        step("26 08:05", m, "create", "new-one", "--schedule", "0 3 1 * *", "--tz", "UTC"),
        step("25 10:00", m, "update", "flaky", "--failure-tolerance", "2"),
        step("16 03:00", m, "update", "settled", "--every", "1d", "--grace", "2h"),
        step("22 09:00", m, "pause", "holiday"),
        step("25 09:00", m, "pause", "window", "--for", "2d"),
        step("22 10:00", m, "pause", "resumed", "--for", "3d"),
        step("25 13:00", m, "delete", "deleted", "--yes"),
    ]


def spooled() -> list[Step]:
    """Pings for profiles: the default one, `ci`, and `here`, which is the store."""
    steps = []
    for day in _DAYS:
        nightly = ("--schedule", "30 1 * * *", "--grace", "45m", "--tag", "db", "--tag", "größer")
        code = f"echo token=hunter{day}; echo fertig ✓; exit {int(day % 5 == 0)}"
        steps += [
            step(f"{day} 01:30", "run", "db-backup", *nightly, "--", "sh", "-c", code),
            step(
                f"{day} 10:15",
                "run",
                "build",
                "--to",
                "ci",
                "--every",
                "1d",
                "--send-command",
                "--",
                "sh",
                "-c",
                f"seq {day * 30}",
            ),
            step(
                f"{day} 10:20",
                "ping",
                "deploy",
                "log",
                "--to",
                "ci",
                "--message",
                f"v1.{day} → prod & staging: 100 %",
            ),
            step(
                f"{day} 11:00", "run", "both", "--to", "ci", "--to", "here", "--", "echo", "twice"
            ),
            step(
                f"{day} 12:00",
                "run",
                "cleanup",
                "--to",
                "here",
                "--every",
                "1d",
                "--",
                "echo",
                f"{day} files",
            ),
            step(f"{day} 12:30", "ping", "cache", "success", "-", "--to", "here", stdin=_OUTPUT),
        ]
    steps += [
        step("24 13:00", "ping", "long", "success", "-", stdin=_LONG),
        step("24 13:05", "ping", "bytes", "fail", "-", "--exit-code", "7", stdin=_NO_TEXT),
        step("24 13:10", "run", "refused-a", "--", "echo", "abgelehnt"),
        step("24 13:15", "run", "refused-b", "--to", "ci", "--", "false"),
        step("24 14:00", "run", "hosted-stale", "--to", "hosted", "--", "true"),
        step("26 09:00", "run", "hosted-fresh", "--to", "hosted", "--grace", "2h", "--", "true"),
        step("25 14:00", "run", "locked", "--to", "here", "--lock", "skip", "--", "true"),
    ]
    return steps


def spooled_by_environment() -> list[Step]:
    """Pings for the server of RADAR_SERVER, whose account RADAR_API_KEY tells."""
    steps = [
        step(f"{day} 16:00", "run", "checkout", "--every", "1d", "--", "true") for day in _DAYS
    ]
    steps.append(step("25 16:10", "run", "wrong-key", "--", "true"))
    return [*steps, step("25 16:20", "run", "refused-c", "--", "true")]


def unresolved() -> list[Step]:
    """Pings of a time in which the person's config file was broken."""
    cards = [
        step(f"25 17:0{n}", "run", "unready", "--", "sh", "-c", f"echo card 123{n}, token=abc{n}")
        for n in range(4)
    ]
    return [
        *cards,
        step("25 17:10", "run", "unready-ci", "--to", "ci", "--", "echo", "ci"),
        step("25 17:20", "run", "unready-here", "--to", "here", "--", "echo", "here"),
    ]
