"""Rate limits for keys and addresses: token buckets that fill up again within a minute."""

import ipaddress
import time
from functools import lru_cache
from typing import Callable

from radar_cli.server.runtime.access import AccessError

_BUCKETS_MAX = 100_000
# Who has been away for so long has a full one again.
_FULL_AFTER_S = 60.0
# A site, or a single machine, has as many addresses of IPv6 as it likes in one network of these.
_IPV6_PREFIX = 64


class TooManyError(AccessError):
    """A key or an address asks too often."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(429, f"too many requests: try again in {retry_after_s} s")
        self.slug = "RATE_LIMIT_EXCEEDED"
        self.retry_after_s = retry_after_s


class Limits:
    """`rate` requests a minute for each key and each address; 0: as many as they like.

    An address is checked before anything is looked up or kept for whoever asks from there.
    """

    def __init__(
        self, rate: int, *, limits_loopback: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._rate = rate
        self._limits_loopback = limits_loopback
        # What is left, and since when; who has asked last comes last.
        self._buckets: dict[str, tuple[float, float]] = {}

    def check_address(self, address: str) -> None:
        """Count a request of a client at an address. TooManyError: there were too many."""
        if self._rate and self._is_limited(address):
            self._take(network_of(address))

    def check_key(self, name: str, address: str) -> None:
        """Count a request with a key. TooManyError: there were too many."""
        if self._rate and self._is_limited(address):
            self._take(f"key {name}")

    def _is_limited(self, address: str) -> bool:
        return self._limits_loopback or not is_loopback(address)

    def _take(self, name: str) -> None:
        now = self._clock()
        per_second = self._rate / 60
        left, since = self._buckets.pop(name, (float(self._rate), now))
        left = min(float(self._rate), left + (now - since) * per_second)
        self._buckets[name] = (left - 1 if left >= 1 else left, now)
        self._forget(now)
        if left < 1:
            raise TooManyError(max(1, round((1 - left) / per_second)))

    def _forget(self, now: float) -> None:
        """Let go of the buckets that are full again, and of the oldest ones beyond the most."""
        while self._buckets:
            name = next(iter(self._buckets))
            is_full = now - self._buckets[name][1] >= _FULL_AFTER_S
            if not is_full and len(self._buckets) <= _BUCKETS_MAX:
                return
            del self._buckets[name]


@lru_cache(4096)
def network_of(address: str) -> str:
    """The addresses that count as one with this one."""
    try:
        parsed = _parse(address)
    except ValueError:
        return "no address"
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed.packed, _IPV6_PREFIX), strict=False))


@lru_cache(1024)
def is_loopback(address: str) -> bool:
    """Whether a client is on this machine; one on a Unix socket has no address."""
    try:
        return not address or _parse(address).is_loopback
    except ValueError:
        return False


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address; one of IPv4 that IPv6 has written (`::ffff:192.0.2.1`) is that. ValueError."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return getattr(parsed, "ipv4_mapped", None) or parsed
