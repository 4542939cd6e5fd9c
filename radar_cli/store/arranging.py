"""Monitors in an order that a person chose, or by their tags: for as many as a page can sort."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Sequence

from radar_cli.model.record import MonitorRecord
from radar_cli.model.state import Status
from radar_cli.store.database import Database
from radar_cli.store.rows import COLUMNS, read_row
from radar_cli.store.searching import GROUPS, Wanted, conditions_of

# Of more than that only a part is read for a page, in the one order that an index has.
ARRANGED_MAX = 5000
ORDERS = ("status", "name", "last", "next")
_DIGITS = re.compile(r"(\d+)")
_LATEST_US = 2**62
_GROUP_OF = {str(status): number for number, group in enumerate(GROUPS) for status in group}
_KEY, _DECLARED, _JUDGED = 0, 1, 3  # in COLUMNS
_Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """By what monitors are sorted; with `by_tag` under each of their tags, those without last."""

    by: str = "status"
    is_reversed: bool = False
    by_tag: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A tag ("": none), how many monitors have it, and how many of those are down or late."""

    tag: str
    count: int
    down: int
    late: int


@dataclass(frozen=True, slots=True)
class Arranged:
    """A page of monitors in their order, each with its group, if there are groups."""

    monitors: list[tuple[Group | None, MonitorRecord]]
    has_more: bool


def arrange(
    database: Database, wanted: Wanted, order: Order, limit: int, offset: int = 0
) -> Arranged | None:
    """Return at most `limit` monitors behind the first `offset`; None if there are too many."""
    conditions, values = conditions_of(wanted)
    rows = database.read(
        f"SELECT {COLUMNS}, status FROM monitor WHERE {conditions} LIMIT ?",  # noqa: S608 (constants)
        (*values, ARRANGED_MAX + 1),
    )
    if len(rows) > ARRANGED_MAX:
        return None
    places = [(wanted.is_like(row[_KEY], declared), row, declared) for row, declared in _read(rows)]
    found = [(row, declared) for is_like, row, declared in places if is_like]
    found.sort(key=lambda each: natural(each[0][_KEY]))
    found = _sort(found, order)
    entries: list[tuple[str | None, _Row]] = [(None, row) for row, _ in found]
    groups: dict[str, Group] = {}
    if order.by_tag:
        entries, groups = _group(found)
    shown = entries[offset : offset + limit]
    return Arranged(
        [(None if tag is None else groups[tag], read_row(row[:-1])) for tag, row in shown],
        len(entries) > offset + limit,
    )


@lru_cache(16_384)
def natural(key: str) -> tuple[tuple[bool, int, str], ...]:
    """Return what a key is sorted by so that `job-2` comes before `job-10`."""
    parts = _DIGITS.split(key)
    return tuple((part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)


def _read(rows: Sequence[_Row]) -> list[tuple[_Row, dict[str, str]]]:
    return [(row, json.loads(row[_DECLARED])) for row in rows]


def _sort(
    found: list[tuple[_Row, dict[str, str]]], order: Order
) -> list[tuple[_Row, dict[str, str]]]:
    """Sort what stands in the order of keys; what has no such time comes last both ways."""
    if order.by == "name":
        return found[::-1] if order.is_reversed else found
    if order.by == "status":
        return sorted(found, key=lambda each: _GROUP_OF[each[0][-1]], reverse=order.is_reversed)
    times = [(_time(row, order.by), row, declared) for row, declared in found]
    known = [each for each in times if each[0] is not None]
    # The newest run is what is looked for, and the next one that is due.
    is_newest_first = (order.by == "last") != order.is_reversed
    known.sort(key=lambda each: each[0] or 0, reverse=is_newest_first)
    return [(row, said) for _, row, said in [*known, *(t for t in times if t[0] is None)]]


def _time(row: _Row, by: str) -> int | None:
    """Return when something was last heard of a monitor, or is next expected."""
    judged = json.loads(row[_JUDGED]) if row[_JUDGED] else {}
    if by == "last":
        return judged["newest"][0] or None if judged else None
    expected = judged["view"]["expected_us"] if judged else None
    return None if expected is None else int(expected)


def _group(
    found: Sequence[tuple[_Row, dict[str, str]]],
) -> tuple[list[tuple[str | None, _Row]], dict[str, Group]]:
    """Return every monitor under each of its tags, and the groups by their tags."""
    by_tag: dict[str, list[_Row]] = {}
    for row, declared in found:
        for tag in dict.fromkeys(declared.get("tags", "").split()) or [""]:
            by_tag.setdefault(tag, []).append(row)
    tags = sorted(by_tag, key=lambda tag: (not tag, natural(tag)))
    groups = {
        tag: Group(
            tag,
            len(by_tag[tag]),
            sum(row[-1] == Status.DOWN for row in by_tag[tag]),
            sum(row[-1] == Status.LATE for row in by_tag[tag]),
        )
        for tag in tags
    }
    return [(tag, row) for tag in tags for row in by_tag[tag]], groups
