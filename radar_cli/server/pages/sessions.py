"""Sessions: a row in the database for each login, and a secret in the browser's cookie.

The row holds only the secret's hash, so that a copy of the database opens nothing. A session ends
with its key, by logging out, or after a week.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from radar_cli.server.runtime.keys import ApiKey, Keys
from radar_cli.store.database import Database

LASTS_S = 7 * 86_400
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is logged in, and what its key may."""

    secret: str
    key: ApiKey

    @property
    def csrf(self) -> str:
        """The token that every form of this session sends along: another site can't read it."""
        return csrf_of(self.secret)

    @property
    def may_change(self) -> bool:
        """Whether the key is good for more than looking."""
        return self.key.may("admin")


class Sessions:
    """The sessions in a database."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def begin(self, key: ApiKey, now_us: int) -> Session:
        """Begin a session, and forget those that have expired."""
        session = Session(new_secret(), key)
        with self._database.change() as change:
            change.execute("DELETE FROM session WHERE expires_us < ?", (now_us,))
            change.execute(
                "INSERT INTO session (hash, api_key, expires_us) VALUES (?, ?, ?)",
                (_hash(session.secret), key.id, now_us + LASTS_S * 1_000_000),
            )
        return session

    def find(self, secret: str, now_us: int) -> Session | None:
        """The session of a cookie; None if it has ended, or its key was revoked."""
        rows = self._database.read(
            "SELECT api_key FROM session WHERE hash = ? AND expires_us >= ?",
            (_hash(secret), now_us),
        )
        key = self._keys.find_by_id(rows[0][0]) if rows else None
        return None if key is None or not key.may("read") else Session(secret, key)

    def end(self, session: Session) -> None:
        """Log out."""
        with self._database.change() as change:
            change.execute("DELETE FROM session WHERE hash = ?", (_hash(session.secret),))


def new_secret() -> str:
    """Make a secret that nobody guesses."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def csrf_of(secret: str) -> str:
    """The token of a cookie's forms: who has the one can't tell the other."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def is_csrf_of(secret: str, token: str) -> bool:
    """Whether a form's token belongs to this cookie."""
    return bool(secret) and hmac.compare_digest(csrf_of(secret).encode(), token.encode())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
