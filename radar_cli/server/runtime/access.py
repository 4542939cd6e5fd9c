"""Access: the key of a request, and whether it is good for it."""

import base64
import binascii
import threading
import time
from typing import Callable

from radar_cli.server.runtime.keys import ApiKey, Keys, has_form

# So often it is asked whether a key was revoked, by whichever process on this database.
_ASKED_EVERY_S = 0.25
_REMEMBERED_S = 5.0
_REMEMBERED_MAX = 10_000


class AccessError(Exception):
    """A request that isn't allowed: 401 without a good key, 403 with one that is too narrow."""

    retry_after_s = 0

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.slug = "AUTHENTICATION_REQUIRED" if status == 401 else "ACCESS_DENIED"
        self.message = message


class Access:
    """Knows keys, and remembers for a moment what the database said of them.

    What is remembered counts only while no key was revoked: that is asked once for all of them.
    """

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._remembered: dict[str, tuple[float, ApiKey | None]] = {}
        self._lock = threading.Lock()
        self._revision: tuple[int, ...] = ()
        self._asked_until = float("-inf")

    def recall(self, key: str) -> ApiKey | bool | None:
        """Return what is remembered of a key; False if the database has to be asked."""
        if not has_form(key):
            return None
        now = self._clock()
        found = self._remembered.get(key)
        if found is None or found[0] < now or self._asked_until < now:
            return False
        return found[1]

    def find(self, key: str) -> ApiKey | None:
        """Find a key, in the database if need be; None if it is wrong.

        Only what has the form of a key is looked up and remembered: a wrong one may be of any size.
        """
        known = self.recall(key)
        if not isinstance(known, bool):
            return known
        revision = self._ask()
        known = self.recall(key)
        if not isinstance(known, bool):
            return known
        asked = self._keys.find(key)
        with self._lock:
            if len(self._remembered) >= _REMEMBERED_MAX:
                self._remembered.clear()
            if revision == self._revision:  # else it may be the one that was just revoked
                self._remembered[key] = (self._clock() + _REMEMBERED_S, asked)
        return asked

    def ask_anew(self) -> None:
        """Trust nothing that is remembered until the database was asked: a key was revoked here."""
        with self._lock:
            self._asked_until = float("-inf")

    def _ask(self) -> tuple[int, ...]:
        """Forget everything if a key was revoked; return what the answer goes by."""
        with self._lock:
            began = self._clock()
            if self._asked_until < began:
                revision = self._keys.revision()
                if revision != self._revision:
                    self._remembered.clear()
                self._revision, self._asked_until = revision, began + _ASKED_EVERY_S
            return self._revision


def check(key: ApiKey | None, scope: str, monitor: str = "") -> ApiKey:
    """Return the key if it is good for this. AccessError: it isn't."""
    if key is None:
        raise AccessError(401, "an API key is needed, and a right one")
    if not key.may(scope):
        raise AccessError(403, f"this key is for {key.scope}, and not for {scope}")
    if monitor and not key.covers(monitor):
        raise AccessError(403, f"this key is for monitors like {key.monitors!r}")
    return key


def read_authorization(header: str) -> str:
    """The key in an Authorization header, "" if there is none (RFC 7617, RFC 6750, CronRadar).

    Basic has the key as its user; Bearer and ApiKey have it as it is.
    """
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() in ("bearer", "apikey"):
        return value
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    user, _, password = decoded.partition(":")
    return user or password
