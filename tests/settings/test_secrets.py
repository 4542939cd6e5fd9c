import os
import signal
import sys
import time
from pathlib import Path

import pytest

from radar_cli.core.errors import ConfigError
from radar_cli.settings import secrets
from radar_cli.settings.files import ConfigFile
from radar_cli.settings.profiles import Config
from radar_cli.settings.table import Setting
from tests.settings.conftest import Loader

SERVER = "server = 'https://a.example'\n"


def key_of(config: Config) -> str:
    return config.profile(None, explicit=False).api_key()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("ck_file\n")
    path.chmod(0o600)
    return path


def test_it_reads_a_key_from_a_file(load_with: Loader, key_file: Path) -> None:
    config = load_with(SERVER + f"api_key = 'file:{key_file}'")
    assert key_of(config) == "ck_file"
    assert config.warnings == []


@pytest.mark.parametrize("spelling", ["file:key", "file: key", "file:~/key"])
def test_it_finds_a_key_beside_its_config_file_or_at_home(
    load_with: Loader, key_file: Path, spelling: str
) -> None:
    assert key_file.exists()
    assert key_of(load_with(SERVER + f"api_key = '{spelling}'")) == "ck_file"


def test_it_warns_of_a_key_file_that_others_can_read(load_with: Loader, key_file: Path) -> None:
    key_file.chmod(0o644)
    config = load_with(SERVER + f"api_key = 'file:{key_file}'")
    assert key_of(config) == "ck_file"
    assert config.warnings == [f"{key_file}: others can read this key (chmod 600 {key_file})"]


def test_it_runs_a_command_without_a_shell(load_with: Loader) -> None:
    config = load_with(SERVER + """api_key = 'cmd:printf "%s\\n" "$HOME;x"'""")
    assert key_of(config) == "$HOME;x"


def test_it_takes_an_indirection_from_the_environment(load_with: Loader, key_file: Path) -> None:
    assert key_of(load_with(SERVER, RADAR_API_KEY=f"file:{key_file}")) == "ck_file"
    assert key_of(load_with(SERVER, RADAR_API_KEY="cmd:echo ck_cmd")) == "ck_cmd"


def test_it_hands_the_environment_to_the_command(load_with: Loader) -> None:
    assert key_of(load_with(SERVER + "api_key = 'cmd:printenv VAULT'", VAULT="v1")) == "v1"


def test_it_runs_a_command_once(load_with: Loader, tmp_path: Path) -> None:
    log = tmp_path / "log"
    config = load_with(SERVER + f"api_key = 'cmd:sh -c \"echo x >> {log}; echo ck_1\"'")
    assert not log.exists()
    assert [key_of(config), key_of(config)] == ["ck_1", "ck_1"]
    assert log.read_text() == "x\n"


@pytest.mark.parametrize(
    ("api_key", "message"),
    [
        ("file:/nonexistent/key", "/nonexistent/key: no such file"),
        ("file:/", "/: a directory"),
        ("file:/dev/null", "is empty"),
        ("cmd:", "names no command"),
        ("cmd:'", "No closing quotation"),
        ("cmd:true", "is empty"),
        ("cmd:printf 'a b'", "not one word"),
        ("cmd:printf 'a\\r\\nX: y'", "not one word"),
        ("cmd:printf '\\377'", "not one word"),
        ("cmd:radar-no-such-program", "No such file"),
        ("cmd:sh -c 'echo noise; echo locked >&2; exit 3'", "sh failed with 3: locked"),
        ("two words", "holds a space"),
    ],
)
def test_it_says_why_there_is_no_key(load_with: Loader, api_key: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        key_of(load_with(SERVER, RADAR_API_KEY=api_key))
    assert caught.value.slug == "secret"
    assert message in caught.value.message
    assert "RADAR_API_KEY" in caught.value.line()


def test_it_refuses_a_key_that_is_no_string(load_with: Loader, user_file: Path) -> None:
    config = load_with(SERVER + "api_key = 5")
    assert "api_key must be a string" in config.warnings[0]
    with pytest.raises(ConfigError, match=str(user_file)):
        key_of(config)


def test_it_gives_up_on_a_command_that_hangs(
    load_with: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT_S", 0.3)
    start = time.monotonic()
    with pytest.raises(ConfigError, match=r"sleep gave no key within 0\.3 s"):
        key_of(load_with(SERVER + "api_key = 'cmd:sleep 60'"))
    assert time.monotonic() - start < 30


def test_it_does_not_give_the_command_our_stdin(load_with: Loader) -> None:
    config = load_with(SERVER + "api_key = 'cmd:readlink /proc/self/fd/0'")
    assert key_of(config) == "/dev/null"


def test_it_runs_no_command_from_a_file_that_anybody_can_write(
    load_with: Loader, user_file: Path
) -> None:
    load_with(SERVER + "api_key = 'cmd:echo ck_1'")
    user_file.chmod(0o666)
    with pytest.raises(ConfigError, match="anybody can write"):
        key_of(load_with())


@pytest.mark.parametrize(
    ("mode", "why"),
    [(0o664, "its group can write"), (0o620, "its group can write"), (0o602, "anybody can write")],
)
def test_it_runs_no_command_from_a_file_that_others_can_write(
    load_with: Loader, user_file: Path, mode: int, why: str
) -> None:
    load_with(SERVER + f"api_key = 'cmd:touch {user_file}.ran'")
    user_file.chmod(mode)
    with pytest.raises(ConfigError, match=why) as caught:
        key_of(load_with())
    letter = "o" if why.startswith("any") else "g"
    assert caught.value.hint == f"chmod {letter}-w {user_file}"
    assert not Path(f"{user_file}.ran").exists()
    user_file.chmod(0o644)
    with pytest.raises(ConfigError, match="is empty"):
        key_of(load_with())
    assert Path(f"{user_file}.ran").exists()


@pytest.mark.parametrize("mode", [0o775, 0o777, 0o1777])
@pytest.mark.parametrize("is_link", [False, True])
def test_it_runs_no_command_where_others_can_replace_the_file(
    tmp_path: Path, mode: int, is_link: bool
) -> None:
    outer = tmp_path / "outer"
    (outer / "inner").mkdir(parents=True)
    path = outer / "inner" / "config.toml"
    if is_link:
        (tmp_path / "real.toml").touch()
        path.symlink_to(tmp_path / "real.toml")
    outer.chmod(mode)
    source = ConfigFile(str(path), "", {}, os.geteuid(), 0o600)
    setting = Setting("cmd:echo ck_1", source.path, source=source)
    if mode == 0o1777:  # where nobody can touch what is another's
        assert secrets.read_secret(setting, {}, []) == "ck_1"
        return
    with pytest.raises(ConfigError, match=f"others can write to its folder {outer}") as caught:
        secrets.read_secret(setting, {}, [])
    assert caught.value.hint == f"chmod go-w {outer}"


def test_it_does_not_mind_who_can_write_above_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "homes/ann").mkdir(parents=True)
    (tmp_path / "homes").chmod(0o777)
    monkeypatch.setenv("HOME", str(tmp_path / "homes/ann"))
    path = tmp_path / "homes/ann/config.toml"
    source = ConfigFile(str(path), "", {}, os.geteuid(), 0o600)
    setting = Setting("cmd:echo ck_1", source.path, source=source)

    assert secrets.read_secret(setting, {}, []) == "ck_1"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a folder of another user")
def test_it_runs_no_command_from_another_users_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    source = ConfigFile(str(tmp_path / "config.toml"), "", {}, os.geteuid(), 0o600)
    setting = Setting("cmd:echo ck_1", source.path, source=source)
    with pytest.raises(ConfigError, match="belongs to another user"):
        secrets.read_secret(setting, {}, [])


def test_it_runs_no_command_from_another_users_file() -> None:
    source = ConfigFile("/home/bob/config.toml", "", {}, os.geteuid() + 1, 0o600)
    setting = Setting("cmd:echo ck_1", source.path, source=source)
    with pytest.raises(ConfigError, match="belongs to another user"):
        secrets.read_secret(setting, {}, [])


@pytest.mark.parametrize("asks", ["len(s.pthread_sigmask(s.SIG_BLOCK, ()))", "s.alarm(0) > 0"])
def test_the_command_hears_signals_and_ends_in_any_case(load_with: Loader, asks: str) -> None:
    config = load_with(
        SERVER + f"""api_key = 'cmd:{sys.executable} -c "import signal as s; print({asks})"'"""
    )
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:  # as the wrapper does
        assert key_of(config) in ("0", "True")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
