"""Looks and outages: an outage moves deadlines on a server, and forgives nothing here.

While no server runs no ping can arrive, so a deadline that fell into that time is judged a little
later (`Monitor.judged_us`). Pings for the store of this machine wait on its disk meanwhile: a
`radar check` judges all of them at once, and only adds for how long nobody had looked.
"""

import json
import sys
import threading
from dataclasses import dataclass

from radar_cli.core.errors import RadarError
from radar_cli.core.grammar import format_duration
from radar_cli.model.monitor import Outage
from radar_cli.model.sentences import local_time
from radar_cli.store.database import Change, Database, Rows
from radar_cli.store.monitors import save
from radar_cli.store.rows import COLUMNS, read_row

# A server that was away for less has missed nothing that a client doesn't send again in time.
OUTAGE_FROM_US = 30 * 1_000_000
# How often a server notes that it looks: several times within the shortest outage.
_NOTED_EVERY_US = 5 * 1_000_000
# A check that comes so much later than the ones before it says so.
_GAP_FROM_US = 900 * 1_000_000
# People who only try radar out need no checker yet.
_NEGLECT_FROM_US = 3600 * 1_000_000
_SERVER_NEGLECT_FROM_US = 60 * 1_000_000
_KEPT = 100
_AT_ONCE = 500
_SERVER, _CHECK, _OUTAGES = "alive", "checked", "outages"
_SET = (
    "INSERT INTO mark (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_GET = "SELECT value FROM mark WHERE name = ?"


@dataclass(frozen=True, slots=True)
class NotedOutage(Outage):
    """An outage as the store has it: how many monitors were due in it, and who was away."""

    monitors: int = 0
    is_servers: bool = True

    def words(self) -> str:
        """Return how long it was and how many monitors were due in it, in a line."""
        if not self.is_servers:
            return self.when()
        due = f"{self.monitors} monitor{' was' if self.monitors == 1 else 's were'} due meanwhile"
        return f"{self.when()}: {due}, and what is on its way has some minutes to arrive"

    def when(self) -> str:
        """Return how long it was, in a line that tells nothing of the monitors."""
        return f"nobody looked for {self.length()}, until {local_time(self.end_us)}"

    def length(self) -> str:
        """Return how long it was, as `1 h 30 min`."""
        return format_duration(max(1, (self.end_us - self.begin_us) // 1_000_000))


class Outages:
    """The looks of servers and checkers, and the outages between them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted_us = 0
        self._looking_since_us = 0  # a server, without an outage
        self._noting = threading.Lock()

    def keep_watch(self, now_us: int) -> NotedOutage | None:
        """Note that a server looks now; move the deadlines that fell into an outage before.

        To be called before each look and before pings are stored: it does something only every
        few seconds. None if no outage has just ended.
        """
        if 0 <= now_us - self._noted_us < _NOTED_EVERY_US:
            return None
        with self._noting:
            if 0 <= now_us - self._noted_us < _NOTED_EVERY_US:
                return None
            if not 0 <= now_us - self._noted_us < OUTAGE_FROM_US:
                self._looking_since_us = now_us
            # One transaction: another server must not judge before the deadlines are moved.
            with self._database.change() as change:
                rows = change.read(_GET + " FOR UPDATE", (_SERVER,))
                began_us = _last_proof(change, int(rows[0][0]), now_us) if rows else now_us
                outage = None
                if now_us - began_us >= OUTAGE_FROM_US:
                    outage = _go_through(change, Outage(began_us, now_us), now_us)
                change.execute(_SET, (_SERVER, str(now_us)))
            self._noted_us = now_us
        return outage

    def find_since(self, change: Change, time_us: int) -> list[Outage]:
        """Return the outages of the servers that ended after a moment, if this is a server.

        Since it began to look there was none: most often nobody needs to be asked.
        """
        if time_us >= self._looking_since_us:
            return []
        found = _read(change.read(_GET, (_OUTAGES,)))
        return [
            Outage(outage.begin_us, outage.end_us)
            for outage in reversed(found)
            if outage.is_servers and outage.end_us > time_us
        ]

    def leave(self, now_us: int) -> None:
        """Note that a server looks for the last time."""
        with self._noting, self._database.change() as change:
            change.execute(_SET, (_SERVER, str(now_us)))

    def note_check(self, now_us: int) -> NotedOutage | None:
        """Note that a checker looks now; return the outage that it ends, if there was one.

        That is a time much longer than usually passes between two looks.
        """
        with self._database.change() as change:
            last_us, usual_us = self._last_check(change.read(_GET + " FOR UPDATE", (_CHECK,)))
            last_us = max(last_us, self._last_watch())
            gap_us = max(0, now_us - last_us) if last_us else 0
            # What was usual is forgotten within some looks.
            usual_now_us = max(gap_us, usual_us // 2)
            change.execute(_SET, (_CHECK, f"{now_us} {usual_now_us}"))
            if gap_us <= max(_GAP_FROM_US, 2 * usual_us):
                return None
            outage = NotedOutage(last_us, now_us, is_servers=False)
            _keep(change, outage)
            return outage

    def last_look(self) -> int | None:
        """Return when somebody last looked, a server or a checker; None if nobody ever did."""
        last_us = max(self._last_watch(), self._last_check(self._database.read(_GET, (_CHECK,)))[0])
        return last_us or None

    def find_neglect(self, now_us: int) -> int | None:
        """Return since when nobody has looked, if that is longer than it should be.

        None while somebody looks, and while there is nothing whose silence could be noticed.
        """
        checked_us, usual_us = self._last_check(self._database.read(_GET, (_CHECK,)))
        watched_us = self._last_watch()
        longest_us = max(_NEGLECT_FROM_US, 2 * usual_us)
        if watched_us > checked_us:
            longest_us = _SERVER_NEGLECT_FROM_US
        since_us = max(checked_us, watched_us)
        if now_us - since_us <= longest_us:
            return None
        first_us = self._database.read("SELECT min(created_us) FROM monitor WHERE watched = 1")[0][
            0
        ]
        if first_us is None:
            return None
        since_us = since_us or int(first_us)
        return since_us if now_us - since_us > longest_us else None

    def newest(self) -> list[NotedOutage]:
        """Return the last outages, the newest first."""
        return _read(self._database.read(_GET, (_OUTAGES,)))

    def last(self) -> NotedOutage | None:
        """Return the last outage of the servers."""
        return next((outage for outage in self.newest() if outage.is_servers), None)

    def at(self, time_us: int) -> NotedOutage | None:
        """Return the outage that a moment fell into."""
        return next((outage for outage in self.newest() if outage.covers(time_us)), None)

    def _last_watch(self) -> int:
        rows = self._database.read(_GET, (_SERVER,))
        return int(rows[0][0]) if rows else 0

    @staticmethod
    def _last_check(rows: Rows) -> tuple[int, int]:
        """Return when a checker last looked, and how long it usually is from one to the next."""
        if not rows:
            return 0, 0
        last, _, usual = rows[0][0].partition(" ")
        return int(last), int(usual or "0")


def _last_proof(change: Change, noted_us: int, now_us: int) -> int:
    """Return when it is certain that a server last looked: then, or when it noticed a flip since.

    What was judged before an outage did not fall into it, whenever its story is told anew.
    """
    if now_us - noted_us < OUTAGE_FROM_US:
        return noted_us
    latest_us = noted_us + _NOTED_EVERY_US
    rows = change.read(
        "SELECT max(noticed_us) FROM flip WHERE id >= ? AND id < ? AND noticed_us <= ?",
        (_id_prefix(noted_us), _id_prefix(latest_us + 1000), latest_us),
    )
    return max(noted_us, rows[0][0] or 0)


def _id_prefix(time_us: int) -> str:
    """Return how the ids of flips begin that were noticed in that millisecond (see `new_id`)."""
    digits = f"{time_us // 1000:012x}"
    return f"{digits[:8]}-{digits[8:]}"


def _go_through(change: Change, outage: Outage, now_us: int) -> NotedOutage:
    """Move the deadlines that fell into an outage, and keep it."""
    count, after = 0, ""
    while rows := change.read(
        f"SELECT {COLUMNS} FROM monitor WHERE next_look_us < ? AND key > ?"  # noqa: S608 (a constant)
        " ORDER BY key LIMIT ? FOR UPDATE",
        (outage.end_us, after, _AT_ONCE),
    ):
        after = rows[-1][0]
        for row in rows:
            try:
                known = read_row(row).apply_outage(outage)
                encoded = known.encode()
            except RadarError:
                raise
            except Exception as fault:  # noqa: BLE001 (one poisoned monitor stops no other)
                sys.stderr.write(f"radar: monitor {row[0]!r} can't be judged: {fault!r}\n")
                continue
            save(change, known, now_us, encoded)
            count += 1
    noted = NotedOutage(outage.begin_us, outage.end_us, count)
    _keep(change, noted)
    return noted


def _keep(change: Change, outage: NotedOutage) -> None:
    found = [outage, *_read(change.read(_GET + " FOR UPDATE", (_OUTAGES,)))][:_KEPT]
    entries = [[each.begin_us, each.end_us, each.monitors, each.is_servers] for each in found]
    change.execute(_SET, (_OUTAGES, json.dumps(entries)))


def _read(rows: Rows) -> list[NotedOutage]:
    return [NotedOutage(*entry) for entry in json.loads(rows[0][0])] if rows else []
