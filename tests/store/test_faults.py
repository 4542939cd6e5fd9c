"""Faults are kept with the monitor, ended by what mends them, and told once."""

import json

import pytest

from radar_cli.model.fault import BAD, BEWARE
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord
from radar_cli.model.state import Status
from radar_cli.store.declaring import Declared, Declarer
from radar_cli.store.notices import DELIVERED
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.store.claiming import claim, settle

_SECOND = 1_000_000
_HOUR = 3600 * _SECOND
_BEGIN = 1_795_000_000 * _SECOND // _HOUR * _HOUR


def _ping(second: int, **fields: str) -> Ping:
    return Ping("success", "m", time_us=_BEGIN + second * _SECOND, fields=fields)


def _known(store: Store) -> MonitorRecord:
    known = store.monitors.find("m")
    assert known is not None
    return known


def _faults(store: Store) -> list[tuple[str, str, str]]:
    return [(fault.field, fault.text, fault.kind) for fault in _known(store).active_faults]


@pytest.mark.parametrize(
    ("field", "text", "better"),
    [
        ("every", "5x", "5m"),
        ("schedule", "garbage", "@daily"),
        ("tz", "Mars/Olympus", "Europe/London"),
        ("gracePeriod", "ten", "10m"),
        ("max_runtime", "1h30", "1h30m"),
        ("hosts", "both", "2"),
    ],
)
def test_it_is_there_until_the_field_is_declared_so_that_it_can_be_read(
    store: Store, field: str, text: str, better: str
) -> None:
    assert add(store, [_ping(1, **{field: text})]) == 1
    assert [ping.kind for ping in store.pings.newest("m", 9)] == ["success"]
    assert _faults(store) == [(field, text, BAD)]
    assert store.monitors.count_faults() == {BAD: 1}
    add(store, [_ping(2)])
    add(store, [_ping(3, name="another")])
    assert _faults(store) == [(field, text, BAD)]
    add(store, [_ping(4, **{field: better})])
    assert _faults(store) == []
    assert store.monitors.count_faults() == {}
    assert store.monitors.faulty(9) == []


def test_what_was_declared_before_stays_watched(store: Store) -> None:
    add(store, [_ping(1, every="1h", gracePeriod="10m")])
    add(store, [_ping(2, schedule="garbage", gracePeriod="soon")])
    assert _known(store).declared == {"every": "3600", "gracePeriod": "600"}
    assert _known(store).is_watched
    assert sorted(_faults(store)) == [("gracePeriod", "soon", BAD), ("schedule", "garbage", BAD)]
    # An interval that can be read is declared instead of the schedule.
    add(store, [_ping(3, every="2h")])
    assert _faults(store) == [("gracePeriod", "soon", BAD)]


def test_a_person_mends_it_by_setting_the_field(store: Store) -> None:
    add(store, [_ping(1, schedule="garbage", gracePeriod="soon")])
    store.monitors.update("m", {"gracePeriod": "60"}, _BEGIN + 2 * _SECOND)
    assert _faults(store) == [("schedule", "garbage", BAD)]
    store.monitors.update("m", {"every": "3600"}, _BEGIN + 3 * _SECOND)
    assert _faults(store) == []
    # Where what the person set holds, the line that still says so is no more than doubtful.
    add(store, [_ping(4, schedule="garbage", gracePeriod="soon")])
    assert sorted(_faults(store)) == [
        ("gracePeriod", "soon", BEWARE),
        ("schedule", "garbage", BEWARE),
    ]
    assert store.monitors.count_faults() == {BEWARE: 1}
    assert _known(store).monitor.grace_s == 60
    store.monitors.update("m", {"schedule": None, "every": None}, _BEGIN + 5 * _SECOND)
    assert _faults(store) == [("gracePeriod", "soon", BEWARE)]


def _tell(store: Store, second: int) -> list[list[str]]:
    now_us = _BEGIN + second * _SECOND
    store.alerts.enqueue_faults(
        now_us, lambda known, fault: [("people", json.dumps([known.key, fault.text]))]
    )
    told = []
    while (alert := claim(store, now_us, _HOUR, "people")) is not None:
        told.append(json.loads(alert.notice))
        settle(store, alert, DELIVERED)
    return told


def test_people_are_told_once_of_each(store: Store) -> None:
    for second in range(1, 6):
        add(store, [_ping(second, schedule="garbage")])
        assert _tell(store, second) == ([["m", "garbage"]] if second == 1 else [])
    # Two machines of which one has it right: it comes and goes with their pings.
    for second in range(10, 20, 2):
        add(store, [_ping(second, schedule="@daily")])
        add(store, [_ping(second + 1, schedule="garbage")])
        assert _tell(store, second + 1) == []
    add(store, [_ping(30, schedule="nonsense")])
    assert _tell(store, 31) == [["m", "nonsense"]]


def test_those_of_a_paused_monitor_wait(store: Store) -> None:
    store.monitors.create("m", {"every": "3600"}, _BEGIN)
    store.monitors.pause(["m"], _BEGIN + _SECOND, _BEGIN + 100 * _SECOND)
    add(store, [_ping(2, gracePeriod="soon")])
    assert _tell(store, 3) == []
    store.monitors.judge(_BEGIN + 101 * _SECOND)
    assert _tell(store, 102) == [["m", "soon"]]


def test_one_that_is_found_in_what_is_declared_goes_with_it(store: Store) -> None:
    add(store, [_ping(1, schedule="*/5 * * * *", gracePeriod="1h")])
    assert _faults(store) == [("gracePeriod", "3600", BEWARE)]
    assert _tell(store, 2) == [["m", "3600"]]
    store.monitors.update("m", {"gracePeriod": "60"}, _BEGIN + 3 * _SECOND)
    assert _faults(store) == []


def test_two_hosts_under_one_key_are_found_by_their_runs(store: Store) -> None:
    def run(host: str, minute: int) -> None:
        fields = {"host": host, "schedule": "0 * * * *"}
        for kind, second in (("start", 0), ("success", 30)):
            time_us = _BEGIN + (minute * 60 + second) * _SECOND
            add(store, [Ping(kind, "m", run_id=f"{host}{minute}", time_us=time_us, fields=fields)])

    for hour in range(1, 4):
        run("web1", hour * 60)
        assert _faults(store) == ([("hosts", "web1 web2", BEWARE)] if hour == 3 else [])
        run("web2", hour * 60 + 1)
    add(store, [_ping(4 * 3600, hosts="any")])
    assert _faults(store) == []


def test_what_an_old_database_holds_is_reviewed(store: Store) -> None:
    """It kept what it could not read as it was declared, and its frequent jobs had 5 min."""
    add(store, [_ping(1, name="x")])
    add(store, [Ping("success", "quick", time_us=_BEGIN, fields={"every": "60"})])
    with store.database.change() as change:
        declared = json.dumps({"every": "nonsense", "tz": "Mars/Olympus"})
        change.execute("UPDATE monitor SET declared = ? WHERE key = 'm'", (declared,))
        change.execute("UPDATE monitor SET next_look_us = 0")  # as the migration does
    store.monitors.judge(_BEGIN + 2 * _SECOND)
    assert sorted(_faults(store)) == [("every", "nonsense", BAD), ("tz", "Mars/Olympus", BAD)]
    assert _known(store).view.status == Status.UP
    add(store, [_ping(3, every="5m")])
    assert _faults(store) == []
    store.monitors.judge(_BEGIN + 91 * _SECOND)
    quick = store.monitors.find("quick")
    assert quick is not None
    assert quick.view.status == Status.DOWN


def test_a_poisoned_one_silences_no_other(store: Store) -> None:
    for key in ("a", "odd", "z"):
        fields = {"every": "often"}
        add(store, [Ping("success", key, time_us=_BEGIN, fields=fields)])
    with store.database.change() as change:
        change.execute("UPDATE monitor SET judged = '{x' WHERE key = 'odd'")
    assert sorted(_tell(store, 1)) == [["a", "often"], ["z", "often"]]


def test_a_schedule_without_a_timezone_goes_by_the_same_clock_from_ping_to_ping(
    store: Store,
) -> None:
    store.zone.name = "Europe/Berlin"
    for second in range(1, 4):
        add(store, [_ping(second, schedule="5 2 * * *")])
        assert _known(store).declared == {"schedule": "5 2 * * *", "tz": "Europe/Berlin"}
    add(store, [_ping(5, schedule="5 2 * * *", tz="Asia/Tokyo")])
    add(store, [_ping(6, schedule="5 2 * * *")])
    assert _known(store).declared["tz"] == "Asia/Tokyo"
    # Another schedule is another declaration.
    add(store, [_ping(7, schedule="6 2 * * *")])
    assert _known(store).declared["tz"] == "Europe/Berlin"
    declared = {"schedule": "5 2 * * *"}
    app = Declarer("app")
    assert store.declarations.declare(app, {"synced": declared}, _BEGIN) == Declared(created=1)
    assert store.declarations.declare(app, {"synced": declared}, _BEGIN + _SECOND) == Declared()
    synced = store.monitors.find("synced")
    assert synced is not None
    assert synced.declared["tz"] == "Europe/Berlin"
