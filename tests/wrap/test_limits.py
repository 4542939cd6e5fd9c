"""Where the user may start nothing more, no thread and no `cat`, the output passes all the same."""

import os
import sys
from pathlib import Path

import pytest

from tests.support import answers
from tests.support.children import flood_bytes
from tests.support.pings import kinds, last_ping
from tests.support.radar import environment, run_radar, start_radar
from tests.support.requirements import require_program, require_root
from tests.support.server import Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.own_field

# Root knows no limit. It is a user of whom nobody else has a process, and may read what root may.
UID = str(500_000 + os.getpid())
PATHS = "+dac_override,+dac_read_search"


@pytest.fixture
def alone() -> list[str]:
    """Radar and its job are all that this user may have."""
    require_root("a limit of processes")
    setpriv, prlimit = require_program("setpriv"), require_program("prlimit")
    user = [setpriv, "--reuid", UID, "--clear-groups", "--inh-caps", PATHS, "--ambient-caps", PATHS]
    return [*user, prlimit, "--nproc=2:2"]


@pytest.mark.parametrize("code", [0, 3])
def test_the_output_of_both_streams_passes(code: int, alone: list[str]) -> None:
    script = f"import sys; print('out'); print('err', file=sys.stderr); sys.exit({code})"
    done = run_radar("run", "job", "--", sys.executable, "-c", script, prefix=alone, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (code, "out\n", "err\n")
    assert kinds() == ["start", "success" if code == 0 else "fail"]
    assert sorted(last_ping().body.splitlines()) == [b"err", b"out"]


def test_what_the_output_says_still_counts(alone: list[str]) -> None:
    done = run_radar("run", "job", "--fail-on", "ERR", "-c", "echo an ERR", prefix=alone)

    assert (done.returncode, done.stdout) == (0, b"an ERR\n")
    assert kinds() == ["start", "fail"]


def test_both_pings_reach_a_server(alone: list[str], server: Server) -> None:
    env = environment(measured=False, RADAR_SERVER=server.url, RADAR_API_KEY="k1")
    done = run_radar("run", "job", "--", "true", prefix=alone, env=env)

    assert (done.returncode, done.stderr) == (0, b"")
    assert [ping.kind for ping in server.accepted] == ["start", "complete"]


def test_it_waits_for_a_slow_server_only_briefly(alone: list[str], server: Server) -> None:
    server.behave(answers.delayed(8))
    env = environment(measured=False, RADAR_SERVER=server.url, RADAR_API_KEY="k1")
    done = run_radar("run", "job", "--", "true", prefix=alone, env=env)

    assert (done.returncode, done.stderr) == (0, b"")
    assert kinds() == ["start", "success"]  # they have not been delivered


def test_much_output_passes_a_slow_reader(children: Path, alone: list[str]) -> None:
    radar = start_radar("run", "job", "--", children / "flood", "1000000", "7", prefix=alone)
    assert radar.stdout is not None
    got = b""
    while data := os.read(radar.stdout.fileno(), 4096):
        got += data

    assert radar.wait(10) == 7
    assert got == flood_bytes(0, 1_000_000)


def test_output_passes_while_the_job_runs(alone: list[str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    script = "print('out', flush=True); open('go').read(); raise SystemExit(7)"
    radar = start_radar("run", "job", "--", sys.executable, "-c", script, prefix=alone)
    assert radar.stdout is not None
    assert radar.stdout.readline() == b"out\n"
    assert radar.poll() is None
    (tmp_path / "go").write_text("on\n")

    assert radar.wait(10) == 7


def test_the_job_learns_that_its_reader_is_gone(alone: list[str]) -> None:
    radar = start_radar("run", "job", "--", "yes", prefix=alone)
    assert radar.stdout is not None
    assert radar.stdout.readline() == b"y\n"
    radar.stdout.close()

    assert radar.wait(10) == -13
    wait_until(lambda: kinds() == ["start", "fail"])


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("words", [(), ("--quiet",), ("--to", "a", "--to", "b")], ids=" ".join)
def test_each_thread_that_is_refused_costs_nothing(
    number: int, words: tuple[str, ...], server: Server, tmp_path: Path
) -> None:
    """The first clone3 starts the job itself; those after it, radar's threads."""
    strace = require_program("strace")
    profiles = "".join(
        f'[profiles.{name}]\nserver = "{server.url}"\napi_key = "k1"\n' for name in ("a", "b")
    )
    (tmp_path / "config.toml").write_text(profiles)
    (tmp_path / "config.toml").chmod(0o600)
    inject = [strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=clone3"]
    inject += ["-e", f"inject=clone3:error=EAGAIN:when={number}"]
    env = environment(measured=False, RADAR_SERVER=server.url, RADAR_API_KEY="k1")
    job = ("--", sys.executable, "-c", "print('out', flush=True); raise SystemExit(3)")
    done = run_radar("run", "job", *words, *job, prefix=inject, env=env)

    started = number != 1
    ends = [ping.kind for ping in server.accepted]
    copies = 2 if "--to" in words else 1
    assert done.returncode == (3 if started else 126)
    assert done.stdout == (b"out\n" if started else b"")
    assert (done.stderr == b"") == started
    assert ends.count("fail") == copies
    assert ends.count("start") == (copies if started else 0)
    assert kinds() == []
