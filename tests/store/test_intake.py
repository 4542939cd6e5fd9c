"""Taking the spool into the store: each ping once, whoever dies when."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from radar_cli.delivery.destinations import STORE, Destination
from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import Outbox
from radar_cli.service import intake
from radar_cli.service.intake import ingest
from radar_cli.store import store as store_module
from radar_cli.store.database import Change
from radar_cli.store.opening import open_embedded
from tests.support.radar import run_radar, spool_files, start_radar
from tests.support.waiting import wait_until

_HERE = Destination(STORE, profile="default")
_NOW_US = 1_795_000_000_000_000


def _fill(state_dir: Path, count: int, to: dict[str, str] | None = None) -> list[str]:
    outbox = Outbox(str(state_dir))
    pings = [Ping("success", f"m{number % 7}", time_us=number) for number in range(count)]
    for ping in pings:
        outbox.put(ping, to or {}, durable=False)
    return [ping.id for ping in pings]


def _stored(state_dir: Path) -> list[str]:
    with open_embedded(str(state_dir)) as store:
        return [ping.id for known in store.monitors() for ping in store.newest(known.key, 10_000)]


def test_it_takes_every_ping_in_once_and_empties_the_spool(state_dir: Path) -> None:
    ids = _fill(state_dir, 450)  # more than two batches
    with open_embedded(str(state_dir)) as store:
        assert ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US) == 450
        assert ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US) == 0
    assert sorted(_stored(state_dir)) == sorted(ids)
    assert spool_files() == []


def test_it_leaves_what_belongs_elsewhere(state_dir: Path) -> None:
    _fill(state_dir, 2, {"server": "https://radar.example", "profile": "default"})
    with open_embedded(str(state_dir)) as store:
        assert ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US) == 0
    assert len(spool_files()) == 2


def test_it_takes_what_waited_for_the_config_to_be_mended(state_dir: Path) -> None:
    _fill(state_dir, 2, {"unresolved": "default"})
    with open_embedded(str(state_dir)) as store:
        assert ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US) == 2


def test_it_knows_a_ping_whose_file_outlived_its_taking_in(state_dir: Path) -> None:
    ids = _fill(state_dir, 3)
    copies = [(path, path.read_bytes()) for path in spool_files()]
    with open_embedded(str(state_dir)) as store:
        ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US)
        for path, content in copies:  # as after a crash between commit and unlink
            path.write_bytes(content)
        assert ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US) == 0
    assert sorted(_stored(state_dir)) == sorted(ids)
    assert spool_files() == []


_HOLDER = """
import sys
from radar_cli.outbox.claiming import claim
from radar_cli.outbox.spool import Outbox
from radar_cli.store.opening import open_embedded

outbox = Outbox(sys.argv[1])
spool = outbox.spool("store")
entries = [claim(spool, name) for name in spool.names()]
print("held", flush=True)
sys.stdin.readline()
if sys.argv[2] == "stores":
    with open_embedded(sys.argv[1]) as store:
        store.add([entry.ping for entry in entries], int(sys.argv[3]))
    for entry in entries:
        entry.remove()
"""


@pytest.mark.parametrize("what", ["stores", "is killed"])
def test_it_waits_for_what_another_process_has_at_hand(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Whoever judged without these pings would tell of a miss that none is."""
    ids = _fill(state_dir, 3)
    with (
        subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(state_dir), what, str(_NOW_US)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder,
        open_embedded(str(state_dir)) as store,
    ):
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        def go_on_and_sleep(seconds: float) -> None:
            assert holder.stdin is not None
            holder.stdin.close()
            sleep(seconds)

        sleep = time.sleep
        monkeypatch.setattr(time, "sleep", go_on_and_sleep)
        monkeypatch.setattr(intake, "_PATIENCE_S", 60.0)
        ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US)
        assert sorted(ping.id for k in store.monitors() for ping in store.newest(k.key, 9)) == (
            sorted(ids)
        )
    assert spool_files() == []


def test_it_waits_for_no_process_that_hangs(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(state_dir, 3)
    monkeypatch.setattr(intake, "_PATIENCE_S", 0.05)
    with (
        subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(state_dir), "is killed", ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder,
        open_embedded(str(state_dir)) as store,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US) == 0
        holder.communicate(b"")


def test_a_clock_that_was_ahead_silences_nothing(state_dir: Path) -> None:
    ping = Ping("success", "job", time_us=_NOW_US + 86_400_000_000)
    Outbox(str(state_dir)).put(ping, {}, durable=False)
    with open_embedded(str(state_dir)) as store:
        ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US)
        assert [p.time_us for p in store.newest("job", 9)] == [_NOW_US]
    run_radar("run", "job", "--", "false")
    assert run_radar("check", "job").returncode == 1


def test_a_poisoned_ping_keeps_no_other_out(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _fill(state_dir, 5)
    insert = store_module._insert

    def poisoned(change: Change, pings: Sequence[Ping]) -> set[str]:
        if any(ping.id == ids[2] for ping in pings):
            raise OverflowError("as SQLite has it of a number that is too large")
        return insert(change, pings)

    monkeypatch.setattr(store_module, "_insert", poisoned)
    with open_embedded(str(state_dir)) as store:
        assert ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US) == 4
    assert sorted(_stored(state_dir)) == sorted({*ids} - {ids[2]})
    assert spool_files() == []
    assert len(list((state_dir / "spool/store/aside").iterdir())) == 1


@pytest.mark.slow
def test_it_loses_and_doubles_nothing_when_readers_are_killed(state_dir: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    ids: list[str] = []
    for _ in range(15):
        ids += _fill_more(state_dir, 60, len(ids))
        readers = [
            start_radar("status", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(2)
        ]
        # The moment of the kill is what is random here, not a wait for something.
        victim = readers[0]
        try:
            victim.wait(chance.uniform(0.05, 0.4))
        except subprocess.TimeoutExpired:
            os.kill(victim.pid, signal.SIGKILL)
        for reader in readers:
            reader.wait(60)
    wait_until(lambda: run_radar("status").returncode == 0 and spool_files() == [])
    assert sorted(_stored(state_dir)) == sorted(ids)


def _fill_more(state_dir: Path, count: int, start: int) -> list[str]:
    outbox = Outbox(str(state_dir))
    pings = [Ping("success", f"m{n % 7}", time_us=n) for n in range(start, start + count)]
    for ping in pings:
        outbox.put(ping, {}, durable=False)
    return [ping.id for ping in pings]


@pytest.mark.slow
def test_it_stores_a_hundred_jobs_at_once_while_readers_take_in(state_dir: Path) -> None:
    jobs = [start_radar("run", f"job{number}", "--", "true") for number in range(100)]
    while any(job.poll() is None for job in jobs):
        reader = run_radar("status", text=True)
        assert (reader.returncode, "locked" in reader.stderr) == (0, False)
    assert [job.wait() for job in jobs] == [0] * 100
    assert {job.stderr.read() if job.stderr else b"" for job in jobs} == {b""}
    run_radar("status")
    with open_embedded(str(state_dir)) as store:
        kinds = {m.key: [p.kind for p in store.newest(m.key, 9)] for m in store.monitors()}
    assert kinds == {f"job{number}": ["start", "success"] for number in range(100)}
    assert spool_files() == []


@pytest.mark.slow
def test_a_wrapper_takes_in_a_spool_that_nobody_reads(state_dir: Path) -> None:
    ids = _fill(state_dir, 1000)
    assert run_radar("run", "job", "--", "true").returncode == 0
    assert len(spool_files()) == 0
    assert len(_stored(state_dir)) == len(ids) + 2
