"""Whoever dies when, and with the disk full: what was in the spool is in the store, once."""

import contextlib
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import WAITING, Outbox
from radar_cli.store.opening import open_embedded
from tests.support.depth import depth
from tests.support.disk import SmallDisk
from tests.support.folder_watch import FolderWatch
from tests.support.radar import environment, run_radar, spool_files, start_radar

_ROUNDS = depth(60, 200)


def _stored(state_dir: Path) -> list[str]:
    """The ids of all pings in the store."""
    with open_embedded(str(state_dir)) as store:
        keys = store.monitors.keys()
        return [ping.id for key in keys for ping in store.pings.newest(key, 100_000)]


def _id_of(name: str) -> str:
    """The id of the ping in a spooled file: `TIME-KIND-ID.ping`."""
    return name.removesuffix(WAITING).split("-", 2)[2]


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_ping_that_was_spooled_is_stored_once_whoever_is_killed(state_dir: Path) -> None:
    """In each round a wrapper and a reader, both at work, and one of them dies, or both."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    env = environment(measured=False)
    (state_dir / "spool/store").mkdir(parents=True)
    ends: Counter[str] = Counter()
    with FolderWatch(state_dir / "spool/store") as watch:
        for number in range(_ROUNDS):
            reader_words = ("status",) if number % 2 else ("check",)
            started = {
                "wrapper": start_radar("run", f"m{number % 5}", "--", "true", env=env),
                "reader": start_radar(*reader_words, env=env),
            }
            victims = chance.choice([["wrapper"], ["reader"], ["reader"], ["wrapper", "reader"]])
            # The moment of the kill is what is random here, not a wait for something. A wrapper
            # is done sooner than a reader.
            moments = sorted(
                (chance.uniform(0, 0.06 if who == "wrapper" else 0.3), who) for who in victims
            )
            begin = time.monotonic()
            for moment, who in moments:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    started[who].wait(max(0.0, begin + moment - time.monotonic()))
                started[who].send_signal(signal.SIGKILL)  # of one that has ended: nothing
            for who, process in started.items():
                _, said = process.communicate(timeout=60)
                ends[f"{who} {'killed' if process.returncode < 0 else 'ended'}"] += 1
                assert process.returncode in (0, -signal.SIGKILL), said
                assert b"radar" not in said, said  # "database is locked", or a store that is broken
        spooled = {_id_of(name) for name in watch.names() if name.endswith(WAITING)}
    print(dict(ends), len(spooled), "pings")
    assert (
        min(ends[f"{who} {how}"] for who in started for how in ("killed", "ended")) > _ROUNDS // 20
    )
    last = run_radar("status", text=True)
    assert (last.returncode, last.stderr) == (0, "")
    assert sorted(_stored(state_dir)) == sorted(spooled)
    assert len(spooled) > _ROUNDS // 2
    assert spool_files() == []


def _fill_spool(state_dir: Path, count: int, body: bytes) -> list[str]:
    spool = Outbox(str(state_dir))
    pings = [Ping("success", "m", time_us=1 + n, body=body) for n in range(count)]
    for ping in pings:
        spool.put(ping, {}, durable=False)
    return [ping.id for ping in pings]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["status", "check"])
@pytest.mark.parametrize("left_bytes", [0, 4096, 40_960, 200_000])
def test_a_reader_on_a_full_disk_loses_nothing(
    tmp_path: Path, command: str, left_bytes: int
) -> None:
    """However far it comes: one line says so, and all is taken in once there is space."""
    with SmallDisk(tmp_path, size_bytes=8_000_000) as disk:
        state = disk.path / "state"
        env = environment(RADAR_STATE_DIR=str(state))
        assert run_radar("run", "first", "--", "true", env=env).returncode == 0
        assert run_radar("status", env=env).returncode == 0
        ids = _fill_spool(state, 300, b"x" * 2000)
        disk.fill(leave_bytes=left_bytes)
        full = run_radar(command, env=env, text=True)
        assert (full.returncode, full.stdout) == (2, "")
        (line,) = full.stderr.splitlines()
        assert line.startswith(f"radar: can't use {state}/radar.db: ")
        assert line.endswith("(the disk is full: free some space)")
        disk.free()
        assert run_radar(command, env=env).returncode == 0
        stored = _stored(state)
        assert sorted(set(stored) & set(ids)) == sorted(ids)
        assert len(stored) == len(ids) + 2
        assert spool_files(state) == []


@pytest.mark.slow
def test_a_store_that_does_not_fit_is_made_once_there_is_space(tmp_path: Path) -> None:
    with SmallDisk(tmp_path, size_bytes=2_000_000) as disk:
        state = disk.path / "state"
        env = environment(RADAR_STATE_DIR=str(state))
        ids = _fill_spool(state, 3, b"")
        disk.fill(leave_bytes=8192)
        full = run_radar("status", env=env, text=True)
        assert full.returncode == 2
        (line,) = full.stderr.splitlines()
        assert "the disk is full: free some space" in line
        disk.free()
        assert run_radar("status", env=env).returncode == 0
        assert sorted(_stored(state)) == sorted(ids)


@pytest.mark.slow
def test_a_job_on_a_full_disk_runs_and_its_reader_says_why_it_cannot(tmp_path: Path) -> None:
    with SmallDisk(tmp_path, size_bytes=2_000_000) as disk:
        state = disk.path / "state"
        env = environment(RADAR_STATE_DIR=str(state))
        run_radar("run", "job", "--", "false", env=env)
        assert run_radar("check", env=env).returncode == 1
        disk.fill()
        done = run_radar("run", "job", "--", "sh", "-c", "echo out; exit 7", env=env, text=True)
        assert (done.returncode, done.stdout) == (7, "out\n")
        assert len(done.stderr.splitlines()) == 1
        checked = run_radar("check", env=env, text=True)
        assert (checked.returncode, checked.stdout) == (2, "")
        (line,) = checked.stderr.splitlines()
        assert line.endswith("(the disk is full: free some space)")
        nagios = run_radar("check", "--format", "nagios", env=env, text=True)
        assert (nagios.returncode, nagios.stderr) == (3, "")
        assert nagios.stdout.startswith("RADAR UNKNOWN - ")
        disk.free()
        assert "down (failed)" in run_radar("check", env=env, text=True).stdout
