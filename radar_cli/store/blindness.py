"""The time in which no server looked: what fell due then was perhaps reported to nobody.

It is like a pause of the monitors that were due in it: they aren't missed, and go on from now.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from radar_cli.core.grammar import format_duration
from radar_cli.monitors.monitor import Pause
from radar_cli.store.managing import save
from radar_cli.store.reading import COLUMNS, Reading, read_row

_ALIVE, _BLIND = "alive", "blind"
_AT_ONCE = 500
_SET = (
    "INSERT INTO mark (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


@dataclass(frozen=True, slots=True)
class Blindness:
    """When nobody looked, in Unix time in microseconds, and how many monitors were due then."""

    begin_us: int
    end_us: int
    monitors: int

    def words(self) -> str:
        """How long it was, in a line."""
        seconds = max(1, (self.end_us - self.begin_us) // 1_000_000)
        until = datetime.fromtimestamp(self.end_us / 1e6, UTC).isoformat(" ", "seconds")
        return (
            f"nobody looked for {format_duration(seconds)}, until {until}: what fell due meanwhile"
            f" isn't called missed ({self.monitors} monitors)"
        )


class Blinking(Reading):
    """Whether somebody looks all the time."""

    def note_alive(self, now_us: int) -> None:
        """A server looks, now."""
        with self._database.change() as change:
            change.execute(_SET, (_ALIVE, str(now_us)))

    def open_eyes(self, now_us: int, shortest_us: int) -> Blindness | None:
        """A server begins to look: forgive what fell due since one last did.

        None if that was within `shortest_us`, or never.
        """
        with self._database.change() as change:
            rows = change.read("SELECT value FROM mark WHERE name = ? FOR UPDATE", (_ALIVE,))
            change.execute(_SET, (_ALIVE, str(now_us)))
        began_us = int(rows[0][0]) if rows else now_us
        if now_us - began_us < shortest_us:
            return None
        forgiven = 0
        while some := self._forgive(began_us, now_us):
            forgiven += some
        blindness = Blindness(began_us, now_us, forgiven)
        with self._database.change() as change:
            change.execute(_SET, (_BLIND, f"{began_us} {now_us} {forgiven}"))
        return blindness

    def last_blindness(self) -> Blindness | None:
        """The last time in which nobody looked."""
        rows = self._database.read("SELECT value FROM mark WHERE name = ?", (_BLIND,))
        return Blindness(*map(int, rows[0][0].split())) if rows else None

    def _forgive(self, began_us: int, now_us: int) -> int:
        with self._database.change() as change:
            rows = change.read(
                f"SELECT {COLUMNS} FROM monitor WHERE next_look_us < ?"  # noqa: S608 (a constant)
                " ORDER BY next_look_us LIMIT ? FOR UPDATE SKIP LOCKED",
                (now_us, _AT_ONCE),
            )
            for row in rows:
                known = read_row(row)
                known = known.with_pauses(_with_blind(known.pauses, began_us, now_us))
                save(change, known.pass_time(now_us + 1), now_us)
        return len(rows)


def _with_blind(pauses: tuple[Pause, ...], began_us: int, now_us: int) -> list[Pause]:
    """The pauses, and one for the time in which nobody looked; one that reaches into it grows."""
    past = [pause for pause in pauses if pause.is_over(began_us)]
    current = pauses[len(past) :]
    if not current:
        return [*past, Pause(began_us, now_us)]
    first, *others = current
    if first.end_us is None or first.end_us >= now_us:
        return list(pauses)
    return [*past, Pause(min(first.begin_us, began_us), now_us), *others]
