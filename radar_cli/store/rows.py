"""Rows of the store's tables, and what is read out of them."""

import json
from functools import lru_cache
from typing import Any

from radar_cli.model.fault import BAD, BEWARE
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord, read_faults, read_outages, read_pauses
from radar_cli.model.run import Origin
from radar_cli.store.database import Rows

COLUMNS = "key, declared, created_us, judged, pauses, settled, version, outages, faults"
PING_COLUMNS = "id, monitor, kind, run_id, time_us, fields, origin"
FAULT_KINDS = ("", BEWARE, BAD)  # as the column `fault` has them


def like_pattern(pattern: str) -> str:
    """LIKE's pattern for a shell's, escaped by `!`; of `[...]` it knows only: a character."""
    like, rest = "", pattern
    while rest:
        first, rest = rest[0], rest[1:]
        if first == "[":
            # Brackets that aren't closed are plain, and `]` as the first isn't the closing one.
            end = rest.find("]", 2 if rest[:1] == "!" else 1)
            like, rest = (like + "_", rest[end + 1 :]) if end >= 0 else (like + "[", rest)
        else:
            like += {"*": "%", "?": "_", "%": "!%", "_": "!_", "!": "!!"}.get(first, first)
    return like


def read_pings(rows: Rows) -> list[Ping]:
    """The pings in rows that are newest first, oldest first; those without a body have none."""
    return [
        Ping(
            kind,
            monitor,
            ping_id=ping_id,
            run_id=run_id,
            time_us=time_us,
            fields=json.loads(fields),
            body=bytes(body[0]) if body else b"",
            origin=read_origin(origin),
        )
        for ping_id, monitor, kind, run_id, time_us, fields, origin, *body in reversed(rows)
    ]


@lru_cache(4096)  # jobs come from few places, and each goes on to
def write_origin(origin: Origin | None) -> str:
    """The JSON that an origin is kept as."""
    return "" if origin is None else json.dumps(origin._asdict())


@lru_cache(4096)
def read_origin(written: str) -> Origin | None:
    """The origin that `write_origin` wrote."""
    return Origin(**json.loads(written)) if written else None


def read_row(row: tuple[Any, ...]) -> MonitorRecord:
    """The monitor in a row of COLUMNS."""
    key, declared, created_us, judged, pauses, settled, version, outages, faults = row
    return MonitorRecord(
        key,
        json.loads(declared),
        created_us,
        judged,
        read_pauses(pauses),
        frozenset(json.loads(settled)),
        version,
        read_outages(outages),
        read_faults(faults),
    )
