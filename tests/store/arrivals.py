"""Pings that arrive when they happen."""

from collections.abc import Sequence

from radar_cli.model.ping import Ping
from radar_cli.store.store import Store


def add(store: Store, pings: Sequence[Ping]) -> int:
    """Add pings at the time of the newest one; return how many were new."""
    return store.pings.add(pings, max(ping.time_us for ping in pings))
