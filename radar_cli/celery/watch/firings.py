"""Firings of Beat's entries: what was due, and how far it came. Pure: it takes the time.

No event names an entry. A task that is first heard of shortly after an entry of its name was due is
taken for that entry's: each task for one firing, each firing by one task. Beat's own record of its
attempts comes late (its file is written every 3 minutes), so it corrects what was said before.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from radar_cli.celery.schedule.entry import Beat, Entry
from radar_cli.celery.schedule.timing import Timing, UnknowableError
from radar_cli.celery.watch.beats import SeenBeat
from radar_cli.model.ledger import Firing, Stage, TaskRecord, TaskState

_SECOND = 1_000_000
# Beat sends one task a tick, and may tick late; its file is looked at now and then.
_GRACE_US = 5 * _SECOND
# How much earlier than due a task may seem to be sent: clocks differ a little.
_EARLY_US = 2 * _SECOND
_OPEN_MAX = 10_000
_HEARD_MAX = 1_000
# Of entries that are due more often than that, each firing isn't kept.
SHORTEST_US = 1 * _SECOND
# Catching up after a pause: so many firings of one entry at most.
_CAUGHT_UP_MAX = 50
# What was missed stays overdue for so long, unless the next one comes.
_FORGOTTEN_US = 86_400 * _SECOND


@dataclass(slots=True)
class _Watched:
    entry: Entry
    due_us: int | None = None  # the next one that isn't accounted for
    missed_us: int | None = None  # what it was last due for in vain


@dataclass(frozen=True, slots=True)
class Overdue:
    """An entry as metrics tell of it."""

    name: str
    task: str
    overdue_us: int
    next_due_us: int | None


class Firings:
    """The entries of a schedule and their firings."""

    def __init__(self, since_us: int, interval_s: float = 10.0) -> None:
        self._grace_us = max(_GRACE_US, round(2e6 * interval_s))
        self._since_us = since_us  # what was due before isn't this watch's to judge
        self._entries: dict[str, _Watched] = {}
        self._by_task: dict[str, set[str]] = {}  # entries by the name of their task
        self._heard: dict[str, deque[tuple[int, TaskRecord]]] = {}  # tasks nobody has claimed yet
        self._open: dict[str, Firing] = {}  # by the id of the task
        self._missing: dict[tuple[str, int], Firing] = {}  # that broke before there was a task
        self._changed: dict[tuple[str, int], Firing] = {}
        self.silent_beats: list[str] = []
        self._beat = SeenBeat()
        self._sent_us: int | None = None  # when Beat last sent something, as far as was seen
        self.claimed: list[TaskRecord] = []  # tasks found to be an entry's, since this was emptied

    def restore(self, firings: Iterable[Firing]) -> None:
        """Take in firings that went on when an earlier watch last wrote of them."""
        for firing in firings:
            if firing.task_id and len(self._open) < _OPEN_MAX:
                self._open[firing.task_id] = firing

    def update(
        self,
        entries: Iterable[Entry],
        beats: Iterable[Beat],
        now_us: int,
        process: SeenBeat | None = None,
    ) -> None:
        """Take in the schedule as its source has it now, and Beat's process."""
        self._beat = process or SeenBeat()
        moment = datetime.fromtimestamp(now_us / 1e6, UTC)
        self.silent_beats = [beat.name for beat in beats if not beat.is_alive(moment)]
        before, self._entries, self._by_task = self._entries, {}, {}
        for entry in entries:
            if not entry.enabled or not entry.name:
                continue
            watched = before.get(entry.name)
            if watched is None or watched.entry.schedule_words != entry.schedule_words:
                due_us = _us(entry.next_due)
                watched = _Watched(entry, due_us)
                while (
                    watched.due_us is not None and watched.due_us < self._since_us - self._grace_us
                ):
                    following = _following(entry.timing, self._since_us - self._grace_us)
                    if following is None or following <= watched.due_us:
                        break
                    watched.due_us = following
            watched.entry = entry
            self._entries[entry.name] = watched
            self._by_task.setdefault(entry.task, set()).add(entry.name)

    def note(self, kind: str, task: TaskRecord) -> None:
        """Take in an event of a task, and the task as it then is."""
        if (firing := self._open.get(task.id)) is not None:
            self._follow(firing, task)
        elif kind in ("task-sent", "task-received") and task.name in self._by_task:
            heard = self._heard.setdefault(task.name, deque(maxlen=_HEARD_MAX))
            at_us = task.sent_us or task.received_us or task.changed_us
            if not any(other.id == task.id for _, other in heard) and not task.entry:
                heard.append((at_us, task))

    def advance(self, now_us: int) -> None:
        """Match what was due with the tasks that were heard of, and note what is missing."""
        for name, watched in self._entries.items():
            self._settle_late(name, watched)
            for _ in range(_CAUGHT_UP_MAX):
                if watched.due_us is None or watched.due_us - _EARLY_US > now_us:
                    break
                if not self._settle(name, watched, now_us):
                    break
        for heard in self._heard.values():
            while heard and heard[0][0] < now_us - 2 * self._grace_us:
                heard.popleft()
        for key, firing in list(self._missing.items()):
            self._correct(key, firing, now_us)

    def take_changes(self) -> list[Firing]:
        """Return the firings that have changed since the last time."""
        changed = list(self._changed.values())
        self._changed.clear()
        return changed

    def overdue(self, now_us: int) -> list[Overdue]:
        """Return for how long each entry is overdue (0: it isn't)."""
        found = []
        for name, watched in self._entries.items():
            missing = [due for (entry, due) in self._missing if entry == name]
            due_us = min(missing) if missing else watched.due_us
            late_us = max(0, now_us - due_us) if due_us is not None else 0
            found.append(Overdue(name, watched.entry.task, late_us, watched.due_us))
        return found

    def describe_silence(self) -> str:
        """Return why Beat sends nothing that is due; "" if it does, or nothing was due."""
        due = [due_us for (_, due_us), each in self._missing.items() if each.attempted_us is None]
        if not due or not self._is_proven() or self._has_sent_since(min(due)):
            return ""
        return self._beat.describe()

    def _is_proven(self) -> bool:
        """Whether Beat's silence is its own: if nothing was ever seen of it, nobody may tell."""
        return self._beat.is_stopped or self._beat.is_gone or self._sent_us is not None

    def _has_sent_since(self, due_us: int) -> bool:
        return self._sent_us is not None and self._sent_us >= due_us

    def entries(self) -> list[Entry]:
        """Return the entries that are enabled."""
        return [watched.entry for watched in self._entries.values()]

    def _settle(self, name: str, watched: _Watched, now_us: int) -> bool:
        """Account for what an entry was due for; False if it isn't clear yet."""
        entry, due_us = watched.entry, watched.due_us
        if due_us is None:
            return False
        following = _following(entry.timing, due_us)
        slack_us = min(_EARLY_US, (following - due_us) // 2) if following is not None else _EARLY_US
        until_us = due_us + self._grace_us
        if following is not None:
            until_us = min(until_us, max(following - slack_us, due_us + SHORTEST_US))
        found = self._claim(entry, due_us - slack_us, until_us)
        if found is not None:
            self._note_sent(name, watched, due_us, *found)
            return True
        if now_us < due_us + self._grace_us:
            return False
        last_us = _us(entry.last_run_at) if entry.has_run else None
        attempted_us = last_us if last_us is not None and last_us >= due_us - slack_us else None
        stage = Stage.NOT_PUBLISHED
        if attempted_us is None:
            stage = Stage.BEAT_HANGS if self._hangs(due_us) else Stage.NOT_ATTEMPTED
        firing = Firing(name, due_us, entry.task, "", attempted_us, stage=str(stage))
        if all(other != name for other, _ in self._missing):
            self._missing[name, due_us] = firing
        self._changed[name, due_us] = firing
        watched.due_us, watched.missed_us = _following(entry.timing, due_us), due_us
        return True

    def _settle_late(self, name: str, watched: _Watched) -> None:
        """Take a task that comes between two firings for the one that was missed: it is late.

        A Beat that was stopped sends what is due when it goes on, and an interval counts from then.
        """
        missed_us, due_us = watched.missed_us, watched.due_us
        if missed_us is None:
            return
        until_us = missed_us + _FORGOTTEN_US
        if due_us is not None:
            until_us = min(until_us, due_us - min(_EARLY_US, due_us - missed_us))
        found = self._claim(watched.entry, missed_us, until_us)
        if found is not None:
            self._note_sent(name, watched, missed_us, *found)

    def _note_sent(
        self, name: str, watched: _Watched, due_us: int, at_us: int, task: TaskRecord
    ) -> None:
        """Note that a task is what an entry was due for."""
        task.entry = name
        self.claimed.append(task)
        self._sent_us = max(at_us, self._sent_us or 0)
        self._follow(Firing(name, due_us, task.name, task.id, at_us, at_us), task)
        # An interval counts from when it was really sent.
        watched.due_us = _following(watched.entry.timing, max(at_us, due_us))
        watched.missed_us = None
        self._resolve(name)

    def _hangs(self, due_us: int) -> bool:
        """Whether Beat's process is there, and all that is due since then waits for it."""
        is_there = self._beat.is_there and self._is_proven()
        return is_there and not self._has_sent_since(due_us)

    def _claim(self, entry: Entry, from_us: int, until_us: int) -> tuple[int, TaskRecord] | None:
        heard = self._heard.get(entry.task)
        for each in heard or ():
            at_us, task = each
            is_its = not entry.queue or not task.queue or task.queue == entry.queue
            if from_us <= at_us < until_us and is_its and not task.entry:
                (heard or deque()).remove(each)
                return each
        return None

    def _correct(self, key: tuple[str, int], firing: Firing, now_us: int) -> None:
        """Note an attempt that Beat's record tells of later."""
        watched = self._entries.get(key[0])
        if watched is None or now_us - key[1] > _FORGOTTEN_US:
            self._missing.pop(key, None)
            return
        last_us = _us(watched.entry.last_run_at) if watched.entry.has_run else None
        if firing.attempted_us is None and last_us is not None and last_us >= key[1]:
            found = replace(firing, attempted_us=last_us, stage=str(Stage.NOT_PUBLISHED))
            self._missing[key] = self._changed[key] = found

    def _resolve(self, name: str) -> None:
        for key in [key for key in self._missing if key[0] == name]:
            del self._missing[key]

    def _follow(self, firing: Firing, task: TaskRecord) -> None:
        """Bring a firing up to what is known of its task."""
        found = replace(
            firing,
            published_us=firing.published_us or task.sent_us,
            received_us=task.received_us,
            started_us=task.started_us,
            ended_us=task.ended_us,
            state=str(task.state),
            stage=task.stage,
        )
        if found == firing and firing.task_id in self._open:
            return
        self._changed[found.entry, found.due_us] = found
        self._open[task.id] = found
        if task.is_ended and task.state not in (TaskState.LOST, TaskState.UNSEEN):
            self._open.pop(task.id, None)
        elif len(self._open) > _OPEN_MAX:
            self._open.pop(next(iter(self._open)))


def _following(timing: Timing | None, after_us: int) -> int | None:
    if timing is None:
        return None
    try:
        return _us(timing.due_after(datetime.fromtimestamp(after_us / 1e6, UTC)))
    except (UnknowableError, ValueError, OverflowError):
        return None


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1e6)
