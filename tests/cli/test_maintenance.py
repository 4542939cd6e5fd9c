"""Maintenance windows, here and by a server; of whom nobody is told; the log of a server."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.envelopes import read_envelope
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.server import Server
from tests.support.waiting import wait_until


class World:
    """Where commands are run: with the store here, or with a server's."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._env = environment() | variables

    def say(self, *words: str) -> tuple[int, str, str]:
        """Run `radar WORDS`; return its exit code, and what it printed."""
        done = run_radar(*words, env=self._env, text=True)
        return done.returncode, done.stdout, done.stderr

    def data(self, *words: str) -> Any:
        """Run it for programs."""
        return read_envelope(run_radar(*words, "--json", env=self._env, text=True))["data"]


@pytest.fixture(params=["here", "there"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "here":
        yield World({})
        return
    with serving(tmp_path / "server") as server:
        yield World(_client(server))


def _client(server: RadarServer, key: str = "") -> dict[str, str]:
    return {"RADAR_SERVER": server.url, "RADAR_API_KEY": key or server.key}


def test_a_window_is_added_seen_and_ended(world: World) -> None:
    world.say("ping", "web-1", "fail", "--every", "1h", "--require-delivery")
    world.say("ping", "db-1", "--every", "1h", "--tag", "db", "--require-delivery")
    code, out, err = world.say(
        *("monitors", "maintenance", "add", "web-*", "x", "--for", "2h", "--name", "upgrade")
    )
    assert (code, err) == (0, "")
    assert "web-*: on until " in out
    code, out, _ = world.say(
        *("monitors", "maintenance", "add", "--tag", "db", "--schedule", "0 3 * * sun"),
        *("--for", "90m", "--tz", "Europe/Berlin", "--until", "2199-01-01"),
    )
    assert "tag db: next " in out
    assert "0 3 * * sun (Europe/Berlin) for 1 h 30 min, for the last time before 21" in out
    windows = {each["monitors"]: each for each in world.data("monitors", "maintenance", "list")}
    assert {key: (each["tag"], each["on"]) for key, each in windows.items()} == {
        "web-*": (None, True),
        "x": (None, True),
        "*": ("db", False),
    }
    # It is seen wherever the monitor is.
    code, out, err = world.say("status")
    assert "down (failed), silenced" in out
    assert "no notices of web-1, until " in err
    assert "upgrade" in world.say("monitors", "show", "web-1")[1]
    silenced = {each["key"]: each["silenced"] for each in world.data("status")}
    assert silenced["db-1"] is None
    assert silenced["web-1"]["window"] == windows["web-*"]["id"]
    assert silenced["web-1"]["until"] == windows["web-*"]["end"]
    # A snooze is one, too.
    world.say("monitors", "snooze", "db-1", "--for", "1h")
    *_, snooze = world.data("monitors", "maintenance", "list")
    assert snooze["monitors"] == "db-1"
    code, out, _ = world.say(
        "monitors", "maintenance", "end", snooze["id"][-8:], windows["web-*"]["id"]
    )
    assert code == 0
    assert out.count(" ended") == 2
    assert len(world.data("monitors", "maintenance", "list")) == 2
    assert world.say("status")[2] == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "which monitors?"),
        (("x",), "a window needs an end (--for 2h"),
        (("x", "--for", "1h", "--until", "12:00"), "--for and --until are two ends"),
        (("x", "--for", "soon"), "--for: bad duration 'soon'"),
        (("x", "--until", "soon"), "--until: 'soon' is no time"),
        (("x", "--from", "2026-01-02", "--until", "2026-01-01"), "it ends before it begins"),
        (("x", "--from", "2026-01-02", "--until", "2199-01-01"), "longer than a year"),
        (("X y", "--for", "1h"), "'X y' is no key or pattern"),
        (("x", "--for", "1h", "--name", "a\nb"), "--name: a line of at most"),
        (("x", "--schedule", "0 * * * *"), "needs a length, at most 31d"),
        (("x", "--schedule", "0 * * * *", "--for", "1h"), "it would never end"),
        (("x", "--schedule", "0 0 30 2 *", "--for", "1h"), "it would never begin"),
        (("x", "--schedule", "61 * * * *", "--for", "1h"), "61"),
        (("x", "--for", "1h", "--tz", "Berlin"), "no timezone 'Berlin'"),
    ],
)
def test_what_would_hide_for_ever_or_never_is_refused(words: tuple[str, ...], message: str) -> None:
    code, out, err = World({}).say("monitors", "maintenance", "add", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert World({}).data("monitors", "maintenance", "list") == []


def test_a_time_of_the_day_is_the_next_one() -> None:
    here = World({})
    here.say("monitors", "maintenance", "add", "x", "--from", "23:59", "--until", "0:01")
    (window,) = here.data("monitors", "maintenance", "list")
    code, _, err = here.say("monitors", "maintenance", "end", "")
    assert (code, "no maintenance window" in err) == (2, True)
    begin, end = (datetime.fromisoformat(window[name]) for name in ("begin", "end"))
    assert (end - begin).total_seconds() == 120
    assert 0 < begin.timestamp() - time.time() <= 86_400


def test_a_key_for_some_monitors_silences_and_sees_only_those(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        made = run_radar(
            *("server", "keys", "create", "--scope", "admin", "--monitor", "team-*"),
            env=server.environment(),
            text=True,
        )
        team, every = World(_client(server, made.stdout.strip())), World(_client(server))
        add = ("monitors", "maintenance", "add")
        assert team.say(*add, "team-db-*", "team-1", "--for", "1h")[0] == 0
        for glob in ("*", "web", "tea?-x", "t*", "[t]eam-1"):
            assert team.say(*add, glob, "--for", "1h")[0] != 0
        assert every.say(*add, "*", "--for", "1h")[0] == 0
        own, all_ = (each.data("monitors", "maintenance", "list") for each in (team, every))
        assert {each["monitors"] for each in own} == {"team-db-*", "team-1"}
        assert len(all_) == 3
        assert team.say("monitors", "maintenance", "end", all_[-1]["id"])[0] == 2
        path = f"/api/v1/maintenance/{all_[-1]['id']}"
        refused = server.request("DELETE", path, key=made.stdout.strip())
        assert (refused.status_code, refused.json()["error"]) == (404, "UNKNOWN_WINDOW")
        for bad in ({"begin": "soon"}, {"for_s": 60, "schedule": "* * * * *"}, {}):
            answer = server.request("POST", "/api/v1/maintenance", json={"monitors": "x", **bad})
            assert answer.status_code == 400


def test_a_server_tells_its_log_and_its_failing_channels_to_who_may_know(
    tmp_path: Path, server: Server
) -> None:
    config = (
        f"[notify.chat]\nwebhook = '{server.url}/chat'\nmonitors = ['team-*', 'other']\n"
        "[notify.dead]\nwebhook = 'http://127.0.0.1:9/dead'\ntags = ['x']\n"
    )
    with serving(tmp_path / "server", config=config) as there:
        made = run_radar(
            *("server", "keys", "create", "--scope", "read", "--monitor", "team-*"),
            env=there.environment(),
            text=True,
        )
        for key in ("team-1", "other", "nobodys"):
            there.ping(f"{key}/fail", create="1")
        there.ping("marked/fail", create="1", tags="x")
        wait_until(lambda: _is_failing(there), 30)
        world, team = World(_client(there)), World(_client(there, made.stdout.strip()))
        log = wait_until(lambda: _delivered(world), 30)
        told = {monitor for each in log for monitor in each["monitors"]}
        assert told == {"team-1", "other", "marked"}
        assert _delivered(world, "--monitor", "other") != []
        assert {each["channel"] for each in world.data("notify", "log", "--channel", "dead")} == {
            "dead"
        }
        mine = team.data("notify", "log")
        assert {m for each in mine for m in each["monitors"]} == {"team-1"}
        assert all(each["count"] == 1 for each in mine)
        assert team.say("notify", "log", "--monitor", "other")[0] != 0
        page = there.request("GET", "/api/v1/notices?limit=1").json()
        assert len(page["notices"]) == 1
        following = there.request("GET", f"/api/v1/notices?before={page['next']}").json()
        assert page["notices"][0]["id"] not in {each["id"] for each in following["notices"]}
        assert there.request("GET", "/api/v1/notices?since=soon").status_code == 400

        status = there.request("GET", "/api/v1/status").json()
        assert (status["channels"], status["unheard"]) == (2, ["nobodys"])
        assert [each["channel"] for each in status["failing_channels"]] == ["dead"]
        metrics = there.request("GET", "/metrics").text
        assert 'radar_channel_failing{channel="dead"} 1' in metrics
        assert 'radar_channel_failing{channel="chat"} 0' in metrics
        for words in (("status",), ("check",)):
            assert "no channel is for nobodys" in world.say(*words)[2]
        assert "channel dead delivers nothing since " in world.say("status")[2]
        doctor = world.data("doctor")
        found = {(each["what"], each["state"]) for each in doctor}
        assert {("channel dead", "bad"), ("notices", "bad")} <= found


def _is_failing(there: RadarServer) -> bool:
    return bool(there.request("GET", "/api/v1/status").json()["failing_channels"])


def _delivered(world: World, *words: str) -> list[dict[str, Any]]:
    """The log, once something of it was delivered."""
    log: list[dict[str, Any]] = world.data("notify", "log", *words)
    return log if any(each["fate"] == "delivered" for each in log) else []


def test_of_whom_nobody_is_told_is_said_where_people_look(server: Server) -> None:
    here = World({})
    here.say("config", "set", "notify.chat.webhook", f"{server.url}/hook")
    here.say("config", "set", "notify.chat.monitors", "web-*")
    here.say("run", "web-1", "--", "true")
    assert here.say("status")[2] == ""
    here.say("run", "lonely", "--", "true")
    for words in (("status",), ("check",)):
        assert "no channel is for lonely" in here.say(*words)[2]
    assert here.say("check", "lonely")[2] != ""
    assert here.say("check", "web-1")[2] == ""
    # A line of cron would mail it each time.
    assert here.say("check", "--notify")[2] == ""
    assert "no channel is for lonely" in here.say("doctor")[1]


def test_a_check_reminds_and_tells_later_and_not_in_a_window(
    server: Server, state_dir: Path
) -> None:
    here = World({})
    here.say("config", "set", "notify.chat.webhook", f"{server.url}/chat")
    here.say("config", "set", "notify.boss.webhook", f"{server.url}/boss")
    here.say("config", "set", "notify.boss.after", "30m")
    here.say("run", "job", "--", "false")
    here.say("run", "db", "--", "false")
    here.say("monitors", "maintenance", "add", "db", "--for", "1d")

    def check(*words: str) -> list[tuple[str, str]]:
        known = len(server.requests)
        assert here.say("check", "--notify", *words)[0] == 1
        told = [(each.path, json.loads(each.body)) for each in server.requests[known:]]
        return [(path, f"{said['previous']}-{said['kind']}") for path, said in told]

    assert check("--remind", "1h") == [("/chat", "new-down")]
    assert check("--remind", "1h") == []
    _let_pass(state_dir)
    assert sorted(check("--remind", "1h")) == [("/boss", "new-down"), ("/chat", "down-down")]
    assert here.say("check", "--notify", "--remind", "soon")[0] == 2
    here.say("monitors", "ack", "job")
    _let_pass(state_dir)
    assert check("--remind", "1h") == []
    here.say("run", "job", "--", "true")
    assert sorted(check()) == [("/boss", "down-up"), ("/chat", "down-up")]


def _let_pass(state_dir: Path) -> None:
    """As if hours had passed since anything was told."""
    with closing(sqlite3.connect(state_dir / "radar.db")) as database, database:
        database.execute("UPDATE alert SET next_try_us = 1 WHERE next_try_us IS NOT NULL")
        database.execute("UPDATE flip SET remind_us = 1 WHERE remind_us IS NOT NULL")
