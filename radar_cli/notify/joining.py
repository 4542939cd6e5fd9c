"""One notice of several alerts: of many monitors, or of one that went down and up and down."""

from dataclasses import replace
from itertools import groupby

from radar_cli.notify.keeping import decode_notice
from radar_cli.notify.notice import Notice
from radar_cli.store.sending import Outgoing


def join(outgoing: Outgoing) -> Notice:
    """Return what a notice says that is on its way.

    ValueError, TypeError or KeyError: one of its alerts can't be read.
    """
    first, *others = (
        _join_changes([decode_notice(alert.notice, outgoing.id) for alert in own])
        for _, own in groupby(outgoing.alerts, key=lambda alert: alert.monitor)
    )
    if not others:
        return first
    # What several can do is look at the list: each has its own page and commands there.
    root = first.url.rpartition("/monitors/")[0]
    return replace(
        first,
        look=((f"{root}/", "radar status") if root else ("radar status",)),
        mute=("radar monitors ack MONITOR...", "radar monitors snooze MONITOR... --for 4h"),
        others=tuple(others),
    )


def _join_changes(changes: list[Notice]) -> Notice:
    """Return the newest of a monitor's changes, with how often it went down until then."""
    newest = changes[-1]
    if len(changes) == 1:
        return newest
    return replace(
        newest,
        downs=sum(change.kind == "down" for change in changes),
        previous_since_us=changes[0].since_us,
        incident=changes[0].incident or newest.incident,
    )
