"""What is told of a flip, from the store's own words."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from radar_cli.model.ping import Ping
from radar_cli.notify.channels import find_channels
from radar_cli.notify.notice import Notice
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
    ends = [notice.last_run.ended_us for notice in told if notice.last_run is not None]
    assert ends == [ping.time_us for ping in pings]
