"""Monitors as a program declares them: the source of a schedule, such as a Celery app."""

from typing import Callable, Collection, Mapping

from radar_cli.monitors.monitor import Pause
from radar_cli.store.database import Change
from radar_cli.store.judged import Judged
from radar_cli.store.managing import Managing, find_for_update, retold, save

# What a retired monitor loses: nobody expects runs of it.
_WHEN = ("schedule", "every")
STALE_TAG = "stale"


class Declaring(Managing):
    """What programs declare. What a person has set stays."""

    def declare(
        self,
        source: str,
        declared: Mapping[str, Mapping[str, str]],
        now_us: int,
        *,
        kept: Collection[str] | None = None,
        may_retire: Callable[[str], bool] = bool,
    ) -> tuple[int, int]:
        """Create and change the monitors of a source; return how many of each there were.

        With `kept`, these are all that the source still has: others of it are watched no more, as
        far as whoever declares them `may_retire` them.
        """
        created = updated = 0
        with self._database.change() as change:
            for key in sorted(declared):
                created += change.execute(
                    "INSERT INTO monitor (key, declared, created_us, judged, source)"
                    " VALUES (?, '{}', ?, '', ?) ON CONFLICT (key) DO NOTHING",
                    (key, now_us, source),
                )
            for known in find_for_update(change, sorted(declared)):
                change.execute("UPDATE monitor SET source = ? WHERE key = ?", (source, known.key))
                is_new = known.version == 0 and not known.declared
                if _declare(change, known, declared[known.key], now_us, self.default_zone):
                    updated += not is_new
            if kept is not None:
                rows = change.read("SELECT key FROM monitor WHERE source = ?", (source,))
                gone = sorted(filter(may_retire, {key for (key,) in rows} - set(kept)))
                for known in find_for_update(change, gone):
                    _retire(change, known, now_us)
        return created, updated


def _declare(
    change: Change, known: Judged, fields: Mapping[str, str], now_us: int, zone: str
) -> bool:
    """Declare a monitor anew; False if it is so already."""
    found = known
    if STALE_TAG in known.declared.get("tags", "").split():
        found = _bring_back(known, now_us)
    wanted = found.redeclare({**fields, "tags": _without_stale(known.declared)}, now_us, zone)
    if wanted is known:
        return False
    save(change, retold(change, wanted, now_us), now_us)
    return True


def _retire(change: Change, known: Judged, now_us: int) -> None:
    """Expect no more of a monitor, unless a person has said when it runs."""
    fields = {name: text for name, text in known.declared.items() if name not in _WHEN}
    fields["tags"] = f"{_without_stale(fields)} {STALE_TAG}".strip()
    if fields != known.declared and not known.settled & set(_WHEN):
        save(change, retold(change, known.with_declared(fields, known.settled), now_us), now_us)


def _without_stale(declared: Mapping[str, str]) -> str:
    return " ".join(tag for tag in declared.get("tags", "").split() if tag != STALE_TAG)


def _bring_back(known: Judged, now_us: int) -> Judged:
    """A monitor that its source has again: nothing of the time between was expected of it."""
    gone_us = max(known.newest[0], known.created_us) + 1
    past = [pause for pause in known.pauses if pause.is_over(gone_us)]
    return known.with_pauses([*past, Pause(gone_us, max(gone_us, now_us - 1))])
