"""A history that doesn't fit on a page: it comes whole, in order and once."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radar_cli.client.connection import Address, Connection
from radar_cli.client.server_store import ServerStore
from radar_cli.model.ping import Ping
from tests.cli.envelopes import read_envelope
from tests.support.radar import run_radar
from tests.support.radar_server import RadarServer, serving

_RUNS = 620
_S = 1_000_000
_JOB = "/api/v1/monitors/job"


def _run_id(number: int) -> str:
    return f"018f4e9a-0000-7000-8000-{number:012d}"


def _pings() -> Iterator[Ping]:
    """Runs that overlap, begin at one moment, have no id, or go on; each second flips it."""
    began_us = time.time_ns() // 1000 - 3 * _RUNS * _S
    for number in range(_RUNS):
        start_us = began_us + number // 2 * 2 * _S
        kind = "fail" if number % 4 == 3 else "success"
        run_id = "" if number % 5 == 4 else _run_id(number)
        if run_id:
            yield Ping("start", "job", ping_id=f"s{number:04}", run_id=run_id, time_us=start_us)
        if number % 50 != 7:
            yield Ping(
                *(kind, "job"),
                ping_id=f"t{number:04}",
                run_id=run_id,
                time_us=start_us + (number % 7) * _S + 1000 + number,
            )


@pytest.fixture
def filled(tmp_path: Path, database: str) -> Iterator[RadarServer]:
    with serving(tmp_path / "server", database=database) as server:
        with server.store() as store:
            store.pings.add(_pings(), time.time_ns() // 1000)
        yield server


def _pages(server: RadarServer, what: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query = f"limit={limit}"
    while True:
        page = server.request("GET", f"{_JOB}/{what}?{query}").json()
        assert len(page[what]) <= limit
        found += page[what]
        if page["next"] is None:
            return found
        query = f"limit={limit}&before={page['next']}"


def test_a_history_comes_in_pages(filled: RadarServer) -> None:
    for what in ("runs", "flips", "pings"):
        whole = _pages(filled, what, 1000)
        assert len(whole) > 150
        assert _pages(filled, what, 97) == whole
        assert _pages(filled, what, len(whole) // 2) == whole
        none = filled.request("GET", f"{_JOB}/{what}?before=1.nothing").json()
        assert none == {what: [], "next": None}
        for wrong in ("limit=0", "limit=1001", "before=%00", "before=" + "x" * 61):
            assert filled.request("GET", f"{_JOB}/{what}?{wrong}").status_code == 422


def test_a_page_goes_on_behind_a_run_that_is_forgotten(filled: RadarServer) -> None:
    runs = filled.request("GET", f"{_JOB}/runs?limit=1000").json()["runs"]
    page = filled.request("GET", f"{_JOB}/runs?limit=10").json()
    with filled.store() as store, store.database.change() as change:
        assert change.execute("DELETE FROM ping WHERE run_id = ?", (runs[9]["run_id"],))
    rest = filled.request("GET", f"{_JOB}/runs?limit=1000&before={page['next']}").json()["runs"]
    # Of two that began with it, the other one may have gone as well.
    assert rest[-1] == runs[-1]
    assert len(rest) >= len(runs) - 11


def test_the_client_asks_for_as_many_pages_as_it_takes(filled: RadarServer) -> None:
    with filled.store() as store, ServerStore(Connection(Address(filled.url, filled.key))) as there:
        for limit in (1, 499, 500, 501, 615, 100_000):
            assert there.history.runs("job", limit) == store.history.runs("job", limit)
            assert there.history.flips("job", limit) == store.history.flips("job", limit)
        assert len(there.history.runs("job", 100_000)) > 600


def test_the_command_prints_more_than_a_page(filled: RadarServer) -> None:
    env = {"RADAR_SERVER": filled.url, "RADAR_API_KEY": filled.key}
    words = ("monitors", "history", "job", "--limit", "610", "--json")
    assert len(read_envelope(run_radar(*words, env=env, text=True))["data"]) == 610
