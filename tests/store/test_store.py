"""The store, on each of its databases."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar_cli.core.errors import StateError
from radar_cli.model.ping import Ping
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.store.conftest import NewStore


def _ping(time_us: int, monitor: str = "backup", kind: str = "success", **fields: str) -> Ping:
    return Ping(kind, monitor, time_us=time_us, fields=fields)


def test_it_keeps_a_ping_as_it_is(store: Store) -> None:
    body = "caf\u00e9 \x00 end".encode()
    fields = {"exit": "3", "odd": "\x00\ud800"}
    ping = Ping("fail", "backup", run_id="r1", time_us=5, fields=fields, body=body)
    assert add(store, [ping]) == 1
    (kept,) = store.pings.newest("backup", 10)
    assert vars(kept) == vars(ping)


def test_it_adds_a_ping_once_however_often_it_comes(store: Store) -> None:
    ping = _ping(5)
    assert [add(store, [ping, ping]), add(store, [ping])] == [1, 0]
    assert len(store.pings.newest("backup", 10)) == 1


def test_one_id_of_two_monitors_is_that_of_the_first(store: Store) -> None:
    first, other = _ping(5), _ping(6, monitor="other")
    other.id = first.id
    assert store.pings.add_each([first, other], 7).taken == {(first.id, "other", "success")}
    assert store.pings.add_each([other], 8).taken == {(first.id, "other", "success")}
    assert store.pings.add_each([first], 9).taken == set()
    assert store.pings.newest("other", 9) == []


def test_one_id_of_two_kinds_is_that_of_the_first(store: Store) -> None:
    """A failure under the id of a success is no repetition of that one, and must not be lost."""
    first, other = _ping(5), _ping(6, kind="fail")
    other.id = first.id
    assert store.pings.add_each([first, other], 7).taken == {(first.id, "backup", "fail")}
    assert store.pings.add_each([other], 8).taken == {(first.id, "backup", "fail")}
    assert store.pings.add_each([first], 9).taken == set()
    assert [ping.kind for ping in store.pings.newest("backup", 9)] == ["success"]


def test_a_newer_ping_declares_what_no_person_has_set(store: Store) -> None:
    add(store, [_ping(5)])
    add(store, [_ping(6, schedule="@daily", name="Backup")])
    add(store, [_ping(7, every="3600")])
    add(store, [_ping(4, every="60", name="late to come")])
    (known,) = store.monitors.all()
    assert known.declared == {"every": "3600", "name": "Backup"}
    store.monitors.update("backup", {"schedule": "@weekly", "every": None}, 8)
    add(store, [_ping(9, every="60", name="Better")])
    (known,) = store.monitors.all()
    assert known.declared == {"schedule": "@weekly", "name": "Better"}


def test_it_is_one_to_it_in_which_batches_pings_come(new_store: NewStore) -> None:
    """What one declares counts, whoever comes before and after it at the same time."""
    pings = [
        *(_ping(5), _ping(6, schedule="@daily", name="Backup"), _ping(7)),
        *(_ping(8, every="60"), _ping(9, name="Better"), _ping(10)),
    ]
    for batches in (
        [pings],
        [pings[::-1]],
        [pings[:3], pings[3:]],
        [[ping] for ping in pings],
    ):
        with new_store() as store:
            for batch in batches:
                add(store, batch)
            (known,) = store.monitors.all()
            assert known.declared == {"every": "60", "name": "Better"}


def test_what_is_declared_in_between_changes_no_story(store: Store) -> None:
    add(store, [_ping(5, schedule="@daily")])
    add(store, [_ping(6, every="60", kind="fail"), _ping(7, schedule="@daily", kind="log")])
    (known,) = store.monitors.all()
    assert (known.declared, known.state.failures) == ({"schedule": "@daily"}, 1)


def test_a_monitor_is_as_old_as_its_first_ping(store: Store) -> None:
    add(store, [_ping(1, schedule="@daily", name="Backup")])
    add(store, [_ping(2, schedule="@daily")])
    (known,) = store.monitors.all()
    assert (known.key, known.created_us) == ("backup", 1)
    assert known.declared == {"schedule": "@daily", "name": "Backup"}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=20), st.integers(1, 10))
def test_it_gives_the_newest_pings_in_the_order_of_time(
    new_store: NewStore, times: list[int], limit: int
) -> None:
    with new_store() as store:
        add(store, [_ping(time_us) for time_us in times])
        newest = [ping.time_us for ping in store.pings.newest("backup", limit)]
    assert newest == sorted(times)[-limit:]


def test_it_adds_all_of_a_batch_or_nothing(store: Store) -> None:
    bad = _ping(2)
    bad.body = None  # type: ignore[assignment]  # what no column takes
    with pytest.raises(StateError):
        add(store, [_ping(1), bad])
    assert list(store.monitors.all()) == []
    assert add(store, [_ping(3)]) == 1


def test_several_monitors_are_read_together_as_each_alone(store: Store) -> None:
    keys = [f"m{number:03}" for number in range(57)]
    pings = [
        _ping(9 + moment // 2, key, ("start", "fail", "log", "success")[moment % 4])
        for index, key in enumerate(keys)
        for moment in range(index % 11)
    ]
    add(store, pings)
    for limit in (1, 4, 50):
        together = store.pings.newest_of_each([*keys, "nobody"], limit)
        assert together.pop("nobody") == []
        assert list(together) == keys
        for key, found in together.items():
            alone = store.pings.newest_of_runs(key, limit)
            assert [ping.id for ping in found] == [ping.id for ping in alone]
    assert store.pings.newest_of_each([], 4) == {}
