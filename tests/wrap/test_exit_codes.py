import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.namespaces import as_pid_1
from tests.support.pings import kinds, last_ping, read_pings
from tests.support.radar import environment, radar_path, run_radar
from tests.support.server import Server

# Those whose default action is to end the process (signal(7)).
_HARMLESS = {"SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH"}
DEADLY = [
    int(each)
    for each in signal.valid_signals()
    if not (isinstance(each, signal.Signals) and each.name in _HARMLESS)
]


@pytest.mark.parametrize("code", [0, 1, 2, 64, 124, 125, 126, 127, 128, 254, 255])
def test_it_exits_as_the_job_does(code: int) -> None:
    assert run_radar("run", "job", "--", "sh", "-c", f"exit {code}").returncode == code
    assert kinds() == ["start", "fail" if code else "success"]
    assert last_ping().fields["exit"] == str(code)


@pytest.mark.parametrize("number", DEADLY)
def test_it_dies_of_the_signal_that_killed_the_job(
    children: Path, tmp_path: Path, number: int
) -> None:
    unlimited = ["sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh"]
    done = run_radar(
        "run", "job", "--", children / "die_of", str(number), cwd=tmp_path, prefix=unlimited
    )

    assert done.returncode == -number
    assert (done.stdout, done.stderr) == (b"", b"")
    assert last_ping().fields["signal"] == str(number)
    assert "exit" not in last_ping().fields
    assert not [name for name in os.listdir(tmp_path) if "core" in name]


@pytest.mark.parametrize("number", [2, 9, 11, 15])
def test_it_exits_with_128_and_the_signal_as_pid_1(children: Path, number: int) -> None:
    words = ("run", "job", "--", children / "die_of", str(number))

    assert run_radar(*words, prefix=as_pid_1()).returncode == 128 + number
    assert last_ping().fields["signal"] == str(number)


def test_it_exits_as_the_job_as_pid_1() -> None:
    assert run_radar("run", "job", "--", "sh", "-c", "exit 7", prefix=as_pid_1()).returncode == 7


def test_a_key_command_has_its_own_exit_code_as_pid_1(server: Server, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    command = 'sh -c "echo WRONG-KEY; touch asked; read line <go; exit 1"'
    config.write_text(f"server = \"{server.url}\"\napi_key = 'cmd:{command}'\n")
    config.chmod(0o600)
    os.mkfifo("go")
    # The job lives as long as the command, and an orphan ends beside them.
    line = "(sleep 0.1 &) ; while ! [ -e asked ]; do sleep 0.01; done; echo go >go; exit 7"
    done = run_radar("run", "job", "-c", line, prefix=as_pid_1(), text=True, timeout=20)
    assert done.returncode == 7
    assert "api_key: sh failed with 1" in done.stderr
    assert server.requests == []


def test_it_buries_orphans_as_pid_1() -> None:
    # Each of the inner shells leaves an orphan, which ends while the job still runs.
    line = (
        "for i in 1 2 3; do sh -c 'sh -c : & exit 0'; done; "
        "while grep -qs '^State:.Z' /proc/[0-9]*/status; do :; done; echo none"
    )
    done = run_radar("run", "job", "-c", line, prefix=as_pid_1(), timeout=20)

    assert done.stdout == b"none\n"


def test_it_exits_with_127_if_there_is_no_such_program() -> None:
    done = run_radar("run", "job", "--", "no-such-program", "x", text=True)

    assert done.returncode == 127
    assert done.stderr == "radar: no-such-program: No such file or directory\n"
    ping = last_ping()
    assert (ping.kind, ping.fields["exit"]) == ("fail", "127")
    assert ping.fields["reason"] == "no-such-program: No such file or directory"


def test_a_command_line_in_quotes_gives_no_secret_away() -> None:
    env = environment(SHOP_TOKEN="t0k3n-of-the-shop")
    line = "pg_dump postgres://bob:hunter2@db/shop --token t0k3n-of-the-shop"
    done = run_radar("run", "job", "--no-output", "--", line, env=env)

    assert done.returncode == 127
    said = "pg_dump postgres://bob:[redacted]@db/shop --token [redacted]: No such file or directory"
    assert last_ping().fields["reason"] == said


def test_it_exits_with_127_if_the_interpreter_of_a_script_is_missing(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)

    assert run_radar("run", "job", "--", script).returncode == 127


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_it_exits_with_126_if_the_program_cannot_be_run(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "program"
    path.write_text("echo hello\n") if kind == "file" else path.mkdir()
    done = run_radar("run", "job", "--", path, text=True)

    assert done.returncode == 126
    assert done.stderr == f"radar: {path}: Permission denied\n"
    assert last_ping().fields["exit"] == "126"


def test_it_exits_with_124_after_its_timeout() -> None:
    assert run_radar("run", "job", "--timeout", "0.1", "--", "sleep", "60").returncode == 124
    ping = last_ping()
    assert (ping.kind, ping.fields["reason"]) == ("fail", "timeout")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("job --tiemout 5 -- touch ran", "unknown option '--tiemout' (did you mean --timeout?)"),
        (
            "job --timeout 5x -- touch ran",
            "--timeout: bad duration '5x': use 90s, 15m, 6h, 2d, 1w or 1h30m",
        ),
        ("job --timeout=", "--timeout: bad duration ''"),
        ("job --tail 5q -- touch ran", "--tail: bad size '5q'"),
        ("job --ok-codes 256 -- touch ran", "--ok-codes: bad exit codes '256'"),
        ("job --retries x -- touch ran", "--retries: bad number 'x'"),
        ("job --lock never -- touch ran", "--lock: bad value 'never': use skip, wait, fail"),
        ("job --rid 12 -- touch ran", "--rid: bad run id '12'"),
        ("job --quiet=perhaps -- touch ran", "--quiet: bad switch 'perhaps'"),
        ("Job -- touch ran", "bad monitor key 'Job': keys are lowercase, try 'job'"),
        ("7 -- touch ran", "'7' can't be a monitor key"),
        ("", "no monitor and no command"),
        ("--", "no monitor and no command"),
        ("job", "no command to run for 'job'"),
        ("job --", "no command to run for 'job'"),
        ("job --timeout", "--timeout needs a value: DURATION"),
        ("job -c true -- touch ran", "both -c and a command"),
        ("job --every 1h --schedule @daily -- touch ran", "both --schedule and --every"),
    ],
)
def test_it_exits_with_125_and_runs_nothing(tmp_path: Path, words: str, message: str) -> None:
    done = run_radar("run", *words.split(), cwd=tmp_path, text=True)

    assert done.returncode == 125
    assert done.stdout == ""
    assert done.stderr.startswith(f"radar: {message}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "ran").exists()
    assert read_pings() == []
    assert not Path(os.environ["RADAR_STATE_DIR"]).exists()


def test_it_runs_no_empty_command() -> None:
    done = run_radar("run", "job", "--", "", text=True)

    assert (done.returncode, read_pings()) == (125, [])
    assert "the command is empty" in done.stderr


def test_it_exits_as_the_job_where_it_can_open_no_pipes() -> None:
    bare = environment(measured=False)
    few = ["sh", "-c", 'ulimit -n 6; exec "$@"', "sh"]
    done = run_radar("run", "job", "--", "sh", "-c", "echo hello; exit 7", prefix=few, env=bare)

    assert done.returncode == 7
    assert done.stdout == b"hello\n"


def test_it_exits_as_the_job_where_it_can_start_no_thread(children: Path) -> None:
    bare = environment(measured=False)
    # A thread's stack is as large as the limit of the stack.
    huge = ["prlimit", "--stack=200000000000:200000000000", "--as=4000000000:4000000000"]
    done = run_radar("run", "job", "--", children / "flood", "300000", "7", prefix=huge, env=bare)

    assert (done.returncode, len(done.stdout)) == (7, 300_000)
    assert done.stderr == b""
    assert last_ping().fields["exit"] == "7"
    assert last_ping().fields["output"] == "300000"


def test_a_shell_sees_what_it_saw_before() -> None:
    line = f"{radar_path()} run job -- sh -c 'kill -9 $$'; echo $?"
    done = subprocess.run(["bash", "-c", line], env=environment(), capture_output=True, check=False)

    assert done.stdout == b"137\n"
