import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.cli.envelopes import read_envelope
from tests.cli.settings import KEY, config, write
from tests.support.radar import run_radar


def rows_of(out: str) -> dict[str, dict[str, str]]:
    return {row["key"]: row for row in csv.DictReader(io.StringIO(out))}


def test_it_lists_every_setting_with_its_origin(user_file: Path, system_file: Path) -> None:
    write(user_file, "tail = 5\n")
    write(system_file, "tail = 6\ntz = 'UTC'\n")
    _, out, _ = config("list", "--show-origin", "--format", "csv", RADAR_HOST="db")
    rows = rows_of(out)
    assert list(rows) == [
        *("profile", "server", "api_key", "protocol", "ca_file", "headers"),
        *("host", "ping_timeout", "tail", "redact"),
        *("keep_pings", "keep_pings_for", "keep_outputs", "keep_outputs_for", "tz"),
    ]
    found = {name: (row["value"], row["origin"]) for name, row in rows.items()}
    assert found["tail"] == ("5", str(user_file))
    assert found["tz"] == ("UTC", str(system_file))
    assert found["host"] == ("db", "environment RADAR_HOST")
    assert found["ping_timeout"] == ("10.0", "default")
    assert found["server"] == ("", "default")


def test_it_hides_secrets_unless_asked(user_file: Path) -> None:
    write(
        user_file,
        f"server = 'https://a.example'\napi_key = '{KEY}'\nheaders.Cookie = 'session=12345678'\n",
    )
    for words in (["list"], ["list", "--json"], ["list", "--format", "csv", "--show-origin"]):
        _, out, err = config(*words)
        assert KEY not in out + err
        assert "12345678" not in out + err
    assert "ck_a…3f" in config("list")[1]
    out = config("list", "--show-secrets")[1]
    assert KEY in out
    assert "Cookie: session=12345678" in out


def test_it_shows_nothing_of_a_short_key() -> None:
    out = config("list", "--format", "csv", RADAR_API_KEY="hunter2")[1]
    assert rows_of(out)["api_key"]["value"] == "…"


def test_it_shows_where_an_indirect_key_is() -> None:
    out = config("list", "--format", "csv", RADAR_API_KEY="file:/run/key")[1]
    assert rows_of(out)["api_key"]["value"] == "file:/run/key"


def test_it_shows_hostile_values_as_escapes(user_file: Path) -> None:
    write(user_file, 'redact = ["\\u001b]0;title\\u0007"]\n')
    for words in (["list"], ["get", "redact"], ["list", "--json"], ["list", "--format", "csv"]):
        assert "\x1b" not in config(*words)[1]
    assert "\\x1b]0;title\\x07" in config("get", "redact")[1]


def test_it_lists_a_profile_whose_server_makes_no_sense(user_file: Path) -> None:
    write(user_file, "server = 'nonsense'\n")
    code, out, err = config("list")
    assert code == 0
    assert out
    assert "is no URL" in err


def test_it_says_which_files_it_looks_at(
    user_file: Path, system_file: Path, state_dir: Path
) -> None:
    write(user_file, "tail = 5\n")
    write(system_file, "tail = = 5\n")
    done = run_radar("config", "path", "--json", text=True)
    entries = {entry["kind"]: entry for entry in read_envelope(done)["data"]}
    assert list(entries) == ["user", "system", "state"]
    assert entries["user"] == {
        "kind": "user",
        "path": str(user_file),
        "exists": True,
        "used": True,
        "problem": None,
        "named_by": "RADAR_CONFIG",
    }
    assert not entries["system"]["used"]
    assert f"{system_file}:1: not valid TOML" in entries["system"]["problem"]
    assert (entries["state"]["path"], entries["state"]["exists"]) == (str(state_dir), False)


@pytest.mark.parametrize(
    ("words", "command", "data"),
    [
        (["get", "tail"], "config get", {"key": "tail", "value": 10_000, "origin": "default"}),
        (["get", "tz"], "config get", {"key": "tz", "value": None, "origin": "default"}),
        (
            ["set", "profiles.work.tail", "5"],
            "config set",
            {"key": "profiles.work.tail", "file": "USER", "rewritten": False},
        ),
    ],
)
def test_it_answers_programs_in_one_envelope(
    user_file: Path, words: list[str], command: str, data: dict[str, Any]
) -> None:
    envelope = read_envelope(run_radar("config", *words, "--json", text=True))
    assert envelope["command"] == command
    assert envelope["data"] == {k: str(user_file) if v == "USER" else v for k, v in data.items()}


def test_it_lists_for_programs_with_units_and_nulls() -> None:
    done = run_radar("config", "list", "--json", text=True)
    data = {entry["key"]: entry["value"] for entry in read_envelope(done)["data"]}
    assert data == {
        "profile": "default",
        "server": None,
        "api_key": None,
        "protocol": "radar",
        "ca_file": None,
        "headers": None,
        "host": None,
        "ping_timeout": 10.0,
        "tail": 10_000,
        "redact": None,
        "keep_pings": 10_000,
        "keep_pings_for": 400 * 86_400.0,
        "keep_outputs": 1000,
        "keep_outputs_for": 90 * 86_400.0,
        "tz": None,
    }
