"""Taking the pings that wrappers left in the spool into the embedded store, each once."""

import os
import time
from typing import TYPE_CHECKING

from radar_cli.core.errors import RadarError
from radar_cli.delivery.replay import Cleaner
from radar_cli.outbox.claiming import claim, set_aside, sort_in_old
from radar_cli.outbox.spool import UNRESOLVED, Entry, Outbox

if TYPE_CHECKING:
    from radar_cli.delivery.destinations import Destination
    from radar_cli.store.store import Store

# Each batch is one transaction, and as many open files.
_BATCH = 200


def take_in(store: "Store", outbox: Outbox, destination: "Destination", now_us: int) -> int:
    """Take in what belongs to the store, in the order of events; return how many were new.

    What a clock that was ahead has dated after `now_us` has happened by now.
    Files go only after their pings are safely in the store: whoever is killed in between leaves
    a file whose ping is known by its id.
    """
    added = 0
    batch: list[Entry] = []
    spools = destination.spools(outbox)
    if outbox.has_old:
        sort_in_old(outbox)
        spools = destination.spools(outbox)
    files = [(name, spool) for spool in spools for name in spool.names()]
    files.sort(key=lambda file: file[0])
    cleaner: Cleaner | None = None
    for name, spool in files:
        entry = claim(spool, name)
        if entry is None:
            continue
        if not destination.accepts(entry.to):
            entry.release()
            continue
        if UNRESOLVED in entry.to:
            cleaner = cleaner or Cleaner(destination, [])
            entry.ping = cleaner.clean(entry.ping)
        entry.ping.time_us = min(entry.ping.time_us, now_us)
        batch.append(entry)
        if len(batch) >= _BATCH:
            added += _add(store, batch, now_us)
    if cleaner is not None:
        cleaner.close()
    return added + _add(store, batch, now_us)


def empty(outbox: Outbox, destination: "Destination") -> None:
    """Take in what waits for the embedded store and nobody has read for long."""
    from radar_cli.store.opening import open_embedded

    with open_embedded(outbox.state_directory) as store:
        take_in(store, outbox, destination, time.time_ns() // 1000)


def _add(store: "Store", batch: list[Entry], now_us: int) -> int:
    try:
        try:
            added = store.add([entry.ping for entry in batch], now_us) if batch else 0
        except RadarError:
            raise
        except Exception:  # noqa: BLE001 (one poisoned ping must not keep out the others)
            added = sum(_add_one(store, entry, now_us) for entry in batch)
        for entry in batch:
            entry.remove()
    finally:
        for entry in batch:
            entry.release()
        batch.clear()
    return added


def _add_one(store: "Store", entry: Entry, now_us: int) -> int:
    try:
        return store.add([entry.ping], now_us)
    except RadarError:
        raise
    except Exception:  # noqa: BLE001 (whatever it is about it, it stands aside for a person)
        set_aside(entry.spool, os.path.basename(entry.path))
        return 0
