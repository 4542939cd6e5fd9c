"""`--fail-on` and `--redact` with patterns that take for ever: radar hears everything meanwhile."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.core import text
from radar_cli.core.matching import Matcher
from tests.support.namespaces import as_pid_1
from tests.support.pings import kinds, last_ping
from tests.support.radar import environment, radar_path, run_radar, start_radar
from tests.support.requirements import require_program, require_root
from tests.support.server import Server
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

ENDLESS = "(a+)+$"
LETTERS = "a" * 36 + "!"
UNDECIDED = "--fail-on is undecided: a pattern took too long"


def children_of(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")  # of each thread
    return [int(number) for each in lists for number in each.read_text().split()]


def words_of(pid: int) -> list[bytes]:
    """The command line of a process; nothing if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def searcher_of(pid: int) -> int:
    """The process in which this radar searches."""

    def find() -> int:
        for child in children_of(pid):
            words = words_of(child)
            if b"watch" in words or b"find" in words:
                return child
        return 0

    wait_until(lambda: find() != 0)
    return find()


def is_searching(pid: int) -> bool:
    """Whether a process has used a good deal of CPU time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) > os.sysconf("SC_CLK_TCK") // 2


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits for whoever buries it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def job_of(pid: int) -> int:
    """The job of this radar, whose searchers have begun."""

    def others() -> list[int]:
        return [child for child in children_of(pid) if b"watch" not in words_of(child)]

    wait_until(lambda: len(others()) == 1)  # a searcher that begins is as radar is, at first
    return others()[0]


@pytest.mark.parametrize(
    ("pattern", "printed", "found"),
    [
        ("^ERROR", r"57%%\rERROR: copy failed\r\n", "ERROR: copy failed"),
        ("^ERROR", r"\r57%%\rERROR: copy failed\r100%%\n", "ERROR: copy failed"),
        ("failed$", r"57%%\rERROR: copy failed\r\n", "ERROR: copy failed"),
        ("failed$", r"ERROR: copy failed\r", "ERROR: copy failed"),
        ("^100%$", r"57%%\r100%%", "100%"),
        ("^$", r"name\n\r57%%\r100%%\r\n", None),
        ("^$", r"a\r\n\r\nb", ""),
        ("57.*ERROR", r"57%%\rERROR: copy failed\r\n", None),
    ],
)
def test_it_ends_a_line_where_the_screen_does(
    pattern: str, printed: str, found: str | None
) -> None:
    done = run_radar("run", "job", "--fail-on", pattern, "-c", f"printf '{printed}'")

    assert done.returncode == 0
    reason = last_ping().fields.get("reason")
    assert reason == (None if found is None else f"output matched: {found}")


def test_it_shows_the_line_that_matched_as_the_one_that_it_is() -> None:
    line = r"printf '57%%\rERROR: copy failed\r\n'; exit 1"
    run_radar("run", "job", "-c", line)
    shown = run_radar("monitors", "show", "job", text=True).stdout

    assert [row.split()[-3:] for row in shown.splitlines() if "copy" in row][-1:] == [
        ["ERROR:", "copy", "failed"]
    ]
    assert "57%" in shown
    status = run_radar("status", text=True).stdout
    assert "ERROR: copy failed" in status
    assert "57%" not in status


PIECES = st.lists(st.text("ab\r\n", max_size=5).map(str.encode))


@given(PIECES)
def test_it_finds_the_same_lines_however_the_output_is_cut(pieces: list[bytes]) -> None:
    found: list[bytes] = []
    rest, is_begun = b"", False
    for piece in pieces:
        lines, rest, is_begun = text.split_lines(rest + piece, is_begun=is_begun)
        found += lines
    whole = text.lines(b"".join(pieces).decode())

    assert [line.decode() for line in (*found, rest)[: None if rest else -1]] == whole
    assert all("\r" not in line and "\n" not in line for line in whole)


@given(st.text("ab\r\n", max_size=30))
def test_it_loses_nothing_but_ends_of_lines(output: str) -> None:
    assert "".join(text.lines(output)) == re.sub(r"[\r\n]", "", output)
    rows = output.replace("\r", "")
    assert len(text.lines(output)) >= len(rows.split("\n")) - (not rows or rows[-1] == "\n")


@given(PIECES, st.sampled_from([b"^a", b"b$", b"^$", b"^ab+$"]))
def test_it_gives_the_same_verdict_however_the_output_is_cut(
    pieces: list[bytes], pattern: bytes
) -> None:
    matcher, whole = (Matcher([re.compile(pattern)]) for _ in range(2))
    for piece in pieces:
        matcher.feed(memoryview(piece))
    whole.feed(b"".join(pieces))

    assert matcher.finish() == whole.finish()


def test_it_hears_its_own_timeout() -> None:
    line = f"echo {LETTERS}; exec sleep 60"
    words = ("--fail-on", ENDLESS, "--timeout", "1", "-c", line)
    done = run_radar("run", "job", *words, timeout=30)

    assert done.returncode == 124
    assert last_ping().fields["reason"] == "timeout"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_passes_signals_on(number: signal.Signals) -> None:
    line = f"trap 'exit 7' {number.name[3:]}; echo {LETTERS}; sleep 60 & wait"
    radar = start_radar("run", "job", "--fail-on", ENDLESS, "-c", line)
    searcher = searcher_of(radar.pid)
    wait_until(lambda: is_searching(searcher))
    radar.send_signal(number)

    assert radar.wait(10) == 7


def test_it_says_that_nothing_is_known_and_counts_that_as_a_failure() -> None:
    done = run_radar("run", "job", "--fail-on", ENDLESS, "-c", f"echo {LETTERS}", text=True)

    assert (done.returncode, done.stdout) == (0, f"{LETTERS}\n")
    assert (last_ping().kind, last_ping().fields["reason"]) == ("fail", UNDECIDED)
    assert done.stderr == f"radar: job: {UNDECIDED}: the run counts as failed\n"


def test_it_puts_what_is_certain_before_what_is_unknown() -> None:
    words = ("--fail-on", ENDLESS, "--fail-on-stderr", "-c", f"echo {LETTERS}; echo x >&2")
    run_radar("run", "job", *words)
    assert last_ping().fields["reason"] == "output on stderr"
    run_radar("run", "job", "--fail-on", ENDLESS, "-c", f"echo {LETTERS}; exit 3")
    assert (last_ping().fields["exit"], last_ping().fields.get("reason")) == ("3", None)


def test_it_relays_on_behind_a_line_that_takes_for_ever() -> None:
    line = f"echo {LETTERS}; head -c 30000000 /dev/zero"
    done = run_radar("run", "job", "--fail-on", ENDLESS, "-c", line, timeout=60)

    assert len(done.stdout) == 30_000_000 + len(LETTERS) + 1
    assert last_ping().fields["reason"] == UNDECIDED


def test_it_finds_what_stands_at_the_end_of_much_output() -> None:
    line = "seq 400000; echo ERROR"
    done = run_radar("run", "job", "--fail-on", "^ERROR$", "-c", line, timeout=60)

    assert done.stdout.endswith(b"400000\nERROR\n")
    assert last_ping().fields["reason"] == "output matched: ERROR"


def test_it_relays_on_behind_a_line_that_matched() -> None:
    line = "echo ERROR; seq 300000; echo done"
    done = run_radar("run", "job", "--fail-on", "ERROR", "-c", line)

    assert done.stdout.endswith(b"\n300000\ndone\n")
    assert last_ping().fields["reason"] == "output matched: ERROR"


def test_it_takes_its_searcher_along_when_it_is_killed() -> None:
    radar = start_radar("run", "job", "--fail-on", "x", "--", "sleep", "60")
    searcher = searcher_of(radar.pid)
    job = job_of(radar.pid)
    radar.kill()
    radar.wait(10)

    wait_until(lambda: has_ended(searcher))
    os.kill(job, signal.SIGKILL)


def test_it_leaves_no_searcher_at_work_when_it_is_killed() -> None:
    line = f"echo {LETTERS}; exec sleep 60"
    radar = start_radar("run", "job", "--fail-on", ENDLESS, "-c", line)
    searcher = searcher_of(radar.pid)
    job = job_of(radar.pid)
    wait_until(lambda: is_searching(searcher))
    radar.kill()
    radar.wait(10)

    wait_until(lambda: has_ended(searcher), timeout_s=30)
    os.kill(job, signal.SIGKILL)


def test_it_gives_the_searcher_nothing_of_the_jobs(tmp_path: Path) -> None:
    held = os.open(tmp_path, os.O_RDONLY)
    words = ("--fail-on", "x", "--", "sleep", "60")
    radar = start_radar("run", "job", *words, cwd=tmp_path, pass_fds=(held,))
    searcher = searcher_of(radar.pid)
    job = job_of(radar.pid)
    wait_until(lambda: set(os.listdir(f"/proc/{searcher}/fd")) == {"0", "1", "2"})

    assert os.readlink(f"/proc/{searcher}/cwd") == "/"
    assert str(held) in os.listdir(f"/proc/{job}/fd")
    assert os.getpgid(searcher) != os.getpgid(job)
    assert children_of(job) == []
    os.close(held)
    radar.terminate()
    radar.wait(10)


def test_it_is_no_child_that_a_job_would_wait_for() -> None:
    done = run_radar("run", "job", "--fail-on", "x", "-c", "sleep 0.1 & wait; echo $?", text=True)

    assert (done.returncode, done.stdout) == (0, "0\n")


def test_it_ends_by_the_key_that_interrupts() -> None:
    line = f"echo {LETTERS}; exec sleep 60"
    words = ["run", "job", "--capture", "--fail-on", ENDLESS, "-c", line]
    with Terminal([radar_path(), *words], environment()) as terminal:
        terminal.read_until(b"!")
        terminal.send_control("c")
        assert terminal.wait() == -signal.SIGINT


def test_it_finds_what_matched_as_pid_1() -> None:
    prefix = as_pid_1()
    line = "(sleep 0.1 &) ; (true &); echo ERROR; sleep 0.3"
    done = run_radar("run", "job", "--fail-on", "ERROR", "-c", line, prefix=prefix)

    assert done.returncode == 0
    assert last_ping().fields["reason"] == "output matched: ERROR"
    run_radar("run", "job", "--fail-on", ENDLESS, "-c", f"echo {LETTERS}", prefix=prefix)
    # How the searcher ended may be known to nobody: PID 1 buries strays.
    assert last_ping().fields["reason"].startswith("--fail-on is undecided: ")


def test_it_searches_each_try_anew() -> None:
    line = "if [ -e first ]; then echo fine; else touch first; echo ERROR; fi"
    run_radar("run", "job", "--fail-on", "ERROR", "--retries", "1", "-c", line)

    assert kinds() == ["start", "success"]
    assert last_ping().fields["tries"] == "2"


@pytest.mark.parametrize("printed", ["", "x"])
def test_it_leaves_the_verdict_open_when_the_searcher_dies(printed: str) -> None:
    line = f"printf '{printed}'; read line; exit 0"
    radar = start_radar(
        *("run", "job", "--fail-on", "ERROR", "-c", line),
        stdin=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    os.kill(searcher_of(radar.pid), signal.SIGSEGV)
    radar.communicate(b"\n", timeout=20)

    assert radar.returncode == 0
    reason = last_ping().fields["reason"]
    assert reason == (
        "--fail-on is undecided: the process that searches the output was ended by signal 11"
    )


def test_it_hears_signals_while_the_rest_of_the_output_is_searched() -> None:
    # Each line takes milliseconds, and both pipes between job and searcher are full at the end.
    script = f"print('{'a' * 16}!\\n' * 7200, end='')"
    words = ("--fail-on", ENDLESS, "--", sys.executable, "-c", script)
    radar = start_radar("run", "job", *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    searcher = searcher_of(radar.pid)
    wait_until(lambda: set(children_of(radar.pid)) == {searcher}, timeout_s=60)
    # The first one, so soon after the job's end, was meant for the job.
    radar.terminate()
    radar.send_signal(signal.SIGINT)

    assert radar.wait(8) == 0
    assert last_ping().fields["reason"] == UNDECIDED


def test_it_lets_a_slow_pattern_slow_the_job_and_misses_nothing() -> None:
    # Each line takes some 10 ms: together more than radar ever waits for a child in silence.
    script = "for n in range(120): print('x' * 6000)\nprint('yERROR')"
    words = ("--fail-on", ".*ERROR", "--", sys.executable, "-c", script)
    done = run_radar("run", "job", *words, timeout=100)

    assert done.stdout.count(b"\n") == 121
    assert last_ping().fields["reason"] == "output matched: yERROR"


LEFT_OUT = b"[left out, as it can't be redacted: a pattern took too long]"


def test_it_leaves_out_what_it_cannot_redact_in_time() -> None:
    line = f"echo card 4711; echo {LETTERS}; exit 3"
    done = run_radar("run", "job", "--redact", ENDLESS, "--redact", "card [0-9]+", "-c", line)
    ping = last_ping()

    assert done.returncode == 3
    assert done.stderr == (b"radar: job: --redact: output is left out: a pattern took too long\n")
    assert (ping.kind, ping.fields["exit"], ping.body) == ("fail", "3", LEFT_OUT)
    assert ping.fields["omitted"] == ping.fields["output"] == str(len(done.stdout))


def test_it_leaves_out_the_line_that_matched_too() -> None:
    line = f"echo ERROR {LETTERS}"
    run_radar("run", "job", "--fail-on", "ERROR", "--redact", f"{ENDLESS}", "-c", line)

    assert last_ping().fields["reason"] == f"output matched: {LEFT_OUT.decode()}"
    assert last_ping().body == LEFT_OUT


def test_it_waits_no_longer_for_a_pattern_when_it_is_told_to_end() -> None:
    radar = start_radar("run", "job", "--redact", "(a+)+$", "-c", f"echo {LETTERS}; exit 3")
    finder = searcher_of(radar.pid)
    wait_until(lambda: is_searching(finder))
    # The first one, so soon after the job's end, was meant for the job.
    radar.terminate()
    radar.terminate()
    os.kill(radar.pid, signal.SIGINT)

    assert radar.wait(10) == 3
    assert last_ping().body.startswith(b"[left out, as it can't be redacted: ")


def test_it_leaves_out_the_command_and_a_message_that_it_cannot_redact() -> None:
    words = ("--redact", ENDLESS, "--send-command", "--", "true", LETTERS)
    run_radar("run", "job", *words)
    assert last_ping().fields["command"] == LEFT_OUT.decode()
    run_radar("ping", "job", "--redact", ENDLESS, "--message", LETTERS)
    assert last_ping().fields["message"] == LEFT_OUT.decode()


def test_it_leaves_out_what_waited_for_a_config_that_asks_for_too_much(
    server: Server,
) -> None:
    config = Path(os.environ["RADAR_CONFIG"])
    config.write_text("broken =\n")
    run_radar("run", "poison", "--no-start", "-c", f"echo {LETTERS}; exit 3")
    run_radar("run", "plain", "--no-start", "-c", "echo card 4711; exit 3")
    config.write_text(
        f'server = "{server.url}"\napi_key = "k1"\nredact = ["{ENDLESS}", "card [0-9]+"]\n'
    )
    config.chmod(0o600)
    run_radar("outbox", "flush", timeout=60)
    bodies = {ping.monitor: ping.body for ping in server.accepted}

    assert bodies == {"poison": LEFT_OUT, "plain": b"[redacted]\n"}


@pytest.mark.own_field
@pytest.mark.parametrize("option", ["--fail-on", "--redact"])
def test_it_says_what_it_does_where_no_process_can_be_started(option: str) -> None:
    require_root("a limit of processes")
    setpriv, prlimit = require_program("setpriv"), require_program("prlimit")
    paths = "+dac_override,+dac_read_search"
    user = ["--reuid", str(600_000 + os.getpid()), "--clear-groups", "--inh-caps", paths]
    prefix = [setpriv, *user, "--ambient-caps", paths, prlimit, "--nproc=2:2"]
    words = ("run", "job", option, "ERR", "--", sys.executable, "-c", "print('an ERR')")
    done = run_radar(*words, prefix=prefix, text=True)

    assert (done.returncode, done.stdout) == (0, "an ERR\n")
    if option == "--fail-on":
        assert last_ping().fields["reason"] == "output matched: an ERR"
        assert done.stderr.startswith("radar: job: no process can be started for --fail-on (")
    else:
        # The job has ended by then, so there may be room for one again.
        assert b"ERR" not in last_ping().body
