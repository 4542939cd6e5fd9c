"""Silence is noticed, and people are told, whatever else goes wrong."""

import itertools
import json
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from radar_cli.model.ping import Ping
from radar_cli.server.runtime.now import Clock
from tests.support.answers import hang
from tests.support.postgresql import Postgresql
from tests.support.radar_server import RadarServer, serving
from tests.support.requirements import require
from tests.support.server import Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

_US = 1_000_000
_FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
# Of a machine that does other things as well.
_SOON_S = 10.0


def _hook(name: str, receiver: Server) -> str:
    return f"[notify.{name}]\nwebhook = '{receiver.url}'\n"


def _told(receiver: Server) -> list[tuple[str, str, str]]:
    """What a receiver was told: monitor, kind and reason."""
    notices = [json.loads(request.body) for request in receiver.requests]
    return [
        (each["monitor"], notice["kind"], each["reason"] or "")
        for notice in notices
        for each in notice["monitors"]
    ]


def _wait_for(receiver: Server, *expected: tuple[str, str, str], within_s: float = _SOON_S) -> None:
    wait_until(lambda: _told(receiver) == list(expected), within_s, f"{expected} are told")


def test_a_missed_run_is_told_at_its_deadline_and_its_recovery(tmp_path: Path) -> None:
    with (
        Server() as receiver,
        serving(tmp_path / "server", config=_hook("ops", receiver)) as server,
    ):
        server.ping("job", every="2", create="1", gracePeriod="1")
        _wait_for(receiver, ("job", "down", "missed"), within_s=15)
        with server.store() as store:
            flip = next(flip for flip in store.history.flips("job", 9) if flip.status == "down")
        # A second where nothing else runs; the machine of a test does much.
        assert receiver.requests[0].at - flip.time_us / 1e6 < 5
        server.ping("job")
        wait_until(lambda: len(_told(receiver)) >= 2, _SOON_S)
        assert _told(receiver)[1] == ("job", "up", "")


def test_a_webhook_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    with Server() as dead, Server() as receiver:
        dead.behave(hang())
        config = _hook("dead", dead) + _hook("ops", receiver)
        with serving(tmp_path / "server", config=config) as server:
            for number in range(3):
                server.ping(f"job{number}/fail", create="1")
                # Those that follow closely come together, and a little later.
                wait_until(lambda: len(_told(receiver)) == number + 1, 40)  # noqa: B023
                if not number:  # the one that hangs has begun to
                    wait_until(lambda: dead.connections, _SOON_S)
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 15
        assert [monitor for monitor, _, _ in _told(receiver)] == ["job0", "job1", "job2"]


def test_two_servers_make_one_flip_and_one_alert_of_each(
    tmp_path: Path, cluster: Postgresql
) -> None:
    url = cluster.url()
    count = 1000
    with Server() as receiver:
        config = _hook("ops", receiver)
        with (
            serving(tmp_path / "one", database=url, config=config) as one,
            serving(tmp_path / "two", database=url, config=config),
            one.store() as store,
        ):
            now_us = time.time_ns() // 1000
            pings = [
                Ping("start", f"m{n}", time_us=now_us, fields={"max_runtime": "3"})
                for n in range(count)
            ]
            store.pings.add(pings, now_us)
            wait_until(lambda: len(_told(receiver)) >= count, 100, "all are told")
            read = store.database.read
            assert read("SELECT count(*), count(DISTINCT monitor) FROM flip") == [(count, count)]
            wait_until(lambda: not store.alerts.waiting(), _SOON_S)
            alerts = read("SELECT fate, tries, count(*) FROM alert GROUP BY fate, tries")
            assert alerts == [("delivered", 1, count)]
        keys = Counter(request.headers["idempotency-key"] for request in receiver.requests)
        assert len(keys) <= 10
        assert set(keys.values()) == {1}
        assert len(set(_told(receiver))) == len(_told(receiver)) == count


def test_a_poisoned_monitor_stops_nothing(tmp_path: Path) -> None:
    with Server() as receiver:
        config = _hook("ops", receiver)
        with serving(tmp_path / "server", config=config) as server:
            for key in ("a", "odd", "z"):
                server.ping(f"{key}/start", max_runtime="6", create="1")
            with server.store() as store, store.database.change() as change:
                change.execute("UPDATE monitor SET judged = '{\"odd\"' WHERE key = 'odd'")
            # Its own pings are refused, and those that come with them are not.
            assert server.ping("odd").status_code == 400
            assert server.ping("fine", create="1").status_code == 200
            wait_until(lambda: len(_told(receiver)) >= 2, 30)
            assert sorted(_told(receiver)) == [("a", "down", "hung"), ("z", "down", "hung")]
            assert server.is_healthy()
            assert "odd" in server.said()


def test_a_clock_that_steps_back_hides_nothing(tmp_path: Path) -> None:
    """It was an hour ahead, and is set right: failures are told at once, and in order."""
    require(_FAKETIME is not None, "libfaketime is not installed (Debian: libfaketime)")
    offset = tmp_path / "offset"
    offset.write_text("+3600\n")
    env = {
        "LD_PRELOAD": str(_FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with (
        Server() as receiver,
        serving(tmp_path / "server", config=_hook("ops", receiver), env=env) as server,
    ):
        server.ping("job", create="1")
        offset.write_text("+0\n")
        server.ping("job/fail")
        _wait_for(receiver, ("job", "down", "failed"))
        server.ping("job")
        wait_until(lambda: len(_told(receiver)) >= 2, _SOON_S)
        assert [kind for _, kind, _ in _told(receiver)] == ["down", "up"]
        assert server.is_healthy()
        with server.store() as store:
            kinds = [ping.kind for ping in store.pings.newest("job", 9)]
        assert kinds == ["success", "fail", "success"]
        assert "Traceback" not in server.said()


def _make_blind(server: RadarServer, seconds: int) -> None:
    """Have the server that is stopped have been so for that long."""
    with server.store() as store, store.database.change() as change:
        since_us = time.time_ns() // 1000 - seconds * _US
        change.execute("UPDATE mark SET value = ? WHERE name = 'alive'", (str(since_us),))


def test_what_fell_due_while_no_server_looked_is_judged_when_outboxes_had_time(
    tmp_path: Path,
) -> None:
    with Server() as receiver:
        server = RadarServer(tmp_path / "server", config=_hook("ops", receiver))
        with server:
            server.stop()
            now_us = time.time_ns() // 1000
            ago_us = now_us - 7200 * _US
            with server.store() as store:
                due = Ping("success", "due", time_us=ago_us, fields={"every": "3600"})
                running = Ping("start", "running", time_us=ago_us, fields={"max_runtime": "3600"})
                before = Ping("success", "before", time_us=ago_us, fields={"every": "60"})
                # Its deadline is right after the outage, however long the server takes: that stays.
                behind = {"every": "7199", "gracePeriod": "12"}
                after = Ping("success", "after", time_us=ago_us, fields=behind)
                store.pings.add([due, running, before, after], ago_us)
                store.monitors.judge(ago_us + 600 * _US)
            _make_blind(server, 5400)
            server.start()
            assert "nobody looked for 1 h 30 min" in server.said()
            outage = server.request("GET", "/healthz", key="").json()["outage"]
            assert "1 h 30 min" in outage
            assert "monitor" not in outage  # no key is asked for
            both = [("before", "down", "missed"), ("after", "down", "missed")]
            _wait_for(receiver, *both, within_s=40)
            # One reports late, the other never does.
            server.ping("running/complete", rid="")
            with server.store() as store:
                statuses = {known.key: str(known.view.status) for known in store.monitors.all()}
                assert statuses == {
                    "due": "late",
                    "running": "up",
                    "before": "down",
                    "after": "down",
                }
                outage = store.outages.last()
                assert outage is not None
                store.monitors.judge(outage.end_us + 300 * _US + 1)  # as the server will then
                assert [flip.reason for flip in store.history.flips("due", 1)] == ["missed"]
            missed = [(key, "down", "missed") for key in ("after", "before", "due")]
            wait_until(lambda: sorted(_told(receiver)) == missed, 40, "all three are told")
            notices = [json.loads(request.body) for request in receiver.requests]
            told = [each for notice in notices for each in notice["monitors"]]
            assert [each["monitor"] for each in told if each["outage"]] == ["due"]


def test_a_killed_servers_heartbeat_tells_when_somebody_last_looked(tmp_path: Path) -> None:
    require(_FAKETIME is not None, "libfaketime is not installed (Debian: libfaketime)")
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    env = {
        "LD_PRELOAD": str(_FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }

    def last_look_us(server: RadarServer) -> int:
        with server.store() as store:
            return store.outages.last_look() or 0

    server = RadarServer(tmp_path / "server", env=env)
    with server:
        began_us = last_look_us(server)
        server.ping("job", every="1800", gracePeriod="60")
        wait_until(lambda: last_look_us(server) > began_us, 30, "a heartbeat")
        first_us = last_look_us(server)
        wait_until(lambda: last_look_us(server) > first_us, 30, "another heartbeat")
        server.stop(signal.SIGKILL)
        killed_us = last_look_us(server)
        offset.write_text("+3600\n")
        server.start()
        with server.store() as store:
            outage = store.outages.last()
        assert outage is not None
        assert outage.begin_us == killed_us
        assert outage.monitors == 1
        # What fell due in that hour waits for who reports it late.
        status = server.request("GET", "/api/v1/monitors/job").json()["status"]
        assert status == "late"


def test_a_server_that_was_stopped_for_a_while_has_been_away(tmp_path: Path) -> None:
    """Its clock jumps, as that of a machine that has slept."""
    require(_FAKETIME is not None, "libfaketime is not installed (Debian: libfaketime)")
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    env = {
        "LD_PRELOAD": str(_FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with serving(tmp_path / "server", env=env) as server:
        server.ping("job", every="1800", gracePeriod="60")
        offset.write_text("+3600\n")
        wait_until(lambda: "nobody looked for 1 h" in server.said(), 30)
        job = server.request("GET", "/api/v1/monitors/job").json()
        assert job["status"] == "late"
        assert server.is_healthy()


def test_what_falls_due_after_an_outage_is_missed(tmp_path: Path) -> None:
    with Server() as receiver:
        server = RadarServer(tmp_path / "server", config=_hook("ops", receiver))
        with server:
            server.ping("job", every="4", gracePeriod="1")
            server.stop(signal.SIGKILL)
            _make_blind(server, 60)
            server.start()
            # One that fell into it waits for a minute, and this one, too.
            server.ping("job", every="4", gracePeriod="1")
            _wait_for(receiver, ("job", "down", "missed"), within_s=20)


def test_there_is_no_outage_while_another_server_looks(tmp_path: Path, cluster: Postgresql) -> None:
    url = cluster.url()
    with serving(tmp_path / "one", database=url) as one:
        two = RadarServer(tmp_path / "two", database=url)
        with two:
            assert two.request("GET", "/healthz", key="").json()["outage"] is None
            two.stop(signal.SIGKILL)
            two.start()
            assert two.request("GET", "/healthz", key="").json()["outage"] is None
        with one.store() as store:
            assert store.outages.last() is None


@pytest.mark.nightly(daily="tests/store/test_reminding.py")
def test_reminders_come_until_it_is_up_again(tmp_path: Path, cluster: Postgresql) -> None:
    """From two servers, each once."""
    url = cluster.url()
    with Server() as receiver:
        more = {"database": url, "config": _hook("ops", receiver)}
        with (
            serving(tmp_path / "one", "--remind", "4s", **more) as server,
            serving(tmp_path / "two", "--remind", "4s", **more),
        ):
            server.ping("job/fail", create="1")
            wait_until(lambda: len(receiver.requests) >= 3, 60, "two reminders")
            server.ping("job")
            wait_until(lambda: _told(receiver)[-1][1] == "up", 60, "recovery is told")
            count = len(receiver.requests)
            time.sleep(7)  # no more of them
            assert len(receiver.requests) == count
        notices = [json.loads(request.body) for request in receiver.requests]
        assert len({request.headers["idempotency-key"] for request in receiver.requests}) == count
        assert [notice["kind"] for notice in notices] == ["down"] * (count - 1) + ["up"]
        first, *others, _ = receiver.requests
        assert "still down" not in json.loads(first.body)["subject"]
        assert all("still down" in json.loads(request.body)["subject"] for request in others)
        times = [request.at for request in receiver.requests[:-1]]
        assert all(later - earlier > 3 for earlier, later in itertools.pairwise(times))


def test_time_does_not_go_back() -> None:
    now = [5_000_000_000_000]
    clock = Clock(lambda: now[0])
    assert clock.now_us() == 5_000_000_000
    now[0] -= 3600 * 10**9
    assert [clock.now_us(), clock.now_us()] == [5_000_000_001, 5_000_000_002]
    assert clock.is_still
    now[0] += 10 * 86_400 * 10**9
    assert clock.now_us() == now[0] // 1000
    # But it isn't wrong for ever.
    now[0] = 10**9
    assert clock.now_us() == 10**6
