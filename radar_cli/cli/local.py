"""What commands need of this machine's own store."""

import time
from typing import TYPE_CHECKING

from radar_cli.outbox.spool import Outbox
from radar_cli.store.intake import take_in
from radar_cli.store.retention import Retention
from radar_cli.store.store import Store

if TYPE_CHECKING:
    from radar_cli.config.profiles import Profile
    from radar_cli.delivery.destinations import Destination

_SWEPT_EVERY_US = 600 * 1_000_000


def bring_up_to_date(
    store: Store, directory: str, destination: "Destination", retention: Retention
) -> None:
    """Take in what waits, and forget a little of what is too old."""
    now_us = time.time_ns() // 1000
    take_in(store, Outbox(directory), destination, now_us)
    store.sweep(now_us, retention, every_us=_SWEPT_EVERY_US)


def retention_of(profile: "Profile") -> Retention:
    """How much the store keeps, as the settings say."""
    chosen: dict[str, int] = {}
    for name in ("pings", "outputs"):
        count = profile.setting(f"keep_{name}").value
        time_s = profile.setting(f"keep_{name}_for").value
        if isinstance(count, int):
            chosen[name] = count
        if isinstance(time_s, float):
            chosen[f"{name}_for_us"] = round(time_s * 1e6)
    return Retention(**chosen)
