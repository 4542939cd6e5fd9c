"""`radar server` and `radar server keys` as commands."""

import json
from pathlib import Path

import pytest

from tests.support.radar import environment, run_radar
from tests.support.radar_server import serving


def test_a_key_is_printed_once_and_listed_without_its_secret() -> None:
    words = ("--scope", "read", "--monitor", "db-*", "--name", "Grafana")
    done = run_radar("server", "keys", "create", *words, text=True)
    assert done.returncode == 0, done.stderr
    key = done.stdout.strip()
    assert key.startswith("ck_app_")
    assert done.stdout.count("\n") == 1
    listed = run_radar("server", "keys", "list", text=True)
    key_id, secret = key.split("_")[2:]
    assert key_id in listed.stdout
    assert "Grafana" in listed.stdout
    assert secret not in listed.stdout
    (entry,) = json.loads(run_radar("server", "keys", "list", "--json", text=True).stdout)["data"]
    assert entry["id"] == key_id
    assert (entry["scope"], entry["monitors"], entry["name"]) == ("read", "db-*", "Grafana")
    assert entry["revoked_at"] is None
    assert secret not in json.dumps(entry)


def test_a_key_is_revoked_once() -> None:
    key = run_radar("server", "keys", "create", text=True).stdout.strip()
    key_id = key.split("_")[2]
    assert run_radar("server", "keys", "revoke", key_id).returncode == 0
    again = run_radar("server", "keys", "revoke", key_id, text=True)
    assert again.returncode == 2
    assert key_id in again.stderr
    (entry,) = json.loads(run_radar("server", "keys", "list", "--json", text=True).stdout)["data"]
    assert entry["revoked_at"] is not None


def test_a_file_elsewhere_is_served_and_has_keys_of_its_own(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/elsewhere/monitors.db"
    with serving(tmp_path / "server", database=url) as server:
        assert f"{tmp_path}/elsewhere/monitors.db" in server.said()
        assert server.ping("backup", create="1").status_code == 200
        # The variable says the same to every command that takes the option.
        env = {**server.environment(), "RADAR_DATABASE": url}
        key = run_radar("server", "keys", "create", "--scope", "read", env=env, text=True)
        found = server.request("GET", "/api/v1/monitors/backup", key=key.stdout.strip())
        assert found.status_code == 200
    assert not (tmp_path / "server" / "radar.db").exists()
    assert run_radar("server", "keys", "list", env=environment(), text=True).stdout == ""


def test_json_has_the_key_for_programs() -> None:
    done = run_radar("server", "keys", "create", "--scope", "admin", "--json", text=True)
    data = json.loads(done.stdout)["data"]
    assert data["key"].startswith("ck_app_")
    assert (data["scope"], data["monitors"]) == ("admin", "*")


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "create", "--scope", "owner"),
        ("keys", "create", "--name", "x" * 201),
        ("keys", "create", "--name", "a\nb"),
        ("keys", "revoke", "nonsense"),
        ("--bind", "nowhere"),
        ("--bind", "127.0.0.1:99999"),
        ("--tls-cert", "cert.pem"),
        ("--root-path", "radar"),
        ("--body-limit", "much"),
        ("--remind", "often"),
        ("--rate-limit", "-1"),
        ("--database", "mysql://localhost/radar"),
        ("--database", "sqlite://radar.db"),
        ("--trusted-proxy", "nobody"),
        ("--access-log", "/nowhere/at/all.log"),
        ("--bind", "127.0.0.1:0", "--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(words: tuple[str, ...]) -> None:
    done = run_radar("server", *words, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith(("radar: ", "Error: "))
    assert "Traceback" not in done.stderr
