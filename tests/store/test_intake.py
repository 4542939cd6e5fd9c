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

from radar_cli.core.errors import StateError
from radar_cli.delivery.destinations import STORE, Destination
from radar_cli.model.ping import Ping
from radar_cli.outbox.claiming import is_free
from radar_cli.outbox.spool import STORE_FOLDER, Outbox, Spool
from radar_cli.service import intake
from radar_cli.service.intake import drain, ingest
from radar_cli.store import pings as pings_module
from radar_cli.store.database import Change
from radar_cli.store.opening import open_embedded
from tests.support.processes import children_of
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
        return [
            ping.id
            for known in store.monitors.all()
            for ping in store.pings.newest(known.key, 10_000)
        ]


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


def test_what_lies_here_and_belongs_elsewhere_stays_for_others(state_dir: Path) -> None:
    outbox = Outbox(str(state_dir))
    elsewhere = {"server": "https://radar.example", "profile": "default"}
    spool = outbox.spool(STORE_FOLDER)
    entry = spool.put(Ping("success", "m", time_us=1), elsewhere, durable=False)
    with open_embedded(str(state_dir)) as store:
        assert ingest(store, outbox, _HERE, _NOW_US) == 0
    assert [path.name for path in spool_files()] == [os.path.basename(entry.path)]
    assert is_free(spool, os.path.basename(entry.path))


def test_it_stores_so_many_at_a_time_in_the_order_of_events(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _fill(state_dir, 500)
    first = Ping("success", "m", time_us=0)
    Outbox(str(state_dir)).put(first, {"unresolved": "default"}, durable=False)
    batches: list[list[str]] = []
    with open_embedded(str(state_dir)) as store:
        add = store.pings.add

        def noting(pings: Sequence[Ping], now_us: int) -> int:
            batches.append([ping.id for ping in pings])
            return add(pings, now_us)

        monkeypatch.setattr(store.pings, "add", noting)
        assert ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US) == 501
    assert [len(batch) for batch in batches] == [200, 200, 101]
    # The first of the 500 is of the same moment as the first of all.
    in_order = [ping_id for batch in batches for ping_id in batch]
    assert set(in_order[:2]) == {first.id, ids[0]}
    assert in_order[2:] == ids[1:]


def test_a_store_that_takes_nothing_leaves_the_pings_to_others(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(state_dir, 2)
    outbox = Outbox(str(state_dir))

    def refuse(pings: Sequence[Ping], now_us: int) -> int:  # noqa: ARG001
        raise StateError("the disk is full")

    with open_embedded(str(state_dir)) as store:
        with monkeypatch.context() as patch:
            patch.setattr(store.pings, "add", refuse)
            with pytest.raises(StateError):
                ingest(store, outbox, _HERE, _NOW_US)
        spool = outbox.spool(STORE_FOLDER)
        assert [is_free(spool, name) for name in spool.names()] == [True, True]
        assert ingest(store, outbox, _HERE, _NOW_US) == 2


def test_it_takes_what_radar_0_1_left(state_dir: Path) -> None:
    old = Spool(str(state_dir / "spool"))
    old.put(Ping("success", "m", time_us=1), {}, durable=False)
    with open_embedded(str(state_dir)) as store:
        assert ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US) == 1
    assert old.names() == []


def test_what_waited_for_the_config_is_redacted_as_it_says(state_dir: Path) -> None:
    outbox = Outbox(str(state_dir))
    for number, to in enumerate(({"unresolved": "default"}, {})):
        ping = Ping("success", f"m{number}", time_us=1, body=b"of patient 4711\n")
        outbox.put(ping, to, durable=False)
    here = Destination(STORE, profile="default", redact=["patient [0-9]+"])
    before = children_of(os.getpid())
    with open_embedded(str(state_dir)) as store:
        assert ingest(store, outbox, here, _NOW_US) == 2
        bodies = [ping.body for key in ("m0", "m1") for ping in store.pings.newest(key, 1)]
    # What was resolved when it was kept is clean already.
    assert bodies == [b"of [redacted]\n", b"of patient 4711\n"]
    assert children_of(os.getpid()) == before


def test_emptying_takes_in_what_has_happened_by_now(state_dir: Path) -> None:
    ahead_us = time.time_ns() // 1000 + 86_400_000_000
    Outbox(str(state_dir)).put(Ping("success", "m", time_us=ahead_us), {}, durable=False)
    begin_us = time.time_ns() // 1000
    drain(Outbox(str(state_dir)), _HERE)
    end_us = time.time_ns() // 1000
    with open_embedded(str(state_dir)) as store:
        (stored,) = store.pings.newest("m", 9)
    assert begin_us <= stored.time_us <= end_us
    assert spool_files() == []


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
        store.pings.add([entry.ping for entry in entries], int(sys.argv[3]))
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
        added = ingest(store, Outbox(str(state_dir)), _HERE, _NOW_US)
        assert added == (0 if what == "stores" else 3)
        assert sorted(
            ping.id for k in store.monitors.all() for ping in store.pings.newest(k.key, 9)
        ) == (sorted(ids))
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
        assert [p.time_us for p in store.pings.newest("job", 9)] == [_NOW_US]
    run_radar("run", "job", "--", "false")
    assert run_radar("check", "job").returncode == 1


def test_a_poisoned_ping_keeps_no_other_out(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _fill(state_dir, 5)
    insert = pings_module._insert

    def poisoned(change: Change, pings: Sequence[Ping]) -> set[str]:
        if any(ping.id == ids[2] for ping in pings):
            raise OverflowError("as SQLite has it of a number that is too large")
        return insert(change, pings)

    monkeypatch.setattr(pings_module, "_insert", poisoned)
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
        kinds = {
            m.key: [p.kind for p in store.pings.newest(m.key, 9)] for m in store.monitors.all()
        }
    assert kinds == {f"job{number}": ["start", "success"] for number in range(100)}
    assert spool_files() == []


@pytest.mark.slow
def test_a_wrapper_takes_in_a_spool_that_nobody_reads(state_dir: Path) -> None:
    ids = _fill(state_dir, 1000)
    assert run_radar("run", "job", "--", "true").returncode == 0
    assert len(spool_files()) == 0
    assert len(_stored(state_dir)) == len(ids) + 2
