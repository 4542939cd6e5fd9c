"""Channels: whether each delivers, and the alerts by which the others hear that one doesn't."""

from typing import Collection, Sequence

from radar_cli.core.ids import new_id
from radar_cli.model.notice_log import ChannelHealth
from radar_cli.store.database import Change, Database

NEEDLESS, QUIET = "needless", "quiet"
# The others hear of a channel that has delivered nothing for so long.
_FAILS_FOR_US = 300 * 1_000_000


class Channels:
    """The health of the channels that were ever used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[ChannelHealth]:
        """Return the health of each channel that was ever used."""
        rows = self._database.read(
            "SELECT name, delivered_us, failing_us, failures, error FROM channel ORDER BY name"
        )
        return [ChannelHealth(*row) for row in rows]

    def failing(self, names: Collection[str] | None = None) -> list[ChannelHealth]:
        """Return the channels that deliver nothing, only of these `names` if they are given."""
        return [
            health
            for health in self.all()
            if health.failing_us is not None and (names is None or health.name in names)
        ]

    def find_news(self, now_us: int) -> list[ChannelHealth]:
        """The channels of which the others are yet to be told that they fail, or do no more."""
        rows = self._database.read(
            "SELECT name, delivered_us, failing_us, failures, error FROM channel"
            " WHERE (told = 0 AND failing_us <= ?) OR (told = 1 AND failing_us IS NULL)",
            (now_us - _FAILS_FOR_US,),
        )
        return [ChannelHealth(*row) for row in rows]

    def add_alert(
        self, health: ChannelHealth, tellings: Sequence[tuple[str, str, int, str]], now_us: int
    ) -> int:
        """Make alerts of a channel's news, once.

        `tellings` are names of the others, what they say, before when not, and why (see alerts.py).
        """
        is_failing, subject = health.failing_us is not None, f"channel:{health.name}"
        with self._database.change() as change:
            if not change.execute(
                "UPDATE channel SET told = ? WHERE name = ? AND told = ?",
                (int(is_failing), health.name, int(not is_failing)),
            ):
                return 0  # another server has
            # Who was yet to hear the opposite when it isn't quiet any more hears of neither.
            untold = {
                name
                for name, *_ in tellings
                if change.execute(
                    "UPDATE alert SET fate = ?, next_try_us = NULL WHERE flip = ? AND channel = ?"
                    " AND monitor = '' AND held = ? AND told_in = '' AND next_try_us IS NOT NULL",
                    (NEEDLESS, subject, name, QUIET),
                )
            }
            return change.execute_many(
                "INSERT INTO alert"
                " (id, flip, monitor, channel, notice, created_us, next_try_us, held)"
                " VALUES (?, ?, '', ?, ?, ?, ?, ?)",
                [
                    (
                        *(new_id(now_us), subject, name, said, now_us),
                        *(max(now_us, not_before_us), held),
                    )
                    for name, said, not_before_us, held in tellings
                    if name not in untold
                ],
            )


def lock_channel(change: Change, channel: str) -> None:
    """Keep others from making or settling notices of a channel."""
    change.execute("INSERT INTO channel (name) VALUES (?) ON CONFLICT DO NOTHING", (channel,))
    change.read("SELECT name FROM channel WHERE name = ? FOR UPDATE", (channel,))


def note_failure(change: Change, channel: str, error: str, now_us: int) -> None:
    """Note that a channel has failed to deliver."""
    change.execute(
        "UPDATE channel SET failing_us = coalesce(failing_us, ?), failures = failures + 1,"
        " error = ? WHERE name = ?",
        (now_us, error, channel),
    )
