"""Every command says the same of a server's monitors as of those in the store here."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.worlds import Worlds, two_worlds
from tests.support.depth import at_night

_READING = (
    "status",
    "status -v",
    "status --json",
    "status --format csv",
    "status backup failed",
    "status backup nobody",
    "check",
    "check --strict",
    "check -v",
    "check --json",
    "check --format nagios",
    "check --format prometheus",
    "check unwatched",
    "check unwatched failed --json",
    "check nobody",
    "check nobody --format nagios",
    "check failed unwatched --format nagios",
    "monitors list",
    "monitors list --json",
    "monitors list --format csv",
    "monitors list --tag db --status paused",
    "monitors list --tag none",
    *(
        f"monitors show {key}"
        for key in ("backup", "failed", "going-on", "killed", "odd", "paused")
    ),
    *(f"monitors show {key} --json" for key in ("backup", "plain", "quick", "unwatched")),
    "monitors history backup",
    "monitors history backup --limit 3 --json",
    "monitors history plain --format csv",
    "monitors history going-on",
    "monitors history odd",
    "monitors history failed --flips",
    "monitors history quick --flips --json",
    "monitors output failed",
    "monitors output failed --json",
    "monitors output killed",
    "monitors output plain",
    "monitors output backup --run 01d",
    "monitors output backup --run 00000000001",
    "monitors output backup --run nothing",
    "monitors output going-on",
    "schedule next backup -n 3",
    "schedule explain backup --json",
    "schedule next unwatched",
    "schedule next nobody",
    "monitors show bakcup",
    "monitors show bakcup --json",
    "monitors history nobody",
    "monitors output nobody",
    "monitors show NOBODY",
    "monitors show ../../x",
)
_CHANGING = (
    "monitors create new --schedule 5#2#*#*#* --grace 10m --tag a,b --name N --failure-tolerance 3",
    "monitors show new --json",
    "monitors create new",
    "monitors create plain2 --every 90s --max-runtime 1.5 --json",
    "monitors create Bad",
    "monitors create x --schedule nonsense",
    "monitors create x --every 0.5",
    "monitors update new --every 6h --json",
    "monitors update new --every 6h",
    "monitors update new --grace  --tag  --name ",
    "monitors update new --tz Nowhere/Land",
    "monitors update new",
    "monitors update nobody --grace 1m",
    "monitors update failed --failure-tolerance 1",
    "monitors show failed",
    "monitors pause new plain2 --for 90m",
    "monitors pause new --json",
    "monitors pause new nobody",
    "monitors pause new --for 0",
    "monitors show new",
    "monitors resume new backup",
    "monitors resume new plain2 --json",
    "monitors resume nobody",
    "monitors ack failed new",
    "monitors ack nobody",
    "monitors snooze failed --for 90m",
    "monitors list --json",
    "monitors delete new nobody --yes",
    "monitors show new",
    "monitors delete backup new",
    "monitors delete backup new --yes",
    "monitors delete failed --yes --json",
    "monitors delete failed --yes",
    "monitors list",
    "check --format nagios",
)
_RENAMING = (
    "monitors rename failed other",
    "ping failed --message late",
    "monitors show other",
    "monitors show failed",
    "monitors create failed",
    "monitors rename plain failed",
    "monitors rename plain other",
    "monitors rename plain Bad",
    "monitors rename nobody else",
    "monitors rename other failed --no-alias --json",
    "monitors rename failed third",
    "monitors unalias failed",
    "monitors unalias failed",
)


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Worlds]:
    with two_worlds(tmp_path) as both:
        yield both


def _words(line: str) -> list[str]:
    return [word.replace("#", " ") for word in line.split(" ")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "lines",
    [
        _READING[::3],
        at_night(_READING[1::3]),
        at_night(_READING[2::3]),
        _CHANGING,
        _RENAMING,
    ],
    ids=("a", "b", "c", "d", "e"),
)
def test_a_command_says_the_same_here_and_there(worlds: Worlds, lines: tuple[str, ...]) -> None:
    for line in lines:
        here, there = worlds.say(*_words(line))
        assert replace(there, moments=()) == replace(here, moments=()), line
        assert there.moments == pytest.approx(here.moments, abs=60), line
        assert "internal error" not in here.stderr, line


def test_it_asks_before_it_deletes_here_and_there(worlds: Worlds) -> None:
    for answer in (b"n\n", b"y\n"):
        here, there = worlds.say("monitors", "delete", "backup", "killed", stdin=answer)
        assert there == here
        assert "Delete 2 monitors and 61 pings for good?" in here.stderr


def test_a_server_tells_people_itself(worlds: Worlds) -> None:
    said = worlds.there("check", "--notify", "-v")
    assert said.code == 1
    assert f"{worlds.server.url} sends the notices itself" in said.stderr
    assert worlds.there("check", "--notify").stderr == ""


def test_it_stays_a_few_requests_however_many_monitors_there_are(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with two_worlds(tmp_path, "--access-log", str(log)) as worlds:
        with worlds.server.store() as store:
            for number in range(1000):
                store.monitors.create(f"many-{number}", {"every": "3600"}, 1_700_000_000_000_000)
        before = _requests(log)
        entries = json.loads(worlds.there("status", "--json").stdout)["data"]
        assert len(entries) == 1000 + 9
        assert 1 <= _requests(log) - before < 12


def _requests(log: Path) -> int:
    """Of the API, by the server's own log."""
    return sum('"/api/' in line for line in log.read_text().splitlines())
