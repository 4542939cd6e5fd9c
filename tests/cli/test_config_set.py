import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.settings import KEY, config, write
from tests.support.radar import radar_path, run_radar
from tests.support.terminal import Terminal

# set, get, unset


def test_it_sets_and_gets_a_value(user_file: Path) -> None:
    assert config("set", "server", "https://a.example") == (0, f"server set in {user_file}\n", "")
    assert user_file.read_text() == 'server = "https://a.example"\n'
    assert user_file.stat().st_mode & 0o777 == 0o600
    assert config("get", "server") == (0, "https://a.example\n", "")
    assert config("unset", "server") == (0, f"server removed from {user_file}\n", "")
    assert config("get", "server") == (1, "", "")


@pytest.mark.parametrize(
    ("words", "values", "shown"),
    [
        (["tail", "20k"], {"tail": "20k"}, "20000\n"),
        (["tail", "500"], {"tail": 500}, "500\n"),
        (["ping_timeout", "1m"], {"ping_timeout": "1m"}, "60s\n"),
        (["redact", "a\\d+", "b'\"c"], {"redact": ["a\\d+", "b'\"c"]}, "a\\\\d+\nb'\"c\n"),
        (["headers.X-Team", "ops"], {"headers": {"X-Team": "ops"}}, "ops\n"),
        (["tz", "Europe/Berlin"], {"tz": "Europe/Berlin"}, "Europe/Berlin\n"),
        (["protocol", "cronradar"], {"protocol": "cronradar"}, "cronradar\n"),
        (["host", "--", "-db"], {"host": "-db"}, "-db\n"),
        (["api_key", "file:~/key"], {"api_key": "file:~/key"}, "file:~/key\n"),
    ],
)
def test_it_writes_each_kind_of_value(
    user_file: Path, words: list[str], values: dict[str, Any], shown: str
) -> None:
    code, _, err = config("set", *words)
    assert (code, err) == (0, "")
    assert tomllib.loads(user_file.read_text()) == values
    assert config("get", words[0])[1] == shown.replace("\\\\", "\\")


def test_it_writes_into_a_profile_either_way(user_file: Path) -> None:
    assert config("set", "profiles.work.server", "https://w.example")[0] == 0
    assert config("set", "api_key", KEY, "--profile", "work")[0] == 0
    assert config("set", 'profiles."my home".headers.X-Team', "ops")[0] == 0
    assert tomllib.loads(user_file.read_text()) == {
        "profiles": {
            "work": {"server": "https://w.example", "api_key": KEY},
            "my home": {"headers": {"X-Team": "ops"}},
        }
    }
    assert config("get", "profiles.work.server")[1] == "https://w.example\n"
    assert config("get", "server", "--profile", "work")[1] == "https://w.example\n"
    assert config("unset", "profiles.work")[0] == 0
    assert "work" not in user_file.read_text()


def test_it_keeps_comments_and_order(user_file: Path) -> None:
    text = "# mine\ntz = 'UTC'\n\n# the other server\nserver = 'https://a.example' # main\n"
    write(user_file, text)
    assert config("set", "server", "https://b.example")[0] == 0
    assert user_file.read_text() == text.replace("'https://a.example'", '"https://b.example"')


def test_it_keeps_a_copy_of_what_it_has_to_rewrite(user_file: Path) -> None:
    # tomlkit can't take a dotted key out of a table in braces.
    text = "# mine\nprofiles = { work = { tail = 1 }, home.tail = 2 }\n"
    write(user_file, text)
    code, _, err = config("unset", "profiles.home.tail")
    assert code == 0
    assert f"radar: {user_file} had to be written anew" in err
    copy = Path(f"{user_file}.bak")
    assert copy.read_text() == text
    assert tomllib.loads(user_file.read_text())["profiles"]["work"] == {"tail": 1}


def test_it_reads_a_key_from_stdin(user_file: Path) -> None:
    assert config("set", "api_key", "-", stdin=f"{KEY}\n".encode())[0] == 0
    assert tomllib.loads(user_file.read_text()) == {"api_key": KEY}


def test_it_asks_for_a_key_without_showing_it(user_file: Path) -> None:
    with Terminal([str(radar_path()), "config", "set", "api_key", "-"]) as terminal:
        terminal.read_until(rb"api_key: ")
        assert not terminal.has_echo()
        terminal.send(f"{KEY}\n".encode())
        assert terminal.wait() == 0
        assert KEY.encode() not in terminal.screen
    assert tomllib.loads(user_file.read_text()) == {"api_key": KEY}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["servr", "x"], "no setting 'servr' (did you mean 'server'?)"),
        (["server.x", "x"], "no setting 'server.x' ('server' has nothing below it)"),
        (["profiles.work", "x"], "'profiles.work' is a whole profile"),
        (["profiles.work.profile", "x"], "'profile' belongs to no profile"),
        (["profiles.work.tail", "5", "--profile", "home"], "no key of profile 'home'"),
        (["a = 1\nb", "x"], "bad key"),
        (["", "x"], "bad key"),
        (["server", "radar.example"], "is no URL"),
        (["server", "https://a", "https://b"], "takes one value, not 2"),
        (["ping_timeout", "soon"], "bad duration 'soon'"),
        (["tail", "5x"], "bad size '5x'"),
        (["protocol", "radr"], "one of radar, cronradar"),
        (["redact", "ok", "("], "'(' is no regex"),
        (["tz", "Mars/Base"], "no timezone 'Mars/Base'"),
        (["tz", "../../etc/passwd"], "no timezone"),
        (["ca_file", "/nonexistent.pem"], "/nonexistent.pem: no such file"),
        (["headers", "X: y"], "headers are set one by one"),
        (['headers."a b"', "y"], "can't be the name of a header"),
        (["headers.A", "x\ny"], "more than printable ASCII"),
        (["host", "a\x1b"], "control character"),
        (["api_key", "two words"], "holds a space"),
        (["profile", "work"], "no profile 'work'"),
    ],
)
def test_it_refuses_what_would_not_work(user_file: Path, words: list[str], message: str) -> None:
    code, out, err = config("set", *words)
    assert (code, out) == (2, "")
    assert err.startswith("radar: ")
    assert err.count("\n") == 1
    assert message in err
    assert not user_file.exists()


def test_it_does_not_touch_a_broken_file(user_file: Path) -> None:
    write(user_file, "server = = 1\n")
    for words in (["set", "tail", "5"], ["unset", "tail"], ["get", "tail"], ["list"]):
        code, out, err = config(*words)
        assert (code, out) == (2, "")
        assert f"{user_file}:1: not valid TOML" in err
    assert user_file.read_text() == "server = = 1\n"


def test_it_says_that_there_is_nothing_to_unset(user_file: Path) -> None:
    code, out, err = config("unset", "tail")
    assert (code, out) == (1, "")
    assert err.startswith(f"radar: tail is not set in {user_file}")
    assert config("unset", "profiles.default")[0] == 2
    assert not user_file.exists()


def test_it_says_what_stands_over_a_value_that_was_set(user_file: Path) -> None:
    _, _, err = config("set", "tail", "5", RADAR_TAIL="6")
    assert err == "radar: environment RADAR_TAIL overrides it\n"
    _, _, err = config("set", "tail", "7", "--system")
    assert err == f"radar: {user_file} overrides it\n"


def test_it_warns_when_a_key_lands_in_a_file_that_others_can_read(user_file: Path) -> None:
    write(user_file, "server = 'https://a.example'\n")
    user_file.chmod(0o644)
    _, _, err = config("set", "api_key", KEY)
    assert f"chmod 600 {user_file}" in err
    assert KEY not in err


def test_it_writes_the_systems_file_for_all_but_its_keys(system_file: Path) -> None:
    assert config("set", "server", "https://a.example", "--system")[1] == (
        f"server set in {system_file}\n"
    )
    assert system_file.stat().st_mode & 0o777 == 0o644
    assert config("get", "server")[1] == "https://a.example\n"
    system_file.unlink()
    config("set", "api_key", KEY, "--system")
    assert system_file.stat().st_mode & 0o777 == 0o600


def test_it_takes_a_relative_path_from_where_the_person_is(user_file: Path, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here/ca.pem").touch()
    words = ["config", "set", "ca_file", "ca.pem"]
    assert run_radar(*words, cwd=tmp_path / "here").returncode == 0
    assert tomllib.loads(user_file.read_text()) == {"ca_file": f"{tmp_path}/here/ca.pem"}
