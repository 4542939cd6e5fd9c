"""The outbox is bounded, and says what it dropped."""

import os
import time
from pathlib import Path

import pytest

from radar_cli.model.ping import Ping
from radar_cli.outbox import trim as module
from radar_cli.outbox.spool import Entry, Spool, claim, reject
from radar_cli.outbox.trim import trim
from tests.support import answers
from tests.support.pings import kinds
from tests.support.radar import run_radar
from tests.support.server import Server

TO = {"server": "http://radar.example", "profile": "prod"}
NOW_US = 1_800_000_000_000_000
DAY_S = 86_400


@pytest.fixture
def spool(state_dir: Path) -> Spool:
    return Spool(str(state_dir))


def _put(
    spool: Spool, kind: str, age_s: int, size: int = 0, to: dict[str, str] | None = None
) -> Entry:
    ping = Ping(kind, "m", time_us=NOW_US - age_s * 1_000_000, body=b"x" * size)
    return spool.put(ping, TO if to is None else to, durable=False)


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
    assert says == ["undelivered pings were dropped (the outbox is full): 3 log"]
    assert _ages(spool, "log") == [2, 1]
    says = trim(spool, NOW_US / 1e6, files_max=3)
    assert says == [
        "undelivered pings were dropped (the outbox is full): 2 log, 5 start, 1 success, 1 fail"
    ]
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
    assert says == ["undelivered pings were dropped (older than 30 days): 1 fail"]
    assert _ages(spool, "fail") == [29 * DAY_S]


def test_refused_pings_count(spool: Spool) -> None:
    reject(_put(spool, "fail", 31 * DAY_S), "no such monitor")
    assert trim(spool, NOW_US / 1e6) != []
    assert spool.names(".rejected") == []


def test_pings_of_the_embedded_store_are_never_dropped(spool: Spool) -> None:
    for age in range(20):
        _put(spool, "log", age + 90 * DAY_S, to={})
    assert trim(spool, NOW_US / 1e6, files_max=1, bytes_max=1) == []
    assert len(spool.names()) == 20


def test_what_is_being_delivered_stays(spool: Spool) -> None:
    entry = _put(spool, "fail", 31 * DAY_S)
    held = claim(spool, os.path.basename(entry.path))
    assert held is not None
    assert trim(spool, NOW_US / 1e6) == []
    assert len(spool.names()) == 1
    held.release()


def test_what_killed_writers_left_goes(spool: Spool, state_dir: Path) -> None:
    _put(spool, "success", 1)
    old = state_dir / "spool/.00000000000000001-start-x.ping.77.88"
    new = state_dir / "spool/.00000000000000002-start-x.ping.77.88"
    lock = state_dir / "spool/.flush-0123"
    aside = state_dir / "spool/aside"
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
    server: Server, env: dict[str, str], spool: Spool
) -> None:
    """Also the runs that deliver nothing trim, and say so."""
    server.behave(answers.hang())
    env["RADAR_PING_TIMEOUT"] = "0.3"
    ping = Ping("fail", "old", time_us=int((time.time() - 40 * DAY_S) * 1e6))
    spool.put(ping, TO, durable=False)
    done = run_radar("run", "m", "--", "true", env=env, text=True)
    (line,) = done.stderr.splitlines()
    assert line == "radar: m: undelivered pings were dropped (older than 30 days): 1 fail"
    assert kinds() == ["start", "success"]


@pytest.mark.slow
def test_ten_thousand_files_are_enough(server: Server, env: dict[str, str], spool: Spool) -> None:
    now_us = time.time_ns() // 1000
    for number in range(module.FILES_MAX + 5):
        ping = Ping("start" if number < 7 else "success", "m", time_us=now_us - 10**9 + number)
        spool.put(ping, TO, durable=False)
    server.behave(answers.hang())
    env["RADAR_PING_TIMEOUT"] = "0.3"
    done = run_radar("run", "m", "--no-start", "--", "true", env=env, text=True)
    assert "(the outbox is full): 6 start" in done.stderr
    assert len(spool.names()) == module.FILES_MAX
