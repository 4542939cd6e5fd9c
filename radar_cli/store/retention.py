"""Retention: pings and outputs that are too old or too many go, a little at a time.

The ledger of Celery has its own: `Ledger.sweep`.

Each sweep looks at some monitors and goes on where the last one stopped, in a transaction so short
that nobody waits for it.
"""

from dataclasses import dataclass

from radar_cli.store.database import Change, Database, Rows
from radar_cli.store.monitors import forget_beginning

_DAY_US = 86_400 * 1_000_000
_MONITORS_A_SWEEP = 200
# What status shows, and what the last run said, stays however old it is.
_ALWAYS_KEPT_PINGS = 12
_ALERTS_FOR_US = 30 * _DAY_US
_CURSOR = "swept"
_FIND_CURSOR = f"SELECT value FROM mark WHERE name = '{_CURSOR}'"  # noqa: S608 (constants)


@dataclass(frozen=True, slots=True)
class Retention:
    """The amount kept of each monitor; one that runs each minute makes 2,880 pings a day."""

    pings: int = 10_000
    pings_for_us: int = 400 * _DAY_US
    outputs: int = 1_000
    outputs_for_us: int = 90 * _DAY_US


def sweep(database: Database, now_us: int, retention: Retention, *, every_us: int = 0) -> int:
    """Forget what is too old or too much of some monitors.

    Return how many rows went, or lost their output. Nothing happens within `every_us` of the
    last sweep.
    """
    swept_us, _ = _read_cursor(database.read(_FIND_CURSOR))
    if 0 <= now_us - swept_us < every_us:
        return 0
    with database.change() as change:
        _, after = _read_cursor(change.read(_FIND_CURSOR + " FOR UPDATE"))
        keys = [
            key
            for (key,) in change.read(
                "SELECT key FROM monitor WHERE key > ? ORDER BY key LIMIT ?",
                (after, _MONITORS_A_SWEEP),
            )
        ]
        gone = sum(_forget(change, key, now_us, retention) for key in keys)
        gone += change.execute(
            "DELETE FROM alert WHERE fate != '' AND created_us < ?", (now_us - _ALERTS_FOR_US,)
        )
        gone += change.execute(
            "DELETE FROM notice WHERE fate != '' AND created_us < ?",
            (now_us - _ALERTS_FOR_US,),
        )
        change.execute("DELETE FROM quiet WHERE end_us < ?", (now_us - _ALERTS_FOR_US,))
        is_round_over = len(keys) < _MONITORS_A_SWEEP
        change.execute(
            "INSERT INTO mark (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (_CURSOR, f"{now_us} {'' if is_round_over else keys[-1]}"),
        )
    if gone:
        database.compact()
    return gone


def _read_cursor(rows: Rows) -> tuple[int, str]:
    """Return when the last sweep was, and the last monitor that it looked at."""
    time_us, _, after = rows[0][0].partition(" ") if rows else ("0", "", "")
    return int(time_us), after


def _forget(change: Change, key: str, now_us: int, retention: Retention) -> int:
    """Forget what is too much of one monitor."""
    pings_from_us = _first_kept(change, key, now_us - retention.pings_for_us, retention.pings)
    outputs_from_us = _first_kept(change, key, now_us - retention.outputs_for_us, retention.outputs)
    gone = 0
    if pings_from_us is not None:
        gone += change.execute(
            "DELETE FROM ping WHERE monitor = ? AND time_us < ?", (key, pings_from_us)
        )
        if gone:
            forget_beginning(change, key, now_us)
        # The last flip is what is so, and the last that was told what people believe.
        gone += change.execute(
            "DELETE FROM flip WHERE monitor = ? AND time_us < ? AND fate != ''"
            " AND number < (SELECT max(number) FROM flip WHERE monitor = ?)"
            " AND number < (SELECT max(number) FROM flip WHERE monitor = ? AND fate = 'told')",
            (key, pings_from_us, key, key),
        )
    if outputs_from_us is not None:
        gone += change.execute(
            "UPDATE ping SET body = ? WHERE monitor = ? AND time_us < ? AND length(body) > 0",
            (b"", key, outputs_from_us),
        )
    return gone


def _first_kept(change: Change, key: str, oldest_us: int, most: int) -> int | None:
    """The time of the oldest ping to keep; None if none is older."""
    query = "SELECT time_us FROM ping WHERE monitor = ? ORDER BY time_us DESC, id DESC LIMIT 1"
    last = change.read(f"{query} OFFSET ?", (key, max(1, most) - 1))
    kept = change.read(f"{query} OFFSET ?", (key, min(_ALWAYS_KEPT_PINGS, max(1, most)) - 1))
    if not kept:
        return None
    from_us = max(oldest_us, last[0][0] if last else oldest_us)
    return int(min(from_us, kept[0][0]))
