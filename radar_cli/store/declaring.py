"""Monitors as a program declares them: the source of a schedule, such as a Celery app."""

from typing import Callable, Collection, Mapping

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
                wanted = known.redeclare(
                    {**declared[known.key], "tags": _without_stale(known.declared)}
                )
                if wanted is not known:
                    save(change, retold(change, wanted, now_us), now_us)
                    updated += not is_new
            if kept is not None:
                rows = change.read("SELECT key FROM monitor WHERE source = ?", (source,))
                gone = sorted(filter(may_retire, {key for (key,) in rows} - set(kept)))
                for known in find_for_update(change, gone):
                    fields = {n: v for n, v in known.declared.items() if n not in _WHEN}
                    fields["tags"] = f"{_without_stale(fields)} {STALE_TAG}".strip()
                    if fields != known.declared and not known.settled & set(_WHEN):
                        stale = known.with_declared(fields, known.settled)
                        save(change, retold(change, stale, now_us), now_us)
        return created, updated


def _without_stale(declared: Mapping[str, str]) -> str:
    return " ".join(tag for tag in declared.get("tags", "").split() if tag != STALE_TAG)
