import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support import answers
from tests.support.children import received_signals
from tests.support.namespaces import as_pid_1
from tests.support.pings import kinds, last_ping
from tests.support.processes import children_of, is_alive, parent, state
from tests.support.radar import environment, run_radar, spool_files, start_radar
from tests.support.server import Server
from tests.support.waiting import wait_for_file, wait_until
from tests.wrap.job_control import JOB_CONTROL

END = int(signal.SIGUSR2)  # what makes the job end, with code 7
_STOPS = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
FORWARDED = [
    int(number)
    for number in signal.valid_signals()
    if number not in {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGUSR2, *_STOPS}
]


def start(
    children: Path, log: Path, *options: str, prefix: tuple[Path | str, ...] = ()
) -> tuple["subprocess.Popen[bytes]", int]:
    """Radar around a job that tells of every signal, and the job's pid."""
    words: list[Path | str] = ["run", "job", *options, "--", children / "on_signal"]
    words += [log, str(END), "7"]
    process = start_radar(*words, prefix=prefix)
    job = int(wait_for_file(log).split()[1])
    wait_until(lambda: spool_files() or "--no-start" in options)
    return process, job


@pytest.mark.parametrize("number", FORWARDED)
def test_it_forwards_a_signal_once(children: Path, tmp_path: Path, number: int) -> None:
    log = tmp_path / "log"
    radar, _ = start(children, log)
    radar.send_signal(number)
    wait_for_file(log, lines=2)
    radar.send_signal(END)

    assert radar.wait(10) == 7
    assert [one.number for one in received_signals(log)] == [number, END]
    assert {one.sender for one in received_signals(log)} == {radar.pid}
    assert kinds() == ["start", "fail"]


def test_it_forwards_many_signals_in_order(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    radar, _ = start(children, log)
    sent = [signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    for count, number in enumerate(sent, start=2):
        radar.send_signal(number)
        wait_for_file(log, lines=count)
    radar.send_signal(END)

    assert radar.wait(10) == 7
    assert [one.number for one in received_signals(log)] == [*sent, END]


def test_it_dies_with_a_job_that_a_forwarded_signal_ends(tmp_path: Path) -> None:
    radar = start_radar("run", "job", "--", "sh", "-c", f"echo up >{tmp_path}/up; exec sleep 60")
    wait_for_file(tmp_path / "up")
    radar.terminate()

    assert radar.wait(10) == -signal.SIGTERM
    assert last_ping().fields["signal"] == str(int(signal.SIGTERM))


def test_it_stops_and_continues_with_the_job(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = (
        "run",
        "job",
        "--",
        children / "on_signal",
        log,
        str(END),
        "7",
        str(signal.SIGTSTP.value),
    )
    radar = start_radar(*words, prefix=JOB_CONTROL)
    job = int(wait_for_file(log).split()[1])
    own = parent(job)
    os.kill(own, signal.SIGTSTP)
    wait_until(lambda: state(own) == "T" and state(job) == "T")
    os.kill(own, signal.SIGCONT)
    wait_until(lambda: state(own) != "T" and state(job) != "T")
    wait_for_file(log, lines=2)
    os.kill(own, END)

    assert radar.wait(10) == 7
    assert [one.number for one in received_signals(log)] == [signal.SIGCONT, END]


def test_a_job_can_be_stopped_and_continued_alone(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    radar, job = start(children, log)
    os.kill(job, signal.SIGSTOP)
    wait_until(lambda: state(job) == "T")
    assert state(radar.pid) != "T"
    os.kill(job, signal.SIGCONT)
    wait_for_file(log, lines=2)
    radar.send_signal(END)

    assert radar.wait(10) == 7


def test_it_hears_a_signal_that_the_job_sends_to_its_group_and_itself_once() -> None:
    line = "trap 'echo term' TERM; kill -TERM 0; kill -TERM 0; sleep 0.2; exit 5"
    done = run_radar("run", "job", "-c", line, prefix=("setsid", "--wait"))

    assert (done.returncode, done.stdout) == (5, b"term\nterm\n")


def test_it_leaves_an_inherited_alarm_to_the_job(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    alarm = ["perl", "-e", "alarm 1; exec @ARGV"]
    words = ("run", "job", "--", children / "on_signal", log, str(signal.SIGALRM.value), "9")
    done = run_radar(*words, prefix=alarm)

    assert done.returncode == 9
    assert [one.number for one in received_signals(log)] == [signal.SIGALRM]


def test_it_dies_of_an_inherited_alarm_with_the_job() -> None:
    alarm = ["perl", "-e", "alarm 1; exec @ARGV"]

    assert run_radar("run", "job", "--", "sleep", "60", prefix=alarm).returncode == -signal.SIGALRM
    assert last_ping().fields["signal"] == str(int(signal.SIGALRM))


# Not SIGPIPE: the job has it at its default, whatever it was.
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_an_ignored_signal_stays_ignored(
    children: Path, tmp_path: Path, number: signal.Signals
) -> None:
    radar = start_radar(
        *("run", "job", "--retries", "1", "--"),
        *("sh", "-c", f"echo up >>{tmp_path}/up; read line <{tmp_path}/go; exit 7"),
        prefix=(children / "launch", "-i", str(int(number)), "--"),
    )
    os.mkfifo(tmp_path / "go")
    wait_for_file(tmp_path / "up")
    radar.send_signal(number)
    # It is not taken as a wish to end, either: the job is tried again.
    (tmp_path / "go").write_text("on\n")
    wait_for_file(tmp_path / "up", lines=2)
    (tmp_path / "go").write_text("on\n")

    assert radar.wait(10) == 7
    assert last_ping().fields["tries"] == "2"


def test_it_works_under_nohup(tmp_path: Path) -> None:
    log = tmp_path / "log"
    radar = start_radar(
        *("run", "job", "--", "sh", "-c", f"echo up >{log}; read line <{tmp_path}/go; exit 7"),
        prefix=("nohup",),
    )
    os.mkfifo(tmp_path / "go")
    wait_for_file(log)
    radar.send_signal(signal.SIGHUP)
    (tmp_path / "go").write_text("on\n")

    assert radar.wait(10) == 7


def test_a_blocked_signal_is_forwarded_and_stays_blocked(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    blocking = (children / "launch", "-b", str(signal.SIGUSR1.value), "--")
    radar, job = start(children, log, prefix=blocking)
    radar.send_signal(signal.SIGUSR1)
    wait_until(lambda: _is_pending(job, signal.SIGUSR1))
    radar.send_signal(END)

    assert radar.wait(10) == 7
    assert [one.number for one in received_signals(log)] == [END]


def _is_pending(pid: int, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    pending = next(line for line in status.splitlines() if line.startswith("ShdPnd:"))
    return bool(int(pending.split()[1], 16) >> (number - 1) & 1)


def test_killed_it_leaves_the_job_and_whole_files(children: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    radar, job = start(children, log)
    radar.kill()
    radar.wait(10)

    assert is_alive(job)
    assert kinds() == ["start"]
    leftovers = [path.name for path in tmp_path.glob("state/**/*") if path.is_file()]
    assert leftovers == [path.name for path in spool_files()]
    os.kill(job, signal.SIGHUP)
    assert received_signals(log) or wait_for_file(log, lines=2)
    os.kill(job, END)
    wait_until(lambda: not is_alive(job))


def test_term_while_the_last_ping_is_on_its_way_keeps_it(server: Server, tmp_path: Path) -> None:
    server.behave(answers.hang())
    env = environment(RADAR_SERVER=server.url, RADAR_API_KEY="k" * 20)
    line = f"echo up >{tmp_path}/up; exit 3"
    radar = start_radar("run", "job", "--ping-timeout", "1h", "-c", line, env=env)
    wait_for_file(tmp_path / "up")
    wait_until(lambda: not children_of(radar.pid))
    wait_until(lambda: terminated(radar), every_s=0.05)

    assert radar.returncode == 3
    assert kinds() == ["start", "fail"]


def test_asked_twice_right_after_the_job_it_ends(server: Server, tmp_path: Path) -> None:
    server.behave(answers.hang())
    env = environment(RADAR_SERVER=server.url, RADAR_API_KEY="k" * 20)
    line = f"echo up >{tmp_path}/up; exit 3"
    radar = start_radar("run", "job", "--ping-timeout", "1h", "-c", line, env=env)
    wait_for_file(tmp_path / "up")
    wait_until(lambda: not children_of(radar.pid))
    radar.send_signal(signal.SIGINT)
    radar.send_signal(signal.SIGTERM)

    assert radar.wait(20) == 3
    assert kinds() == ["start", "fail"]


def test_term_reaches_radar_while_nobody_reads_what_it_shows(children: Path) -> None:
    words = ("--quiet", "--", children / "flood", "1000000", "5")
    radar = start_radar("run", "job", *words)
    wait_until(lambda: kinds() == ["start", "fail"])
    wait_until(lambda: terminated(radar), every_s=0.05)

    assert radar.returncode == 5


def terminated(radar: "subprocess.Popen[bytes]") -> bool:
    """Ask radar to end; whether it has. In the second after the job it takes TERM for the job's."""
    if radar.poll() is None:
        radar.terminate()
    return radar.poll() is not None


@pytest.mark.parametrize("as_init", [False, True], ids=["as any process", "as PID 1"])
def test_a_term_that_the_job_obeyed_shortens_the_wait(
    as_init: bool, server: Server, children: Path, tmp_path: Path
) -> None:
    """Docker kills ten seconds after TERM; a server that answers after six is too slow then."""
    server.behave(answers.delayed(6))
    job = (children / "on_signal", tmp_path / "log", "15", "3")
    env = environment(RADAR_SERVER=server.url, RADAR_API_KEY="k1")
    prefix = tuple(as_pid_1()) if as_init else ()
    radar = start_radar("run", "job", "--no-start", "--", *job, env=env, prefix=prefix)
    wait_for_file(tmp_path / "log")
    wait_until(lambda: (tmp_path / "log").read_text() != "")
    inner = children_of(radar.pid).pop() if as_init else radar.pid
    os.kill(inner, signal.SIGTERM)

    assert radar.wait(20) == 3
    assert kinds() == ["fail"]  # it has not been delivered
