"""One ping without a server: what its stages keep, refuse and answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.server.pings.exchange import Body, Exchange, Head, Refused, Rules
from radar_cli.server.runtime.limits import Limits

_KB = 1_000


def _feed(body: Body, parts: list[tuple[float, int]]) -> None:
    """Parts of so many bytes at these seconds; none of them is the last."""
    for now_s, size in parts:
        body.feed(b"x" * size, now_s, is_last=False)


@given(st.lists(st.binary(max_size=30), max_size=30), st.integers(0, 40))
def test_it_keeps_the_end_of_a_body_in_whatever_parts_it_comes(
    parts: list[bytes], limit: int
) -> None:
    body = Body(limit, 0.0)
    for part in parts:
        body.feed(part, 0.0, is_last=False)
    whole = b"".join(parts)
    kept, omitted = body.end()
    assert len(kept) <= limit
    assert kept.decode() is not None
    if whole.isascii():
        assert kept == whole[len(whole) - min(limit, len(whole)) :]
        assert omitted == len(whole) - len(kept)


def test_it_holds_no_more_of_a_long_body_than_its_end() -> None:
    body = Body(1_000, 0.0)
    _feed(body, [(0.0, 700)] * 10_000)
    assert len(body._kept) <= 2_000
    assert body.end() == (b"x" * 1_000, 7_000_000 - 1_000)


def test_a_body_has_a_minute_before_its_pace_counts() -> None:
    body = Body(100, 0.0)
    _feed(body, [(second, 1) for second in range(0, 60, 9)])
    with pytest.raises(Refused) as refused:
        body.feed(b"x", 60.5, is_last=False)
    assert refused.value.status == 408


def test_its_pace_is_judged_minute_by_minute() -> None:
    """One that was quick once may not dribble on for hours."""
    body = Body(100, 0.0)
    _feed(body, [(second, 2 * _KB) for second in range(130)])
    _feed(body, [(130 + second, 1) for second in range(50)])
    with pytest.raises(Refused):
        _feed(body, [(130 + second, 1) for second in range(50, 120)])


def test_a_body_that_comes_on_in_time_has_no_longest_time() -> None:
    body = Body(100, 0.0)
    _feed(body, [(second, 1_100) for second in range(3_600)])
    body.feed(b"end", 3_601.0, is_last=True)
    kept, omitted = body.end()
    assert kept.endswith(b"end")
    assert omitted == 3_600 * 1_100 + 3 - 100


def test_its_last_part_is_taken_however_late() -> None:
    body = Body(100, 0.0)
    body.feed(b"the end", 69.0, is_last=True)
    assert body.end() == (b"the end", 0)


def test_what_is_no_utf8_is_made_so_and_stays_within_the_limit() -> None:
    body = Body(100, 0.0)
    body.feed(b"\xff" * 100, 0.0, is_last=True)
    kept, _ = body.end()
    assert len(kept) <= 100
    assert set(kept.decode()) == {"\ufffd"}


def test_an_address_is_counted_before_anything_of_its_request_is_read() -> None:
    rules = Rules(Limits(2, limits_loopback=True), 100)
    head = Head("BREW", "no//path", "", [], "192.0.2.1")
    statuses = []
    for _ in range(4):
        exchange = Exchange(head, rules, 0.0)
        try:
            exchange.begin()
        except Exception as fault:  # noqa: BLE001 (each is an answer)
            statuses.append(exchange.refuse(fault).status)
    assert statuses == [405, 405, 429, 429]


def test_what_nobody_expects_is_raised_on() -> None:
    exchange = Exchange(
        Head("GET", "job", "", [], ""), Rules(Limits(0, limits_loopback=True), 9), 0
    )
    with pytest.raises(ZeroDivisionError):
        exchange.refuse(ZeroDivisionError())
