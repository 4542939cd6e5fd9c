"""Monitors as a program declares them: the source of a schedule, such as a Celery app.

What a source declares with one API key is one set, and what it declares with another key is another
set, however alike the sources are called: `cronradar-celery` calls each app's `celery`. A monitor
belongs to the set that declared it last, but never changes hands between two keys that are both in
use: whoever comes second is told so, be it by a set or by what a ping declares. It is free again
once its set has dropped it, or its key is revoked.
"""

from dataclasses import dataclass, field
from typing import Callable, Collection, Mapping

from radar_cli.model.monitor import Pause
from radar_cli.model.record import MonitorRecord
from radar_cli.store.aliases import note_use, resolve, resolve_all
from radar_cli.store.database import Change, Database, chunks, marks
from radar_cli.store.monitors import count_made, find_for_update, replayed, save

# What a retired monitor loses: nobody expects runs of it.
_WHEN = ("schedule", "every")
STALE_TAG = "stale"


@dataclass(frozen=True, slots=True)
class Declarer:
    """A declarer of monitors: a source, and the id of the API key that it has.

    It may make `most` monitors (0: any number), and retire those that it `covers`.
    """

    source: str
    api_key: str = ""
    most: int = 0
    covers: Callable[[str], bool] = bool


@dataclass(slots=True)
class Declared:
    """The result of a declaration: how many monitors are new or changed, and which are neither."""

    created: int = 0
    updated: int = 0
    foreign: list[str] = field(default_factory=list)  # of another key's set
    beyond: list[str] = field(default_factory=list)  # one too many of their key
    retired: list[str] = field(default_factory=list)  # which the set has no more


@dataclass(slots=True)
class Zone:
    """The timezone by which a schedule goes that names none; "": UTC."""

    name: str = ""


class Declarations:
    """Declarations by programs. What a person has set stays."""

    def __init__(self, database: Database, zone: Zone) -> None:
        self._database = database
        self._zone = zone

    def declare(
        self,
        declarer: Declarer,
        declared: Mapping[str, Mapping[str, str]],
        now_us: int,
        *,
        kept: Collection[str] | None = None,
    ) -> Declared:
        """Create and change the monitors of a source.

        With `kept`, these are all that its set still has: others of it are watched no more, as far
        as whoever declares them covers them.
        """
        done = Declared()
        with self._database.change() as change:
            declared, renamed = resolve_all(change, declared)
            if kept is not None:
                kept = {*kept, *resolve(change, kept).values()}
            _create(change, declarer, sorted(declared), now_us, done)
            found = find_for_update(change, sorted(declared))
            done.foreign = sorted(find_foreign(change, declarer.api_key, sorted(declared)))
            for known in found:
                if known.key in done.foreign:
                    continue
                change.execute(
                    "UPDATE monitor SET source = ?, source_key = ? WHERE key = ?",
                    (declarer.source, declarer.api_key, known.key),
                )
                is_new = known.version == 0 and not known.declared
                if _declare(change, known, declared[known.key], now_us, self._zone.name):
                    done.updated += not is_new
            if kept is not None:
                done.retired = _retire_others(change, declarer, kept, now_us)
            note_use(change, renamed, now_us)
        # A key for some monitors is told of none by a name that it doesn't know.
        called = {key: alias for alias, key in renamed.items()}
        done.foreign = [called.get(key, key) for key in done.foreign]
        return done


def _create(
    change: Change, declarer: Declarer, keys: Collection[str], now_us: int, done: Declared
) -> None:
    """Make those of the monitors that aren't there, as far as the key may."""
    there = {known.key for known in find_for_update(change, [*keys])}
    missing = [key for key in keys if key not in there]
    left = len(missing)
    if declarer.most and missing:
        left = max(0, declarer.most - count_made(change, declarer.api_key))
    done.beyond = missing[left:]
    for key in missing[:left]:
        done.created += change.execute(
            "INSERT INTO monitor (key, declared, created_us, judged, made_by)"
            " VALUES (?, '{}', ?, '', ?) ON CONFLICT (key) DO NOTHING",
            (key, now_us, declarer.api_key),
        )


def find_foreign(change: Change, api_key: str, keys: list[str]) -> set[str]:
    """Return those of the monitors that are in the set of another key that is in use."""
    foreign: set[str] = set()
    for some in chunks(keys):
        rows = change.read(
            "SELECT monitor.key FROM monitor JOIN api_key ON api_key.id = monitor.source_key"  # noqa: S608 (constants)
            f" WHERE monitor.key IN ({marks(len(some))}) AND monitor.source_key != ?"
            " AND api_key.revoked_us IS NULL",
            (*some, api_key),
        )
        foreign.update(key for (key,) in rows)
    return foreign


def _retire_others(
    change: Change, declarer: Declarer, kept: Collection[str], now_us: int
) -> list[str]:
    """Retire what a set has no more, and return it.

    What has a source and no key (radar 0.1) is of any set.
    """
    rows = change.read(
        "SELECT key FROM monitor WHERE source = ? AND source_key IN (?, '')",
        (declarer.source, declarer.api_key),
    )
    gone = sorted(filter(declarer.covers, {key for (key,) in rows} - set(kept)))
    for known in find_for_update(change, gone):
        change.execute(
            "UPDATE monitor SET source = '', source_key = '' WHERE key = ?", (known.key,)
        )
        _retire(change, known, now_us)
    return gone


def _declare(
    change: Change, known: MonitorRecord, fields: Mapping[str, str], now_us: int, zone: str
) -> bool:
    """Declare a monitor anew; False if it is so already."""
    found = known
    if STALE_TAG in known.declared.get("tags", "").split():
        found = _bring_back(known, now_us)
    wanted = found.redeclare({**fields, "tags": _without_stale(known.declared)}, now_us, zone)
    if wanted is known:
        return False
    save(change, replayed(change, wanted, now_us), now_us)
    return True


def _retire(change: Change, known: MonitorRecord, now_us: int) -> None:
    """Expect no more of a monitor, unless a person has said when it runs."""
    fields = {name: text for name, text in known.declared.items() if name not in _WHEN}
    fields["tags"] = f"{_without_stale(fields)} {STALE_TAG}".strip()
    if not known.settled & set(_WHEN):
        save(change, replayed(change, known.with_declared(fields, known.settled), now_us), now_us)


def _without_stale(declared: Mapping[str, str]) -> str:
    return " ".join(tag for tag in declared.get("tags", "").split() if tag != STALE_TAG)


def _bring_back(known: MonitorRecord, now_us: int) -> MonitorRecord:
    """A monitor that its source has again: nothing of the time between was expected of it."""
    gone_us = max(known.newest[0], known.created_us) + 1
    past = [pause for pause in known.pauses if pause.is_over(gone_us)]
    return known.with_pauses([*past, Pause(gone_us, max(gone_us, now_us - 1))])
