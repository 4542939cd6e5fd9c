"""Each destination has its own folder in the outbox: what waits for one costs another nothing."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import Outbox, folder_name
from radar_cli.outbox.trim import FILES_MAX, read_dropped, trim
from tests.support import answers
from tests.support.depth import depth
from tests.support.folder_watch import OPENED, FolderWatch
from tests.support.pings import kinds
from tests.support.radar import environment, run_radar
from tests.support.server import Server

MINUTE_US = 60_000_000


def two_profiles(server: Server, other: Server, tmp_path: Path) -> dict[str, str]:
    """A config with two destinations, `own` and `dead`, of which the first is the default."""
    config = tmp_path / "config.toml"
    config.write_text(
        f'profile = "own"\n[profiles.own]\nserver = "{server.url}"\napi_key = "k1"\n'
        f'[profiles.dead]\nserver = "{other.url}"\napi_key = "k2"\nping_timeout = "1s"\n'
    )
    config.chmod(0o600)
    return environment()


@pytest.fixture
def dead() -> Iterator[Server]:
    with Server() as server:
        server.stop()
        yield server


def test_a_run_opens_nothing_that_waits_for_another_destination(
    server: Server, dead: Server, tmp_path: Path, state_dir: Path
) -> None:
    env = two_profiles(server, dead, tmp_path)
    run_radar("run", "lost", "--to", "dead", "--", "true", env=env)
    (folder,) = (state_dir / "spool").iterdir()
    with FolderWatch(folder, OPENED) as watch:
        run_radar("run", "m", "--", "true", env=env)
        assert [ping.kind for ping in server.accepted] == ["start", "complete"]
        assert watch.names() == set()
        next(folder.glob("*.ping")).read_bytes()
        assert watch.names(), "what is opened there isn't seen"


@pytest.mark.nightly
@pytest.mark.slow
def test_a_destination_that_is_dead_for_a_month_costs_the_other_nothing(
    server: Server, dead: Server, tmp_path: Path, state_dir: Path
) -> None:
    env = two_profiles(server, dead, tmp_path)
    to = {"server": dead.url, "profile": "dead"}
    minutes = depth(6_000, 43_200)
    now_us = time.time_ns() // 1000
    outbox = Outbox(str(state_dir))
    spool = outbox.spool(folder_name(to))
    for minute in range(minutes):  # as its runs would have left them
        at_us = now_us - (minutes - minute) * MINUTE_US
        outbox.put(Ping("start", "minutely", time_us=at_us), to, durable=False)
        outbox.put(Ping("success", "minutely", time_us=at_us + 1_000_000), to, durable=False)
        if minute % 500 == 499:
            trim(spool, at_us / 1e6)
    trim(spool, now_us / 1e6)

    dropped = read_dropped(spool)
    assert len(spool.names()) == FILES_MAX
    assert dropped is not None
    assert dropped.total == 2 * minutes - FILES_MAX
    with FolderWatch(Path(spool.folder), OPENED) as watch:
        for _ in range(5):
            assert run_radar("run", "m", "--", "true", env=env).returncode == 0
        assert watch.names() == set()
    assert [ping.kind for ping in server.accepted] == ["start", "complete"] * 5
    said = run_radar("--server", "", "status", env=env, text=True).stderr
    assert f"{dropped.total} undelivered pings for {dead.url} were dropped between" in said
    shown = run_radar("outbox", "list", "--json", env=env, text=True)
    assert len(json.loads(shown.stdout)["data"]) == FILES_MAX

    # Both at once: the live one has its pings though the other one has none.
    run_radar("run", "both", "--to", "own", "--to", "dead", "--", "true", env=env)
    assert [ping.monitor for ping in server.accepted][-2:] == ["both", "both"]


def test_a_server_that_was_down_is_asked_once_and_then_again(
    server: Server, env: dict[str, str], state_dir: Path
) -> None:
    server.behave(answers.status(503))
    env["RADAR_PING_TIMEOUT"] = "3"
    run_radar("run", "first", "--no-start", "--", "true", env=env)
    assert len(server.requests) > 1  # it was tried for as long as there was time
    asked = len(server.requests)
    run_radar("run", "second", "--no-start", "--", "true", env=env)
    assert len(server.requests) == asked + 1
    assert kinds() == ["success", "success"]

    (mark,) = (state_dir / "spool").glob("*/.down")
    a_minute_ago = time.time() - 61
    os.utime(mark, (a_minute_ago, a_minute_ago))
    run_radar("run", "third", "--no-start", "--", "true", env=env)
    assert len(server.requests) > asked + 2

    server.behave(answers.ok())
    run_radar("run", "fourth", "--no-start", "--", "true", env=env)
    assert kinds() == []
    assert not mark.exists()


def test_a_server_that_hangs_is_waited_for_briefly_the_next_time(
    server: Server, env: dict[str, str], state_dir: Path
) -> None:
    server.behave(answers.hang())
    env["RADAR_PING_TIMEOUT"] = "2.5"
    run_radar("run", "first", "--no-start", "--", "true", env=env)
    assert list((state_dir / "spool").glob("*/.down"))
    # An answer after two seconds would be in time, if radar waited for it.
    server.behave(answers.delayed(2))
    run_radar("run", "second", "--no-start", "--", "true", env=env)
    assert kinds() == ["success", "success"]


def test_a_refused_key_is_no_outage(server: Server, env: dict[str, str], state_dir: Path) -> None:
    server.behave(answers.status(401))
    run_radar("run", "m", "--", "true", env=env)
    assert not list((state_dir / "spool").glob("*/.down"))


@pytest.mark.parametrize("umask", ["0777", "000", "022"])
@pytest.mark.parametrize("words", [(), ("--lock", "skip")], ids=["plain", "with a lock"])
def test_the_state_directory_is_private_whatever_the_umask(
    umask: str, words: tuple[str, ...], state_dir: Path, children: Path
) -> None:
    prefix = [str(children / "launch"), "-u", umask, "--"]
    done = run_radar("run", "m", *words, "--", "true", prefix=prefix)

    assert (done.returncode, done.stderr) == (0, b"")
    assert kinds() == ["start", "success"]
    for path in (state_dir, *state_dir.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
