"""Who may do what, and what nobody gets to see."""

import json
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from radar_cli.server.runtime.access import Access
from radar_cli.server.runtime.keys import Keys
from radar_cli.server.runtime.settings import ServerSettings
from radar_cli.store.opening import open_embedded
from radar_cli.store.tokens import PING
from tests.support.radar import run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.raw_http import RawConnection
from tests.support.waiting import wait_until

_OPEN = {"/healthz", "/openapi.json", "/login", "/"}
_METHODS = ("get", "post", "put", "patch", "delete")


def _create(server: RadarServer, *words: str) -> str:
    done = run_radar("server", "keys", "create", *words, env=server.environment(), text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _routes(server: RadarServer) -> Iterator[tuple[str, str, str]]:
    """Each method and path of the API, with a path that a request may have."""
    paths = server.request("GET", "/openapi.json", key="").json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            if method in _METHODS:
                yield method.upper(), path, re.sub(r"\{[^}]*\}", "alpha", path)


def _json_for(method: str) -> dict[str, object]:
    return {"json": {"source": "x", "monitors": []}} if method in ("POST", "PUT", "PATCH") else {}


def test_no_route_lets_anybody_in_who_has_no_good_key(server: RadarServer) -> None:
    server.ping("alpha", create="1")
    revoked = _create(server, "--scope", "admin", "--name", "gone")
    key_id = revoked.split("_")[2]
    run_radar("server", "keys", "revoke", key_id, env=server.environment())
    wrong = [
        "",
        "ck_app_0123456789_" + "a" * 43,
        server.key[:-1] + ("a" if server.key[-1] != "a" else "b"),
        server.key.lower() if server.key.lower() != server.key else "x",
        revoked,
        "ck_app__",
        "\xff",
    ]
    # Pings have paths of their own, below: not every word in their places makes one.
    routes = [
        each
        for each in _routes(server)
        if each[1] not in _OPEN and not each[1].startswith("/ping/")
    ]
    assert routes
    pings = [
        ("POST", "/ping", path)
        for path in ("/ping/alpha", "/ping/alpha/start", "/ping/alpha/fail", "/ping/alpha/0")
    ]
    for method, route, path in routes + pings:
        for key in wrong:
            headers = {"Authorization": f"Bearer {key}".encode("latin-1")} if key else {}
            answer = server.request(method, path, key="", headers=headers, **_json_for(method))
            assert answer.status_code == 401, (method, route, key and "a wrong key")
            assert answer.json()["error"] == "AUTHENTICATION_REQUIRED"
            assert answer.headers["WWW-Authenticate"]
            if key:
                assert key not in answer.text
    for path in (f"/ping/alpha/{wrong[1]}", f"/ping/{wrong[1]}/alpha", f"/ping/alpha/{revoked}/0"):
        assert server.request("GET", path, key="").status_code == 401


def test_a_key_is_good_for_its_scope_and_its_monitors_only(server: RadarServer) -> None:
    ping = _create(server, "--scope", "ping", "--monitor", "db-*")
    read = _create(server, "--scope", "read")
    for path in ("db-1", "db-1/start", "db-1/5"):
        answer = server.request("POST", f"/ping/{path}?create=1", key=ping)
        assert answer.status_code == 200
    for path in ("web", "web/start", "adb-1", "db"):
        answer = server.request("POST", f"/ping/{path}?create=1", key=ping)
        assert (answer.status_code, answer.json()["error"]) == (403, "ACCESS_DENIED")
    assert server.request("POST", "/ping/db-1", key=read).status_code == 403
    # A token is good for its own monitor, and for nothing else.
    with server.store() as store:
        token = store.tokens.make("db-1", PING)
    assert server.request("GET", f"/ping/{token}/fail", key="").status_code == 200
    assert server.request("GET", "/metrics", key=token).status_code == 401
    assert server.request("POST", "/ping/db-1", key=token).status_code == 401
    # The API says 403 to a key that is good for something else.
    assert server.request("GET", "/metrics", key=ping).status_code == 403
    assert server.request("GET", "/metrics", key=read).status_code == 200
    assert server.request("POST", "/api/sync", key=read, json={}).status_code in (403, 422)
    content = {"source": "x", "monitors": [{"key": "web", "schedule": "@daily"}]}
    answer = server.request("POST", "/api/sync", key=ping, json=content)
    assert answer.json()["created"] == 0
    with server.store() as store:
        assert store.monitors.find("web") is None


def test_a_key_retires_no_monitor_that_it_isnt_for(server: RadarServer) -> None:
    """A reconcile is the whole of a set that may have no key yet, but nobody's else."""
    ping = _create(server, "--scope", "ping", "--monitor", "db-*")
    mine = {"key": "db-1", "schedule": "@daily"}
    other = {"key": "web", "schedule": "@daily"}
    server.request("POST", "/api/sync", json={"source": "celery", "monitors": [mine, other]})
    with server.store() as store, store.database.change() as change:
        change.execute("UPDATE monitor SET source_key = ''")  # as radar 0.1 has left them
    content = {"source": "celery", "mode": "reconcile", "monitors": []}
    assert server.request("POST", "/api/sync", key=ping, json=content).status_code == 200
    with server.store() as store:
        web, db = store.monitors.find("web"), store.monitors.find("db-1")
    assert web is not None
    assert web.is_watched
    assert db is not None
    assert not db.is_watched


def test_a_revoked_key_is_out_of_use_in_every_server(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/shared.db"
    with (
        serving(tmp_path / "one", database=url) as one,
        serving(tmp_path / "other", database=url) as other,
    ):
        servers = (one, other)
        keys = [_create(one, "--scope", scope, "--database", url) for scope in ("ping", "admin")]
        for server in servers:
            assert server.request("POST", "/ping/job?create=1", key=keys[0]).status_code == 200
            assert server.request("GET", "/api/v1/status", key=keys[1]).status_code == 200
        with RawConnection(other) as upload:
            upload.send(upload.head("/ping/job/fail", "Content-Length: 9", key=keys[0]) + b"half")
            for key in keys:
                words = ("server", "keys", "revoke", key.split("_")[2], "--database", url)
                assert run_radar(*words).returncode == 0
            for server in servers:
                wait_until(lambda: _is_refused(server, "POST", "/ping/job", keys[0]))  # noqa: B023 (called here)
                wait_until(lambda: _is_refused(server, "GET", "/api/v1/status", keys[1]))  # noqa: B023 (as above)
            upload.send(b" done")
            assert upload.read().status == 401
        with one.store() as store:
            assert {ping.kind for ping in store.pings.newest("job", 99)} == {"success"}


def _is_refused(server: RadarServer, method: str, path: str, key: str) -> bool:
    return server.request(method, path, key=key).status_code == 401


def test_a_key_is_asked_for_again_within_the_second_and_once_for_all(tmp_path: Path) -> None:
    now = 1000.0
    with open_embedded(str(tmp_path)) as store, open_embedded(str(tmp_path)) as other:
        keys = Keys(store.database)
        first, second = (keys.create(1, scope="ping") for _ in range(2))
        access = Access(keys, lambda: now)
        assert access.find(first) is not None
        assert access.find(second) is not None
        assert access.recall(first)
        assert Keys(other.database).revoke(first.split("_")[2], 2)
        now += 0.5
        # As long as nobody has asked whether one was revoked, none counts; then the others do.
        assert access.recall(first) is False
        assert access.find(first) is None
        assert access.find(second) is not None
        now += 0.1
        assert access.recall(first) is None
        assert access.recall(second)


def test_no_secret_is_in_any_log(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with serving(tmp_path / "server", "--access-log", str(log)) as server:
        server.ping("job", create="1", message="a secret of the job")
        with server.store() as store:
            token = store.tokens.make("job", PING)
        paths = [
            f"/ping/job/{server.key}",
            f"/ping/{server.key}/job/start",
            f"/ping/job%2F{server.key}",
            f"/ping/{token}/fail",
            f"/ping/{token.upper()}",
            f"/ping/x/{server.key[:-1]}",
            f"/{server.key}",
            f"/ping/job?message={server.key}",
        ]
        for path in paths:
            answer = server.request("GET", path, key="")
            assert server.key not in answer.text
            assert token not in answer.text.lower()
        server.request("POST", "/api/sync", content=b"{")
        server.request("GET", "/healthz")
        secret = server.key.split("_")[-1]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(lines) >= len(paths) + 3
    assert {"time", "client", "method", "path", "status", "ms"} == set(lines[-1])
    for text in (log.read_text(), server.said()):
        assert secret not in text
        assert secret[:20] not in text
        assert token not in text.lower()
        assert "a secret of the job" not in text


def test_the_first_key_is_kept_once_and_for_its_owner_only(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        path = tmp_path / "server" / "admin-key"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text().strip() == server.key
        assert str(path) in server.said()
        assert server.key not in server.said()
        assert f"radar login {server.url}\n" in server.said()
        assert (
            f"only this machine, and a proxy on it, reach it: '--bind 0.0.0.0:{server.port}'"
            in (server.said())
        )
        assert stat.S_IMODE((tmp_path / "server" / "radar.db").stat().st_mode) == 0o600
        path.unlink()
        server.stop()
        server.start()
        assert not path.exists()
        assert server.said().count("admin key") == 1
        database = (tmp_path / "server" / "radar.db").read_bytes()
        assert server.key.split("_")[-1].encode() not in database


def test_the_first_key_takes_the_place_of_no_other(tmp_path: Path) -> None:
    """Neither of another database's, nor of what a first start without an end has left."""
    folder = tmp_path / "server"
    folder.mkdir()
    for number, text in enumerate(("another's\n", ""), start=1):
        (folder / "admin-key").write_text(text)
        with serving(folder) as server:
            assert server.ping("job", create="1").status_code == 200
        assert (folder / f"admin-key.old{number}").read_text() == text
        (folder / "radar.db").unlink()


def test_a_server_for_others_is_called_as_they_may_know_it(tmp_path: Path) -> None:
    settings = ServerSettings(state_directory=str(tmp_path), host="0.0.0.0", port=8321)

    assert settings.url == f"http://{socket.gethostname()}:8321"


def test_another_host_is_turned_away(tmp_path: Path) -> None:
    with serving(tmp_path / "server", "--allowed-host", "radar.example.org") as server:
        for host, status in {
            "localhost": 200,
            f"127.0.0.1:{server.port}": 200,
            "[::1]:80": 200,
            "RADAR.example.org": 200,
            "radar.example.org:8321": 200,
            "evil.example": 421,
            "localhost.evil.example": 421,
            "": 421,
        }.items():
            for path in ("/ping/job?create=1", "/healthz"):
                answer = server.request("GET", path, headers={"Host": host})
                assert answer.status_code == status, (host, path)


def test_who_asks_too_often_has_to_wait(tmp_path: Path) -> None:
    options = ("--rate-limit", "30", "--limit-loopback")
    with serving(tmp_path / "server", *options) as server:
        answers = [server.ping("job", create="1") for _ in range(40)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:25] == [200] * 25
        assert statuses[-1] == 429
        refused = answers[-1]
        assert refused.json()["error"] == "RATE_LIMIT_EXCEEDED"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert server.request("POST", "/api/sync", json={}).status_code == 429
        # Guessing keys is asking, too.
        assert server.request("GET", "/ping/job", key="ck_app_a_b").status_code == 429
        # And whoever watches over the server isn't kept out.
        assert server.request("GET", "/healthz", key="").status_code == 200


def test_loopback_is_not_limited_by_default(tmp_path: Path) -> None:
    with serving(tmp_path / "server", "--rate-limit", "5") as server:
        assert {server.ping("job", create="1").status_code for _ in range(20)} == {200}


def test_a_proxys_word_counts_only_if_it_is_trusted(tmp_path: Path) -> None:
    for trusted, expected in ((("--trusted-proxy", "127.0.0.0/8"), "203.0.113.7"), ((), None)):
        folder = tmp_path / ("trusted" if trusted else "plain")
        folder.mkdir()
        log = folder / "access.log"
        with serving(folder / "server", "--access-log", str(log), *trusted) as server:
            for chain in (
                "203.0.113.7",
                "198.51.100.1, 203.0.113.7",
                "6.6.6.6,203.0.113.7, 127.0.0.1",
            ):
                headers = {"X-Forwarded-For": chain, "X-Forwarded-Proto": "https"}
                answer = server.request("POST", "/ping/job?create=1", headers=headers)
                assert answer.status_code == 200
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        clients = {line["client"] for line in lines if line["path"].startswith("/ping")}
        assert clients == {expected or "127.0.0.1"}


def test_a_client_behind_a_proxy_is_limited_by_its_own_address(tmp_path: Path) -> None:
    options = ("--rate-limit", "10", "--trusted-proxy", "127.0.0.1")
    with serving(tmp_path / "server", *options) as server:
        keys = [_create(server, "--scope", "ping") for _ in range(2)]
        by_address = {"203.0.113.7": keys[0], "203.0.113.8": keys[1]}

        def ask(address: str) -> int:
            answer = server.request(
                "POST",
                "/ping/job?create=1",
                key=by_address[address],
                headers={"X-Forwarded-For": address},
            )
            return answer.status_code

        statuses = [ask("203.0.113.7") for _ in range(15)]
        assert statuses[-1] == 429
        assert ask("203.0.113.8") == 200


def test_every_answer_tells_browsers_to_take_it_for_what_it_is(server: RadarServer) -> None:
    """However a ping came."""
    answers = [
        server.ping("job", create="1"),
        server.ping("job"),
        server.request("POST", "/ping/job", content=iter([b"chunked"])),
        server.request("GET", "/healthz"),
        server.request("GET", "/nowhere"),
        server.request("GET", "/ping/job", key="wrong"),
    ]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "server" not in answer.headers
    names = [set(answer.headers) for answer in answers[:3]]
    assert names[0] == names[1] == names[2]
    assert all(answer.headers["content-type"] == "application/json" for answer in answers)


@pytest.mark.parametrize("where", ["Basic", "Digest", "Bearer", ""])
def test_an_authorization_that_makes_no_sense_is_none(server: RadarServer, where: str) -> None:
    for value in ("", "\xff\xfe", "a" * 5000, "====", ":"):
        header = f"{where} {value}".strip().encode("latin-1")
        answer = httpx.get(
            f"{server.url}/ping/job?create=1", headers={b"Authorization": header}, trust_env=False
        )
        assert answer.status_code in (400, 401)
