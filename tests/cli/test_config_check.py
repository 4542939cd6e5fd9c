import os
from pathlib import Path

import pytest

from tests.cli.envelopes import read_envelope
from tests.cli.settings import KEY, config, write
from tests.support.radar import run_radar


def test_it_finds_nothing_wrong_with_good_settings(user_file: Path) -> None:
    write(
        user_file,
        "server = 'https://a.example'\napi_key = 'cmd:echo k'\n[profiles.work]\ntz = 'UTC'\n",
    )
    assert config("check") == (0, f"{user_file}: fine\n", "")
    done = run_radar("config", "check", "--json", text=True)
    assert read_envelope(done)["data"] == {"problems": []}


def test_it_finds_everything_at_once(user_file: Path, system_file: Path, tmp_path: Path) -> None:
    write(
        user_file,
        f"""profile = "wrok"
servr = "https://a.example"
api_key = "{KEY}"
ca_file = "missing.pem"

[profiles.work]
server = "a.example"
redact = ["ok", "("]
tz = "Mars/Base"
api_key = "file:missing.key"
headers = {{ "a b" = "1" }}
""",
    )
    user_file.chmod(0o644)
    write(system_file, "tail = 1\nping_timeout = = 5\n")
    code, out, err = config("check", RADAR_TAIL="much")
    assert code == 2
    lines = out.splitlines()
    expected = [
        f"{system_file}:2: not valid TOML: ",
        "environment RADAR_TAIL: tail: bad size 'much'",
        f"{user_file}:2: unknown key 'servr' (did you mean 'server'?)",
        f"{user_file}:3: holds a key and others can read it (chmod 600 {user_file})",
        f"{user_file}:11: headers: 'a b' can't be the name",
        f"{user_file}:7: server 'a.example' is no URL",
        f"{user_file}:1: no profile 'wrok', named by {user_file} (did you mean 'work'?)",
        f"{user_file}:4: ca_file: {tmp_path}/missing.pem: no such file",
        f"{user_file}:10: api_key: {tmp_path}/missing.key: no such file",
        f"{user_file}:8: redact: '(' is no regex",
        f"{user_file}:9: tz: no timezone 'Mars/Base'",
    ]
    for line in expected:
        assert [found for found in lines if found.startswith(line)], (line, out)
    assert len(lines) == len(expected)
    assert err == f"radar: {len(expected)} problems in the settings\n"
    assert KEY not in out


def test_it_reports_problems_to_programs(user_file: Path) -> None:
    write(user_file, "\nservr = 1\n")
    done = run_radar("config", "check", "--json", text=True)
    envelope = read_envelope(done)
    assert done.returncode == 2
    assert envelope["error"] == {
        "slug": "config-problems",
        "message": "1 problem in the settings",
        "hint": "",
    }
    assert envelope["data"]["problems"] == [
        {
            "file": str(user_file),
            "line": 2,
            "message": "unknown key 'servr'",
            "hint": "did you mean 'server'?",
        }
    ]


def test_it_says_that_a_named_file_is_missing(user_file: Path) -> None:
    code, out, _ = config("check")
    assert code == 2
    assert out.startswith(f"{user_file}: RADAR_CONFIG names this file, which does not exist")
    assert config("check", RADAR_CONFIG="/dev/null")[0] == 0


def test_it_keeps_its_stdin_from_a_key_command() -> None:
    code, out, _ = config(
        "check", stdin=b"secret", RADAR_CONFIG="/dev/null", RADAR_API_KEY="cmd:cat"
    )
    assert code == 2
    assert "api_key from 'cmd:cat' is empty" in out


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_it_finds_a_file_that_cannot_be_read(user_file: Path) -> None:
    write(user_file, "tail = 5\n")
    user_file.chmod(0)
    code, out, _ = config("check")
    assert code == 2
    assert f"{user_file}: can't be read: Permission denied" in out
