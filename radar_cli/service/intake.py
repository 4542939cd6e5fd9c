"""Taking the pings that wrappers left in the spool into the embedded store, each once."""

import os
import time
from typing import TYPE_CHECKING

from radar_cli.core.errors import RadarError
from radar_cli.delivery.replay import Cleaner
from radar_cli.outbox.claiming import claim, is_free, set_aside, sort_in_old
from radar_cli.outbox.spool import UNRESOLVED, Entry, Outbox, Spool

if TYPE_CHECKING:
    from radar_cli.delivery.destinations import Destination
    from radar_cli.store.store import Store

_File = tuple[str, Spool]
# Each batch is one transaction, and as many open files.
_BATCH = 200
# Another process that takes pings in has them in the store by then.
_PATIENCE_S = 1.0
_ASKED_EVERY_S = 0.01


def ingest(store: "Store", outbox: Outbox, destination: "Destination", now_us: int) -> int:
    """Take in what belongs to the store, in the order of events; return how many were new.

    What a clock that was ahead has dated after `now_us` has happened by now.
    Files go only after their pings are safely in the store: whoever is killed in between leaves
    a file whose ping is known by its id. What another process has at hand right now is waited for:
    whoever judged without it would see a miss where there is none.
    """
    spools = destination.spools(outbox)
    if outbox.has_old:
        sort_in_old(outbox)
        spools = destination.spools(outbox)
    files = [(name, spool) for spool in spools for name in spool.names()]
    files.sort(key=lambda file: file[0])
    cleaner = Cleaner(destination, [])
    try:
        added, held = _take(store, files, destination, cleaner, now_us)
        _wait_for(held)
        # Most are gone by now; whoever had one may have been killed over it.
        return added + _take(store, held, destination, cleaner, now_us)[0]
    finally:
        cleaner.close()


def _take(
    store: "Store", files: list[_File], destination: "Destination", cleaner: Cleaner, now_us: int
) -> tuple[int, list[_File]]:
    """Take these files in; return how many were new, and those that another process holds."""
    added, held = 0, list[_File]()
    batch: list[Entry] = []
    for name, spool in files:
        entry = claim(spool, name)
        if entry is None:
            held.append((name, spool))
        elif not destination.accepts(entry.to):
            entry.release()
        else:
            if UNRESOLVED in entry.to:
                entry.ping = cleaner.clean(entry.ping)
            entry.ping.time_us = min(entry.ping.time_us, now_us)
            batch.append(entry)
        if len(batch) == _BATCH:
            added += _add(store, batch, now_us)
            batch = []
    return added + _add(store, batch, now_us), held


def _wait_for(held: list[_File]) -> None:
    """Wait until nobody holds these files, but not for long."""
    deadline = time.monotonic() + _PATIENCE_S
    for name, spool in held:
        while not is_free(spool, name) and time.monotonic() < deadline:
            time.sleep(_ASKED_EVERY_S)


def drain(outbox: Outbox, destination: "Destination") -> None:
    """Take in what waits for the embedded store and nobody has read for long."""
    from radar_cli.store.opening import open_embedded

    with open_embedded(outbox.state_directory) as store:
        ingest(store, outbox, destination, time.time_ns() // 1000)


def _add(store: "Store", batch: list[Entry], now_us: int) -> int:
    try:
        try:
            added = store.pings.add([entry.ping for entry in batch], now_us) if batch else 0
        except RadarError:
            raise
        except Exception:  # noqa: BLE001 (one poisoned ping must not keep out the others)
            added = sum(_add_one(store, entry, now_us) for entry in batch)
        for entry in batch:
            entry.remove()
    finally:
        for entry in batch:
            entry.release()
    return added


def _add_one(store: "Store", entry: Entry, now_us: int) -> int:
    try:
        return store.pings.add([entry.ping], now_us)
    except RadarError:
        raise
    except Exception:  # noqa: BLE001 (whatever it is about it, it stands aside for a person)
        set_aside(entry.spool, os.path.basename(entry.path))
        return 0
