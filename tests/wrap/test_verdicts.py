import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.pings import last_ping
from tests.support.radar import environment, run_radar, start_radar
from tests.support.waiting import wait_until


def verdict(*words: str) -> tuple[int, str, str]:
    """The exit code, the kind of the last ping and its reason."""
    code = run_radar("run", "job", *words).returncode
    ping = last_ping()
    return code, ping.kind, ping.fields.get("reason", "")


@pytest.mark.parametrize(
    ("codes", "code", "kind"),
    [
        ("0,24", 24, "success"),
        ("0,24", 0, "success"),
        ("0,24", 1, "fail"),
        ("24", 0, "fail"),
        (" 1 , 2 ", 2, "success"),
    ],
)
def test_accepted_exit_codes_count_as_success(codes: str, code: int, kind: str) -> None:
    assert verdict("--ok-codes", codes, "-c", f"exit {code}") == (code, kind, "")


def test_a_death_by_signal_is_no_accepted_exit_code() -> None:
    assert verdict("--ok-codes", "0,137", "-c", "kill -9 $$") == (-9, "fail", "")


@pytest.mark.parametrize(
    ("pattern", "line", "found"),
    [
        ("ERROR", "echo ok; echo an ERROR here; echo ok", "an ERROR here"),
        ("^ERROR", "echo an ERROR", None),
        ("ERROR$", "printf 'an ERROR'", "an ERROR"),
        ("^$", "echo a; echo; echo b", ""),
        ("^$", "echo a; echo b", None),
        ("^$", "printf a", None),
        ("^$", ":", None),
        ("E.R", r"printf 'E\303\244R' >&2", None),  # over bytes, a dot is one byte
        ("E..R", r"printf 'E\303\244R' >&2", "EäR"),
        (r"\bDON.T\b", "echo PANIC", None),
        ("é", "echo é", "é"),
        ("(?i)error", "seq 20000; echo Error; seq 20000", "Error"),
    ],
)
def test_output_that_matches_is_a_failure(pattern: str, line: str, found: str | None) -> None:
    expected = (0, "success", "") if found is None else (0, "fail", f"output matched: {found}")
    code, kind, reason = verdict("--fail-on", pattern, "-c", line)

    assert (code, kind, reason.rstrip(" :")) == (*expected[:2], expected[2].rstrip(" :"))


def test_signals_are_heard_while_a_long_line_is_searched(tmp_path: Path) -> None:
    line = "head -c 500000 /dev/zero | tr '\\0' x; touch written; exec sleep 60"
    words = ("--fail-on", ".*ERROR.*", "-c", line)
    radar = start_radar("run", "job", *words, cwd=tmp_path, stdout=subprocess.DEVNULL)
    wait_until((tmp_path / "written").exists)
    radar.terminate()

    assert radar.wait(20) == -signal.SIGTERM


def test_any_of_several_patterns_will_do() -> None:
    words = ("--fail-on", "abc", "--fail-on", "xyz", "-c", "echo wxyz >&2")

    assert verdict(*words) == (0, "fail", "output matched: wxyz")


def test_the_reason_is_redacted_and_empty_without_output() -> None:
    line = "echo cannot open postgres://me:hunter22@db/x"
    assert verdict("--fail-on", "cannot", "-c", line)[2] == (
        "output matched: cannot open postgres://me:[redacted]@db/x"
    )
    assert verdict("--fail-on", "cannot", "--no-output", "-c", line)[2] == "output matched"
    assert last_ping().body == b""


def test_a_bad_exit_code_says_it_all() -> None:
    assert verdict("--fail-on", "x", "-c", "echo x; exit 3") == (3, "fail", "")


@pytest.mark.parametrize(
    ("line", "kind", "reason"),
    [
        ("echo out", "success", ""),
        ("echo err >&2", "fail", "output on stderr"),
        ("printf x >&2; echo out", "fail", "output on stderr"),
        (":", "success", ""),
    ],
)
def test_output_on_stderr_can_be_a_failure(line: str, kind: str, reason: str) -> None:
    assert verdict("--fail-on-stderr", "-c", line) == (0, kind, reason)


@pytest.mark.parametrize(
    ("line", "kind", "reason"),
    [
        ("echo out", "success", ""),
        ("echo err >&2", "fail", "no output"),
        (":", "fail", "no output"),
        ("printf x", "success", ""),
    ],
)
def test_no_output_can_be_a_failure(line: str, kind: str, reason: str) -> None:
    assert verdict("--fail-if-empty", "-c", line) == (0, kind, reason)


@pytest.mark.parametrize("option", ["--fail-on-stderr", "--fail-if-empty"])
def test_the_streams_count_apart_though_both_are_one(option: str) -> None:
    done = run_radar(
        *("run", "job", option, "-c", "echo out; echo err >&2"),
        prefix=["sh", "-c", 'exec "$@" 2>&1', "sh"],
    )

    assert sorted(done.stdout.split()) == [b"err", b"out"]
    assert last_ping().kind == ("fail" if option == "--fail-on-stderr" else "success")


@pytest.mark.parametrize(
    ("words", "variable", "warning"),
    [
        (("--fail-on", "("), {}, "--fail-on '(' is ignored: "),
        (("--redact", "*"), {}, "--redact '*' is ignored: "),
        (("--schedule", "* * *"), {}, "schedule '* * *' is ignored: it has 3 fields, cron has 5"),
        (("--schedule", "61 * * * *"), {}, "schedule '61 * * * *' is ignored: bad minute '61'"),
        (("--schedule", "@often"), {}, "schedule '@often' is ignored: no such @ form"),
        (("--tz", "Mars/Olympus"), {}, "timezone 'Mars/Olympus' is ignored: "),
        (("--tz", "../../etc/passwd"), {}, "timezone '../../etc/passwd' is ignored: "),
        ((), {"RADAR_TIMEOUT": "soon"}, "RADAR_TIMEOUT is ignored: bad duration 'soon'"),
        ((), {"RADAR_RETRIES": "-1"}, "RADAR_RETRIES is ignored: bad number '-1'"),
        ((), {"RADAR_TAIL": "-3"}, "RADAR_TAIL is ignored: bad size '-3'"),
        ((), {"RADAR_TAIL": "-3", "RADAR_SERVER": ""}, "RADAR_TAIL is ignored: bad size '-3'"),
        ((), {"RADAR_PING_TIMEOUT": "x"}, "RADAR_PING_TIMEOUT is ignored: bad duration 'x'"),
        ((), {"RADAR_LOCK": "maybe"}, "RADAR_LOCK is ignored: bad value 'maybe'"),
        ((), {"RADAR_QUIET": "perhaps"}, "RADAR_QUIET is ignored: bad switch 'perhaps'"),
        ((), {"RADAR_RID": "7"}, "RADAR_RID is ignored: bad run id '7'"),
        ((), {"RADAR_FAIL_ON": "["}, "--fail-on '[' is ignored: "),
        ((), {"RADAR_SCHEDULE": "x"}, "schedule 'x' is ignored: "),
    ],
)
def test_what_is_wrong_and_found_late_is_a_warning(
    words: tuple[str, ...], variable: dict[str, str], warning: str
) -> None:
    env = environment() | variable
    done = run_radar("run", "job", *words, "-c", "echo ran; exit 5", env=env, text=True)

    assert (done.returncode, done.stdout) == (5, "ran\n")
    assert done.stderr.startswith(f"radar: job: {warning}")
    assert done.stderr.count("\n") == 1
    # What nobody reads on a stderr goes along, for who keeps the monitor.
    flag, refused = words or ("--schedule", variable.get("RADAR_SCHEDULE"))
    name = flag.removeprefix("--")
    if name in ("schedule", "tz"):
        assert last_ping().fields.get(name) == refused
