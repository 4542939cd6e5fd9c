"""Finding monitors as a person looks for them: those with trouble first, a page at a time."""

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Iterator, Mapping, Sequence

from radar_cli.model.record import MonitorRecord
from radar_cli.model.state import Status
from radar_cli.store.database import Database, marks
from radar_cli.store.rows import COLUMNS, like_pattern, read_row

# What a person has to see first. All others stand in one order, so that they don't jump about.
_FIRST = ((Status.DOWN,), (Status.LATE,))
_OTHERS = tuple(status for status in Status if (status,) not in _FIRST)
GROUPS: tuple[tuple[Status, ...], ...] = (*_FIRST, _OTHERS)
_READ_FIRST, _READ_AT_ONCE = 101, 1000
_BEHIND_ALL = "~"  # no key holds it


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search; a field that is empty excludes nothing."""

    words: str = ""  # each in the key, the name or a tag, in any case
    tags: tuple[str, ...] = ()  # all of them
    statuses: tuple[str, ...] = ()  # any of them
    pattern: str = "*"  # of keys, as in a shell

    def is_like(self, key: str, declared: Mapping[str, str]) -> bool:
        """Whether a monitor is looked for, whatever its status."""
        if not fnmatchcase(key, self.pattern):
            return False
        if not (self.words or self.tags):
            return True
        tags = declared.get("tags", "").split()
        searched = f"{key}\n{declared.get('name', '')}\n{' '.join(tags)}".lower()
        return set(self.tags) <= set(tags) and all(
            word in searched for word in self.words.lower().split()
        )


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list: a group of statuses, and a monitor's key in it ("": its beginning)."""

    group: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of monitors, and where those before it and behind it begin, if there are any."""

    monitors: list[MonitorRecord]
    before: Cursor | None
    after: Cursor | None


def search(
    database: Database,
    wanted: Wanted,
    limit: int,
    *,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> Found:
    """At most `limit` monitors behind one, or before one; from the first without either."""
    is_backward = before is not None
    place = before or after or Cursor()
    found: list[tuple[int, MonitorRecord]] = []
    for each in _walk(database, wanted, place, is_backward=is_backward):
        found.append(each)
        if len(found) > limit:
            break
    goes_on = len(found) > limit
    found = found[:limit]
    if is_backward:
        found.reverse()
    has_before, has_after = (goes_on, True) if is_backward else (bool(place.key), goes_on)
    ends = [Cursor(group, known.key) for group, known in found]
    return Found(
        [known for _, known in found],
        ends[0] if ends and has_before else None,
        ends[-1] if ends and has_after else None,
    )


def count_by_status(database: Database, pattern: str) -> Counter[str]:
    """Count monitors with such keys by what they said when they were last judged."""
    counts: Counter[str] = Counter()
    if pattern == "*":
        for status, count in database.read("SELECT status, count(*) FROM monitor GROUP BY status"):
            counts[status] = count
        return counts
    rows = database.read(
        "SELECT key, status FROM monitor WHERE key LIKE ? ESCAPE '!'", (like_pattern(pattern),)
    )
    counts.update(status for key, status in rows if fnmatchcase(key, pattern))
    return counts


def _walk(
    database: Database, wanted: Wanted, place: Cursor, *, is_backward: bool
) -> Iterator[tuple[int, MonitorRecord]]:
    """Every monitor that is looked for, beginning behind (or before) a place, with its group."""
    groups = range(place.group, -1, -1) if is_backward else range(place.group, len(GROUPS))
    for group in groups:
        statuses = [
            str(status)
            for status in GROUPS[group]
            if not wanted.statuses or status in wanted.statuses
        ]
        if not statuses:
            continue
        key = place.key if group == place.group else ""
        for known in _read(database, wanted, statuses, key, is_backward=is_backward):
            if wanted.is_like(known.key, known.declared):
                yield group, known


def _read(
    database: Database, wanted: Wanted, statuses: Sequence[str], key: str, *, is_backward: bool
) -> Iterator[MonitorRecord]:
    """The monitors of these statuses, all that are looked for and perhaps some more."""
    order, side = ("DESC", "<") if is_backward else ("ASC", ">")
    among, values = f"status IN ({marks(len(statuses))})", list(statuses)
    if len(statuses) == len(_OTHERS):
        # Said like that, SQLite walks along the keys, and doesn't sort all of a million.
        values = [str(status) for group in _FIRST for status in group]
        among = f"status NOT IN ({marks(len(values))})"
    conditions, likes = _like(wanted)
    query = (
        f"SELECT {COLUMNS} FROM monitor WHERE {among} AND {conditions}"  # noqa: S608 (constants)
        f" AND key {side} ? ORDER BY key {order} LIMIT ?"
    )
    place = key or (_BEHIND_ALL if is_backward else "")
    at_once = _READ_FIRST
    while rows := database.read(query, (*values, *likes, place, at_once)):
        yield from map(read_row, rows)
        place, at_once = rows[-1][0], _READ_AT_ONCE


def conditions_of(wanted: Wanted) -> tuple[str, list[Any]]:
    """Return the conditions of all that is looked for and perhaps some more, and their values."""
    conditions, values = _like(wanted)
    if wanted.statuses:
        conditions += f" AND status IN ({marks(len(wanted.statuses))})"
    return conditions, [*values, *map(str, wanted.statuses)]


def _like(wanted: Wanted) -> tuple[str, list[str]]:
    """The same of all but the statuses."""
    conditions, likes = ["key LIKE ? ESCAPE '!'"], [like_pattern(wanted.pattern)]
    for text in (*wanted.words.split(), *wanted.tags):
        conditions.append("(key LIKE ? ESCAPE '!' OR lower(declared) LIKE ? ESCAPE '!')")
        likes += [_like_text(text)] * 2
    return " AND ".join(conditions), likes


def _like_text(word: str) -> str:
    """A superset of the texts that hold a word: JSON writes what isn't ASCII in its own way."""
    safe = ""
    for character in word.lower():
        if character in '"\\' or not (character.isascii() and character.isprintable()):
            safe += "%"
        else:
            safe += f"!{character}" if character in "%_!" else character
    return f"%{safe}%"
