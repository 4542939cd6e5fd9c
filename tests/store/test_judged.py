"""States that the store keeps are those that the pings tell, in whatever order they came."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar_cli.model.monitor import from_declared
from radar_cli.model.ping import Ping
from radar_cli.model.record import in_order
from radar_cli.model.state import Status, evaluate, fold
from radar_cli.service.look import look
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.store.conftest import NewStore
from tests.support.depth import depth

_DECLARED = {"schedule": "*/10 * * * *", "gracePeriod": "60", "tz": "UTC"}
_SECOND = 1_000_000
_BEGIN_US = 1_795_000_000 * _SECOND // (600 * _SECOND) * (600 * _SECOND)


@st.composite
def _arrivals(draw: st.DrawFn) -> list[list[Ping]]:
    """Pings of one monitor in the batches in which they arrive, in any order."""
    seconds = draw(st.lists(st.integers(0, 7200), min_size=1, max_size=14, unique=True))
    pings = [
        Ping(
            draw(st.sampled_from(["start", "success", "fail", "log"])),
            "m",
            run_id=draw(st.sampled_from(["a", "b", ""])),
            time_us=_BEGIN_US + second * _SECOND,
            fields=dict(_DECLARED),
        )
        for second in seconds
    ]
    sizes = draw(st.lists(st.integers(1, 4), min_size=len(pings), max_size=len(pings)))
    batches = []
    while pings:
        size = sizes.pop()
        batches.append(pings[:size])
        pings = pings[size:]
    return batches


@pytest.mark.nightly
@settings(max_examples=depth(40, 500), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_arrivals(), st.integers(0, 9000))
def test_it_judges_as_if_all_had_come_in_order(
    new_store: NewStore, batches: list[list[Ping]], later: int
) -> None:
    pings = sorted((ping for batch in batches for ping in batch), key=in_order)
    now_us = max(pings[-1].time_us, _BEGIN_US + later * _SECOND)
    monitor = from_declared("m", _DECLARED, pings[0].time_us)
    expected = evaluate(monitor, fold(monitor, pings), now_us)
    arrived_us = 0
    with new_store() as store:
        for number, batch in enumerate(batches):
            arrived_us = max(arrived_us, *(ping.time_us for ping in batch))
            store.pings.add(batch, arrived_us)
            if number % 2:  # looks in between must change nothing
                store.monitors.judge(arrived_us)
        (seen,) = look(store, now_us)
    assert (seen.view.status, seen.view.reason) == (expected.status, expected.reason)
    assert seen.view.expected_us == expected.expected_us


def test_it_looks_only_at_those_whose_time_has_come(store: Store) -> None:
    fields = dict(_DECLARED)
    pings = [
        Ping("success", f"m{number}", time_us=_BEGIN_US + number * _SECOND, fields=fields)
        for number in range(5)
    ]
    add(store, pings)
    assert store.monitors.judge(_BEGIN_US + 10 * _SECOND) == 0
    assert store.monitors.judge(_BEGIN_US + 601 * _SECOND) == 5  # late
    assert store.monitors.judge(_BEGIN_US + 602 * _SECOND) == 0
    assert store.monitors.judge(_BEGIN_US + 661 * _SECOND) == 5  # missed
    assert store.monitors.judge(_BEGIN_US + 9000 * _SECOND) == 0
    assert {known.view.status for known in store.monitors.all()} == {Status.DOWN}


def test_a_monitor_that_cannot_be_judged_stops_no_other(store: Store) -> None:
    for key in ("poisoned", "sound"):
        add(store, [Ping("success", key, time_us=_BEGIN_US, fields=dict(_DECLARED))])
    with store.database.change() as change:
        change.execute("UPDATE monitor SET judged = '{}x' WHERE key = 'poisoned'")
    assert store.monitors.judge(_BEGIN_US + 9000 * _SECOND) == 2
    rows: dict[str, int | None] = dict(store.database.read("SELECT key, next_look_us FROM monitor"))
    assert rows["sound"] is None
    assert (rows["poisoned"] or 0) > _BEGIN_US + 9000 * _SECOND
