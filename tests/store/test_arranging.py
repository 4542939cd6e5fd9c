"""Monitors in the order that a person chose."""

import pytest

from radar_cli.model.ping import Ping
from radar_cli.store import arranging
from radar_cli.store.arranging import Order, arrange, natural
from radar_cli.store.searching import Wanted
from radar_cli.store.store import Store
from tests.store.arrivals import add

_SECOND = 1_000_000
_BEGIN = 1_795_000_000 * _SECOND


def _at(minute: float) -> int:
    return _BEGIN + round(minute * 60 * _SECOND)


@pytest.fixture
def filled(store: Store) -> Store:
    """Five monitors; 4 is down, 9 was never heard of, 11 expects nothing."""
    for key, every, tags in (("2", "3600", "b a"), ("4", "7200", "a"), ("9", "900", "")):
        store.monitors.create(f"job-{key}", {"every": every, "tags": tags}, _at(0))
    for key, tags in (("10", "a2"), ("11", "a10")):
        store.monitors.create(f"job-{key}", {"tags": tags}, _at(0))
    add(store, [Ping("success", "job-2", time_us=_at(3)), Ping("fail", "job-4", time_us=_at(1))])
    add(store, [Ping("success", "job-10", time_us=_at(5), fields={"every": "60"})])
    add(store, [Ping("success", "job-11", time_us=_at(4))])
    return store


def _keys(store: Store, *order: object, limit: int = 99, offset: int = 0) -> list[str]:
    made = Order(*order)  # type: ignore[arg-type]  # as the tests write it
    found = arrange(store.database, Wanted(), made, limit, offset)
    assert found is not None
    return [known.key.removeprefix("job-") for _, known in found.monitors]


def test_numbers_in_keys_are_sorted_as_numbers() -> None:
    keys = ["job-10", "job-9", "a", "job-2b", "job-2", "job", "10", "9"]
    wanted = ["9", "10", "a", "job", "job-2", "job-2b", "job-9", "job-10"]
    assert sorted(keys, key=natural) == wanted


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        (("status",), ["4", "2", "9", "10", "11"]),
        (("status", True), ["2", "9", "10", "11", "4"]),
        (("name",), ["2", "4", "9", "10", "11"]),
        (("name", True), ["11", "10", "9", "4", "2"]),
        (("last",), ["10", "11", "2", "4", "9"]),
        (("last", True), ["4", "2", "11", "10", "9"]),
        (("next",), ["10", "9", "2", "4", "11"]),
        (("next", True), ["4", "2", "9", "10", "11"]),
    ],
)
def test_it_sorts_by_what_is_asked(
    filled: Store, order: tuple[object, ...], wanted: list[str]
) -> None:
    assert _keys(filled, *order) == wanted
    # A page is a part of the same.
    assert _keys(filled, *order, limit=2, offset=2) == wanted[2:4]


def test_a_monitor_stands_under_each_of_its_tags(filled: Store) -> None:
    found = arrange(filled.database, Wanted(), Order("name", by_tag=True), 4)
    assert found is not None
    told = [(group and group.tag, known.key) for group, known in found.monitors]
    assert told == [("a", "job-2"), ("a", "job-4"), ("a2", "job-10"), ("a10", "job-11")]
    assert found.has_more
    group = found.monitors[0][0]
    assert group is not None
    assert (group.count, group.down, group.late) == (2, 1, 0)
    rest = arrange(filled.database, Wanted(), Order("name", by_tag=True), 4, 4)
    assert rest is not None
    told = [(group and group.tag, known.key) for group, known in rest.monitors]
    assert told == [("b", "job-2"), ("", "job-9")]
    assert not rest.has_more


def test_only_what_is_looked_for_is_sorted(filled: Store) -> None:
    def keys(wanted: Wanted) -> list[str]:
        found = arrange(filled.database, wanted, Order("name"), 9)
        assert found is not None
        return [known.key for _, known in found.monitors]

    assert keys(Wanted(pattern="*1?")) == ["job-10", "job-11"]
    assert keys(Wanted(pattern="job-[24]")) == ["job-2", "job-4"]
    assert keys(Wanted(tags=("a",))) == ["job-2", "job-4"]
    assert keys(Wanted(words="4")) == ["job-4"]
    assert keys(Wanted(statuses=("down",))) == ["job-4"]


def test_of_very_many_it_sorts_none(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arranging, "ARRANGED_MAX", 4)
    assert arrange(filled.database, Wanted(), Order(), 9) is None
    assert arrange(filled.database, Wanted(statuses=("down",)), Order(), 9) is not None
