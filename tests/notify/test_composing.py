"""What is told of a flip, from the store's own words."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from radar_cli.model.ledger import Batch, Firing, TaskRecord, TaskState
from radar_cli.model.notice_log import ChannelHealth
from radar_cli.model.ping import Ping
from radar_cli.notify.channel import Channel
from radar_cli.notify.channels import find_channels
from radar_cli.notify.notice import Notice, decode_notice
from radar_cli.notify.signing import LASTS_S, Signer
from radar_cli.notify.words import long_time
from radar_cli.service.composing import Composer, join
from radar_cli.settings.profiles import load
from radar_cli.store.opening import open_embedded
from radar_cli.store.store import Store

_MINUTE = 60_000_000
_BEGIN = 1_795_000_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_embedded(str(tmp_path / "state")) as opened:
        yield opened


def _tell(
    store: Store, tmp_path: Path, now_us: int, public_url: str = "", *, alone: bool = False
) -> list[Notice]:
    config = tmp_path / "config.toml"
    config.write_text('[notify.all]\ncommand = ["true"]\n')
    channels = find_channels(
        load({"RADAR_CONFIG": str(config), "RADAR_SYSTEM_CONFIG": "/dev/null"})
    )
    store.alerts.enqueue_flips(now_us, Composer(store, channels, "here", public_url))
    told = []
    while (outgoing := store.notices.claim(now_us, 1, "all", alone=alone)) is not None:
        told.append(join(outgoing))
        store.notices.settle(outgoing, "delivered", "", now_us)
    return told


def _ping(kind: str, minute: int, **fields: str) -> Ping:
    return Ping(kind, "job", time_us=_BEGIN + minute * _MINUTE, fields=fields, body=b"the end\n")


@pytest.mark.slow
def test_a_long_history_in_one_piece_is_told_once_with_how_often_it_went_down(
    store: Store, tmp_path: Path
) -> None:
    """More flips than anybody reads at once, all of them noticed by one look."""
    pings = [_ping("success" if number % 2 else "fail", number) for number in range(1300)]
    store.pings.add(pings, pings[-1].time_us)
    told = _tell(store, tmp_path, pings[-1].time_us)
    (once,) = told
    assert (once.kind, once.downs) == ("up", 650)
    assert once.previous_since_us == pings[0].time_us


@pytest.mark.parametrize(("count", "downs"), [(2, 0), (3, 2), (4, 2), (5, 3)])
def test_what_went_down_and_up_several_times_is_one_notice(
    store: Store, tmp_path: Path, count: int, downs: int
) -> None:
    pings = [_ping("success" if number % 2 else "fail", number) for number in range(count)]
    store.pings.add(pings, pings[-1].time_us)
    told = _tell(store, tmp_path, pings[-1].time_us)
    newest = told[-1]
    assert newest.downs == downs
    assert newest.kind == ("up" if pings[-1].kind == "success" else "down")
    first = store.history.flips("job", 99)[-1]
    if downs:
        assert len(told) == 1
        assert newest.previous_since_us == pings[0].time_us
    assert newest.incident == first.id


def test_what_flaps_after_it_was_told_is_the_incident_that_was_told(
    store: Store, tmp_path: Path
) -> None:
    store.pings.add([_ping("fail", 0)], _BEGIN)
    (down,) = _tell(store, tmp_path, _BEGIN)
    pings = [_ping("success" if number % 2 else "fail", number) for number in range(1, 4)]
    store.pings.add(pings, pings[-1].time_us)
    (up,) = _tell(store, tmp_path, pings[-1].time_us)
    assert (up.kind, up.downs, up.incident) == ("up", 1, down.incident)


def test_it_says_what_was_expected_and_what_happened(store: Store, tmp_path: Path) -> None:
    fields = {"schedule": "0 * * * *", "tz": "UTC", "gracePeriod": "60", "name": "Nightly"}
    store.pings.add([_ping("success", 0, **fields)], _BEGIN)
    later = _BEGIN + 120 * _MINUTE
    store.monitors.judge(later)
    (missed,) = _tell(store, tmp_path, later)
    assert "within 1 min (every hour, on the hour, by the clock of UTC)" in missed.expected
    assert (missed.kind, missed.reason, missed.name) == ("down", "missed", "Nightly")
    assert missed.last_run is not None
    assert missed.last_run.output == b"the end\n"
    store.pings.add([_ping("fail", 130, exit="3")], later + 10 * _MINUTE)
    store.pings.add([_ping("success", 140)], later + 20 * _MINUTE)
    (up,) = _tell(store, tmp_path, later + 20 * _MINUTE)
    assert (up.kind, up.happened) == ("up", "a run succeeded")
    assert up.previous_since_us == missed.since_us
    assert up.look == ("radar monitors show job", "radar monitors output job")


def test_what_a_watch_over_celery_has_recorded_is_the_cause(store: Store, tmp_path: Path) -> None:
    fields = {"schedule": "0 * * * *", "gracePeriod": "60", "max_runtime": "600", "name": "Pay all"}
    store.pings.add([_ping("success", 0, **fields)], _BEGIN)
    hung_at, missed_at = _BEGIN + 30 * _MINUTE, _BEGIN + 300 * _MINUTE
    run_id = "0f14d0ab-9605-4a62-a9e4-5ed26688389b"
    task = TaskRecord(run_id, "shop.pay", TaskState.STARTED, "worker gone", "w@one")
    store.ledger.write(Batch(tasks=[task]), hung_at)
    store.pings.add([Ping("start", "job", run_id=run_id, time_us=_BEGIN + 5 * _MINUTE)], hung_at)
    store.monitors.judge(hung_at)
    (hung,) = _tell(store, tmp_path, hung_at)
    assert hung.reason == "hung"
    gone = "worker gone: its worker is gone, or the process that ran it (w@one)"
    assert hung.happened == f"it has not ended; {gone}"
    store.pings.add([Ping("success", "job", run_id=run_id, time_us=hung_at)], hung_at)
    _tell(store, tmp_path, hung_at)
    store.monitors.judge(missed_at)
    flip = store.history.flips("job", 1)[0]
    due_us = flip.time_us - _MINUTE
    firing = Firing("Pay all", due_us, "shop.pay", stage="Beat hangs")
    store.ledger.write(Batch(firings=[firing]), missed_at)
    (missed,) = _tell(store, tmp_path, missed_at)
    assert missed.reason == "missed"
    assert "; Beat hangs: Beat did not try to send it" in missed.happened


def test_it_leads_to_the_monitor_and_is_one_incident_until_it_is_up(
    store: Store, tmp_path: Path
) -> None:
    store.pings.add([_ping("fail", 0)], _BEGIN)
    store.monitors.update("job", {"notes": "call Ann"}, _BEGIN)
    (down,) = _tell(store, tmp_path, _BEGIN, "https://radar.example/")
    store.pings.add([_ping("success", 1)], _BEGIN + _MINUTE)
    (up,) = _tell(store, tmp_path, _BEGIN + _MINUTE, "https://radar.example/")
    assert (down.url, down.notes) == ("https://radar.example/monitors/job", "call Ann")
    assert down.look[0] == down.url
    assert down.incident == up.incident != ""
    store.pings.add([_ping("fail", 2)], _BEGIN + 2 * _MINUTE)
    (again,) = _tell(store, tmp_path, _BEGIN + 2 * _MINUTE)
    assert again.incident != down.incident
    assert again.url == ""


def test_each_notice_is_about_the_run_that_made_it(store: Store, tmp_path: Path) -> None:
    """Several may have ended before anybody looks."""
    pings = [
        _ping("fail", 0, message="no space"),
        _ping("success", 1),
        _ping("fail", 2),
        _ping("success", 3),
        _ping("fail", 4, exit="3"),
        _ping("success", 5),
    ]
    store.pings.add(pings, pings[-1].time_us)
    told = _tell(store, tmp_path, pings[-1].time_us, alone=True)
    assert [notice.happened for notice in told] == [
        "a run failed: no space",
        "a run succeeded",
        "a run failed",
        "a run succeeded",
        "a run failed: exit 3",
        "a run succeeded",
    ]
    times = [ping.time_us for ping in pings]
    since = [None, times[0], None, times[2], None, times[4]]
    assert [notice.previous_since_us for notice in told] == since
    ends = [notice.last_run.ended_us for notice in told if notice.last_run is not None]
    assert ends == [ping.time_us for ping in pings]


def _channels(tmp_path: Path, tables: str = '[notify.all]\ncommand = ["true"]\n') -> list[Channel]:
    config = tmp_path / "config.toml"
    config.write_text(tables)
    return find_channels(load({"RADAR_CONFIG": str(config), "RADAR_SYSTEM_CONFIG": "/dev/null"}))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"reason": "timeout", "exit": "124", "signal": "9"}, "a run failed: timeout"),
        ({"signal": "9", "message": "x"}, "a run failed: signal 9"),
        ({"exit": "3", "message": "x"}, "a run failed: exit 3"),
        ({"message": "no\nspace"}, "a run failed: no space"),
        ({}, "a run failed"),
    ],
)
def test_a_failure_tells_the_best_that_is_known_of_it(
    store: Store, tmp_path: Path, fields: dict[str, str], why: str
) -> None:
    store.pings.add([_ping("fail", 0, **fields)], _BEGIN)
    (down,) = _tell(store, tmp_path, _BEGIN)
    assert (down.happened, down.expected) == (why, "its runs succeed")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"gracePeriod": "0"}, "a run at Wed 2026-11-18 12:06:40 UTC (every 1 h)"),
        ({"gracePeriod": "60"}, "a run at Wed 2026-11-18 12:06:40 UTC, within 1 min (every 1 h)"),
    ],
)
def test_a_miss_tells_when_the_run_was_due(
    store: Store, tmp_path: Path, fields: dict[str, str], expected: str
) -> None:
    store.pings.add([_ping("success", 0, every="3600", **fields)], _BEGIN)
    later = _BEGIN + 200 * _MINUTE
    store.monitors.judge(later)
    (down,) = _tell(store, tmp_path, later)
    assert down.reason == "missed"
    assert down.expected == expected
    assert down.happened.startswith("no run began until ")


def test_a_hung_run_tells_how_long_it_may_take(store: Store, tmp_path: Path) -> None:
    store.pings.add([_ping("start", 0, max_runtime="120")], _BEGIN)
    later = _BEGIN + 5 * _MINUTE
    store.monitors.judge(later)
    (down,) = _tell(store, tmp_path, later)
    assert down.expected.startswith("a run that began ends within 2 min, by ")
    assert (down.reason, down.happened) == ("hung", "it has not ended")
    assert down.last_run is None


def test_a_report_that_came_late_is_told_as_one(store: Store, tmp_path: Path) -> None:
    store.pings.add([_ping("success", 0, every="3600", gracePeriod="60")], _BEGIN)
    later = _BEGIN + 62 * _MINUTE
    store.monitors.judge(later)
    (down,) = _tell(store, tmp_path, later)
    assert down.kind == "down"
    store.pings.add([_ping("success", 60)], later + _MINUTE)
    (up,) = _tell(store, tmp_path, later + _MINUTE)
    assert (up.kind, up.happened) == ("up", "a report that came late says that it was well")


def test_it_names_the_machine_of_the_run_or_else_this_one(store: Store, tmp_path: Path) -> None:
    store.pings.add([_ping("fail", 0, host="db-1"), Ping("fail", "b", time_us=_BEGIN)], _BEGIN)
    (both,) = _tell(store, tmp_path, _BEGIN)
    assert {each.monitor: each.host for each in both.all} == {"b": "here", "job": "db-1"}


@pytest.mark.parametrize(
    ("public_url", "look"),
    [
        ("", ("radar status",)),
        ("https://radar.example/", ("https://radar.example/", "radar status")),
    ],
)
def test_several_lead_to_the_list(
    store: Store, tmp_path: Path, public_url: str, look: tuple[str, ...]
) -> None:
    store.pings.add([Ping("fail", key, time_us=_BEGIN) for key in "abc"], _BEGIN)
    (several,) = _tell(store, tmp_path, _BEGIN, public_url)
    assert [each.monitor for each in several.all] == ["a", "b", "c"]
    assert several.look == look
    assert several.mute[0] == "radar monitors ack MONITOR..."


@pytest.mark.parametrize(
    ("seconds", "grace"),
    [("60", ", within 1 min"), ("600", ", within 10 min"), ("1", ", within 1 s")],
)
def test_what_is_late_says_when_it_was_due_and_that_nothing_has_begun(
    store: Store, tmp_path: Path, seconds: str, grace: str
) -> None:
    channels = _channels(
        tmp_path,
        '[notify.eager]\ncommand = ["true"]\non = ["late"]\n'
        '[notify.other]\ncommand = ["true"]\non = ["late"]\nmonitors = ["x"]\n'
        '[notify.calm]\ncommand = ["true"]\n',
    )
    fields = {"every": "3600", "tz": "Europe/Berlin", "gracePeriod": seconds}
    store.pings.add([_ping("success", 0, **fields)], _BEGIN)
    now_us = _BEGIN + 60 * _MINUTE + 1
    known = store.monitors.find("job")
    assert known is not None
    compose = Composer(store, channels, "here").at(now_us)
    assert compose.names == ["eager", "other", "calm"]
    assert compose.late_channels(known) == ["eager"]
    assert compose.hears_late
    assert not Composer(store, channels[2:], "here").hears_late
    (telling,) = compose.compose_late(known)
    late = decode_notice(telling.notice, "key")
    assert (telling.channel, late.kind, late.monitor) == ("eager", "late", "job")
    assert late.since_us == _BEGIN + 60 * _MINUTE
    assert (late.noticed_us, late.host, late.tz) == (now_us, "here", "Europe/Berlin")
    due = long_time(late, late.since_us)
    assert late.expected == f"a run at {due}{grace} (every 1 h)"
    assert late.happened == "no run has begun yet"
    assert late.look == ("radar monitors show job",)


def test_a_fault_says_what_is_wrong(store: Store, tmp_path: Path) -> None:
    store.pings.add([_ping("success", 0, schedule="61 * * * *", tz="Europe/Berlin")], _BEGIN)
    known = store.monitors.find("job")
    assert known is not None
    (fault,) = known.active_faults
    (telling,) = Composer(store, _channels(tmp_path), "here").compose_fault(known, fault)
    said = decode_notice(telling.notice, "key")
    assert (said.kind, said.monitor, said.happened) == ("fault", "job", fault.message)
    assert (said.reason, said.since_us, said.tz) == (fault.kind, fault.since_us, "Europe/Berlin")
    assert said.status == said.previous == "up"


@pytest.mark.parametrize("failing_us", [None, _BEGIN])
def test_the_others_that_hear_of_faults_hear_of_a_channel(
    store: Store, tmp_path: Path, failing_us: int | None
) -> None:
    tables = "".join(
        f'[notify.{name}]\ncommand = ["true"]\n{more}'
        for name, more in (("chat", ""), ("mail", ""), ("ups", 'on = ["up"]\n'))
    )
    health = ChannelHealth("chat", None, failing_us, 3, "refused\nagain")
    compose = Composer(store, _channels(tmp_path, tables), "here")
    (telling,) = compose.compose_channel(health, _BEGIN + _MINUTE)
    said = decode_notice(telling.notice, "key")
    assert (telling.channel, said.kind, said.monitor) == ("mail", "channel", "")
    assert (telling.not_before_us, telling.held) == (0, "")
    if failing_us is None:
        assert (said.status, said.previous) == ("up", "down")
        assert said.happened == "channel chat delivers again"
        assert said.since_us == _BEGIN + _MINUTE
    else:
        assert (said.status, said.previous) == ("down", "up")
        assert said.happened == "channel chat delivers nothing: refused again"
        assert said.since_us == failing_us


def test_each_channel_has_a_link_of_its_own_to_act_on_what_is_down(
    store: Store, tmp_path: Path
) -> None:
    tables = '[notify.a]\ncommand = ["true"]\n[notify.b]\ncommand = ["true"]\n'
    signer = Signer(b"s" * 32, "https://radar.example")
    compose = Composer(store, _channels(tmp_path, tables), "here", "https://radar.example", signer)
    store.pings.add([_ping("fail", 0)], _BEGIN)
    store.pings.add([_ping("success", 1)], _BEGIN + _MINUTE)
    known = store.monitors.find("job")
    assert known is not None
    up, down = store.history.flips("job", 9)
    links = []
    for telling in compose(known, down):
        said = decode_notice(telling.notice, "key")
        link = signer.read(said.act_url.partition("t=")[2], _BEGIN / 1e6)
        assert link is not None
        assert (link.monitor, link.incident, link.channel) == ("job", down.id, telling.channel)
        assert link.expires_s == _BEGIN // 1_000_000 + LASTS_S
        assert said.mute[:2] == (said.act_url, "radar monitors ack job")
        links.append(said.act_url)
    assert len(set(links)) == 2
    assert [decode_notice(each.notice, "key").act_url for each in compose(known, up)] == ["", ""]


def test_what_was_noticed_late_says_when_nobody_looked(store: Store, tmp_path: Path) -> None:
    store.pings.add([_ping("success", 0, every="3600", gracePeriod="60")], _BEGIN)
    assert store.outages.keep_watch(_BEGIN) is None
    back_us = _BEGIN + 70 * _MINUTE
    store.outages.keep_watch(back_us)
    store.monitors.judge(back_us + 2 * _MINUTE)
    told = _tell(store, tmp_path, back_us + 2 * _MINUTE)
    assert [each.outage_us for each in told] == [(_BEGIN, back_us)]
