"""`radar celery alive`: a look at a file, in one interpreter start."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from radar_cli.celery.heartbeat import Signs
from radar_cli.celery.signs import (
    NO_LIMIT_NS,
    Sign,
    compose,
    default_file,
    parse,
    process_state,
    read_silence,
)
from tests.support.radar import environment, radar_path, run_radar
from tests.support.requirements import require_root
from tests.support.waiting import wait_until
from tests.wrap.test_imports import HEAVY


def write(file: Path, age_s: float, quiet_s: float = 0) -> None:
    now_ns = time.monotonic_ns()
    quiet_until_ns = now_ns + int(quiet_s * 1e9) if quiet_s else 0
    file.write_bytes(compose(Sign(now_ns - int(age_s * 1e9), quiet_until_ns, os.getpid())))


@pytest.mark.parametrize(
    ("age_s", "quiet_s", "words", "code"),
    [
        (0, 0, (), 0),
        (50, 0, (), 0),
        (70, 0, (), 1),
        (70, 0, ("--max-age", "2m"), 0),
        (70, 0, ("--max-age=90",), 0),
        (5, 0, ("--max-age", "4s"), 1),
        (1000, 10, (), 0),  # a long task, or Beat's sleep
        (1000, -70, (), 1),
        (-1000, 0, (), 1),  # an earlier boot's
    ],
)
def test_it_judges_by_the_age_of_the_last_sign(
    age_s: float, quiet_s: float, words: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    write(tmp_path / "sign", age_s, quiet_s)
    done = run_radar("celery", "alive", "--file", tmp_path / "sign", *words)
    assert (done.returncode, done.stderr) == (code, b"")
    assert done.stdout.startswith(b"the worker is silent" if code else b"the worker is alive")
    assert done.stdout.count(b"\n") == 1


def test_it_is_dead_without_a_file_and_says_where_it_looked(tmp_path: Path) -> None:
    done = run_radar("celery", "alive", env=environment(TMPDIR=str(tmp_path)))
    assert done.returncode == 1
    expected = f"{tmp_path}/radar-celery-{os.geteuid()}/worker"
    assert done.stdout.decode() == (
        f"the worker gave no sign of life: {expected}: No such file or directory\n"
    )


def test_a_variable_names_the_file_for_the_probe_and_for_the_app(tmp_path: Path) -> None:
    write(tmp_path / "own", 0)
    env = environment(RADAR_ALIVE_FILE=str(tmp_path / "own"))
    assert run_radar("celery", "alive", env=env).returncode == 0
    assert run_radar("celery", "alive", "--started", env=env).returncode == 1
    assert default_file(env, "worker") == str(tmp_path / "own")


def test_a_file_that_something_else_touches_has_an_age_too(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("pid 7")
    assert run_radar("celery", "alive", "--file", tmp_path / "own").returncode == 0
    os.utime(tmp_path / "own", (0, 0))
    assert run_radar("celery", "alive", "--file", tmp_path / "own").returncode == 1


def test_it_has_json_help_and_errors_as_all_commands_have(tmp_path: Path) -> None:
    write(tmp_path / "sign", 100)
    done = run_radar("celery", "alive", "--json", "--file", tmp_path / "sign")
    assert (done.returncode, json.loads(done.stdout)["data"]["alive"]) == (1, False)
    assert b"install_heartbeat" in run_radar("celery", "alive", "--help").stdout
    for words in (("--max-age", "x"), ("--max-age",), ("--file",), ("--nonsense",), ("word",)):
        assert run_radar("celery", "alive", *words).returncode == 2


def test_the_content_has_one_length_and_is_read_back() -> None:
    for numbers in ((0, 0, 1), (10**17, NO_LIMIT_NS * 5, 4194304)):
        content = compose(Sign(*numbers, 77, "busy with " + "é" * 200))
        assert len(content) == len(compose(Sign(0, 0, 0)))
        found = parse(content)
        assert found is not None
        assert (found.given_ns, found.pid, found.started_ticks) == (numbers[0], numbers[2], 77)
        assert found.quiet_until_ns == min(numbers[1], NO_LIMIT_NS)
        assert found.note.startswith("busy with éé")
    assert parse(b"") is None
    older = parse(b"0000000000000000005 0000000000000000007 0000000009\n")
    assert older is not None
    assert (older.given_ns, older.quiet_until_ns, older.pid, older.note) == (5, 7, 9, "")


def test_it_imports_next_to_nothing(tmp_path: Path) -> None:
    write(tmp_path / "sign", 0)
    found = []
    for words in (["-c", "pass"], [radar_path(), "celery", "alive", "--file", tmp_path / "sign"]):
        python = radar_path().parent / "python"
        done = subprocess.run(
            [python, "-X", "importtime", *words],
            env=environment(measured=False),
            capture_output=True,
            check=True,
            text=True,
        )
        lines = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
        found.append(set(lines))
    loaded = found[1] - found[0]
    assert not loaded & HEAVY
    assert {name for name in loaded if not name.startswith("radar_cli")} <= {"errno", "gc", "time"}
    assert {name for name in loaded if name.startswith("radar_cli")} == {
        "radar_cli",
        "radar_cli.celery",
        "radar_cli.celery.alive",
        "radar_cli.celery.signs",
        "radar_cli.launch",
        "radar_cli.launch.command",
    }


def test_a_sign_that_is_given_while_a_probe_looks_is_not_of_an_earlier_boot(tmp_path: Path) -> None:
    file = tmp_path / "beat"
    file.write_bytes(compose(Sign(1_000, 0, 7)))
    reads: list[int] = []

    def clock_ns() -> int:
        file.write_bytes(compose(Sign(5_000, 0, 7)))  # as a tick of Beat's would just now
        reads.append(1)
        return 4_000

    assert read_silence(str(file), clock_ns) == (3_000 / 1e9, "")
    assert reads == [1]


def test_an_excuse_is_believed_of_a_process_that_still_is(tmp_path: Path) -> None:
    file = tmp_path / "worker"
    process = subprocess.Popen(["sleep", "600"])
    try:
        started = process_state(process.pid)[1]
        given_ns = time.monotonic_ns() - int(720e9)

        def probe(started_ticks: int) -> tuple[int, str]:
            sign = Sign(given_ns, NO_LIMIT_NS, process.pid, started_ticks, "busy with shop.nap")
            file.write_bytes(compose(sign))
            done = run_radar("celery", "alive", "--file", file, text=True)
            return done.returncode, done.stdout

        assert probe(started) == (0, "the worker is alive: busy with shop.nap for 12 min\n")
        # Its number has gone to another process.
        code, said = probe(started + 1)
        assert (code, f"its process {process.pid} is gone" in said) == (1, True)
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: process_state(process.pid)[0] == b"T", 10, "it is stopped")
        code, said = probe(started)
        assert (code, f"its process {process.pid} is stopped" in said) == (1, True)
    finally:
        process.kill()
    wait_until(lambda: process_state(process.pid)[0] == b"", 10, "it has ended")
    assert probe(started)[0] == 1  # nobody has waited for it yet
    process.wait()
    assert probe(started)[0] == 1


def test_a_timer_that_fires_a_moment_early_loses_no_sign(tmp_path: Path) -> None:
    now = [100.0]
    signs = Signs(str(tmp_path / "worker"), clock=lambda: now[0])
    signs.begin()
    for number in range(1, 6):
        now[0] = 100.0 + number * 1.999
        signs.tick()
        found = parse((tmp_path / "worker").read_bytes())
        assert found is not None
        assert found.given_ns == int(now[0] * 1e9)


def test_it_waits_for_no_fifo_and_follows_no_link(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    write(tmp_path / "sign", 0)
    (tmp_path / "link").symlink_to(tmp_path / "sign")
    for name in ("fifo", "link"):
        done = run_radar("celery", "alive", "--file", tmp_path / name, text=True, timeout=20)
        assert done.returncode == 1
        assert "no sign of life" in done.stdout


def test_it_believes_no_folder_of_somebody_else(tmp_path: Path) -> None:
    require_root("to give a folder away")
    folder = tmp_path / f"radar-celery-{os.geteuid()}"
    folder.mkdir()
    write(folder / "worker", 0)
    env = environment(TMPDIR=str(tmp_path))
    assert run_radar("celery", "alive", env=env).returncode == 0
    os.chown(folder, 65534, 65534)
    done = run_radar("celery", "alive", env=env, text=True)
    assert (done.returncode, "belongs to somebody else" in done.stdout) == (1, True)
    folder.rename(tmp_path / "elsewhere")
    os.chown(tmp_path / "elsewhere", 0, 0)
    folder.symlink_to(tmp_path / "elsewhere")
    assert run_radar("celery", "alive", env=env).returncode == 1
