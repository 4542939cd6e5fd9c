import os
import pwd

import pytest

from radar_cli.core.places import (
    expand_home,
    state_directory,
    system_config_file,
    user_config_file,
)


def test_it_follows_the_xdg_directories() -> None:
    environ = {"HOME": "/home/ann", "XDG_CONFIG_HOME": "/xdg/config/"}
    assert user_config_file(environ) == "/xdg/config/radar/config.toml"


def test_it_falls_back_to_the_home_directory() -> None:
    assert user_config_file({"HOME": "/home/ann/"}) == "/home/ann/.config/radar/config.toml"


def test_it_ignores_a_relative_xdg_directory() -> None:
    environ = {"HOME": "/home/ann", "XDG_CONFIG_HOME": "config"}
    assert user_config_file(environ) == "/home/ann/.config/radar/config.toml"


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}])
def test_it_asks_the_user_database_without_home(environ: dict[str, str]) -> None:
    home = pwd.getpwuid(os.geteuid()).pw_dir.rstrip("/")
    assert user_config_file(environ) == f"{home}/.config/radar/config.toml"


def test_it_survives_a_user_whom_no_database_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 3_999_999_999)
    assert user_config_file({}) == "/.config/radar/config.toml"
    assert state_directory({}) == "/.local/state/radar"


def test_it_lets_variables_name_the_files() -> None:
    environ = {"HOME": "/home/ann", "RADAR_CONFIG": "~/r.toml", "RADAR_SYSTEM_CONFIG": "/s.toml"}
    assert user_config_file(environ) == "/home/ann/r.toml"
    assert system_config_file(environ) == "/s.toml"
    assert system_config_file({}) == "/etc/radar/config.toml"


def test_it_keeps_the_state_of_root_in_var_lib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert state_directory({"HOME": "/root", "XDG_STATE_HOME": "/x"}) == "/var/lib/radar"
    assert state_directory({"RADAR_STATE_DIR": "/mnt/radar"}) == "/mnt/radar"


def test_it_keeps_the_state_of_others_in_their_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert state_directory({"HOME": "/home/ann"}) == "/home/ann/.local/state/radar"
    assert state_directory({"HOME": "/home/ann", "XDG_STATE_HOME": "/x"}) == "/x/radar"
    assert state_directory({"HOME": "/"}) == "/.local/state/radar"


def test_it_expands_only_a_leading_tilde_of_its_own() -> None:
    environ = {"HOME": "/home/ann"}
    assert expand_home("~/key", environ) == "/home/ann/key"
    assert expand_home("~bob/key", environ) == "~bob/key"
    assert expand_home("/a/~/key", environ) == "/a/~/key"
