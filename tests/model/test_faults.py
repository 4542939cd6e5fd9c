"""What is wrong with a declaration: what can't be read, and what is likely not what is meant."""

from dataclasses import replace

import pytest

from radar_cli.core.grammar import parse_duration
from radar_cli.model.declaring import read_declared, warnings_of
from radar_cli.model.fault import BAD, BEWARE, Fault, doubt, refuse, update_faults, worst
from radar_cli.model.monitor import Monitor, from_declared
from radar_cli.model.ping import Ping
from radar_cli.model.pitfalls import find_faults
from radar_cli.model.record import MonitorRecord
from radar_cli.model.schedule import CronSchedule
from radar_cli.model.state import State, evaluate, fold

_SECOND = 1_000_000
_HOUR = 3600 * _SECOND
_DAY = 24 * _HOUR
_MIDNIGHT = 20_000 * _DAY


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("90s", 90), ("90", 90), ("15m", 900), ("15min", 900), ("6h", 21_600), ("2d", 172_800)),
        *(("1w", 604_800), ("1h30m", 5400), ("1h30min", 5400), ("2d6h", 194_400)),
        *((" 1w2d3h4m5s ", 788_645), ("1.5h", 5400), ("0", 0), ("0s", 0), ("1h 30m", 5400)),
        *(("5 min", 300), ("40w", 24_192_000)),
    ],
)
def test_it_reads_a_duration(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "m", "5x", "1h30", "30m1h", "1h1h", "1m1min", "-5m", "1e3", "nan", "inf", "5M"),
        *("1h-30m", "1,5h", "m5", "5mm", "5 5m", "1..5h", "10y", "9" * 30, "600w", "5minm"),
    ],
)
def test_it_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="bad duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("every", "5m", "300"),
        ("every", "1h30m", "5400"),
        ("gracePeriod", "10m", "600"),
        ("gracePeriod", "0", "0"),
        ("max_runtime", "1w", "604800"),
        ("schedule", " 5  2 * * *", "5 2 * * *"),
        ("tz", "Europe/London", "Europe/London"),
        ("hosts", "Each", "each"),
        ("hosts", "003", "3"),
    ],
)
def test_it_reads_what_can_be_read(field: str, text: str, value: str) -> None:
    assert read_declared({field: text, "name": "x"}) == ({field: value, "name": "x"}, [])


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("every", "5x", "every: bad duration '5x'"),
        ("every", "0", "every: '0' is too short"),
        ("every", "-300", "every: bad duration '-300' (use 90s, 15m, 6h, 2d, 1w or 1h30m)"),
        ("gracePeriod", "long", "grace: bad duration 'long'"),
        ("max_runtime", "1h30", "max runtime: bad duration '1h30'"),
        ("schedule", "garbage", "bad schedule 'garbage': it has 1 field, cron has 5"),
        ("schedule", "@reboot", "bad schedule '@reboot': it has no times to watch"),
        ("schedule", "* * * * 9", "bad schedule '* * * * 9': bad day of week '9'"),
        ("tz", "Mars/Olympus", "no timezone 'Mars/Olympus'"),
        ("tz", "../../etc/passwd", "no timezone '../../etc/passwd'"),
        ("hosts", "some", "hosts: bad hosts 'some'"),
        ("hosts", "0", "hosts: bad hosts '0'"),
    ],
)
def test_what_cant_be_read_is_a_fault_with_the_refused_text(
    field: str, text: str, message: str
) -> None:
    declared, (fault,) = read_declared({field: text, "tags": "a b"})
    assert declared == {"tags": "a b"}
    assert (fault.field, fault.text, fault.kind, fault.is_refused) == (field, text, BAD, True)
    assert fault.message.startswith(message)
    assert warnings_of(Ping("success", "m", time_us=1, fields={field: text})) == [fault.message]


def test_a_log_says_what_of_it_cant_be_read() -> None:
    fields = {"extend": "soon"}
    assert warnings_of(Ping("success", "m", time_us=1, fields=fields)) == []
    (warning,) = warnings_of(Ping("log", "m", time_us=1, fields=fields))
    assert warning.startswith("extend: bad duration 'soon'")
    assert warnings_of(Ping("log", "m", time_us=1, fields={"extend": "5min"})) == []


def test_a_fault_begins_goes_on_ends_and_is_told_once() -> None:
    garbage = refuse("schedule", "garbage", "bad schedule")
    (begun,) = update_faults((), [garbage], 10)
    assert (begun.since_us, begun.is_active, begun.is_told) == (10, True, False)
    told = replace(begun, is_told=True)
    assert update_faults((told,), [garbage], 20) == (told,)
    (ended,) = update_faults((told,), [], 30)
    assert (ended.ended_us, ended.is_active) == (30, False)
    # There again soon after, it is no news; a day later, or for another text, it is.
    (again,) = update_faults((ended,), [garbage], 40)
    assert (again.since_us, again.ended_us, again.is_told) == (10, None, True)
    (later,) = update_faults((ended,), [garbage], 40 + _DAY)
    assert (later.since_us, later.is_told) == (40 + _DAY, False)
    other = update_faults((told,), [refuse("schedule", "nonsense", "bad schedule")], 50)
    assert [(fault.text, fault.is_active, fault.is_told) for fault in other] == [
        ("garbage", False, True),
        ("nonsense", True, False),
    ]


def test_a_fault_that_ended_is_remembered_for_a_day() -> None:
    garbage = refuse("schedule", "garbage", "bad schedule")
    begun = replace(update_faults((), [garbage], 10)[0], is_told=True)
    (ended,) = update_faults((begun,), [], 30)
    assert update_faults((ended,), [], 40) == (ended,), "it ended when it ended"
    assert update_faults((ended,), [], 30 + _DAY) == (ended,)
    assert update_faults((ended,), [], 31 + _DAY) == ()
    assert update_faults((ended,), [], 29) == (), "a clock that was ahead"
    (again,) = update_faults((ended,), [garbage], 30 + _DAY)
    assert (again.since_us, again.is_told) == (10, True)
    (news,) = update_faults((ended,), [garbage], 31 + _DAY)
    assert (news.since_us, news.is_told) == (31 + _DAY, False)


def test_a_doubt_that_becomes_bad_is_news() -> None:
    doubtful = replace(doubt("grace", "6h", "it hides a run"), since_us=10, is_told=True)
    (worse,) = update_faults((doubtful,), [doubt("grace", "6h", "no run is seen", kind=BAD)], 20)
    assert (worse.kind, worse.is_told, worse.since_us) == (BAD, False, 10)


def test_what_is_refused_stays_and_what_is_found_doesnt() -> None:
    assert refuse("every", "soon", "bad").is_refused
    assert not doubt("every", "soon", "odd").is_refused
    assert refuse("every", "x" * 300, "bad").text == doubt("every", "x" * 300, "odd").text
    assert len(refuse("every", "x" * 300, "bad").text) == 200


def test_those_that_ended_first_are_forgotten_first() -> None:
    faults: tuple[Fault, ...] = ()
    for number in range(20):
        faults = update_faults(faults, [refuse("every", f"x{number}", "bad")], number)
    assert [fault.text for fault in faults] == [f"x{number}" for number in range(20)]
    faults = update_faults(faults, [refuse("every", "x20", "bad")], 20)
    assert [fault.text for fault in faults] == [f"x{number}" for number in range(1, 21)]
    current = [refuse("every", f"y{number}", "bad") for number in range(25)]
    faults = update_faults(faults, current, 30)
    assert [fault.text for fault in faults] == [fault.text for fault in current], (
        "those that go on are never forgotten"
    )


def test_what_is_remembered_of_faults_is_bounded() -> None:
    faults: tuple[Fault, ...] = ()
    for number in range(1000):
        faults = update_faults(faults, [refuse("every", f"x{number}", "bad")], number)
    assert len(faults) <= 20
    assert faults[-1].is_active
    assert update_faults(faults, [faults[-1]], 3 * _DAY) == (faults[-1],)


def test_the_worst_of_them_counts() -> None:
    bad, beware = refuse("every", "x", "bad"), doubt("tz", "UTC", "beware")
    assert [worst(faults) for faults in ([], [beware], [beware, bad])] == ["", BEWARE, BAD]
    assert worst(update_faults((bad,), [], 5)) == ""


@pytest.mark.parametrize(
    ("schedule", "gap_s"),
    [
        *(("* * * * *", 60), ("*/5 * * * *", 300), ("0,7 * * * *", 420), ("58,1 * * * *", 180)),
        *(("0 0,23 * * *", 3600), ("0 0,23 * * 1", 82_800), ("5 2 * * *", 86_400)),
        *(("0 23,0 * * 1,2", 3600), ("0 0,23 1 * *", 82_800), ("0 12,22 * * *", 36_000)),
        # Where no two days follow each other it is two days, however far apart they are.
        *(("0 3 28,29 2 *", 86_400), ("0 3 * * 0,3", 172_800), ("0 3 1 1 *", 172_800)),
    ],
)
def test_it_knows_the_shortest_gap_of_a_schedule(schedule: str, gap_s: float) -> None:
    assert CronSchedule(schedule).shortest_gap_s == gap_s


@pytest.mark.parametrize(
    ("declared", "grace_s"),
    [
        ({"schedule": "* * * * *"}, 30),
        ({"schedule": "*/4 * * * *"}, 120),
        ({"schedule": "*/10 * * * *"}, 300),
        ({"schedule": "5 2 * * *"}, 300),
        ({"every": "60"}, 30),
        ({"every": "6h"}, 300),
        ({}, 300),
        ({"schedule": "* * * * *", "gracePeriod": "5m"}, 300),  # somebody has set it
    ],
)
def test_a_grace_that_nobody_set_hides_no_run(declared: dict[str, str], grace_s: float) -> None:
    assert from_declared("m", declared, 0).grace_s == grace_s


def _fields(declared: dict[str, str], rivals: str = "") -> list[tuple[str, str]]:
    monitor = from_declared("m", declared, _MIDNIGHT)
    return [(f.field, f.kind) for f in find_faults(monitor, declared, rivals, _MIDNIGHT)]


def test_a_grace_that_hides_a_missed_run_is_doubtful() -> None:
    assert _fields({"schedule": "*/5 * * * *"}) == []
    assert _fields({"schedule": "*/5 * * * *", "gracePeriod": "299"}) == []
    assert _fields({"schedule": "*/5 * * * *", "gracePeriod": "5m"}) == [("gracePeriod", BEWARE)]
    assert _fields({"every": "5m", "gracePeriod": "1h"}) == [("gracePeriod", BEWARE)]


def test_a_schedule_that_never_matches_is_as_bad_as_none() -> None:
    assert _fields({"schedule": "0 0 31 2 *"}) == [("schedule", BAD)]


def test_a_host_that_runs_it_by_another_clock_is_doubtful() -> None:
    declared = {"schedule": "5 2 * * *", "tz": "Europe/Berlin"}
    assert _fields({**declared, "zone": "Europe/Berlin"}) == []
    assert _fields({**declared, "zone": "UTC"}) == [("tz", BEWARE)]
    # The same time all the year is the same; that of half a year isn't.
    assert _fields({**declared, "zone": "Europe/Paris"}) == []
    assert _fields({**declared, "zone": "Africa/Lagos"}) == [("tz", BEWARE)]
    assert _fields({**declared, "zone": "nonsense"}) == []
    assert _fields({"every": "5m", "zone": "UTC"}) == []


def test_two_hosts_under_one_key_are_doubtful_until_somebody_says_what_is_meant() -> None:
    declared = {"schedule": "5 2 * * *"}
    assert _fields(declared, "web1 web2") == [("hosts", BEWARE)]
    for hosts in ("any", "each", "2"):
        assert _fields({**declared, "hosts": hosts}, "web1 web2") == []


def _run(host: str, hour: float, *, run_id: str = "") -> list[Ping]:
    name = run_id or f"{host}{hour}"
    begin = _MIDNIGHT + round(hour * _HOUR)
    return [
        Ping("start", "m", run_id=name, time_us=begin, fields={"host": host}),
        Ping("success", "m", run_id=name, time_us=begin + 60 * _SECOND, fields={"host": host}),
    ]


def _rivals(*runs: list[Ping], monitor: Monitor | None = None) -> str:
    monitor = monitor or Monitor("m", schedule=CronSchedule("0 * * * *"), created_us=_MIDNIGHT)
    pings = sorted((ping for run in runs for ping in run), key=lambda ping: ping.time_us)
    return fold(monitor, pings).rivals


def test_two_hosts_that_end_runs_of_two_slots_in_a_row_are_rivals() -> None:
    one, both = _run("web1", 1), [_run("web1", 2), _run("web2", 2.001)]
    more = [_run("web2", 3), _run("web1", 3.01)]
    assert _rivals(one, *both) == ""
    assert _rivals(one, *both, *more) == "web1 web2"
    each = Monitor("m", every_s=3600.0, created_us=_MIDNIGHT)
    assert _rivals(one, *both, *more, monitor=each) == "web1 web2"
    # With the next slots of one of them that is over.
    assert _rivals(*both, *more, _run("web1", 4)) == "web1 web2"
    assert _rivals(*both, *more, _run("web1", 4), _run("web1", 5)) == ""


def test_a_move_a_repetition_and_names_seen_once_are_none() -> None:
    # It moved to another machine, after a run by hand there.
    moved = [_run("web1", 1), _run("web1", 2), _run("web2", 2.5), _run("web2", 3), _run("web2", 4)]
    assert _rivals(*moved) == ""
    again = [_run("web1", hour, run_id=f"{hour}") for hour in (1, 1.2, 2, 2.2, 3)]
    assert _rivals(*again) == ""
    containers = [_run(f"c{number}", 1 + number // 2) for number in range(40)]
    assert _rivals(*containers) == ""
    assert _rivals(*(_run("", hour) for hour in (1, 1.1, 2, 2.1, 3))) == ""


def test_a_state_that_was_kept_before_hosts_were_noted_can_be_read() -> None:
    assert State().rivals == ""


def _look(hosts: int | str, hour: float, *pings: list[Ping]) -> tuple[str, str | None]:
    monitor = Monitor(
        "m", schedule=CronSchedule("0 * * * *"), created_us=_MIDNIGHT, grace_s=300.0, hosts=hosts
    )
    told = sorted((ping for run in pings for ping in run), key=lambda ping: ping.time_us)
    view = evaluate(monitor, fold(monitor, told), _MIDNIGHT + round(hour * _HOUR))
    return str(view.status), view.reason and str(view.reason)


def _fail(host: str, hour: float) -> list[Ping]:
    time_us = _MIDNIGHT + round(hour * _HOUR)
    return [Ping("fail", "m", run_id=f"{host}{hour}", time_us=time_us, fields={"host": host})]


_BOTH = [_run(host, hour) for hour in (1, 2) for host in ("web1", "web2")]


def test_with_any_host_a_success_of_one_hides_the_failure_of_another() -> None:
    for hosts in ("", "any", 1):
        assert _look(hosts, 3.5, *_BOTH, _fail("web1", 3), _run("web2", 3.01)) == ("up", None)


def test_with_each_host_it_is_down_if_one_is() -> None:
    three = [*_BOTH, _run("web2", 3)]
    assert _look("each", 3.05, *three) == ("late", None)
    assert _look("each", 3.1, *three) == ("down", "missed")
    assert _look("each", 3.1, *three, _run("web1", 3.02)) == ("up", None)
    failed = [*_BOTH, _fail("web1", 3), _run("web2", 3.01)]
    assert _look("each", 3.05, *failed) == ("down", "failed")
    assert _look("each", 3.6, *failed, _run("web1", 3.5)) == ("up", None)
    assert _look("each", 1.05) == ("late", None)
    assert _look("each", 1.1) == ("down", "missed")


def test_with_each_host_the_silence_of_a_name_that_is_seen_once_counts_for_nothing() -> None:
    assert _look("each", 3.5, *_BOTH, _run("web3", 2.1), _run("web1", 3), _run("web2", 3)) == (
        *("up", None),
    )
    # Its failure is news all the same.
    both = (_run("web1", 3), _run("web2", 3))
    assert _look("each", 3.5, *_BOTH, _fail("web3", 2.1), *both) == ("down", "failed")


def test_with_a_number_of_hosts_so_many_have_to_serve_each_slot() -> None:
    assert _look(2, 2.5, *_BOTH) == ("up", None)
    one = [*_BOTH, _run("web2", 3)]
    assert _look(2, 3.1, *one) == ("down", "missed")
    assert _look(2, 3.1, *one, _run("web3", 3.01)) == ("up", None)
    assert _look(3, 2.5, *_BOTH) == ("down", "missed")
    assert _look(2, 1.1, _run("web1", 1)) == ("down", "missed")
    # Containers have another name each time.
    names = [_run(f"c{number}", 1 + number // 2) for number in range(8)]
    assert _look(2, 4.5, *names) == ("up", None)
    assert _look(2, 5.1, *names, _run("c9", 5)) == ("down", "missed")


def test_whoever_takes_the_place_of_a_host_that_was_missed_has_to_go_well_first() -> None:
    late = _run("web2", 1.2)
    assert [ping.kind for ping in late] == ["start", "success"]
    assert _look(2, 1.15, _run("web1", 1)) == ("down", "missed")
    assert _look(2, 1.21, _run("web1", 1), late[:1]) == ("down", "missed")
    assert _look(2, 1.5, _run("web1", 1), late) == ("up", None)
    # Nothing was heard of either.
    assert _look(2, 1.21, late[:1]) == ("down", "missed")


def test_what_hosts_have_made_of_it_survives_being_kept() -> None:
    monitor = Monitor("m", schedule=CronSchedule("0 * * * *"), created_us=_MIDNIGHT, hosts="each")
    pings = sorted((ping for run in _BOTH for ping in run), key=lambda ping: ping.time_us)
    known = MonitorRecord("m", {"schedule": "0 * * * *", "hosts": "each"}, _MIDNIGHT, "")
    known.apply_pings(pings)
    assert known.state == fold(monitor, pings)
    again = MonitorRecord("m", known.declared, _MIDNIGHT, known.encode())
    assert again.state == known.state
    assert set(again.state.by_host) == {"?", "web1", "web2"}
