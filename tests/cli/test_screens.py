"""The screens as people see them, on terminals of some sizes."""

import re
import signal
import time
from pathlib import Path

import pytest

from radar_cli.cli.layout import width_of
from radar_cli.model.ping import Ping
from radar_cli.store.opening import open_embedded
from tests.cli.envelopes import read_envelope
from tests.support.radar import environment, radar_path, run_radar
from tests.support.terminal import Terminal

_HOUR_US = 3_600_000_000
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LONG = "a-key-that-was-made-of-a-host-and-a-path-by-somebody.example.com"
_NAMES = ("backup", "db", "sync", _LONG, "queue")
_SAID = (
    "done",
    "備份完成一切正常沒有錯誤發生在今天的備份中",
    "fini e\u0301te\u0301",
    "x" * 300,
    "",
)


def populate(state_dir: Path, count: int) -> None:
    """Put monitors of all kinds into the store: some down, some with tags, one paused."""
    now_us = time.time_ns() // 1000
    with open_embedded(str(state_dir)) as store:
        pings = []
        for number in range(count):
            key = f"{_NAMES[number % len(_NAMES)]}-{number}"
            declared = {"every": "86400", "tags": "db ünïcode" if number % 2 else "web"}
            store.monitors.create(key, declared, now_us - 9 * _HOUR_US)
            kind = "fail" if number % 7 == 2 else "success"
            time_us = now_us - round(_HOUR_US * (1 + number / 100))
            said = _SAID[number % len(_SAID)].encode()
            fields = {"duration": str(number), "exit": "1" if kind == "fail" else "0"}
            pings.append(Ping(kind, key, time_us=time_us, fields=fields, body=said))
        store.pings.add(pings, now_us)
        store.outages.note_check(now_us)


def look(*words: str, rows: int = 24, columns: int = 80) -> list[str]:
    """The lines that a terminal of this size gets, without escape sequences."""
    env = environment(TERM="xterm-256color")
    with Terminal([str(radar_path()), *words], env, rows=rows, columns=columns) as terminal:
        terminal.wait(30)
        return _ESCAPES.sub("", terminal.screen.decode()).replace("\r\n", "\n").splitlines()


@pytest.mark.parametrize(
    ("count", "columns"), [(3, 80), (3, 200), (40, 80), (40, 120), (40, 200), (400, 80)]
)
def test_it_shows_a_monitor_in_a_line(state_dir: Path, count: int, columns: int) -> None:
    populate(state_dir, count)
    header, *rows = look("status", columns=columns)
    rows, said = rows[:count], rows[count:]
    assert header.split()[:2] == ["monitor", "status"]
    assert len({row.split()[0] for row in rows}) == count
    assert all(width_of(line) <= max(columns, len(_LONG) + 30) for line in rows)
    assert all(width_of(line) <= columns for line in rows if not line.startswith(_LONG))
    down = [("down" in row.split()[1]) for row in rows]
    assert down == sorted(down, reverse=True)
    assert any(line.startswith(f"radar: {count} monitors: ") for line in said)


def test_it_sorts_as_people_count_and_as_they_say(state_dir: Path) -> None:
    populate(state_dir, 40)

    def keys(*words: str) -> list[str]:
        return [
            entry["key"]
            for entry in read_envelope(run_radar("status", *words, "--json", text=True))["data"]
        ]

    queues = [key for key in keys("--sort", "monitor") if key.startswith("queue")]
    assert queues == [
        "queue-4",
        "queue-9",
        "queue-14",
        "queue-19",
        "queue-24",
        "queue-29",
        "queue-34",
        "queue-39",
    ]
    assert keys("--sort", "took")[0] == "queue-39"
    assert keys("--sort", "last-run")[0] == "backup-0"
    assert len(keys("--sort", "next-run")) == 40
    assert keys("--down") == keys()[: len(keys("--down"))] != []


def test_it_shows_more_when_it_is_wide(state_dir: Path) -> None:
    populate(state_dir, 3)
    shown = run_radar("status", "-o", "wide", text=True).stdout.splitlines()
    assert {"name", "since", "next", "tags"} <= set(shown[0].split())
    assert any("db, ünïcode" in line for line in shown)
    assert "db, ünïcode" in "".join(look("status", "-o", "wide"))
    # A pipe gets all of each line, of the narrow table, too.
    populated = run_radar("status", text=True)
    assert "備份完成一切正常沒有錯誤發生在今天的備份中" in populated.stdout
    assert "monitors: " not in populated.stderr, "a summary is for a terminal"


@pytest.mark.parametrize(
    ("words", "variables", "has_colours"),
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        (("--color=always",), {"NO_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "0"}, False),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        (("--no-color",), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_it_has_colours_in_a_pipe_when_told_so(
    words: tuple[str, ...], variables: dict[str, str], has_colours: bool
) -> None:
    run_radar("run", "job", "--", "true")
    shown = run_radar("status", *words, env=environment() | variables)
    assert (b"\x1b[32m" in shown.stdout) is has_colours


def test_it_knows_a_terminal_without_colours() -> None:
    run_radar("run", "job", "--", "true")
    with Terminal([str(radar_path()), "status"], environment(TERM="dumb")) as terminal:
        assert terminal.wait() == 0
        assert b"\x1b" not in terminal.screen


def _watch() -> Terminal:
    env = environment(TERM="xterm-256color")
    return Terminal([str(radar_path()), "status", "--watch"], env)


@pytest.mark.parametrize(("keys", "code"), [(b"q", 0), (b"\x03", 130)])
def test_it_watches_until_it_is_told_to_stop(state_dir: Path, keys: bytes, code: int) -> None:
    populate(state_dir, 3)
    with _watch() as terminal:
        terminal.read_until(rb"\x1b\[\?1049h.*3 monitors: ")
        assert not terminal.has_echo()
        terminal.send(keys)
        assert terminal.wait() == code
        assert terminal.has_echo()
        # The screen as it was, with its cursor.
        assert terminal.screen.rstrip().endswith(b"\x1b[?25h\x1b[?1049l")


def test_it_gives_the_terminal_back_when_it_is_killed(state_dir: Path) -> None:
    populate(state_dir, 3)
    with _watch() as terminal:
        terminal.read_until(rb"3 monitors: ")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait() == -signal.SIGTERM
        assert terminal.has_echo()
        assert terminal.screen.endswith(b"\x1b[?1049l")


def test_it_draws_anew_what_has_changed_and_in_another_size(state_dir: Path) -> None:
    populate(state_dir, 40)
    with _watch() as terminal:
        terminal.read_until(rb"40 monitors: .*\xe2\x80\xa6 2\d more")
        terminal.resize(60, 80)
        terminal.read_until(rb"queue-39")
        run_radar("ping", "brand-new", "fail")
        terminal.read_until(rb"41 monitors: .*brand-new")
        terminal.send(b"q")
        assert terminal.wait() == 0


def test_it_stops_and_goes_on_as_other_programs_do(state_dir: Path) -> None:
    populate(state_dir, 3)
    shell = ["bash", "--norc", "--noprofile", "-i"]
    env = environment(TERM="xterm-256color", PS1="ready> ")
    with Terminal(shell, env) as terminal:
        terminal.read_until(b"ready> ")
        terminal.send(b"radar status --watch\n")
        terminal.read_until(rb"\x1b\[\?1049h.*3 monitors: ")
        terminal.send_control("z")
        terminal.read_until(rb"\x1b\[\?1049l.*ready> ")
        terminal.send(b"fg\n")
        terminal.read_until(rb"\x1b\[\?1049h.*3 monitors: ")
        terminal.send(b"q")
        terminal.read_until(rb"\x1b\[\?1049l.*ready> ")
        terminal.send(b"echo all-is-well\n")
        terminal.read_until(rb"[\r\n]all-is-well")


def test_it_watches_nothing_without_a_terminal() -> None:
    done = run_radar("status", "--watch", text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "radar: --watch needs a terminal (without --watch it prints once)\n"
    assert run_radar("status", "--watch", "--json").returncode == 2
    assert run_radar("status", "--watch", "--fields", "key").returncode == 2


def test_it_says_that_a_run_at_a_terminal_was_not_read() -> None:
    with Terminal([str(radar_path()), "run", "job", "--", "echo", "hello"]) as terminal:
        assert terminal.wait() == 0
    unread = "output not read (a terminal)"
    assert unread in run_radar("status", text=True).stdout
    assert unread in run_radar("monitors", "history", "job", text=True).stdout
    assert unread in run_radar("monitors", "show", "job", text=True).stdout
    done = run_radar("monitors", "output", "job", text=True)
    assert (done.stdout, unread in done.stderr) == ("", True)
    run_radar("run", "job", "--", "true")
    assert unread not in run_radar("status", text=True).stdout


def test_it_follows_runs_as_they_end() -> None:
    run_radar("run", "job", "--", "true")
    with Terminal([str(radar_path()), "monitors", "history", "job", "--follow"]) as terminal:
        terminal.read_until(rb"started.*success")
        run_radar("run", "job", "--", "sh", "-c", "exit 7")
        terminal.read_until(rb"fail\x1b\[0m +7")
        terminal.send_control("c")
        assert terminal.wait() == 130
    assert terminal.screen.count(b"started") == 1
