"""Secret tokens of monitors: who has one may ping it, or see its badge, without a key."""

import secrets
import uuid

from radar_cli.store.database import Change, Database

PING, BADGE = "ping", "badge"
_SIGNING = "link-signing"  # a mark


class Tokens:
    """Tokens, made when somebody first asks for one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_monitor(self, token: str, purpose: str) -> str | None:
        """The key of the monitor that a token is for; None if there is none."""
        rows = self._database.read(
            "SELECT monitor FROM token WHERE token = ? AND purpose = ?", (token, purpose)
        )
        return rows[0][0] if rows else None

    def find(self, monitor: str, purpose: str) -> str | None:
        """A monitor's token, if one was ever made."""
        rows = self._database.read(_FIND, (monitor, purpose))
        return rows[0][0] if rows else None

    def make(self, monitor: str, purpose: str) -> str:
        """A monitor's token, made now if there is none; the monitor has to be there."""
        with self._database.change() as change:
            return _make(change, monitor, purpose)

    def link_secret(self) -> bytes:
        """The secret that links in notices are signed with, made when it is first asked for."""
        with self._database.change() as change:
            change.execute(
                "INSERT INTO mark (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (_SIGNING, secrets.token_hex(32)),
            )
            ((value,),) = change.read("SELECT value FROM mark WHERE name = ?", (_SIGNING,))
        return bytes.fromhex(value)

    def drop(self, monitor: str, purpose: str) -> bool:
        """Take a token out of use; False if there was none."""
        with self._database.change() as change:
            dropped = change.execute(
                "DELETE FROM token WHERE monitor = ? AND purpose = ?", (monitor, purpose)
            )
        return dropped == 1


_FIND = "SELECT token FROM token WHERE monitor = ? AND purpose = ?"


def _make(change: Change, monitor: str, purpose: str) -> str:
    change.execute(
        "INSERT INTO token (token, purpose, monitor) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (str(uuid.uuid4()), purpose, monitor),
    )
    return str(change.read(_FIND, (monitor, purpose))[0][0])
