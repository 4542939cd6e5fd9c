"""Late pings for a server that takes every ping for news, as CronRadar does.

Of each monitor such a server is told the newest outcome, and that only within its grace; nothing
that is older than what it already knows. Whatever is left out instead is said.
"""

import os
import time

from radar_cli.grammar import format_duration
from radar_cli.pings.outbox import claim, peek
from radar_cli.pings.spool import Entry, Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.pings.announcer import Announcer
    from radar_cli.pings.delivery import Carrier
    from radar_cli.pings.destinations import Destination
    from radar_cli.pings.flush import Turn
    from radar_cli.pings.ping import Ping

_OUTCOMES = ("success", "fail")
_GRACE_DEFAULT_S = 300.0


class Late:
    """What waits of one monitor: its newest outcome, kept from others, and the rest dropped."""

    def __init__(self, spool: Spool, entries: list[Entry]) -> None:
        self.newest: Entry | None = None
        self.dropped = 0
        for entry in reversed(entries):
            held = claim(spool, os.path.basename(entry.path))
            if held is None:
                return  # somebody delivers it right now: what is older would come after it
            if self.newest is None and held.ping.kind in _OUTCOMES:
                self.newest = held
                continue
            if held.ping.kind in _OUTCOMES:
                self.dropped += 1
            held.remove()


def send_news(turn: "Turn", names: list[str], current: "Ping | None") -> None:
    """Send what is still news of each monitor, save the one that has just been heard of."""
    server = turn.carrier.destination.server
    for monitor, entries in _by_monitor(turn.spool, names, turn.carrier.destination).items():
        if current is not None and monitor == current.monitor:
            continue
        if turn.is_over():
            return
        late = Late(turn.spool, entries)
        if late.newest is not None:
            ping = late.newest.ping
            age_s = time.time() - ping.time_us / 1e6
            if age_s <= float(ping.fields.get("gracePeriod") or _GRACE_DEFAULT_S):
                turn.send(late.newest)
            else:
                late.newest.remove()
                turn.flushed.lose(
                    f"{monitor}: its {ping.kind} is {format_duration(age_s)} old and was not"
                    f" sent: {server} would take it for news"
                )
        if late.dropped:
            turn.flushed.lose(_say(monitor, late.dropped, server))


def in_turn(
    announcer: "Announcer", destination: "Destination", carry: "Callable[[Carrier, Ping], bool]"
) -> "Callable[[Carrier, Ping], bool]":
    """As `carry`, but nothing that is older comes after the ping."""

    def carry_in_turn(carrier: "Carrier", ping: "Ping") -> bool:
        late = _hold_back(announcer.spool, destination, ping)
        is_delivered = carry(carrier, ping)
        announcer.warnings += _give_up(late, destination, is_delivered=is_delivered)
        return is_delivered

    return carry_in_turn


def _hold_back(spool: Spool, destination: "Destination", ping: "Ping") -> Late:
    """Keep others from sending what is older than this ping, which goes out now."""
    names = [name for name in spool.outbound() if _time_of(name) < ping.time_us]
    return Late(spool, _by_monitor(spool, names, destination).get(ping.monitor, []))


def _give_up(late: Late, destination: "Destination", *, is_delivered: bool) -> list[str]:
    """Drop what was held back, if the newer ping is delivered; return what was lost, in words."""
    dropped = late.dropped
    if late.newest is not None:
        if is_delivered:
            late.newest.remove()
            dropped += 1
        else:
            late.newest.release()
    return [_say("", dropped, destination.server)] if dropped else []


def _time_of(name: str) -> int:
    """The time in a file's name, or the end of time."""
    digits = name.partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else 1 << 63


def _by_monitor(
    spool: Spool, names: list[str], destination: "Destination"
) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for name in names:
        entry = peek(spool, name)
        if entry is None:
            entry = claim(spool, name)  # sets a broken one aside
            if entry is None:
                continue
            entry.release()
        if destination.accepts(entry.to):
            found.setdefault(entry.ping.monitor, []).append(entry)
    return found


def _say(monitor: str, count: int, server: str) -> str:
    what = "an older outcome was" if count == 1 else f"{count} older outcomes were"
    words = f"{what} not sent: {server} would take it for news"
    return f"{monitor}: {words}" if monitor else words
