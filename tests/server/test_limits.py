"""How often who may ask, by a clock of the test's own."""

from collections.abc import Callable

import pytest

from radar_cli.server.runtime import limits as limits_module
from radar_cli.server.runtime.limits import Limits, TooManyError, is_loopback, network_of


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


def _passes(ask: Callable[..., None], *words: str) -> bool:
    try:
        ask(*words)
    except TooManyError:
        return False
    return True


def _count(ask: Callable[..., None], *words: str) -> int:
    """How many requests pass before one is refused."""
    count = 0
    while count < 1000 and _passes(ask, *words):
        count += 1
    return count


def test_so_many_pass_at_once_and_then_as_time_passes(clock: _Clock) -> None:
    limits = Limits(60, limits_loopback=False, clock=clock)
    assert _count(limits.check_address, "192.0.2.1") == 60
    clock.now += 0.5
    assert not _passes(limits.check_address, "192.0.2.1")
    clock.now += 0.5
    assert _count(limits.check_address, "192.0.2.1") == 1
    clock.now += 10
    assert _count(limits.check_address, "192.0.2.1") == 10


def test_who_waits_has_never_more_than_all(clock: _Clock) -> None:
    limits = Limits(60, limits_loopback=False, clock=clock)
    assert _passes(limits.check_address, "192.0.2.1")
    clock.now += 59
    assert _count(limits.check_address, "192.0.2.1") == 60


def test_it_says_when_to_come_again(clock: _Clock) -> None:
    limits = Limits(6, limits_loopback=False, clock=clock)
    assert _count(limits.check_key, "one", "192.0.2.1") == 6
    for passed_s, wait_s in ((0, 10), (4, 6), (7, 3)):
        clock.now = 1000 + passed_s
        with pytest.raises(TooManyError) as refused:
            limits.check_key("one", "192.0.2.1")
        assert refused.value.retry_after_s == wait_s
        assert (refused.value.status, refused.value.slug) == (429, "RATE_LIMIT_EXCEEDED")
    fast = Limits(600, limits_loopback=False, clock=clock)
    _count(fast.check_key, "one", "192.0.2.1")
    with pytest.raises(TooManyError) as refused:
        fast.check_key("one", "192.0.2.1")
    assert refused.value.retry_after_s == 1, "whole seconds, and never none"


def test_each_key_and_each_address_has_its_own(clock: _Clock) -> None:
    limits = Limits(3, limits_loopback=False, clock=clock)
    assert _count(limits.check_address, "192.0.2.1") == 3
    assert _count(limits.check_address, "192.0.2.2") == 3
    assert _count(limits.check_key, "one", "192.0.2.1") == 3
    assert _count(limits.check_key, "two", "192.0.2.1") == 3


@pytest.mark.parametrize(
    ("rate", "limits_loopback", "address", "count"),
    [
        (0, True, "192.0.2.1", 1000),
        (0, True, "127.0.0.1", 1000),
        (2, False, "127.0.0.1", 1000),
        (2, False, "::1", 1000),
        (2, False, "", 1000),  # a Unix socket
        (2, True, "127.0.0.1", 2),
        (2, False, "no address", 2),
    ],
)
def test_who_is_limited(
    rate: int, limits_loopback: bool, address: str, count: int, clock: _Clock
) -> None:
    limits = Limits(rate, limits_loopback=limits_loopback, clock=clock)
    assert _count(limits.check_address, address) == count
    assert _count(limits.check_key, "one", address) == count


def test_who_has_a_full_bucket_again_is_forgotten(clock: _Clock) -> None:
    limits = Limits(5, limits_loopback=False, clock=clock)
    for number in range(3):
        limits.check_address(f"192.0.2.{number}")
    clock.now += 59.9
    limits.check_address("192.0.2.0")
    assert len(limits._buckets) == 3
    clock.now += 0.1
    limits.check_address("192.0.2.9")
    assert list(limits._buckets) == ["192.0.2.0", "192.0.2.9"]


def test_of_too_many_those_who_asked_last_are_remembered(
    clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits_module, "_BUCKETS_MAX", 3)
    limits = Limits(5, limits_loopback=False, clock=clock)
    for number in (1, 2, 3, 1, 4):
        limits.check_address(f"192.0.2.{number}")
    assert list(limits._buckets) == ["192.0.2.3", "192.0.2.1", "192.0.2.4"]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nowhere", "no address"),
    ],
)
def test_a_network_of_ipv6_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("address", "is_own"),
    [
        ("", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("nowhere", False),
    ],
)
def test_it_knows_this_machine(address: str, is_own: bool) -> None:
    assert is_loopback(address) == is_own
