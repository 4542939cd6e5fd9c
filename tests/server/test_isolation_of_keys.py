"""A key for some monitors hears of no others; and nobody takes what belongs to all."""

import contextlib
import re
from pathlib import Path

import pytest

from radar_cli.server.runtime.keys import Keys
from radar_cli.server.runtime.limits import Limits, TooManyError, network_of
from tests.support.postgresql import Postgresql
from tests.support.radar import run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.waiting import wait_until

# Some of them are like a pattern of keys as far as a database can tell.
_OTHERS = [f"{word}-{number}" for word in ("secret", "d9-secret") for number in range(5)]
_MINE = [f"db-{number}" for number in range(5)]


def _make_key(api: RadarServer, pattern: str) -> str:
    words = ["server", "keys", "create", "--scope", "read", "--monitor", pattern]
    if api.database:
        words += ["--database", api.database]
    return run_radar(*words, env=api.environment(), text=True).stdout.strip()


@pytest.fixture
def filled(api: RadarServer) -> RadarServer:
    """A server with the monitors of two parties, one of each down."""
    for key in _MINE + _OTHERS:
        api.ping(key, create="1")
    for key in (_MINE[0], _OTHERS[0], _OTHERS[1]):
        api.ping(f"{key}/fail")
    return api


@pytest.mark.parametrize("pattern", ["db-*", "d[ab]-*", "*b-?"])
@pytest.mark.parametrize("path", ["/api/v1/monitor-keys", "/api/v1/monitors"])
def test_pages_of_monitors_name_no_other_in_their_cursor(
    filled: RadarServer, pattern: str, path: str
) -> None:
    key = _make_key(filled, pattern)
    for limit in (1, 2, 5, 6, 100):
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            answer = filled.request("GET", f"{path}?limit={limit}&after={after}", key=key)
            assert answer.status_code == 200
            assert "secret" not in answer.text
            page = answer.json()
            entries = page.get("keys") or [each["key"] for each in page.get("monitors", [])]
            assert len(entries) <= limit
            found += entries
            after = page["next"]
        assert found == _MINE


def test_metrics_count_the_monitors_of_a_key_alone(filled: RadarServer) -> None:
    key = _make_key(filled, "db-*")
    for chosen, up, down in ((key, 4, 1), (filled.key, 12, 3)):
        text = filled.request("GET", "/metrics", key=chosen).text
        counts = dict(re.findall(r'^radar_monitors\{status="(\w+)"\} (\d+)$', text, re.MULTILINE))
        assert {name: int(count) for name, count in counts.items()} == {"up": up, "down": down}
        # How many pings there were of all is for those who see all.
        assert ("radar_pings_total" in text) == (chosen == filled.key)
        assert "radar_evaluator_idle_seconds" in text
    assert 'radar_pings_total{kind="fail"} 3' in filled.request("GET", "/metrics").text


@pytest.mark.parametrize("pattern", ["db-*", "d[ab]-*", "*b-?"])
def test_faults_of_others_are_neither_counted_nor_listed(filled: RadarServer, pattern: str) -> None:
    for monitor in (_MINE[0], _MINE[1], *_OTHERS):
        filled.ping(f"{monitor}/log", every="5x")
    key = _make_key(filled, pattern)
    status = filled.request("GET", "/api/v1/status", key=key).json()
    assert status["faults"] == {"bad": 2, "beware": 0}
    for query, expected in (
        ("", _MINE[:2]),
        (f"&key={_MINE[1]}&key={_OTHERS[0]}", _MINE[1:2]),
        ("&status=down", _MINE[:1]),
    ):
        page = filled.request("GET", f"/api/v1/monitors?fault=1{query}", key=key).json()
        assert [each["key"] for each in page["monitors"]] == expected


def test_an_id_of_another_monitors_ping_is_no_repetition(api: RadarServer) -> None:
    """It would be answered as stored, and lost: somebody else may have used up the id."""
    for key in ("mine", "theirs"):
        api.ping(key, create="1")
    assert api.ping("theirs/fail", id="build-17").status_code == 200
    refused = api.ping("mine/fail", id="build-17")
    assert (refused.status_code, refused.json()["error"]) == (409, "ID_TAKEN")
    # Of its own monitor it is one, also with the first still on its way.
    assert api.ping("theirs/fail", id="build-17").status_code == 200
    # A failure is none of a success, nor the other way round.
    assert api.ping("theirs", id="build-17").status_code == 409
    with api.store() as store:
        kinds = {
            key: [ping.kind for ping in store.pings.newest(key, 9)] for key in ("mine", "theirs")
        }
    assert kinds == {"mine": ["success"], "theirs": ["success", "fail"]}


def test_wrong_keys_fill_no_memory(server: RadarServer) -> None:
    server.ping("job", create="1")
    memory = server.memory_bytes()
    for number in range(400):
        wrong = f"ck_app_{number}_" + "k" * 60_000
        assert server.request("GET", "/ping/job", key=wrong).status_code == 401
        assert server.request("GET", f"/ping/job/{wrong[:50_000]}", key="").status_code == 401
        assert server.request("GET", "/api/v1/status", key=wrong).status_code == 401
    assert server.memory_bytes() - memory < 20_000_000


def test_guessing_from_anywhere_in_one_network_of_ipv6_is_one_guesser(tmp_path: Path) -> None:
    options = ("--rate-limit", "10", "--trusted-proxy", "127.0.0.1")
    with serving(tmp_path / "server", *options) as server:

        def ask(address: str) -> int:
            headers = {"X-Forwarded-For": address}
            wrong = "ck_app_0123456789_" + "a" * 43
            return server.request("GET", "/ping/job", key=wrong, headers=headers).status_code

        statuses = [ask(f"2001:db8:1:2:{number:x}::{number:x}") for number in range(1, 16)]
        assert statuses[:10] == [401] * 10
        assert set(statuses[10:]) <= {401, 429}
        assert statuses[-1] == 429
        assert ask("2001:db8:1:3::1") == 401
        assert ask("192.0.2.1") == 401
        # One of IPv4 is itself, however it is written.
        assert {ask("192.0.2.1"), *(ask("::ffff:192.0.2.1") for _ in range(12))} == {401, 429}
        assert ask("192.0.2.1") == 429


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("unknown", "also unknown", True),
    ],
)
def test_which_addresses_count_as_one(one: str, other: str, is_same: bool) -> None:
    assert (network_of(one) == network_of(other)) == is_same


def test_however_many_ask_the_limits_remember_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radar_cli.server.runtime.limits._BUCKETS_MAX", 100)
    limits = Limits(1, limits_loopback=True)
    for number in range(1_000):
        limits.check_address(f"10.0.{number // 250}.{number % 250}")
    assert len(limits._buckets) <= 100
    # The newest are those that are remembered.
    with pytest.raises(TooManyError):
        limits.check_address("10.0.3.249")


@pytest.mark.parametrize("places", [("one", "one"), ("one", "two"), ("a", "b", "c", "d")])
def test_servers_that_are_first_started_at_once_all_come_up(
    postgresql: Postgresql, tmp_path: Path, places: tuple[str, ...]
) -> None:
    """On one machine or on several; and they make one admin key."""
    database = postgresql.url()
    with contextlib.ExitStack() as stack:
        servers = [RadarServer(tmp_path / place, database=database) for place in places]
        for server in servers:
            server.launch()
            stack.push(server)
        for server in servers:
            wait_until(server.is_healthy, 30, f"a healthy server at {server.url}")
        shown = {place for place in places if (tmp_path / place / "admin-key").exists()}
        assert len(shown) == 1, [server.said() for server in servers]
        key = (tmp_path / shown.pop() / "admin-key").read_text().strip()
        for server in servers:
            assert server.request("GET", "/api/v1/status", key=key).status_code == 200
        with servers[0].store() as store:
            assert [each.name for each in Keys(store.database).list()] == ["first"]
