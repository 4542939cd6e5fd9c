"""`radar login`: a key is checked, and kept where only its owner reads it."""

import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.envelopes import read_envelope
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[RadarServer]:
    with serving(tmp_path / "server") as started:
        yield started


def _login(*words: str, stdin: bytes = b"", key: str = "") -> tuple[int, str, str]:
    env = environment() | ({"RADAR_API_KEY": key} if key else {})
    done = run_radar("login", *words, stdin=stdin, env=env, text=True)
    return done.returncode, done.stdout, done.stderr


def test_a_key_from_stdin_is_used_from_then_on(served: RadarServer, user_file: Path) -> None:
    code, said, _ = _login(served.url, "--key", "-", stdin=served.key.encode() + b"\n")
    assert code == 0
    assert said.startswith(f"{served.url}: the key may ping, read and change all monitors")
    assert served.key not in said
    written = tomllib.loads(user_file.read_text())
    assert written == {"server": served.url, "api_key": served.key}
    assert stat.S_IMODE(user_file.stat().st_mode) == 0o600
    assert run_radar("monitors", "create", "job").returncode == 0
    assert served.request("GET", "/api/v1/monitors/job").status_code == 200


def test_it_keeps_a_profile_and_all_that_is_in_the_file(
    served: RadarServer, user_file: Path
) -> None:
    user_file.write_text("# mine\ntail = '5k'\n")
    user_file.chmod(0o644)
    code, _, notes = _login(served.url, "--profile", "work", key=served.key)
    assert code == 0
    assert "only you can read it now" in notes
    assert stat.S_IMODE(user_file.stat().st_mode) == 0o600
    assert user_file.read_text().startswith("# mine\ntail = '5k'\n")
    work = tomllib.loads(user_file.read_text())["profiles"]["work"]
    assert work == {"server": served.url, "api_key": served.key}


def test_a_wrong_key_is_not_kept(served: RadarServer, user_file: Path) -> None:
    code, _, complaint = _login(served.url, key="ck_app_wrong_key")
    assert (code, user_file.exists()) == (2, False)
    assert "answered 401" in complaint


def test_a_key_for_pings_is_enough_for_a_machine_with_jobs(
    served: RadarServer, user_file: Path
) -> None:
    made = run_radar("server", "keys", "create", env=served.environment(), text=True)
    done = run_radar(
        *("login", served.url, "--key", "-", "--json"), stdin=made.stdout.encode(), text=True
    )
    assert read_envelope(done)["data"]["scope"] == "ping"
    assert user_file.exists()


def test_it_says_what_stands_over_it(served: RadarServer) -> None:
    env = environment() | {"RADAR_SERVER": "http://127.0.0.1:9", "RADAR_API_KEY": served.key}
    done = run_radar("login", served.url, env=env, text=True)
    assert done.returncode == 0
    assert "server from environment RADAR_SERVER overrides it" in done.stderr


@pytest.mark.parametrize(
    ("words", "stdin", "complaint"),
    [
        ((), b"", "no server is named"),
        (("nonsense",), b"", "is no URL"),
        (("http://127.0.0.1:9",), b"", "nobody can be asked for the key"),
        (("http://127.0.0.1:9", "--key", "ck_app_x"), b"", "others can see what stands here"),
        (("http://127.0.0.1:9", "--key", "-"), b"two words", "that is no key"),
        (("http://127.0.0.1:9", "--key", "-"), b"", "that is no key"),
    ],
)
def test_it_says_what_is_missing(
    user_file: Path, words: tuple[str, ...], stdin: bytes, complaint: str
) -> None:
    code, _, said = _login(*words, stdin=stdin)
    assert (code, complaint in said) == (2, True), said
    assert not user_file.exists()


def test_a_server_that_is_not_there_is_named(user_file: Path) -> None:
    code, _, said = _login("http://127.0.0.1:9", key="k")
    assert (code, user_file.exists()) == (3, False)
    assert "can't reach http://127.0.0.1:9" in said


def test_cronradar_cannot_be_asked(user_file: Path) -> None:
    code, said, _ = _login("https://cron.life", key="ck_app_1")
    assert (code, "not checked" in said) == (0, True)
    assert tomllib.loads(user_file.read_text())["server"] == "https://cron.life"
