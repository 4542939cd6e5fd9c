"""How often a key and an address may ask: token buckets that fill up again within a minute."""

import ipaddress
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from radar_cli.server.access import AccessError

if TYPE_CHECKING:
    from starlette.types import Scope

_BUCKETS_MAX = 100_000


class TooManyError(AccessError):
    """A key or an address asks too often."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(429, f"too many requests: try again in {retry_after_s} s")
        self.slug = "RATE_LIMIT_EXCEEDED"
        self.retry_after_s = retry_after_s


class Limits:
    """`rate` requests a minute for each key and each address; 0: as many as they like."""

    def __init__(self, rate: int, *, limits_loopback: bool) -> None:
        self._rate = rate
        self._limits_loopback = limits_loopback
        self._buckets: dict[str, tuple[float, float]] = {}  # what is left, and since when

    def check(self, scope: "Scope", key: str) -> None:
        """Count a request. TooManyError: there were too many."""
        client = scope.get("client")
        self.check_address(client[0] if client else "", key)

    def check_address(self, address: str, key: str) -> None:
        """The same for a client at an address."""
        if not self._rate:
            return
        if not self._limits_loopback and is_loopback(address):
            return
        self._take(f"address {address}")
        if key:
            self._take(f"key {key}")

    def _take(self, name: str) -> None:
        now = time.monotonic()
        per_second = self._rate / 60
        left, since = self._buckets.get(name, (float(self._rate), now))
        left = min(float(self._rate), left + (now - since) * per_second)
        if left < 1:
            raise TooManyError(max(1, round((1 - left) / per_second)))
        if len(self._buckets) >= _BUCKETS_MAX and name not in self._buckets:
            # Who has been away for a minute has a full one again.
            self._buckets = {n: b for n, b in self._buckets.items() if now - b[1] < 60}
        self._buckets[name] = (left - 1, now)


@lru_cache(1024)
def is_loopback(address: str) -> bool:
    """Whether a client is on this machine; one on a Unix socket has no address."""
    try:
        return not address or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
