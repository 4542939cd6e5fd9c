"""Composing notices: what was expected, what happened, and how to look further."""

import itertools
from copy import copy
from dataclasses import replace
from itertools import groupby
from typing import Any, Sequence

from radar_cli.core.grammar import format_duration
from radar_cli.model.fault import Fault
from radar_cli.model.flip import Flip
from radar_cli.model.monitor import Monitor
from radar_cli.model.notice_log import ChannelHealth
from radar_cli.model.record import MonitorRecord
from radar_cli.model.run import Run, fold_runs
from radar_cli.model.sentences import describe_schedule
from radar_cli.model.state import Reason, Status
from radar_cli.notify.channel import Channel
from radar_cli.notify.excerpt import one_line
from radar_cli.notify.notice import Notice, decode_notice, encode_notice
from radar_cli.notify.signing import Signer
from radar_cli.notify.words import long_time
from radar_cli.service.recorded_causes import find_cause
from radar_cli.settings.channels import ChannelTable
from radar_cli.store.alerts import PendingAlert
from radar_cli.store.channels import QUIET
from radar_cli.store.notices import ESCALATING, Outgoing
from radar_cli.store.store import Store

# Enough to find the last run that ended behind some that go on.
_PINGS_READ = 12
_FLIPS_READ = 500


class Composer:
    """Makes the notices of flips, for the channels that are to hear of them.

    `host` is this machine's name, for monitors whose runs tell none. `public_url` is the server's
    as people reach it; without one no notice has a link to a monitor. With a `signer` each has one
    by which whoever gets it acts on the outage.
    """

    def __init__(
        self,
        store: Store,
        channels: Sequence[Channel],
        host: str,
        public_url: str = "",
        signer: Signer | None = None,
    ) -> None:
        self._signer = signer
        self._store = store
        self._channels = channels
        self._host = host
        self._public_url = public_url.rstrip("/")
        self._now_us = 0

    def at(self, now_us: int) -> "Composer":
        """Return the same for what is told now: channels may be quiet, or hear of it later."""
        other = copy(self)
        other._now_us = now_us
        return other

    def __call__(self, known: MonitorRecord, flip: Flip) -> list[PendingAlert]:
        """Return what each channel that hears of a flip is to be told, as JSON, and when."""
        return self._address(self._compose(known, flip))

    def _address(self, notice: Notice) -> list[PendingAlert]:
        """Return what each channel that hears of a notice is to be told, and when."""
        encoded, now_us = encode_notice(notice), self._now_us or notice.noticed_us
        tellings = []
        for channel in self._channels:
            if channel.table.hears(notice.kind, notice.tags, notice.monitor):
                if self._signer is not None and notice.kind == "down":
                    signed = _sign(notice, self._signer, channel.table.name, now_us)
                    encoded = encode_notice(signed)
                tellings.append(_delay(channel.table, notice, encoded, now_us))
        return tellings

    @property
    def names(self) -> list[str]:
        """The names of the channels."""
        return [channel.table.name for channel in self._channels]

    @property
    def hears_late(self) -> bool:
        """Whether any channel hears of what is late."""
        return any("late" in channel.table.on for channel in self._channels)

    def late_channels(self, known: MonitorRecord) -> list[str]:
        """Return the names of the channels that hear that a monitor is late."""
        return [
            channel.table.name
            for channel in self._channels
            if channel.table.hears("late", known.monitor.tags, known.key)
        ]

    def compose_late(self, known: MonitorRecord) -> list[PendingAlert]:
        """Return what each of these is to be told."""
        monitor, view = known.monitor, known.view_at(self._now_us)
        notice = Notice(
            key="",
            kind="late",
            monitor=known.key,
            name=monitor.name,
            status=str(view.status),
            previous=str(known.state.status),
            reason="",
            since_us=view.since_us,
            noticed_us=self._now_us,
            host=self._host,
            tz=known.declared.get("tz") or "UTC",
            **self._ways_on(monitor, f"radar monitors show {known.key}"),
        )
        # Without a grace it would be down, and not late.
        due, grace = long_time(notice, view.since_us), format_duration(monitor.grace_s)
        return self._address(
            replace(
                notice,
                expected=f"a run at {due}, within {grace} ({describe_schedule(monitor)})",
                happened="no run has begun yet",
            )
        )

    def compose_fault(self, known: MonitorRecord, fault: Fault) -> list[PendingAlert]:
        """Return what each channel that hears of a fault is to be told."""
        monitor, view = known.monitor, known.view
        notice = Notice(
            key="",
            kind="fault",
            monitor=known.key,
            name=monitor.name,
            status=str(view.status),
            previous=str(view.status),
            reason=fault.kind,
            since_us=fault.since_us,
            noticed_us=fault.since_us,
            expected=describe_schedule(monitor),
            happened=fault.message,
            host=self._host,
            tz=known.declared.get("tz") or "UTC",
            **self._ways_on(monitor, f"radar monitors show {known.key}"),
        )
        return self._address(notice)

    def compose_channel(self, health: ChannelHealth, now_us: int) -> list[PendingAlert]:
        """Return the other channels that hear of faults, each with what became of this one."""
        is_failing = health.failing_us is not None
        happened = f"channel {health.name} delivers again"
        if is_failing:
            happened = f"channel {health.name} delivers nothing: {one_line(health.error)}"
        notice = Notice(
            key="",
            kind="channel",
            monitor="",
            name="",
            status="down" if is_failing else "up",
            previous="up" if is_failing else "down",
            reason="",
            since_us=health.failing_us if health.failing_us is not None else now_us,
            noticed_us=now_us,
            happened=happened,
            host=self._host,
            look=(f"radar notify log --channel {health.name}", "radar notify test"),
        )
        encoded = encode_notice(notice)
        return [
            _delay(channel.table, notice, encoded, now_us)
            for channel in self._channels
            if channel.table.name != health.name and "fault" in channel.table.on
        ]

    def _compose(self, known: MonitorRecord, flip: Flip) -> Notice:
        monitor = known.monitor
        runs = fold_runs(self._store.pings.newest(known.key, _PINGS_READ))
        ended = [run for run in runs if not run.is_running]
        # More may have ended since: the one that this is about says why.
        last = next(
            (run for run in reversed(ended) if run.ended_us == flip.time_us),
            ended[-1] if ended else None,
        )
        is_down = flip.status == Status.DOWN
        before = None if is_down else self._find_down(flip)
        notice = Notice(
            key="",
            kind="down" if is_down else "up",
            monitor=known.key,
            name=monitor.name,
            status=flip.status,
            previous=flip.previous,
            reason=flip.reason,
            since_us=flip.time_us,
            noticed_us=flip.noticed_us,
            last_run=last,
            host=last.host if last is not None and last.host else self._host,
            tz=known.declared.get("tz") or "UTC",
            previous_since_us=None if before is None else before.time_us,
            incident=flip.id if before is None else before.id,
            **self._ways_on(
                monitor,
                f"radar monitors show {known.key}",
                f"radar monitors output {known.key}",
            ),
        )
        if flip.reason in (Reason.MISSED, Reason.HUNG) and (
            outage := self._store.outages.at(flip.time_us)
        ):
            notice = replace(notice, outage_us=(outage.begin_us, outage.end_us))
        expected, happened = _describe(monitor, flip, notice)
        if is_down and (cause := find_cause(self._store.ledger, monitor, flip, runs)):
            happened += f"; {cause}"
        return replace(notice, expected=expected, happened=happened)

    def _ways_on(self, monitor: Monitor, *commands: str) -> dict[str, Any]:
        """Return what a notice offers beside the facts: links and commands to go on with."""
        url = f"{self._public_url}/monitors/{monitor.key}" if self._public_url else ""
        return {
            "tags": monitor.tags,
            "notes": monitor.notes,
            "url": url,
            "look": ((url, *commands) if url else commands),
            "mute": (
                f"radar monitors ack {monitor.key}",
                f"radar monitors snooze {monitor.key} --for 4h",
            ),
        }

    def _find_down(self, flip: Flip) -> Flip | None:
        """Return the flip by which the monitor was down before this one, by which it isn't."""
        flips = iter(self._store.history.flips(flip.monitor, _FLIPS_READ))
        # Long histories come in one piece: this flip may be older than the newest.
        older = itertools.dropwhile(lambda each: each.id != flip.id, flips)
        return next((each for each in older if each.status == Status.DOWN), None)


def _sign(notice: Notice, signer: Signer, channel: str, now_us: int) -> Notice:
    """Return a notice with the link by which whoever gets it through a channel acts on it."""
    url = signer.link(notice.monitor, notice.incident, channel, now_us / 1e6)
    return replace(notice, act_url=url, mute=(url, *notice.mute))


def _delay(table: ChannelTable, notice: Notice, encoded: str, now_us: int) -> PendingAlert:
    """Return when a channel is told of a notice, and why not at once."""
    at_us, held = now_us, ""
    is_reminder = notice.kind == "down" and notice.previous == "down"
    if table.after_s and notice.kind != "channel" and not is_reminder:
        held = ESCALATING
        if notice.kind != "up":
            at_us += round(table.after_s * 1e6)
    quiet = table.quiet
    if quiet is not None and (end_us := quiet.end_us(at_us)) is not None:
        at_us, held = end_us, held or QUIET
    return PendingAlert(table.name, encoded, at_us if held else 0, held)


def _describe(monitor: Monitor, flip: Flip, notice: Notice) -> tuple[str, str]:
    """Describe what was expected and what happened, in a sentence each."""
    since = long_time(notice, flip.time_us)
    last = notice.last_run
    if flip.status != Status.DOWN:
        is_told_late = last is None or last.ended_us != flip.time_us
        happened = "a report that came late says that it was well" if is_told_late else ""
        return describe_schedule(monitor), happened or "a run succeeded"
    if flip.reason == Reason.MISSED:
        due = long_time(notice, flip.time_us - round(monitor.grace_s * 1e6))
        grace = f", within {format_duration(monitor.grace_s)}" if monitor.grace_s else ""
        return (
            f"a run at {due}{grace} ({describe_schedule(monitor)})",
            f"no run began until {since}",
        )
    if flip.reason == Reason.HUNG:
        limit_s = monitor.max_runtime_s
        within = f" within {format_duration(limit_s)}" if limit_s is not None else ""
        return f"a run that began ends{within}, by {since}", "it has not ended"
    how = _how(last) if last is not None else ""
    return "its runs succeed", "a run failed" + (f": {how}" if how else "")


def _how(run: Run) -> str:
    """Describe how a run failed: its reason, or else its exit code, signal or message."""
    if run.reason:
        return run.reason
    if run.signal is not None:
        return f"signal {run.signal}"
    return one_line(run.message) if run.exit_code is None else f"exit {run.exit_code}"


def enqueue_news(store: Store, compose: Composer, now_us: int, *, remind_every_us: int = 0) -> None:
    """Make alerts of all that there is to tell; with `remind_every_us` reminders will come of it.

    What was held back and is still so is let out.
    """
    compose = compose.at(now_us)
    store.alerts.enqueue_flips(now_us, compose, remind_every_us=remind_every_us, calms_flaps=True)
    store.alerts.enqueue_faults(now_us, compose.compose_fault)
    if compose.hears_late:
        store.alerts.enqueue_late(now_us, compose.late_channels, compose.compose_late)
    for health in store.channels.find_news(now_us):
        store.channels.add_alert(health, compose.compose_channel(health, now_us), now_us)
    store.held_alerts.release(now_us, compose.names)


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
