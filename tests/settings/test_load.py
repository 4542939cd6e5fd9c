import os
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar_cli.core.errors import ConfigError
from radar_cli.settings.profiles import load
from tests.settings.conftest import Loader


def test_it_needs_no_file_and_no_variable(load_with: Loader) -> None:
    config = load_with()
    profile = config.profile(None, explicit=False)
    assert (profile.name, profile.server, profile.protocol) == ("default", "", "radar")
    assert (profile.ping_timeout_s, profile.tail_bytes) == (None, None)
    assert (profile.headers, profile.redact, profile.host, profile.tz) == ({}, [], "", "")
    assert profile.api_key() == ""
    assert config.warnings == []


def test_it_reads_every_setting_of_a_file(load_with: Loader, user_file: Path) -> None:
    config = load_with(
        """
        server = "https://radar.example/base/"
        api_key = "ck_1"
        protocol = "cronradar"
        ca_file = "ca.pem"
        host = "db-1"
        ping_timeout = "1m"
        tail = "20k"
        redact = ['pw=\\S+']
        tz = "Europe/Berlin"
        headers = { X-Team = "ops" }
        """
    )
    profile = config.profile(None, explicit=False)
    assert profile.server == "https://radar.example/base"
    assert profile.api_key() == "ck_1"
    assert profile.protocol == "cronradar"
    assert profile.ca_file == str(user_file.parent / "ca.pem")
    assert profile.host == "db-1"
    assert profile.ping_timeout_s == 60
    assert profile.tail_bytes == 20_000
    assert profile.redact == ["pw=\\S+"]
    assert profile.tz == "Europe/Berlin"
    assert profile.headers == {"X-Team": "ops"}
    assert profile.setting("tail").origin == str(user_file)
    assert config.warnings == []


def test_it_reads_every_setting_of_the_environment(load_with: Loader) -> None:
    config = load_with(
        RADAR_SERVER="https://radar.example",
        RADAR_API_KEY="ck_1",
        RADAR_PROTOCOL="cronradar",
        RADAR_CA_FILE="~/ca.pem",
        RADAR_HEADERS="X-Team: ops\nX-Two:  2\n",
        RADAR_HOST="db-1",
        RADAR_PING_TIMEOUT="90",
        RADAR_TAIL="20k",
        RADAR_REDACT="a\nb,c",
        RADAR_TZ="UTC",
        HOME="/home/ann",
    )
    profile = config.profile(None, explicit=False)
    assert profile.api_key() == "ck_1"
    assert profile.protocol == "cronradar"
    assert profile.ca_file == "/home/ann/ca.pem"
    assert profile.headers == {"X-Team": "ops", "X-Two": "2"}
    assert profile.ping_timeout_s == 90
    assert profile.redact == ["a", "b,c"]
    assert profile.setting("tail").origin == "environment RADAR_TAIL"
    assert config.warnings == []


def test_it_takes_an_empty_variable_as_not_set(load_with: Loader) -> None:
    config = load_with("server = 'https://a.example'", RADAR_SERVER="")
    assert config.profile(None, explicit=False).server == "https://a.example"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = 1\nserver = = 2\n", ":2: not valid TOML"),
        (b"server = 'https://a.example", ": not valid TOML"),
        (b"a = 1\nb = '\xff'\n", ":2: not UTF-8"),
        (b"# " + b"x" * (1 << 20), ": more than 1 MiB"),
        (b"a = " + b"[" * 100_000, ": not valid TOML"),
        (b"a = " + b"9" * 10_000, ": not valid TOML"),
    ],
    ids=["syntax", "unfinished", "encoding", "size", "nesting", "digits"],
)
def test_it_names_the_file_and_line_of_a_broken_file(
    load_with: Loader, user_file: Path, content: bytes, message: str
) -> None:
    user_file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_with()
    assert caught.value.slug == "broken-config"
    assert caught.value.message.startswith(str(user_file) + message)
    assert caught.value.hint


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | st.text("[]{}=\".'#\n\\ab01-:T", max_size=40))
def test_it_raises_nothing_but_config_errors_for_any_file(
    user_file: Path, load_with: Loader, content: bytes | str
) -> None:
    user_file.write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        config = load_with()
        config.profile(None, explicit=False)
    except ConfigError:
        pass
    else:
        assert all("\n" not in line for line in config.warnings)


def test_it_refuses_a_directory_in_place_of_the_file(load_with: Loader, user_file: Path) -> None:
    user_file.mkdir()
    with pytest.raises(ConfigError, match="a directory"):
        load_with()


def test_it_does_not_wait_for_the_writer_of_a_pipe(load_with: Loader, user_file: Path) -> None:
    os.mkfifo(user_file)
    with pytest.raises(ConfigError, match="not a regular file"):
        load_with()


def test_it_refuses_a_socket(load_with: Loader, user_file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(user_file))
        with pytest.raises(ConfigError, match="can't be read"):
            load_with()


def test_it_takes_dev_null_as_no_settings(load_with: Loader) -> None:
    config = load_with(RADAR_CONFIG="/dev/null", RADAR_SYSTEM_CONFIG="/dev/null")
    assert config.profile(None, explicit=False).server == ""
    assert config.warnings == []


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("servr = 'x'", "unknown key 'servr' (did you mean 'server'?)"),
        ("[profiles.work]\nta = 1", "unknown key 'profiles.work.ta'"),
        ("[profiles.work]\nprofile = 'x'", "belongs at the top"),
        ("[profile.work]\ntail = 1", "profile must be a string (tables of settings are written"),
        ("profiles = 1", "profiles must be tables"),
        ("[profiles]\nserver = 'x'", "profiles.server must be a table"),
        ("tail = true", "tail must be a number of bytes"),
        ("tail = [1]", "tail must be a number of bytes"),
        ("tail = '5 apples'", "tail: bad size '5 apples'"),
        ("ping_timeout = 'soon'", "ping_timeout: bad duration 'soon'"),
        ("ping_timeout = nan", "ping_timeout: bad duration"),
        ("redact = 'one'", "redact must be a list of strings"),
        ("redact = [1]", "redact must be a list of strings"),
        ("headers = 1", "headers must be a table"),
        ("headers = { A = 1 }", "headers must be a table"),
        ('headers = { "A B" = "1" }', "'A B' can't be the name of a header"),
        ('headers = { Content-Length = "1" }', "can't be the name of a header"),
        ('headers = { A = "1\\r\\nB: 2" }', "more than printable ASCII"),
        ('host = "a\\u001b[2J"', "host holds a control character"),
        ("tz = 1", "tz must be a string"),
    ],
)
def test_it_warns_of_what_it_cannot_use_and_uses_the_default(
    load_with: Loader, user_file: Path, text: str, warning: str
) -> None:
    config = load_with(text)
    profile = config.profile(None, explicit=False)
    assert len(config.warnings) == 1
    assert config.warnings[0].startswith(f"{user_file}: ")
    assert warning in config.warnings[0]
    assert (profile.tail_bytes, profile.ping_timeout_s) == (None, None)
    assert (profile.headers, profile.redact, profile.host) == ({}, [], "")


def test_it_warns_of_a_bad_variable(load_with: Loader) -> None:
    config = load_with("tail = 5", RADAR_TAIL="much", RADAR_HEADERS="nonsense")
    assert config.profile(None, explicit=False).tail_bytes == 5
    assert [line.partition(":")[0] for line in config.warnings] == [
        "environment RADAR_HEADERS",
        "environment RADAR_TAIL",
    ]


@pytest.mark.parametrize(
    "text",
    ["server = 5", "server = 'radar.example'", "protocol = 'radr'", "protocol = []"],
)
def test_it_never_guesses_where_pings_go(load_with: Loader, user_file: Path, text: str) -> None:
    config = load_with(f"{text}\n")
    assert len(config.warnings) == 1
    with pytest.raises(ConfigError, match=str(user_file)):
        config.profile(None, explicit=False)


def test_it_does_not_mind_a_bad_server_that_another_source_replaces(load_with: Loader) -> None:
    config = load_with("server = 5", RADAR_SERVER="https://a.example")
    assert config.profile(None, explicit=False).server == "https://a.example"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_it_warns_of_a_key_that_others_can_read(
    load_with: Loader, user_file: Path, mode: int
) -> None:
    load_with("[profiles.work]\napi_key = 'ck_secret'")
    user_file.chmod(mode)
    (warning,) = load_with().warnings
    assert f"(chmod 600 {user_file})" in warning
    assert "ck_secret" not in warning


@pytest.mark.parametrize("text", ["api_key = 'file:/k'", "api_key = 'cmd:pass k'", "tail = 1"])
def test_it_lets_others_read_a_file_without_a_key(
    load_with: Loader, user_file: Path, text: str
) -> None:
    load_with(text)
    user_file.chmod(0o644)
    assert load_with().warnings == []


def test_it_guesses_which_profile_was_meant(load_with: Loader) -> None:
    config = load_with("[profiles.work]\ntail = 1\n[profiles.home]\ntail = 2")
    assert config.profile_names() == ["default", "home", "work"]
    with pytest.raises(ConfigError) as caught:
        config.profile("wrok", explicit=True)
    assert caught.value.slug == "unknown-profile"
    assert caught.value.line() == "no profile 'wrok' (did you mean 'work'?)"


def test_it_says_who_named_an_unknown_profile(load_with: Loader, user_file: Path) -> None:
    config = load_with("profile = 'work'")
    with pytest.raises(ConfigError, match=f"no profile 'work', named by {user_file}"):
        config.profile(None, explicit=False)
    config = load_with("", RADAR_PROFILE="home")
    with pytest.raises(ConfigError, match="named by environment RADAR_PROFILE"):
        config.profile(None, explicit=False)


def test_it_reads_a_file_once_that_is_both_the_users_and_the_systems(
    load_with: Loader, user_file: Path
) -> None:
    config = load_with("nonsense = 1", RADAR_SYSTEM_CONFIG=str(user_file))
    assert len(config.warnings) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's file: root only")
def test_it_lets_people_work_beside_a_system_file_that_is_not_theirs(
    load_with: Loader, system_file: Path, user_file: Path, tmp_path: Path
) -> None:
    load_with(user="server = 'https://mine.example'", system="server = 'https://a.example'")
    for directory in (tmp_path, *tmp_path.parents):
        if directory.stat().st_mode & 0o001 == 0:
            directory.chmod(directory.stat().st_mode | 0o011)
    user_file.chmod(0o644)
    os.seteuid(65534)
    try:
        config = load_with()
        assert config.profile(None, explicit=False).server == "https://mine.example"
        assert str(system_file) in config.warnings[0]
        # Without a server of their own, it can't be known where their pings go.
        config = load_with(RADAR_CONFIG="/dev/null")
        with pytest.raises(ConfigError) as caught:
            config.profile(None, explicit=False)
        assert caught.value.slug == "unreadable-config"
    finally:
        os.seteuid(0)


def test_it_reads_the_real_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADAR_HOST", "db-1")
    assert load(os.environ).profile(None, explicit=False).host == "db-1"
