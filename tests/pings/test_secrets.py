"""No secret leaves the machine in any field of any ping, whenever the config becomes known."""

import base64
from pathlib import Path

import pytest

from tests.support.pings import kinds, read_pings
from tests.support.radar import environment, run_radar, start_radar
from tests.support.server import Server
from tests.support.waiting import wait_for_file

KEY = "radar-key-0123456789"
PATIENT = "patient 4711"
X_AUTH = "x-auth-credential"
BEARER = "bearer-token-value"
PAIR = "someone:basic-password"
BASIC = base64.b64encode(PAIR.encode()).decode()
SID = "session-of-a-proxy"
SECRETS = (KEY, PATIENT, X_AUTH, BEARER, "basic-password", BASIC, SID)
HEADERS = f"""
[headers]
X-Auth = "{X_AUTH}"
Authorization = "Bearer {BEARER}"
Proxy-Authorization = "Basic {BASIC}"
Cookie = "lang=en; sid={SID}"
X-Team = "billing-team"
"""


def configure(tmp_path: Path, server: Server, key: str = KEY) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'server = "{server.url}"\napi_key = "{key}"\nredact = ["patient [0-9]+"]\n{HEADERS}'
    )
    config.chmod(0o600)


def break_config(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("broken = \n")


def said(server: Server) -> str:
    """All that pings say; the credentials that they are sent with don't count."""
    return repr([(ping.query, ping.body) for ping in server.accepted])


def leaked(server: Server) -> list[str]:
    return [secret for secret in SECRETS if secret in said(server)]


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "broken"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_field_of_a_run_tells_a_secret(
    secret: str, is_known: bool, server: Server, tmp_path: Path
) -> None:
    configure(tmp_path, server) if is_known else break_config(tmp_path)
    words = ("run", "m", "--send-command", "--fail-on", "tell")
    run_radar(*words, "--", "echo", f"tell {secret} billing-team")
    # The program's name is what could not be started.
    run_radar(*words, "--", f"./{secret}")
    configure(tmp_path, server)
    run_radar("run", "next", "--", "true")
    assert kinds() == []
    sent = [ping for ping in server.accepted if ping.monitor == "m"]
    assert [ping.kind for ping in sent] == ["start", "fail", "fail"]
    assert all("[redacted]" in ping.query["command"] for ping in sent)
    assert ["[redacted]" in ping.query.get("reason", "") for ping in sent] == [False, True, True]
    assert b"billing-team" in sent[1].body
    assert leaked(server) == []


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "broken"])
def test_no_ping_by_hand_tells_a_secret(is_known: bool, server: Server, tmp_path: Path) -> None:
    configure(tmp_path, server) if is_known else break_config(tmp_path)
    for secret in SECRETS:
        run_radar("ping", "m", "log", "--message", f"hello {secret}", "-", stdin=secret.encode())
    configure(tmp_path, server)
    run_radar("run", "next", "--", "true")
    sent = [ping for ping in server.accepted if ping.monitor == "m"]
    assert [ping.query["message"] for ping in sent] == ["hello [redacted]"] * len(SECRETS)
    assert leaked(server) == []


@pytest.mark.parametrize("length", range(150, 200, 7))
def test_no_half_of_a_secret_stands_where_a_reason_was_cut(
    length: int, server: Server, tmp_path: Path
) -> None:
    break_config(tmp_path)
    job = ("echo", "x" * length + KEY * 3)
    run_radar("run", "m", "--no-start", "--fail-on", "x", "--", *job)
    configure(tmp_path, server)
    run_radar("run", "next", "--", "true")
    (late,) = (ping for ping in server.accepted if ping.monitor == "m")
    # What is shorter than four characters tells nothing.
    words = late.query["reason"].removeprefix("output matched: ").replace("[redacted]", "")
    assert len(words.strip("x")) < 4


def test_the_start_waits_for_what_is_to_be_redacted(server: Server, tmp_path: Path) -> None:
    (tmp_path / "key.sh").write_text(f"touch asked; read line <go; echo {KEY}\n")
    (tmp_path / "go").touch()
    configure(tmp_path, server, "cmd:sh key.sh")
    line = f"echo ran >ran; : {KEY}"
    radar = start_radar("run", "m", "--send-command", "-c", line)
    wait_for_file(tmp_path / "ran")
    assert radar.wait(10) == 0
    assert [ping.kind for ping in server.accepted] == ["start", "complete"]
    assert leaked(server) == []


def test_a_lock_that_another_run_holds_tells_no_secret(server: Server, tmp_path: Path) -> None:
    configure(tmp_path, server)
    holder = start_radar("run", "m", "--lock", "skip", "-c", "echo up >up; exec sleep 60")
    wait_for_file(tmp_path / "up")
    run_radar("run", "m", "--lock", "fail", "--send-command", "--", "echo", KEY, PATIENT)
    holder.terminate()
    holder.wait(10)
    (skipped,) = (ping for ping in server.accepted if "command" in ping.query)
    assert skipped.query["command"] == "echo [redacted] [redacted]"


def test_a_command_kept_with_no_server_is_complete() -> None:
    env = environment(DB_PASSWORD="hunter-22")
    run_radar("run", "m", "--send-command", "--", "echo", "hunter-22", env=env)
    assert [ping.fields["command"] for ping in read_pings()] == ["echo [redacted]"] * 2
