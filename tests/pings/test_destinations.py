"""Where pings go: by variables alone as by the config, and while the config is broken."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from radar_cli.delivery.destinations import (
    Destination,
    Resolved,
    _from_variables_alone,
    _resolve_profiles,
    resolve,
)
from tests.pings.arrivals import accepted, facts
from tests.support import answers
from tests.support.pings import kinds, read_pings
from tests.support.radar import environment, run_radar
from tests.support.server import Server

_servers = st.one_of(
    st.sampled_from(
        [
            "",
            "http://h",
            "https://radar.example:8443",
            "http://h:0",
            "http://h:00080",
            "http://h:65536",
            "http://h:",
            "http://:80",
            "http://a:b:c",
            "http://-",
            "http://...",
            "https://cron.life",
            "https://cronradar.io:443",
            "HTTP://h",
            "http://h/path",
            "http://https://h",
            " http://h",
            "http://[::1]:80",
            "ftp://h",
            "h",
        ]
    ),
    st.from_regex(r"https?://[a-z0-9.:-]{0,12}", fullmatch=True),
)
_keys = st.one_of(
    st.sampled_from(["", "k", "ck_app_1", "file:/no/such", "cmd:false", " k ", "a b", "ä", "\x07"]),
    st.text(max_size=8),
)
_environments = st.fixed_dictionaries(
    {},
    optional={
        "RADAR_SERVER": _servers,
        "RADAR_API_KEY": _keys,
        "CRONRADAR_API_KEY": _keys,
        "CRONRADAR_BASE_URL": _servers,
        "RADAR_PROTOCOL": st.sampled_from(["", "radar", "cronradar", "x"]),
        "RADAR_PROFILE": st.sampled_from(["", "default", "x"]),
        "RADAR_HOST": st.sampled_from(["", "h"]),
        "RADAR_TZ": st.sampled_from(["", "UTC"]),
        "RADAR_PING_TIMEOUT": st.sampled_from(["", "5", "x"]),
        "RADAR_STATE_DIR": st.just("/somewhere"),
        "RADAR_CA_FILE": st.sampled_from(["", "/ca.pem"]),
    },
)


@given(_environments)
@example({"RADAR_SERVER": "http://h:99999", "RADAR_API_KEY": "k"})
@example({"RADAR_SERVER": "http://h", "RADAR_API_KEY": "a b"})
@example({"RADAR_API_KEY": "k"})
def test_the_short_way_is_the_long_way(variables: dict[str, str]) -> None:
    environ = {
        **variables,
        "HOME": "/nonexistent",
        "RADAR_CONFIG": "/nonexistent/config.toml",
        "RADAR_SYSTEM_CONFIG": "/nonexistent/system.toml",
    }
    short = _from_variables_alone(environ)
    if short is None:
        return  # it leaves that to the long way
    long = Resolved()
    _resolve_profiles(long, [], None, environ)
    assert long.warnings == []
    (destination,) = long.destinations
    assert vars(short) == vars(destination)
    assert short.address() == destination.address()
    assert resolve([], None, environ).secrets == long.secrets


def test_it_takes_the_long_way_when_there_is_a_config_file(tmp_path: Path) -> None:
    environ = dict(os.environ)
    assert _from_variables_alone(environ) is not None
    (tmp_path / "system.toml").touch()
    assert _from_variables_alone(environ) is None


def test_a_profile_takes_its_pings_with_it_to_another_server() -> None:
    one = Destination("radar", server="http://one", profile="prod", key="k")
    other = Destination("radar", server="http://other", profile="prod", key="k2")
    stranger = Destination("radar", server="http://one", profile="staging", key="k")
    assert other.accepts(one.address())
    assert not stranger.accepts(one.address())


def test_the_store_takes_only_what_is_its_own() -> None:
    store = Destination("store", profile="default")
    server = Destination("radar", server="http://h", key="k", is_from_environment=True)
    assert store.accepts({})
    assert not server.accepts({})
    assert not store.accepts(server.address())
    assert store.accepts({"unresolved": "default"})


_BROKEN = {
    "broken": "this is = = no TOML\n",
    "a server that is none": 'server = "nonsense"\n',
    "an unknown protocol": 'protocol = "smoke signals"\n',
}


@pytest.mark.parametrize("name", _BROKEN)
def test_pings_wait_until_the_config_is_mended(name: str, server: Server, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(_BROKEN[name])
    config.chmod(0o600)
    done = run_radar("run", "m", "--", "sh", "-c", "exit 3", text=True)
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)
    assert "config" in done.stderr
    kept = read_pings()
    assert [ping.kind for ping in kept] == ["start", "fail"]

    config.write_text(f'server = "{server.url}"\napi_key = "k1"\n')
    assert run_radar("run", "next", "--", "true").stderr == b""
    assert accepted(server, "m") == facts(kept)
    assert read_pings() == []


def test_pings_wait_for_a_config_that_is_a_directory(server: Server, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.mkdir()
    done = run_radar("run", "m", "--", "true", text=True)
    assert (done.returncode, len(done.stderr.splitlines())) == (0, 1)
    config.rmdir()
    variables = environment(RADAR_SERVER=server.url, RADAR_API_KEY="k1")
    run_radar("run", "next", "--", "true", env=variables)
    assert [ping.kind for ping in server.accepted if ping.monitor == "m"] == ["start", "complete"]


@pytest.mark.parametrize("by_variable", [True, False])
def test_pings_wait_for_a_profile_that_is_unknown(
    by_variable: bool, server: Server, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[profiles.other]\nserver = "http://127.0.0.1:1"\napi_key = "k1"\n')
    config.chmod(0o600)
    words = () if by_variable else ("--to", "prod")
    env = environment(RADAR_PROFILE="prod") if by_variable else environment()
    done = run_radar("run", "m", *words, "--", "true", env=env, text=True)
    (line,) = done.stderr.splitlines()
    assert "no profile 'prod'" in line
    assert kinds() == ["start", "success"]

    config.write_text(f'[profiles.prod]\nserver = "{server.url}"\napi_key = "k1"\n')
    run_radar("run", "next", *words, "--", "true", env=env)
    assert [ping.kind for ping in server.accepted if ping.monitor == "m"] == ["start", "complete"]
    assert kinds() == []


def test_the_default_profile_may_get_a_name(server: Server, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("broken = \n")
    config.chmod(0o600)
    run_radar("run", "m", "--", "true")
    config.write_text(
        f'profile = "prod"\n[profiles.prod]\nserver = "{server.url}"\napi_key = "k1"\n'
    )
    run_radar("run", "next", "--", "true")
    assert [ping.monitor for ping in server.accepted].count("m") == 2


def test_what_the_mended_config_redacts_is_redacted(server: Server, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("broken = \n")
    config.chmod(0o600)
    text = "patient 4711 and the-api-key-itself\nfine\n"
    run_radar("run", "m", "--no-start", "--", "printf", "%s", text)
    assert read_pings()[0].body.decode() == text
    config.write_text(
        f'server = "{server.url}"\napi_key = "the-api-key-itself"\nredact = ["patient [0-9]+"]\n'
    )
    run_radar("run", "next", "--", "true")
    (late,) = (ping for ping in server.accepted if ping.monitor == "m")
    assert late.body == b"[redacted] and [redacted]\nfine\n"


def test_half_a_secret_at_the_cut_does_not_go_out(server: Server, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("broken = \n")
    config.chmod(0o600)
    script = "i=0; while [ $i -lt 9999 ]; do echo patient-4711; i=$((i+1)); done; echo end"
    run_radar("run", "m", "--no-start", "--", "sh", "-c", script)
    config.write_text(f'server = "{server.url}"\napi_key = "k1"\nredact = ["patient-[0-9]+"]\n')
    run_radar("run", "next", "--", "true")
    (late,) = (ping for ping in server.accepted if ping.monitor == "m")
    assert set(late.body.split(b"\n")) == {b"[redacted]", b"end", b""}
    assert int(late.query["omitted"]) > 100_000


def test_a_flag_for_the_server_needs_no_config(server: Server, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("broken = \n")
    env = environment(RADAR_API_KEY="k1")
    done = run_radar("run", "m", "--server", server.url, "--", "true", env=env, text=True)
    assert len(done.stderr.splitlines()) == 1
    assert len(server.accepted) == 2
    assert server.accepted[0].request.headers["authorization"] == "Bearer k1"


def test_a_key_command_that_hangs_does_not_hold_the_run_up(server: Server, tmp_path: Path) -> None:
    server.behave(answers.ok())
    config = tmp_path / "config.toml"
    config.write_text(f'server = "{server.url}"\napi_key = "cmd:sleep 60"\n')
    config.chmod(0o600)
    words = ("run", "m", "--ping-timeout", "0.5", "--")
    done = run_radar(*words, "sh", "-c", "exit 3", timeout=9, text=True)
    assert done.returncode == 3
    assert kinds() == ["start", "fail"]
    assert done.stderr.splitlines() == [
        "radar: m: the start and fail pings are kept in the outbox: no time left to wait for"
        f" api_key from 'cmd:sleep 60' (set in {config})"
    ]


def test_what_the_mended_config_redacts_is_redacted_for_the_store(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("broken = \n")
    config.chmod(0o600)
    run_radar("run", "m", "--", "echo", "patient 4711")
    config.write_text('redact = ["patient [0-9]+"]\n')
    shown = run_radar("status", "m", "-v")
    assert b"[redacted]" in shown.stdout
    assert b"4711" not in shown.stdout
    assert read_pings() == []
