"""What 0.1 left on a machine, taken in by today's radar: see make.py for where it comes from.

The pings wait for `http://radar.example:8321` and other names that lead nowhere. A proxy that
knows these names takes them to the test's servers: the files stay as they are, to the byte, which
a helper that rewrites addresses and checksums would undo, and no port has to be free.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.old.old_files import (
    ROOT,
    copy_config,
    copy_state,
    expected,
    faked,
    is_alive,
    look,
    machine,
    narrow,
    read_json,
    read_settings,
)
from tests.support.answers import Answer, ok, status
from tests.support.postgresql import Postgresql, running
from tests.support.proxy import Proxy
from tests.support.radar import environment, run_radar
from tests.support.radar_server import serving
from tests.support.server import Server
from tests.support.waiting import wait_until
from tests.support.wire import Request

_BY_ENVIRONMENT = {
    "RADAR_SERVER": "http://radar.example:8321",
    "RADAR_API_KEY": "rk_env_5a5a5a5a5a5a5a5a",
}
_KEYS = {
    "default": "rk_main_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "ci": "rk_ci_99887766554433221100ffeeddccbbaa",
    None: _BY_ENVIRONMENT["RADAR_API_KEY"],
}
_WORDS = {"start": "start", "success": "complete", "fail": "fail", "log": "log"}
# Each takes two commands to look at: some from the spool, some from the database, some from both.
_LOOKED_AT = ("backup", "both", "bytes", "cleanup", "import", "retried", "unready-here")
_LEFT_FOR_GOOD = "nowhere"  # the monitor of pings for a profile that no file has


class Servers:
    """The servers that the old pings wait for, and the machine where they do."""

    def __init__(self, folder: Path) -> None:
        self.radar, self.ci, self.hosted = Server(), Server(), Server()
        hosts = {"radar.example": self.radar, "ci.example": self.ci}
        hosts["cronradar.example"] = self.hosted
        self._proxy = Proxy(hosts={name: server.port for name, server in hosts.items()})
        more = {"http_proxy": self._proxy.url, "RADAR_PING_TIMEOUT": "60"}
        self.env = machine(folder, **more)
        self.state = Path(self.env["RADAR_STATE_DIR"])

    def behave(self, answer: "Answer | Any") -> None:
        for server in (self.radar, self.ci, self.hosted):
            server.behave(answer)

    def close(self) -> None:
        for server in (self._proxy, self.radar, self.ci, self.hosted):
            server.close()

    def flush(self, **env: str) -> None:
        """Deliver what can be delivered, by the profiles and by the environment's server."""
        for more in ({}, _BY_ENVIRONMENT):
            done = run_radar("outbox", "flush", env={**self.env, **more, **env}, text=True)
            assert done.returncode in (0, 1, 3), done.stderr

    def arrived(self) -> "Counter[tuple[str, ...]]":
        """What was taken: by which server, with which key, and what the ping says."""
        return Counter(
            (
                name,
                _key(ping.monitor, ping.request.headers["authorization"].removeprefix("Bearer ")),
                *(ping.monitor, ping.kind, ping.query["id"], ping.query["ts"]),
                ping.query.get("rid", ""),
            )
            for name, server in (("radar", self.radar), ("ci", self.ci))
            for ping in server.accepted
        )

    def bodies(self) -> dict[tuple[str, str], str]:
        """The outputs that arrived, by server and id."""
        return {
            (name, ping.query["id"]): ping.body.decode()
            for name, server in (("radar", self.radar), ("ci", self.ci))
            for ping in server.accepted
        }

    def listed(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = read_json("outbox", "list", env=self.env)
        return entries


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    running = Servers(tmp_path)
    yield running
    running.close()


def _waiting() -> list[dict[str, Any]]:
    """The pings that 0.1 listed as undelivered and that can be delivered."""
    entries: list[dict[str, Any]] = expected("outbox")
    return [
        each
        for each in entries
        if each["monitor"] != _LEFT_FOR_GOOD and each["profile"] not in ("here", "hosted")
    ]


def _arrival(entry: dict[str, Any]) -> tuple[str, ...]:
    """What `Servers.arrived` has of a ping."""
    return (
        "ci" if entry["profile"] == "ci" else "radar",
        _key(entry["monitor"], _KEYS[entry["profile"]]),
        *(entry["monitor"], _WORDS[entry["kind"]], entry["id"], f"{entry['time']:.6f}"),
        entry["run_id"] or "",
    )


def _key(monitor: str, key: str) -> str:
    """The key that a ping has to come with: any, where the server has refused the old one."""
    return "any" if monitor == "wrong-key" else key


def _refuse(request: Request) -> Answer:
    return status(422) if "/ping/refused" in request.path else ok()


def test_it_delivers_each_ping_once_to_its_server(servers: Servers) -> None:
    for _ in range(2):
        servers.flush()

    waiting = _waiting()
    assert len(waiting) > 150
    assert servers.arrived() == Counter(map(_arrival, waiting))
    # One for a server that can't know how late it is, while it is news.
    assert [(ping.monitor, ping.kind) for ping in servers.hosted.accepted] == [
        ("hosted-fresh", "complete")
    ]
    assert {entry["monitor"] for entry in servers.listed()} == {_LEFT_FOR_GOOD}


def test_it_delivers_all_that_a_ping_says(servers: Servers) -> None:
    servers.flush()

    bodies = servers.bodies()
    fields = {ping.query["id"]: ping.query for ping in servers.radar.accepted}
    fields |= {ping.query["id"]: ping.query for ping in servers.ci.accepted}
    for entry in _waiting():
        if entry["server"] is not None:
            assert bodies[_arrival(entry)[0], entry["id"]] == entry["output"]
        said = fields[entry["id"]]
        assert {name: said.get(name) for name in entry["fields"]} == entry["fields"]


def test_a_run_delivers_what_waits_for_its_server(servers: Servers) -> None:
    servers.behave(_refuse)

    run_radar("run", "today", "--to", "ci", "--", "true", env=servers.env)

    for_ci = [each for each in _waiting() if each["profile"] == "ci" and not each["rejected"]]
    arrived = servers.arrived()
    old = {arrival: count for arrival, count in arrived.items() if "today" not in arrival}
    assert old == Counter(map(_arrival, for_ci))
    assert sum(arrived.values()) - sum(old.values()) == 2
    assert servers.radar.requests == []


def test_it_keeps_refused_pings_for_a_person(servers: Servers) -> None:
    refused = sorted(each["id"] for each in _waiting() if each["rejected"])
    assert len(refused) == 6
    assert sorted(each["id"] for each in servers.listed() if each["rejected"]) == refused

    servers.behave(_refuse)
    servers.flush()

    assert sorted(each["id"] for each in servers.listed() if each["rejected"]) == refused
    assert not any("refused" in arrival[2] for arrival in servers.arrived())


def test_it_keeps_unresolved_pings_until_the_config_is_mended(servers: Servers) -> None:
    unresolved = Counter(_arrival(each) for each in _waiting() if each["server"] is None)
    assert sum(unresolved.values()) == 10
    broken = servers.state.parent / "broken.toml"
    broken.write_text("server = 'http://radar.example:8321\n")

    run_radar("outbox", "flush", env={**servers.env, "RADAR_CONFIG": str(broken)})
    assert not servers.arrived() & unresolved

    servers.flush()
    assert servers.arrived() & unresolved == unresolved
    said = "".join(
        servers.bodies()["radar", each["id"]] for each in _waiting() if each["monitor"] == "unready"
    )
    assert "card" not in said  # the config redacts `card 1234` and `token=…`
    assert "token=" not in said


def test_remains_disturb_nobody(servers: Servers) -> None:
    """Damaged and half-written files are no pings, and a dead run holds no lock."""
    damaged = [path.read_bytes() for path in (ROOT / "state/spool/aside").iterdir()]
    assert damaged

    servers.flush()
    done = [
        run_radar(
            "run", key, "--lock", "fail", "--to", "here", "--", "echo", "ran", env=servers.env
        )
        for key in ("locked", "killed-here", "killed-ci")
    ]

    assert [each.stdout for each in done] == [b"ran\n"] * 3
    monitors = {arrival[2] for arrival in servers.arrived()}
    assert not monitors & {"damaged", "emptied", "killed-writer"}
    kept = [path.read_bytes() for path in servers.state.rglob("*") if path.is_file()]
    assert all(each in kept for each in damaged)


def test_the_store_takes_its_pings_in_once_and_judges_as_before(tmp_path: Path) -> None:
    env = machine(tmp_path, RADAR_PROFILE="here")
    known = expected("store")
    assert {reason for _, reason in known["monitors"].values()} >= {"missed", "failed", "hung"}
    assert {each for each, _ in known["monitors"].values()} == {
        *("new", "up", "late", "down", "paused")
    }

    for _ in range(2):
        assert look(env, *_LOOKED_AT) == narrow(known, *_LOOKED_AT)


def _assert_old_notices(name: str, server: Server) -> None:
    """Each notice that waited has arrived, by its key, and none twice."""
    keys = Counter(request.headers["idempotency-key"] for request in server.requests)
    assert expected("notices")[name]
    assert set(keys) >= set(expected("notices")[name])
    assert set(keys.values()) == {1}


def test_notices_that_wait_are_delivered_once(tmp_path: Path, server: Server) -> None:
    env = machine(tmp_path, RADAR_PROFILE="here")
    config = Path(env["RADAR_CONFIG"])
    hook = 'webhook = "http://chat.example/hooks/radar"\n'
    # One by one, so that each has the key that it has always had.
    ours = f'together = false\nwebhook = "{server.url}/hooks/radar"\n'
    assert hook in config.read_text()
    config.write_text(config.read_text().replace(hook, ours))

    for _ in range(2):
        run_radar("check", "--notify", env=env)

    _assert_old_notices("embedded", server)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL for all tests of this process."""
    with running() as cluster:
        yield cluster


def test_a_server_judges_its_postgresql_as_before(postgresql: Postgresql, tmp_path: Path) -> None:
    database = postgresql.restore(ROOT / "postgresql.sql")
    with serving(tmp_path / "server", database=database, env=faked()) as server:
        key = expected("secrets")["postgresql"]["admin"]
        env = environment(RADAR_SERVER=server.url, RADAR_API_KEY=key)

        some = ("backup", "import", "notes", "stuck")
        assert look(env, *some) == narrow(expected("postgresql"), *some)


def test_a_server_delivers_the_notices_that_wait_in_postgresql(
    postgresql: Postgresql, tmp_path: Path, server: Server
) -> None:
    database = postgresql.restore(ROOT / "postgresql.sql")
    config = f"[notify.chat]\nwebhook = '{server.url}/hooks'\ntogether = false\n"
    waiting = len(expected("notices")["postgresql"])
    later = faked("2026-10-26 10:30:00")  # by then each of them is to be tried again
    with serving(tmp_path / "server", database=database, config=config, env=later):
        wait_until(lambda: len(server.requests) >= waiting, 60, "the notices")

    _assert_old_notices("postgresql", server)


@pytest.mark.parametrize("name", ["embedded", "postgresql"])
def test_a_server_knows_the_secrets_that_were_made(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    secrets = expected("secrets")[name]
    state, database = copy_state(tmp_path), ""
    if name == "postgresql":
        cluster: Postgresql = request.getfixturevalue("postgresql")
        database = cluster.restore(ROOT / "postgresql.sql")
    with serving(state, database=database, env=faked()) as server:

        def get(path: str, key: str = "", cookie: str = "") -> int:
            headers = {"Cookie": f"radar_session={cookie}"} if cookie else {}
            return server.request("GET", path, key=key, headers=headers).status_code

        def ping(path: str, key: str = "") -> int:
            return server.request("POST", f"/ping/{path}", key=key).status_code

        monitors = "/api/v1/monitors"
        assert get(monitors, secrets["admin"]) == get(monitors, secrets["read"]) == 200
        assert get(monitors, secrets["revoked"]) == get(monitors) == 401
        assert get(monitors, secrets["ping"]) == 403
        assert ping("backup", secrets["ping"]) == ping(secrets["token"]) == 200
        assert ping("invoices", secrets["ping"]) == ping("backup", secrets["read"]) == 403
        assert get(f"/badge/{secrets['badge']}.svg") == 200
        assert (get("/"), get("/", cookie=secrets["session"])) == (303, 200)


@pytest.mark.parametrize("case", expected("config"), ids=lambda case: " ".join(case["words"]))
def test_the_config_means_what_it_meant(case: dict[str, Any], tmp_path: Path) -> None:
    env = {**environment(), **copy_config(tmp_path), **case["env"]}

    settings = read_settings(*case["words"], env=env)

    assert {name: settings.get(name) for name in case["settings"]} == case["settings"]
    assert run_radar("config", "check", env=env).returncode == 0


def test_a_change_of_the_config_keeps_what_a_person_wrote(tmp_path: Path) -> None:
    env = {**environment(), **copy_config(tmp_path)}
    written = (ROOT / "config/user.toml").read_text().splitlines()

    assert run_radar("config", "set", "ping_timeout", "12s", env=env).returncode == 0

    changed = Path(env["RADAR_CONFIG"]).read_text().splitlines()
    assert [line for line in written if line not in changed] == ['ping_timeout = "8s"']
    assert read_settings(env=env)["ping_timeout"] == 12


@pytest.mark.parametrize(
    "case", expected("alive"), ids=lambda case: f"{case['sign']}-{case['age_s']}"
)
def test_a_sign_of_life_is_judged_as_before(case: dict[str, Any], tmp_path: Path) -> None:
    judged = is_alive(case["sign"], case["age_s"], case["words"], tmp_path)

    assert judged == case["is_alive"]
