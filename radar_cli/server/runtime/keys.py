"""API keys: shown once, kept as hashes, each for a scope and for monitors of a pattern.

A key is `ck_app_<id>_<secret>`: the id finds its row, the hash of the whole tells whether it is
right. The secret has 256 random bits, so that a plain SHA-256 is as good as a slow hash.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Callable

from radar_cli.store.database import Change, Database

SCOPES = ("ping", "read", "admin")
# What a scope may do besides its own.
_INCLUDES = {"ping": {"ping"}, "read": {"read"}, "admin": {"ping", "read", "admin"}}
_PREFIX = "ck_app_"
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ID_LENGTH = 10
_SECRET_LENGTH = 43
_KEY_MAX = 200
_TEXT_MAX = 200
_FIRST = "first key"  # a mark: one was made, and shown
_COLUMNS = "id, name, scope, monitors, created_us, revoked_us"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is kept: without its secret. Times are Unix time in microseconds."""

    id: str
    name: str
    scope: str
    monitors: str  # a pattern of monitors' keys, as in a shell: `*` for all
    created_us: int
    revoked_us: int | None = None

    def may(self, scope: str) -> bool:
        """Whether it is good for this scope."""
        return scope in _INCLUDES[self.scope]

    def covers(self, monitor: str) -> bool:
        """Whether it is good for this monitor."""
        return self.monitors == "*" or fnmatchcase(monitor, self.monitors)


class Keys:
    """The keys in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, now_us: int, *, scope: str, monitors: str = "*", name: str = "") -> str:
        """Make a key and return it: nobody can read it again."""
        with self._database.change() as change:
            return _insert(change, now_us, scope=scope, monitors=monitors, name=name)

    def create_first(self, now_us: int, show: Callable[[str], None]) -> bool:
        """Make the admin key that a new database needs, and `show` it.

        False if there is one already: of several servers that start at once one makes it.
        `show` keeps the key for its owner before it counts, so that no crash leaves a database
        with a key that nobody has seen; if it fails, the next start makes another one.
        """
        if self.list():
            return False
        with self._database.change() as change:
            is_first = change.execute(
                "INSERT INTO mark (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (_FIRST, str(now_us)),
            )
            if not is_first:
                return False
            show(_insert(change, now_us, scope="admin", monitors="*", name="first"))
        return True

    def find(self, key: str) -> ApiKey | None:
        """Find the key that somebody gives; None if it is wrong or revoked."""
        if not has_form(key):
            return None
        key_id = key.removeprefix(_PREFIX).partition("_")[0]
        rows = self._database.read(f"SELECT {_COLUMNS}, hash FROM api_key WHERE id = ?", (key_id,))  # noqa: S608 (a constant)
        if not rows or not hmac.compare_digest(rows[0][-1], _hash(key)):
            return None
        found = ApiKey(*rows[0][:-1])
        return None if found.revoked_us is not None else found

    def find_by_id(self, key_id: str) -> ApiKey | None:
        """Find the key with this id; None if there is none, or it is revoked."""
        rows = self._database.read(f"SELECT {_COLUMNS} FROM api_key WHERE id = ?", (key_id,))  # noqa: S608 (a constant)
        found = ApiKey(*rows[0]) if rows else None
        return None if found is None or found.revoked_us is not None else found

    def list(self) -> list[ApiKey]:
        """Every key, the oldest first."""
        rows = self._database.read(f"SELECT {_COLUMNS} FROM api_key ORDER BY created_us, id")  # noqa: S608 (a constant)
        return [ApiKey(*row) for row in rows]

    def revision(self) -> tuple[int, ...]:
        """Numbers that are others once a key was made, revoked or forgotten."""
        rows = self._database.read(
            "SELECT count(*), count(revoked_us), coalesce(max(revoked_us), 0) FROM api_key"
        )
        return tuple(rows[0])

    def revoke(self, key_id: str, now_us: int) -> bool:
        """Take a key out of use for good; False if there is none of this id that is in use."""
        with self._database.change() as change:
            changed = change.execute(
                "UPDATE api_key SET revoked_us = ? WHERE id = ? AND revoked_us IS NULL",
                (now_us, key_id),
            )
        return changed == 1


def _insert(change: Change, now_us: int, *, scope: str, monitors: str, name: str) -> str:
    key_id, secret = _random(_ID_LENGTH), _random(_SECRET_LENGTH)
    key = f"{_PREFIX}{key_id}_{secret}"
    change.execute(
        "INSERT INTO api_key (id, hash, name, scope, monitors, created_us)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (key_id, _hash(key), name, scope, monitors, now_us),
    )
    return key


def check_new(scope: str, monitors: str, name: str) -> None:
    """ValueError: no key can be made like that."""
    if scope not in SCOPES:
        raise ValueError(f"a key is for one of {', '.join(SCOPES)}")
    if not monitors:
        raise ValueError("a key is for some monitors at least: * is all")
    for text in (name, monitors):
        if len(text) > _TEXT_MAX or not text.isprintable():
            raise ValueError(
                f"a key's name and pattern have at most {_TEXT_MAX} printable characters"
            )


def has_form(key: str) -> bool:
    """Whether it looks like a key of ours, right or wrong."""
    return (
        len(key) < _KEY_MAX
        and key.startswith(_PREFIX)
        and "_" in key[len(_PREFIX) :]
        and (key.isascii() and key.isprintable())
    )


def _random(length: int) -> str:
    """So many letters and digits, each as likely as any other."""
    text = ""
    while len(text) < length:
        # 248 = 4 * 62: above it, the first letters would be likelier.
        text += "".join(_ALPHABET[byte % 62] for byte in os.urandom(length) if byte < 248)
    return text[:length]


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
