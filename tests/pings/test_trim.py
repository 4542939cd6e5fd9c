"""The outbox is bounded, and says what it dropped."""

import os
import time
from pathlib import Path

import pytest

from radar_cli.delivery.destinations import Destination
from radar_cli.delivery.dispatcher import Dispatcher, keep_undelivered
from radar_cli.model.ping import Ping, fingerprint
from radar_cli.outbox import trim as module
from radar_cli.outbox.claiming import claim, reject
from radar_cli.outbox.spool import Entry, Outbox, Spool, folder_name
from radar_cli.outbox.trim import read_dropped, trim
from tests.pings.conftest import KEY
from tests.support import answers
from tests.support.pings import kinds
from tests.support.radar import run_radar
from tests.support.server import Server

TO = {"server": "http://radar.example", "profile": "prod"}
NOW_US = 1_800_000_000_000_000
DAY_S = 86_400
DROPPED = "undelivered pings for http://radar.example were dropped"


@pytest.fixture
def spool(state_dir: Path) -> Spool:
    return Outbox(str(state_dir)).spool(folder_name(TO))


@pytest.fixture
def own(state_dir: Path, server: Server) -> Spool:
    """The folder of what the runs of `env` couldn't deliver."""
    key = fingerprint(KEY.encode())
    return Outbox(str(state_dir)).spool(folder_name({"server": server.url, "key": key}))


def _put(spool: Spool, kind: str, age_s: int, size: int = 0) -> Entry:
    ping = Ping(kind, "m", time_us=NOW_US - age_s * 1_000_000, body=b"x" * size)
    return spool.put(ping, TO, durable=False)


def _ages(spool: Spool, kind: str) -> list[int]:
    """The ages in seconds of what is left, oldest first."""
    return [
        (NOW_US - int(name.split("-")[0])) // 1_000_000
        for name in spool.names()
        if name.split("-")[1] == kind
    ]


def test_a_small_outbox_is_left_alone(spool: Spool) -> None:
    _put(spool, "log", 20 * DAY_S)
    _put(spool, "success", 1)
    assert trim(spool, NOW_US / 1e6) == []
    assert len(spool.names()) == 2


def test_no_spool_is_no_trouble(spool: Spool) -> None:
    assert trim(spool, NOW_US / 1e6) == []


def test_logs_go_first_then_starts_then_the_oldest_outcomes(spool: Spool) -> None:
    for age in range(1, 6):
        _put(spool, "log", age)
        _put(spool, "start", age)
        _put(spool, "success" if age % 2 else "fail", age)
    says = trim(spool, NOW_US / 1e6, files_max=12)
    assert says == [f"{DROPPED} (the outbox is full): 3 log"]
    assert _ages(spool, "log") == [2, 1]
    says = trim(spool, NOW_US / 1e6, files_max=3)
    assert says == [f"{DROPPED} (the outbox is full): 2 log, 5 start, 1 success, 1 fail"]
    assert sorted(_ages(spool, "success") + _ages(spool, "fail")) == [1, 2, 3]


def test_too_many_bytes_count_as_too_many_files(spool: Spool) -> None:
    for age in range(1, 21):
        _put(spool, "success", age, size=10_000)
    _put(spool, "log", 1, size=10_000)
    (words,) = trim(spool, NOW_US / 1e6, bytes_max=100_000)
    assert "1 log" in words
    assert 8 <= len(spool.names()) <= 10
    assert _ages(spool, "success") == list(range(len(spool.names()), 0, -1))


def test_what_is_older_than_30_days_goes(spool: Spool) -> None:
    _put(spool, "fail", 31 * DAY_S)
    _put(spool, "fail", 29 * DAY_S)
    says = trim(spool, NOW_US / 1e6)
    assert says == [f"{DROPPED} (older than 30 days): 1 fail"]
    assert _ages(spool, "fail") == [29 * DAY_S]


def test_refused_pings_count(spool: Spool) -> None:
    reject(_put(spool, "fail", 31 * DAY_S), "no such monitor")
    assert trim(spool, NOW_US / 1e6) != []
    assert spool.names(".rejected") == []


def test_what_was_dropped_is_kept_as_a_fact(spool: Spool) -> None:
    _put(spool, "fail", 31 * DAY_S)
    trim(spool, NOW_US / 1e6)
    _put(spool, "fail", 31 * DAY_S)
    _put(spool, "log", 32 * DAY_S)
    trim(spool, NOW_US / 1e6 + DAY_S)

    dropped = read_dropped(spool)
    assert dropped is not None
    assert (dropped.place, dropped.format_counts()) == ("http://radar.example", "2 fail, 1 log")
    assert dropped.last_s - dropped.first_s == DAY_S


def test_a_dead_server_pushes_out_nobody_elses_pings(
    server: Server, env: dict[str, str], state_dir: Path
) -> None:
    outbox = Outbox(str(state_dir))
    old_us = int((time.time() - 90 * DAY_S) * 1e6)
    for to in ({}, {"server": "http://other.example", "profile": "other"}, TO):
        outbox.put(Ping("log", "m", time_us=old_us), to, durable=False)
    server.behave(answers.hang())
    env["RADAR_PING_TIMEOUT"] = "0.3"
    run_radar("run", "m", "--", "true", env=env)

    assert kinds() == ["log", "log", "log", "start", "success"]


def test_what_is_being_delivered_stays(spool: Spool) -> None:
    entry = _put(spool, "fail", 31 * DAY_S)
    held = claim(spool, os.path.basename(entry.path))
    assert held is not None
    assert trim(spool, NOW_US / 1e6) == []
    assert len(spool.names()) == 1
    held.release()


def test_what_killed_writers_left_goes(spool: Spool) -> None:
    _put(spool, "success", 1)
    folder = Path(spool.folder)
    old = folder / ".00000000000000001-start-x.ping.77.88"
    new = folder / ".00000000000000002-start-x.ping.77.88"
    lock = folder / ".flush"
    aside = folder / "aside"
    aside.mkdir()
    for path in (old, new, lock, aside / "x.ping.1"):
        path.write_text("half")
    now = time.time()
    os.utime(old, (now - 3700, now - 3700))
    os.utime(lock, (now - 3700, now - 3700))
    os.utime(aside / "x.ping.1", (1, 1))  # as old as what it was
    assert trim(spool, now) == []
    assert (old.exists(), new.exists(), lock.exists()) == (False, True, True)
    assert (aside / "x.ping.1").exists()
    trim(spool, now + 31 * DAY_S)
    assert not (aside / "x.ping.1").exists()


def test_a_server_that_never_answers_does_not_fill_the_disk(
    server: Server, env: dict[str, str], own: Spool
) -> None:
    """Also the runs that deliver nothing trim, and say so."""
    server.behave(answers.hang())
    env["RADAR_PING_TIMEOUT"] = "0.3"
    ping = Ping("fail", "old", time_us=int((time.time() - 40 * DAY_S) * 1e6))
    own.put(ping, {"server": server.url, "key": fingerprint(KEY.encode())}, durable=False)
    done = run_radar("run", "m", "--", "true", env=env, text=True)
    (line,) = done.stderr.splitlines()
    expected = f"undelivered pings for {server.url} were dropped (older than 30 days): 1 fail"
    assert line == f"radar: m: {expected}"
    for words in (("outbox", "list"), ("--server", "", "status"), ("doctor",)):
        shown = run_radar(*words, env=env, text=True)
        assert f"1 undelivered pings for {server.url} were dropped" in shown.stdout + shown.stderr
    run_radar("outbox", "drop", "--forget", env=env)
    assert "were dropped" not in run_radar("outbox", "list", env=env, text=True).stderr
    assert kinds() == ["start", "success"]


def test_what_the_end_of_a_run_keeps_is_bounded_too() -> None:
    """The thread that was busy with a ping when the time was over has said nothing of it."""
    dispatcher = Dispatcher([], TO["server"], 1.0, lambda: None, lambda *_: None)
    _put(dispatcher.outbox.spool(folder_name(TO)), "fail", age_s=NOW_US // 1_000_000 - 1)
    last = Ping("success", "m", time_us=time.time_ns() // 1000)
    entry = dispatcher.outbox.put(last, TO, durable=False, hold=True)
    destination = Destination("radar", server=TO["server"], profile=TO["profile"])
    keep_undelivered(dispatcher, destination, None, entry, [last])
    dispatcher.abandon()
    assert dispatcher.warnings == [f"{DROPPED} (older than 30 days): 1 fail"]


@pytest.mark.slow
def test_ten_thousand_files_are_enough(server: Server, env: dict[str, str], own: Spool) -> None:
    now_us = time.time_ns() // 1000
    for number in range(module.FILES_MAX + 5):
        ping = Ping("start" if number < 7 else "success", "m", time_us=now_us - 10**9 + number)
        own.put(ping, {"server": server.url, "key": fingerprint(KEY.encode())}, durable=False)
    server.behave(answers.hang())
    env["RADAR_PING_TIMEOUT"] = "0.3"
    done = run_radar("run", "m", "--no-start", "--", "true", env=env, text=True)
    assert "(the outbox is full): 6 start" in done.stderr
    assert len(own.names()) == module.FILES_MAX
