"""The pings that wait in a state directory, read as radar itself reads them."""

import os
from pathlib import Path

from radar_cli.model.ping import Ping
from radar_cli.outbox.claiming import peek
from radar_cli.outbox.spool import Entry, Outbox


def read_pings(state_dir: Path | None = None) -> list[Ping]:
    """All pings in the outbox of this test's (or that) state directory, oldest first."""
    return [entry.ping for entry in read_entries(state_dir)]


def read_entries(state_dir: Path | None = None) -> list[Entry]:
    """The same, with where they belong."""
    outbox = Outbox(str(state_dir or os.environ["RADAR_STATE_DIR"]))
    files = [(name, spool) for spool in outbox.spools() for name in spool.names()]
    files.sort(key=lambda file: file[0])
    entries = [peek(spool, name) for name, spool in files]
    assert None not in entries, f"a file in {outbox.folder} can't be read"
    return [entry for entry in entries if entry is not None]


def last_ping(state_dir: Path | None = None) -> Ping:
    """The newest one of them."""
    pings = read_pings(state_dir)
    assert pings, "no ping was kept"
    return pings[-1]


def kinds(state_dir: Path | None = None) -> list[str]:
    """What kinds they are of, oldest first: `["start", "success"]`."""
    return [ping.kind for ping in read_pings(state_dir)]
