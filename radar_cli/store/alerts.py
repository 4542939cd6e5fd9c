"""Alerts: what people are to be told of flips, by each channel, at least once.

An alert is a row from the moment it is known until it is delivered or given up, so that no crash
and no dead channel loses it; notices.py makes notices of them.
"""

import sys
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Callable, NamedTuple, Sequence

from radar_cli.core.errors import RadarError
from radar_cli.core.ids import new_id
from radar_cli.model.fault import Fault
from radar_cli.model.flip import Flip
from radar_cli.model.notice_timing import FLAPS, FLAPS_WITHIN_US, Window, settles_us
from radar_cli.model.record import MonitorRecord
from radar_cli.model.state import Status
from radar_cli.store.channels import NEEDLESS, QUIET
from radar_cli.store.database import Change, Database, chunks, marks
from radar_cli.store.flips import read_flip
from radar_cli.store.monitors import find_for_update, save
from radar_cli.store.notices import (
    CHANGES,
    ESCALATING,
    FLAPPING,
    read_alert,
)
from radar_cli.store.rows import COLUMNS, read_row
from radar_cli.store.windows import Windows

TOLD, SILENT = "told", "silent"
# A flip that nobody was told of in time is news only as long as it's so.
_NEWS_FOR_US = 24 * 3600 * 1_000_000
_LOOKED_AT_ONCE = 500
# In one transaction: others want to write in between.
_ENQUEUED_AT_ONCE = 50


class PendingAlert(NamedTuple):
    """An alert for a channel: JSON, not before a time, and why not before."""

    channel: str
    notice: str
    not_before_us: int = 0
    held: str = ""


# The channels that are to hear of a monitor's flip, each with what it is to be told.
Composer = Callable[[MonitorRecord, Flip], Sequence[tuple[str, str] | PendingAlert]]
# The names of the channels that are to hear that a monitor is late, and what each is to be told.
LateChannels = Callable[[MonitorRecord], Sequence[str]]
LateComposer = Callable[[MonitorRecord], Sequence[PendingAlert]]
# The same of a fault.
FaultComposer = Callable[[MonitorRecord, Fault], Sequence[tuple[str, str] | PendingAlert]]


class Alerts:
    """Alerts, made of flips, faults and lateness."""

    def __init__(self, database: Database, windows: Windows) -> None:
        self._database = database
        self._windows = windows

    def enqueue_flips(
        self,
        now_us: int,
        compose: Composer,
        *,
        remind_every_us: int = 0,
        calms_flaps: bool = False,
    ) -> int:
        """Make alerts of all flips that nobody was told of; return how many there are.

        While a monitor is paused, or in a maintenance window, its flips wait: those that are over
        when that is need not be told. `compose` is called with the monitor as it is now. With
        `remind_every_us` (see reminders.py) that it is down is to be told again after that time;
        with `calms_flaps` what a monitor does that goes down and up again and again is told when
        it settles.
        """
        made = 0
        after = ""
        how: _How | None = None
        query = (
            "SELECT DISTINCT monitor FROM flip WHERE fate = '' AND monitor > ?"
            " ORDER BY monitor LIMIT ?"
        )
        while rows := self._database.read(query, (after, _LOOKED_AT_ONCE)):
            after = rows[-1][0]
            if how is None:
                # What flipped in one that is over need not be told either.
                windows = self._windows.not_over(now_us - _NEWS_FOR_US)
                how = _How(now_us, compose, windows, remind_every_us, calms_flaps)
            keys = [key for (key,) in rows]
            for start in range(0, len(keys), _ENQUEUED_AT_ONCE):
                made += self._enqueue_some(keys[start : start + _ENQUEUED_AT_ONCE], how)
        return made

    def enqueue_faults(self, now_us: int, compose: FaultComposer) -> int:
        """Make alerts of all faults that nobody was told of, each once; return how many.

        Those of a paused monitor wait for the end of the pause.
        """
        made, after = 0, ""
        windows = self._windows.not_over(now_us)
        query = "SELECT key FROM monitor WHERE news > 0 AND key > ? ORDER BY key LIMIT ?"
        while rows := self._database.read(query, (after, _ENQUEUED_AT_ONCE)):
            after = rows[-1][0]
            for (key,) in rows:
                try:
                    with self._database.change() as change:
                        made += _enqueue_faults(change, key, now_us, compose, windows)
                except RadarError:
                    raise
                except Exception as fault:  # noqa: BLE001 (one poisoned monitor silences no other)
                    sys.stderr.write(f"radar: monitor {key!r} gets no notice: {fault!r}\n")
        return made

    def enqueue_late(self, now_us: int, channels_of: LateChannels, compose: LateComposer) -> int:
        """Make alerts of all monitors that are late, each time once; return how many there are."""
        made, after, windows = 0, "", self._windows.not_over(now_us)
        query = f"SELECT {COLUMNS} FROM monitor WHERE status = ? AND key > ? ORDER BY key LIMIT ?"  # noqa: S608 (a constant)
        while rows := self._database.read(query, (Status.LATE, after, _LOOKED_AT_ONCE)):
            after = rows[-1][0]
            made += self._enqueue_late(
                [*map(read_row, rows)], channels_of, compose, now_us, windows
            )
        return made

    def _enqueue_late(
        self,
        several: Sequence[MonitorRecord],
        channels_of: LateChannels,
        compose: LateComposer,
        now_us: int,
        windows: Sequence[Window],
    ) -> int:
        # Of the same slot each server makes the same id, and one of them the row.
        ids = {
            _late_id(known, channel, now_us): known
            for known in several
            for channel in channels_of(known)
            if known.view_at(now_us).status == Status.LATE
        }
        for some in chunks([*ids]):
            query = f"SELECT id FROM alert WHERE id IN ({marks(len(some))})"  # noqa: S608 (constants)
            for (there,) in self._database.read(query, some):
                del ids[there]
        untold = {known.key: known for known in ids.values()}
        rows = [
            (
                *(_late_id(known, telling.channel, now_us), "late", known.key, *telling[:2]),
                *(now_us, max(now_us, telling.not_before_us), telling.held),
            )
            for known in untold.values()
            if not is_silenced(known, now_us, windows)
            for telling in compose(known)
        ]
        if not rows:
            return 0
        with self._database.change() as change:
            return change.execute_many(f"{_INSERT} ON CONFLICT (id) DO NOTHING", rows)

    def _enqueue_some(self, keys: Sequence[str], how: "_How") -> int:
        """Make the alerts of some monitors in one transaction, or of each in its own."""
        try:
            with self._database.change() as change:
                return sum(_enqueue(change, key, how) for key in keys)
        except RadarError:
            raise
        except Exception as fault:  # noqa: BLE001 (one poisoned monitor silences no other)
            if len(keys) > 1:
                return sum(self._enqueue_some([key], how) for key in keys)
            sys.stderr.write(f"radar: monitor {keys[0]!r} gets no notice: {fault!r}\n")
            return 0

    def count_waiting(self, pattern: str = "*") -> int:
        """Count the alerts that wait for delivery, of monitors with such keys."""
        rows = self._database.read(
            "SELECT monitor, count(*) FROM alert WHERE next_try_us IS NOT NULL GROUP BY monitor"
        )
        return sum(count for monitor, count in rows if fnmatchcase(monitor, pattern))

    def waiting(self) -> list[tuple[str, str, str, int]]:
        """Alerts that wait for another try: monitor, channel, last error, tries."""
        rows = self._database.read(
            "SELECT monitor, channel, error, tries FROM alert WHERE next_try_us IS NOT NULL"
            " ORDER BY created_us, id"
        )
        return [(monitor, channel, error, tries) for monitor, channel, error, tries in rows]


@dataclass(frozen=True, slots=True)
class _How:
    """A way to make alerts of the flips of monitors."""

    now_us: int
    compose: Composer
    windows: Sequence[Window]
    remind_every_us: int
    calms_flaps: bool


def _late_id(known: MonitorRecord, channel: str, now_us: int) -> str:
    return f"late-{known.key}-{known.view_at(now_us).since_us}-{channel}"


def is_silenced(known: MonitorRecord, now_us: int, windows: Sequence[Window]) -> bool:
    """Whether nobody is to be told of a monitor now: it is paused, or in a maintenance window."""
    if known.view_at(now_us).status == Status.PAUSED:
        return True
    return _is_covered(known, now_us, windows)


def _is_covered(known: MonitorRecord, at_us: int, windows: Sequence[Window]) -> bool:
    tags = known.declared.get("tags", "").split()
    return any(window.concerns(known.key, tags) and window.covers(at_us) for window in windows)


def _enqueue(change: Change, key: str, how: _How) -> int:
    """Decide for each untold flip of one monitor whether it is told, and to whom."""
    now_us = how.now_us
    rows = change.read(f"SELECT {COLUMNS} FROM monitor WHERE key = ? FOR UPDATE", (key,))  # noqa: S608 (a constant)
    if not rows:
        change.execute("UPDATE flip SET fate = ? WHERE monitor = ? AND fate = ''", (SILENT, key))
        return 0
    known = read_row(rows[0])
    if is_silenced(known, now_us, how.windows):
        return 0
    flips = [
        read_flip(row)
        for row in change.read(
            "SELECT id, monitor, previous, status, reason, time_us, noticed_us FROM flip"
            " WHERE monitor = ? AND fate = '' ORDER BY number",
            (key,),
        )
    ]
    told = change.read(
        "SELECT status FROM flip WHERE monitor = ? AND fate = ? ORDER BY number DESC LIMIT 1",
        (key, TOLD),
    )
    last_told = told[0][0] if told else ""
    before_us = _changes_before(change, key, now_us) if how.calms_flaps else []
    news: list[tuple[str, PendingAlert]] = []
    for flip in flips:
        fate, remind_us = SILENT, None
        if _is_news(flip, known, how, is_last=flip is flips[-1], last_told=last_told):
            fate, last_told = TOLD, flip.status
            # What was told before is over.
            change.execute(
                "UPDATE flip SET remind_us = NULL WHERE monitor = ? AND remind_us IS NOT NULL",
                (key,),
            )
            if how.remind_every_us and flip.status == Status.DOWN:
                remind_us = now_us + how.remind_every_us
            tellings = [PendingAlert(*each) for each in how.compose(known, flip)]
            if flip.status != Status.DOWN:
                news, tellings = _without_unheard(change, key, news, tellings, now_us)
            for telling in tellings:
                if not _cancel_quiet(change, key, news, telling.channel):
                    news.append((flip.id, telling))
        marked = change.execute(
            "UPDATE flip SET fate = ?, remind_us = ? WHERE id = ? AND fate = ''",
            (fate, remind_us, flip.id),
        )
        assert marked == 1  # noqa: S101 (the monitor's row is ours, and with it its flips)
    if how.calms_flaps and news:
        news = _hold_back(change, key, news, before_us, now_us)
    return add_alerts(change, key, news, now_us)


def _changes_before(change: Change, key: str, now_us: int) -> list[int]:
    """Return when a monitor has changed before, as people were told, not long ago."""
    rows = change.read(
        "SELECT noticed_us FROM flip WHERE monitor = ? AND fate = ? AND noticed_us > ?"
        " ORDER BY number DESC LIMIT ?",
        (key, TOLD, now_us - FLAPS_WITHIN_US, FLAPS),
    )
    return [noticed_us for (noticed_us,) in rows]


def _hold_back(
    change: Change,
    key: str,
    news: list[tuple[str, PendingAlert]],
    before_us: Sequence[int],
    now_us: int,
) -> list[tuple[str, PendingAlert]]:
    """Hold what a monitor that flaps has to tell back until it settles, and so what waits."""
    ((since_us,),) = change.read(
        "SELECT min(created_us) FROM alert WHERE monitor = ? AND held = ? AND told_in = ''"
        " AND next_try_us IS NOT NULL",
        (key, FLAPPING),
    )
    until_us = settles_us(now_us, before_us, since_us)
    if until_us is None:
        return news
    change.execute(
        "UPDATE alert SET next_try_us = ? WHERE monitor = ? AND held = ? AND told_in = ''"
        " AND next_try_us IS NOT NULL",
        (until_us, key, FLAPPING),
    )
    # What waits for something else goes on to wait for that.
    return [
        (flip_id, each._replace(not_before_us=max(until_us, each[2]), held=each.held or FLAPPING))
        for flip_id, each in news
    ]


def _cancel_quiet(
    change: Change, key: str, news: list[tuple[str, PendingAlert]], channel: str
) -> bool:
    """Cancel what a quiet channel was to hear, now that it is otherwise; whether it was to.

    Then it needn't hear of the one nor of the other: it is as it was before the quiet.
    """
    for number in range(len(news) - 1, -1, -1):
        if (news[number][1].channel, news[number][1].held) == (channel, QUIET):
            del news[number]
            return True
    rows = change.read(
        "SELECT id, monitor, notice, created_us, held FROM alert"
        " WHERE monitor = ? AND channel = ? AND held = ? AND told_in = ''"
        " AND next_try_us IS NOT NULL ORDER BY created_us DESC, id DESC",
        (key, channel, QUIET),
    )
    for alert in map(read_alert, rows):
        if alert.kind not in CHANGES:
            continue
        cancel(change, alert.id)
        if not alert.is_reminder:
            return True
    return False


def cancel(change: Change, alert_id: str) -> None:
    """Tell nobody of what was to be told: it isn't so any more."""
    change.execute(
        "UPDATE alert SET fate = ?, next_try_us = NULL WHERE id = ? AND told_in = ''",
        (NEEDLESS, alert_id),
    )


def _without_unheard(
    change: Change,
    key: str,
    news: list[tuple[str, PendingAlert]],
    tellings: list[PendingAlert],
    now_us: int,
) -> tuple[list[tuple[str, PendingAlert]], list[PendingAlert]]:
    """Leave out what is told only of what stays down, and its end for who heard nothing of it.

    Return what of the news is left, and of what tells that it is up.
    """
    end_escalations(change, key)
    unheard = {each.channel for _, each in news if each.held == ESCALATING}
    for telling in tellings:
        if telling.held == ESCALATING and not _has_heard(change, key, telling.channel):
            unheard.add(telling.channel)
    left = [(flip_id, each) for flip_id, each in news if each.channel not in unheard]
    heard = (each for each in tellings if each.channel not in unheard)
    return left, [_without_escalation(each, now_us) for each in heard]


def _has_heard(change: Change, key: str, channel: str) -> bool:
    """Whether a channel was told that a monitor is down, and not that it is up again.

    What it has yet to hear of its being down it hears no more.
    """
    change.execute(
        "UPDATE alert SET fate = ?, next_try_us = NULL WHERE monitor = ? AND channel = ?"
        " AND told_in = '' AND next_try_us IS NOT NULL"
        " AND flip IN (SELECT id FROM flip WHERE monitor = ? AND status = ?)",
        (NEEDLESS, key, channel, key, Status.DOWN),
    )
    last = change.read(
        "SELECT flip.status FROM alert LEFT JOIN flip ON flip.id = alert.flip"
        " WHERE alert.monitor = ? AND alert.channel = ? AND alert.fate != ?"
        " AND alert.flip != 'late' AND alert.flip NOT LIKE 'fault:%'"
        " ORDER BY alert.created_us DESC, alert.id DESC LIMIT 1",
        (key, channel, NEEDLESS),
    )
    return bool(last and last[0][0] in (None, Status.DOWN))


def _without_escalation(telling: PendingAlert, now_us: int) -> PendingAlert:
    if telling.held != ESCALATING:
        return telling
    return telling._replace(held=QUIET if telling.not_before_us > now_us else "")


def end_escalations(change: Change, key: str) -> None:
    """Tell nobody of what was to be told if a monitor stayed down: it didn't, or is seen to."""
    change.execute(
        "UPDATE alert SET fate = ?, next_try_us = NULL WHERE monitor = ? AND held = ?"
        " AND told_in = '' AND next_try_us IS NOT NULL",
        (NEEDLESS, key, ESCALATING),
    )


def _enqueue_faults(
    change: Change, key: str, now_us: int, compose: FaultComposer, windows: Sequence[Window]
) -> int:
    """Make the alerts of one monitor's faults."""
    known = next(iter(find_for_update(change, [key])), None)
    if known is None or is_silenced(known, now_us, windows):
        return 0
    news: list[tuple[str, PendingAlert]] = []
    for fault in known.active_faults:
        if not fault.is_told:
            tellings = (PendingAlert(*each) for each in compose(known, fault))
            news += [(f"fault:{fault.field}", telling) for telling in tellings]
    known.faults = tuple(replace(fault, is_told=True) for fault in known.faults)
    save(change, known, now_us)
    return add_alerts(change, key, news, now_us)


def _is_news(flip: Flip, known: MonitorRecord, how: _How, *, is_last: bool, last_told: str) -> bool:
    """Whether people should hear of a flip."""
    if not is_last:
        if flip.noticed_us < how.now_us - _NEWS_FOR_US:
            return False
        if any(p.begin_us <= flip.time_us and not p.is_over(flip.time_us) for p in known.pauses):
            return False
        if _is_covered(known, flip.time_us, how.windows):
            return False
    if flip.status == Status.DOWN:
        return last_told != Status.DOWN
    # That it is well again is news for who heard that it wasn't.
    return last_told == Status.DOWN


_INSERT = (
    "INSERT INTO alert (id, flip, monitor, channel, notice, created_us, next_try_us, held)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


def add_alerts(
    change: Change, key: str, news: Sequence[tuple[str, PendingAlert]], now_us: int
) -> int:
    """Make alerts of flips and what is told of each, in the order of their telling."""
    return change.execute_many(
        _INSERT,
        [
            (
                # Each a little later, since they are told in this order.
                *(new_id(now_us), flip_id, key, *telling[:2], now_us + number),
                *(max(now_us, telling.not_before_us), telling.held),
            )
            for number, (flip_id, telling) in enumerate(news)
        ],
    )
