"""`radar monitors create|update|delete|pause|resume`, and what is impossible."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.envelopes import read_envelope
from tests.support.radar import environment, run_radar


def _monitors(
    *words: str, stdin: bytes = b"", also: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Call `radar monitors WORDS`; the exit code, stdout and stderr."""
    env = environment() | (also or {})
    done = run_radar("monitors", *words, stdin=stdin, env=env, text=True)
    return done.returncode, done.stdout, done.stderr


def _all() -> dict[str, dict[str, Any]]:
    """What `list --json` says, by key."""
    listed = run_radar("monitors", "list", "--json", text=True)
    return {entry["key"]: entry for entry in read_envelope(listed)["data"]}


def test_it_creates_a_monitor_that_is_watched_before_any_run() -> None:
    options = ("--schedule", "5 2 * * *", "--tz", "Europe/London", "--grace", "30m")
    more = ("--max-runtime", "2h", "--name", "My backup", "--tag", "a,b", "--tag", "c")
    code, said, _ = _monitors("create", "backup", *options, *more, "--failure-tolerance", "2")
    assert code == 0
    assert said.startswith(
        "backup created: at 02:05 every day, by the clock of Europe/London\nnext: "
    )
    backup = _all()["backup"]
    assert (backup["schedule"], backup["tz"]) == ("5 2 * * *", "Europe/London")
    assert (backup["grace_s"], backup["max_runtime_s"]) == (1800, 7200)
    assert (backup["name"], backup["tags"]) == ("My backup", ["a", "b", "c"])
    assert (backup["failure_tolerance"], backup["status"]) == (2, "new")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT0[123]:05:00\.000000\+00:00", backup["expected_at"])


def test_notes_are_kept_shown_and_cleared() -> None:
    notes = "restart it\nthen see https://wiki.example/backup"
    assert _monitors("create", "backup", "--notes", notes + "  \n\n")[0] == 0
    assert _all()["backup"]["notes"] == notes
    code, shown, _ = _monitors("show", "backup")
    assert re.search(r"notes +restart it\n +then see https://wiki.example/backup\n", shown)
    code, _, said = _monitors("update", "backup", "--notes", "a\x1b[2Jb")
    assert (code, "can't be printed" in said) == (2, True)
    assert _monitors("update", "backup", "--notes", "x" * 2001)[0] == 2
    assert _monitors("update", "backup", "--notes", "")[0] == 0
    assert _all()["backup"]["notes"] is None


def test_a_schedule_goes_by_this_machines_clock_if_nothing_else_is_said(tmp_path: Path) -> None:
    _monitors("create", "here", "--schedule", "@daily")
    assert _all()["here"]["tz"]
    (tmp_path / "config.toml").write_text('tz = "Asia/Tokyo"\n')
    _monitors("create", "there", "--schedule", "@daily")
    assert _all()["there"]["tz"] == "Asia/Tokyo"


def test_it_says_that_nothing_watches_a_monitor_without_a_schedule() -> None:
    code, said, _ = _monitors("create", "x")
    assert (code, said) == (
        0,
        "x created: no schedule: its failures are noticed, its silence isn't\n",
    )


def test_it_creates_nothing_over_a_monitor_that_is_there() -> None:
    run_radar("run", "job", "--name", "mine", "--", "true")
    code, said, complaint = _monitors("create", "job", "--name", "yours")
    assert (code, said) == (2, "")
    assert complaint == (
        "radar: monitor 'job' is there already ('radar monitors update job' changes it)\n"
    )
    assert _all()["job"]["name"] == "mine"


def test_no_ping_changes_what_a_person_has_set() -> None:
    _monitors("create", "job", "--every", "1h", "--name", "set")
    run_radar("run", "job", "--name", "sent", "--every", "5m", "--tag", "t", "--", "true")
    job = _all()["job"]
    assert (job["every_s"], job["name"], job["tags"], job["status"]) == (3600, "set", ["t"], "up")


def test_it_updates_only_what_is_given_and_clears_what_is_empty() -> None:
    _monitors("create", "x", "--schedule", "@daily", "--tz", "UTC", "--grace", "1h", "--tag", "a,b")
    _monitors("update", "x", "--name", "new")
    x = _all()["x"]
    assert (x["schedule"], x["grace_s"], x["tags"], x["name"]) == (
        *("@daily", 3600, ["a", "b"], "new"),
    )
    _monitors("update", "x", "--grace", "", "--tag", "", "--name", "")
    x = _all()["x"]
    assert (x["grace_s"], x["tags"], x["name"]) == (300, [], "")
    _monitors("update", "x", "--schedule", "")
    assert _all()["x"]["schedule"] is None


def test_a_schedule_and_an_interval_replace_one_another() -> None:
    _monitors("create", "x", "--schedule", "@daily")
    assert _monitors("update", "x", "--every", "6h")[1].startswith("x updated: every 6 h\n")
    assert (_all()["x"]["schedule"], _all()["x"]["every_s"]) == (None, 21600)
    _monitors("update", "x", "--schedule", "0 0 * * 1")
    assert (_all()["x"]["schedule"], _all()["x"]["every_s"]) == ("0 0 * * 1", None)


def test_an_update_that_changes_nothing_says_so() -> None:
    _monitors("create", "x", "--grace", "10m")
    assert _monitors("update", "x", "--grace", "600")[1].startswith("x is like that already")
    code, _, complaint = _monitors("update", "x")
    assert code == 2
    assert "nothing to change" in complaint


def test_it_judges_anew_after_an_update() -> None:
    run_radar("run", "job", "--", "false")
    assert _all()["job"]["status"] == "down"
    _monitors("update", "job", "--failure-tolerance", "1")
    assert _all()["job"]["status"] == "new"


def test_it_asks_before_it_deletes_and_the_pings_go_too() -> None:
    for key in ("a", "b", "c"):
        run_radar("run", key, "--", "true")
    code, _, asked = _monitors("delete", "a", "b", stdin=b"n\n")
    assert code == 130
    assert "Delete 2 monitors and 4 pings for good?" in asked
    assert set(_all()) == {"a", "b", "c"}
    assert _monitors("delete", "a", stdin=b"y\n")[0] == 0
    assert _monitors("delete", "b", "--yes")[1] == "b deleted, 2 pings\n"
    assert set(_all()) == {"c"}
    assert run_radar("run", "a", "--", "true").returncode == 0
    history = run_radar("monitors", "history", "a", "--json", text=True)
    assert len(read_envelope(history)["data"]) == 1


def test_it_changes_all_of_several_or_none() -> None:
    _monitors("create", "a")
    for words in (("delete", "--yes"), ("pause",), ("resume",)):
        code, said, complaint = _monitors(*words, "a", "b")
        assert (code, said) == (2, "")
        assert complaint == "radar: no monitor 'b' (see 'radar monitors list')\n"
    assert _all()["a"]["paused"] is False


def test_it_pauses_until_it_is_resumed() -> None:
    _monitors("create", "a", "--every", "1h")
    _monitors("create", "b")
    assert _monitors("pause", "a", "b")[1] == "a paused\nb paused\n"
    assert [each["paused"] for each in _all().values()] == [True, True]
    status = json.loads(run_radar("status", "--json").stdout)["data"]
    assert [each["status"] for each in status] == ["paused", "paused"]
    assert [each["watched"] for each in status] == [True, False]
    code, said, note = _monitors("resume", "a")
    assert said.startswith("a resumed: new, next: ")
    assert [each["status"] for each in _all().values()] == ["new", "paused"]
    code, said, note = _monitors("resume", "a")
    assert (code, said, note) == (0, "", "radar: a wasn't paused\n")


def test_it_pauses_for_a_while() -> None:
    _monitors("create", "a", "--every", "1h")
    assert re.fullmatch(
        r"a paused until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n",
        _monitors("pause", "a", "--for", "2h")[1],
    )
    assert _all()["a"]["paused_until"] < _all()["a"]["expected_at"]
    assert _monitors("pause", "a", "--for", "0.000001")[0] == 0
    assert _all()["a"]["status"] == "new"


def test_what_falls_due_in_a_pause_is_not_missed_and_check_is_fine() -> None:
    _monitors("create", "a", "--every", "1s", "--grace", "0")
    _monitors("pause", "a", "--for", "1.5s")
    assert run_radar("check").returncode == 0
    checked = run_radar("check", text=True, prefix=("sh", "-c", 'sleep 1.2; exec "$@"', "sh"))
    assert (checked.returncode, checked.stdout) == (0, "")


_IMPOSSIBLE = {
    "a minute that is none": (("--schedule", "61 * * * *"), "bad minute '61'"),
    "six fields": (("--schedule", "0 0 1 1 1 1"), "it has 6 fields, cron has 5"),
    "a huge schedule": (("--schedule", "0," * 9000 + "0 * * * *"), "at most 200 fit"),
    "an unknown form": (("--schedule", "@reboot"), "no times to watch"),
    "an unknown timezone": (("--tz", "Europe/Atlantis"), "no timezone 'Europe/Atlantis'"),
    "a timezone that is a path": (("--tz", "../../etc/passwd"), "no timezone"),
    "a folder of timezones": (("--schedule", "@daily", "--tz", "Europe"), "no timezone 'Europe'"),
    "a negative grace": (("--grace", "-5m"), "--grace: bad duration '-5m' (use 90s"),
    "an endless grace": (("--grace", "9" * 400), "--grace: bad duration"),
    "no interval": (("--every", "0"), "--every: '0' is too short (at least 1s)"),
    "no time to run": (("--max-runtime", "0"), "--max-runtime: '0' is too short"),
    "a long name": (("--name", "n" * 100_000), "--name: 100000 characters are too many"),
    "a name with escapes": (("--name", "\x1b[31mred"), r"--name: '\x1b[31mred' can't be printed"),
    "a tag with escapes": (("--tag", "a\x07"), r"--tag: 'a\x07' can't be printed"),
    "too many tags": (("--tag", "a" * 501), "--tag: 501 characters are too many"),
    "both": (("--schedule", "@daily", "--every", "1h"), "exclude each other"),
    "a negative tolerance": (("--failure-tolerance", "-1"), "bad number '-1'"),
    "a huge tolerance": (("--failure-tolerance", "1001"), "bad number '1001'"),
}


@pytest.mark.parametrize("case", _IMPOSSIBLE)
def test_it_says_in_one_line_what_is_impossible_and_does_nothing(case: str) -> None:
    words, expected = _IMPOSSIBLE[case]
    _monitors("create", "there", "--grace", "7m")
    before = _all()
    for command in (("create", "new"), ("update", "there")):
        code, said, complaint = _monitors(*command, "--name", "half", *words)
        assert (code, said) == (2, "")
        (line,) = complaint.splitlines()
        assert expected in line
        assert "(" in line
        assert len(line) < 250
        assert line.isprintable()
    assert _all() == before


@pytest.mark.parametrize(
    "key", ["a/b", "A", "k" * 10_000, "a\x1b[2Jb", "\udcff", "", "..", "start"]
)
def test_it_says_in_one_line_what_is_no_key(key: str) -> None:
    for command in ("create", "update", "show", "history", "output", "pause", "resume", "delete"):
        words = ["--name", "x"] if command in ("create", "update") else []
        done = run_radar("monitors", command, *words, key.encode("utf-8", "surrogateescape"))
        assert (done.returncode, done.stdout) == (2, b"")
        (line,) = done.stderr.decode().splitlines()
        assert len(line) < 250
        assert line.isprintable()
    assert _all() == {}


def test_it_warns_of_a_schedule_that_never_matches() -> None:
    code, said, note = _monitors("create", "x", "--schedule", "0 0 30 2 *")
    assert (code, note) == (0, "radar: warning: it never matches any date\n")
    assert said.startswith("x created: at 00:00 on day 30 of the month in February")


def test_it_guesses_which_monitor_was_meant() -> None:
    _monitors("create", "backup")
    complaint = _monitors("show", "bakcup")[2]
    assert complaint == "radar: no monitor 'bakcup' (did you mean 'backup'?)\n"
    shown = run_radar("monitors", "show", "bakcup", "--json", text=True)
    assert read_envelope(shown)["error"]["slug"] == "unknown-monitor"


def test_it_says_that_it_is_about_the_store_here_where_a_service_cannot_list() -> None:
    away = {"CRONRADAR_API_KEY": "k", "CRONRADAR_BASE_URL": "http://127.0.0.1:9"}
    words = (
        "radar: pings go to http://127.0.0.1:9, which can't list monitors;"
        " this is what the store here holds\n"
    )
    for command in (("create", "x"), ("list",), ("show", "x"), ("pause", "x"), ("resume", "x")):
        code, _, note = _monitors(*command, also=away)
        assert (code, note) == (0, words)
    assert _monitors("delete", "x", "--yes", also=away)[0] == 0


def test_its_commands_and_monitors_are_completed() -> None:
    _monitors("create", "backup")
    offers = {
        typed: run_radar("completion", "words", "monitors", *typed.split(" "), text=True).stdout
        for typed in ("", "show ", "create ", "list --status ", "create x --tz Europe/Lond")
    }
    assert "\ncreate\t" in offers[""]
    assert offers["show "] == "words\nbackup\n"
    assert offers["create "] == "words\n"
    assert offers["list --status "] == "words\nnew\nup\nlate\ndown\npaused\n"
    assert "Europe/London" in offers["create x --tz Europe/Lond"]
