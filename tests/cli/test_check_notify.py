"""`radar check --notify`: a complete dead man's switch for one machine."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import answers
from tests.support.cron import Cron
from tests.support.radar import radar_path, run_radar, start_radar
from tests.support.server import Server
from tests.support.waiting import wait_until


@pytest.fixture
def channel(server: Server) -> str:
    """A webhook channel that leads to `server`."""
    run_radar("config", "set", "notify.chat.webhook", server.url + "/hook")
    return "chat"


def _notify(*words: str) -> tuple[int, str, str]:
    done = run_radar("check", "--notify", *words, text=True)
    return done.returncode, done.stdout, done.stderr


def _told(server: Server) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in server.requests]


def _fail() -> None:
    run_radar("run", "job", "--", "sh", "-c", "echo disk is full; exit 9")


def test_it_tells_of_a_failure_and_of_the_recovery_once_each(server: Server, channel: str) -> None:
    del channel
    run_radar("run", "job", "--every", "1h", "--", "true")
    assert _notify() == (0, "", "")
    assert _told(server) == []
    _fail()
    for _ in range(3):
        assert _notify() == (1, "", "")
    run_radar("run", "job", "--", "true")
    for _ in range(2):
        assert _notify() == (0, "", "")
    down, up = _told(server)
    assert (down["kind"], down["monitor"], down["reason"]) == ("down", "job", "failed")
    assert down["happened"] == "a run failed: exit 9"
    assert "disk is full" in down["last_run"]["output"]
    assert down["look"] == ["radar monitors show job", "radar monitors output job"]
    assert (up["kind"], up["previous"], up["happened"]) == ("up", "down", "a run succeeded")
    assert up["key"] != down["key"]


@pytest.mark.slow
def test_silence_is_told_once_and_so_is_the_next_success(server: Server, channel: str) -> None:
    """In real time, with a schedule of seconds."""
    del channel
    run_radar("run", "job", "--every", "2s", "--grace", "1s", "--", "true")
    assert _notify()[0] == 0
    wait_until(lambda: _notify()[0] == 1)
    _notify()
    (missed,) = _told(server)
    assert (missed["kind"], missed["reason"]) == ("down", "missed")
    assert "within 1 s (every 2 s)" in missed["expected"]
    run_radar("run", "job", "--every", "1h", "--", "true")
    assert _notify()[0] == 0
    assert [notice["kind"] for notice in _told(server)] == ["down", "up"]


def test_a_hung_run_is_told(server: Server, channel: str) -> None:
    del channel
    run_radar("ping", "job", "start", "--every", "1h", "--max-runtime", "1s")
    wait_until(lambda: _notify()[0] == 1)
    (notice,) = _told(server)
    assert (notice["reason"], notice["happened"]) == ("hung", "it has not ended")
    assert "within 1 s" in notice["expected"]


def test_what_was_down_and_up_in_between_is_told_in_order(server: Server, channel: str) -> None:
    del channel
    _fail()
    run_radar("run", "job", "--", "true")
    assert _notify()[0] == 0
    assert [notice["kind"] for notice in _told(server)] == ["down", "up"]


def test_a_dead_channel_is_told_of_and_tried_again_with_the_same_key(
    server: Server, channel: str, state_dir: Path
) -> None:
    server.behave(answers.status(503))
    _fail()
    code, out, err = _notify()
    assert (code, out) == (1, "")
    assert err.startswith(f"radar: channel {channel}: ")
    assert len(err.splitlines()) == 1
    run_radar("run", "job", "--", "true")
    server.behave(answers.ok())
    # Not before its time: a channel that is down is left alone for a while.
    assert _notify() == (0, "", "")
    assert len(server.requests) == 1
    _make_due(state_dir)
    assert _notify() == (0, "", "")
    first, again, up = _told(server)
    assert first["key"] == again["key"]
    assert (first["kind"], again["kind"], up["kind"]) == ("down", "down", "up")


def test_what_is_refused_for_good_is_not_tried_again(
    server: Server, channel: str, state_dir: Path
) -> None:
    server.behave(answers.status(410))
    _fail()
    code, _, err = _notify()
    assert code == 1
    assert err.startswith(f"radar: channel {channel}: a notice of job is given up: ")
    assert err.endswith("answers 410\n")
    assert "given up" in run_radar("notify", "log", text=True).stdout
    _make_due(state_dir)
    assert _notify()[0] == 1
    assert len(server.requests) == 1
    # It is over with that notice, not with the channel.
    server.behave(answers.ok())
    run_radar("run", "job", "--", "true")
    assert _notify() == (0, "", "")
    assert [notice["kind"] for notice in _told(server)] == ["down", "up"]


def test_nothing_but_a_dead_channel_is_an_exit_code_of_its_own(
    server: Server, channel: str, state_dir: Path
) -> None:
    del channel
    server.behave(answers.reset())
    _fail()
    assert _notify()[0] == 1
    run_radar("run", "job", "--", "true")
    _make_due(state_dir)
    assert _notify()[0] == 3


def test_one_dead_channel_holds_up_no_other(server: Server, channel: str, tmp_path: Path) -> None:
    del channel
    server.behave(answers.reset())
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ncat >>{tmp_path}/pages\n")
    pager.chmod(0o755)
    run_radar("config", "set", "notify.a.command", str(pager))
    run_radar("config", "set", "notify.z.command", str(pager))
    _fail()
    _, _, err = _notify()
    assert err.count("\n") == 1
    assert (tmp_path / "pages").read_text().count('"kind": "down"') == 2


def test_a_channel_hears_only_what_it_is_for(server: Server) -> None:
    run_radar("config", "set", "notify.db.webhook", server.url + "/db")
    run_radar("config", "set", "notify.db.tags", "db")
    run_radar("config", "set", "notify.quiet.webhook", server.url + "/quiet")
    run_radar("config", "set", "notify.quiet.on", "down")
    run_radar("run", "a", "--tag", "db", "--", "false")
    run_radar("run", "b", "--", "false")
    _notify()
    run_radar("run", "a", "--", "true")
    run_radar("run", "b", "--", "true")
    _notify()
    told = {
        (request.path, each["monitor"], json.loads(request.body)["kind"])
        for request in server.requests
        for each in json.loads(request.body)["monitors"]
    }
    assert told == {
        ("/db", "a", "down"),
        ("/db", "a", "up"),
        ("/quiet", "a", "down"),
        ("/quiet", "b", "down"),
    }


def test_a_pause_keeps_it_silent_until_it_is_over(server: Server, channel: str) -> None:
    del channel
    run_radar("run", "job", "--", "true")
    run_radar("monitors", "pause", "job")
    _fail()
    assert _notify()[0] == 0
    assert _told(server) == []
    run_radar("monitors", "resume", "job")
    assert _notify()[0] == 1
    assert [notice["reason"] for notice in _told(server)] == ["failed"]


def test_two_at_once_tell_once(server: Server, channel: str) -> None:
    del channel
    for number in range(20):
        run_radar("ping", f"job{number}", "fail")
    checks = [start_radar("check", "--notify") for _ in range(3)]
    assert [check.wait(60) for check in checks] == [1, 1, 1]
    told = [each["monitor"] for notice in _told(server) for each in notice["monitors"]]
    assert sorted(told) == sorted(f"job{number}" for number in range(20))


def test_without_a_channel_it_says_how_to_make_one() -> None:
    code, out, err = _notify()
    assert (code, out) == (2, "")
    assert err == (
        "radar: no channel to notify through (radar config set notify.mail.email you@example.com)\n"
    )


def test_what_waits_for_a_channel_that_is_gone_is_said(server: Server, channel: str) -> None:
    server.behave(answers.status(500))
    _fail()
    _notify()
    run_radar("config", "set", "notify.other.webhook", server.url)
    run_radar("config", "unset", f"notify.{channel}")
    _, _, err = _notify()
    assert "notices wait for channel 'chat', which no config file has" in err


@pytest.mark.slow
def test_a_line_of_cron_is_a_dead_mans_switch(server: Server, channel: str, tmp_path: Path) -> None:
    del channel
    _fail()
    with Cron(tmp_path, f"@reboot {radar_path()} check --notify; touch {tmp_path}/done") as cron:
        wait_until((tmp_path / "done").exists, 20)
        assert cron.mails == []
    assert [notice["kind"] for notice in _told(server)] == ["down"]


def test_what_was_told_is_kept_with_the_answers(
    server: Server, channel: str, state_dir: Path
) -> None:
    server.behave(answers.status(503))
    _fail()
    _notify()
    _make_due(state_dir)
    server.behave(answers.ok())
    _notify()
    (logged,) = json.loads(run_radar("notify", "log", "--json", text=True).stdout)["data"]
    assert (logged["channel"], logged["kind"], logged["monitors"]) == (channel, "down", ["job"])
    assert (logged["fate"], logged["tries"]) == ("delivered", 2)
    assert logged["answer"].endswith("answers 200")
    for words, found in (
        (("--monitor", "job"), "delivered"),
        (("--monitor", "other"), "no notices"),
        (("--monitor", "other", "--monitor", "job"), "delivered"),
        (("--monitor", "j*"), "delivered"),
        (("--channel", "other"), "no notices"),
        (("--channel", channel, "--since", "1h", "--limit", "1"), "delivered"),
    ):
        done = run_radar("notify", "log", *words, text=True)
        assert done.returncode == 0
        assert found in done.stdout + done.stderr
    for mistaken in (("--monitor", "x*"), ("--tag", "nightly")):
        done = run_radar("notify", "log", *mistaken, text=True)
        assert (done.returncode, "no monitor" in done.stderr) == (2, True)
    done = run_radar("notify", "log", "--since", "yesterday", text=True)
    assert (done.returncode, "--since: bad duration" in done.stderr) == (2, True)


def test_a_channel_that_fails_is_told_of_through_the_others(
    server: Server, channel: str, state_dir: Path
) -> None:
    run_radar("config", "set", "notify.other.webhook", server.url + "/other")
    _notify()
    server.behave(lambda r: answers.status(503 if r.path == "/hook" else 200))
    _fail()
    _notify()
    with closing(sqlite3.connect(state_dir / "radar.db")) as connection, connection:
        connection.execute("UPDATE channel SET failing_us = 1 WHERE failing_us IS NOT NULL")
    for _ in range(2):
        _notify()
    told = [json.loads(r.body) for r in server.requests if r.path == "/other"]
    (failing,) = [notice for notice in told if notice["kind"] == "channel"]
    assert f"channel {channel} delivers nothing: " in failing["subject"]
    assert failing["monitors"] == []
    said = run_radar("status", text=True).stderr
    assert f"channel {channel} delivers nothing since " in said
    server.behave(answers.ok())
    _make_due(state_dir)
    for _ in range(2):
        _notify()
    again = json.loads(server.requests[-1].body)
    assert f"channel {channel} delivers again" in again["subject"]
    assert "delivers nothing" not in run_radar("status", text=True).stderr


def _make_due(state_dir: Path) -> None:
    """Let the time pass for which a dead channel is left alone."""
    with closing(sqlite3.connect(state_dir / "radar.db")) as connection, connection:
        for table in ("alert", "notice"):
            connection.execute(f"UPDATE {table} SET next_try_us = 1 WHERE next_try_us IS NOT NULL")
