"""`radar server --print-unit`: a unit that systemd takes, and that serves as it was called."""

import contextlib
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from radar_cli.server.runtime.unit import Unit, quote
from tests.support import processes
from tests.support.ports import free_port
from tests.support.radar import environment, radar_path, run_radar
from tests.support.requirements import require_program, require_root
from tests.support.waiting import wait_until


def _print(*words: str, **variables: str) -> str:
    env = {**environment(), **variables}
    done = run_radar("server", *words, "--print-unit", env=env, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _values(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)


def _verify(unit: str, folder: Path) -> None:
    """Ask systemd, where it is."""
    if program := shutil.which("systemd-analyze"):
        file = folder / "radar.service"
        file.write_text(unit)
        done = subprocess.run(
            [program, "verify", file], capture_output=True, text=True, timeout=60, check=False
        )
        said = [line for line in done.stderr.splitlines() if "radar.service" in line]
        assert said == [], done.stderr


def test_it_serves_as_it_was_called(tmp_path: Path) -> None:
    """By the very line that the unit has."""
    port, state = free_port(), tmp_path / "a state"
    log = tmp_path / "100% of it.log"
    unit = _print(
        *("--bind", f"127.0.0.1:{port}", "--allowed-host", "a.example", "--allowed-host", "b"),
        *("--limit-loopback", "--access-log", str(log)),
        RADAR_STATE_DIR=str(state),
        RADAR_TZ="Europe/Zurich",
    )
    _verify(unit, tmp_path)
    (line,) = _values(unit, "ExecStart")
    words = [_unquote(each) for each in re.findall(r'"(?:[^"\\]|\\.)*"|\S+', line)]
    assert words == [
        *(str(radar_path()), "server", "--bind", f"127.0.0.1:{port}"),
        *("--allowed-host", "a.example", "--allowed-host", "b"),
        *("--access-log", str(log), "--limit-loopback"),
    ]
    env = dict(_unquote(each).split("=", 1) for each in _values(unit, "Environment"))
    assert env["RADAR_STATE_DIR"] == str(state)
    assert env["RADAR_TZ"] == "Europe/Zurich"
    assert [_unquote(path) for path in _values(unit, "ReadWritePaths")] == [
        str(state),
        str(tmp_path),
    ]
    assert not state.exists()
    served = processes.remember(subprocess.Popen(words, env={**environment(), **env}, stderr=-3))

    def answers() -> bool:
        assert served.poll() is None
        url = f"http://127.0.0.1:{port}/healthz"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    wait_until(answers, 20)
    assert (state / "radar.db").exists()


def _unquote(word: str) -> str:
    plain = re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word
    return plain.replace("%%", "%").replace("$$", "$")


def test_no_password_is_in_it(tmp_path: Path) -> None:
    secret = "postgresql://radar:s3cret@db/radar"
    by_option = _print("--database", secret)
    by_variable = _print(RADAR_DATABASE=secret)
    for unit in (by_option, by_variable):
        assert "s3cret" not in unit
        assert "--database" not in unit
        assert _values(unit, "EnvironmentFile") == ["/etc/radar/server.env"]
        assert "postgresql.service" in unit
    _verify(by_option.replace("EnvironmentFile=", "EnvironmentFile=-"), tmp_path)
    plain = _print("--database", "postgresql://radar@db/radar")
    assert _values(plain, "EnvironmentFile") == []
    assert "--database postgresql://radar@db/radar" in plain
    file = _print("--database", f"sqlite://{tmp_path}/other/radar.db")
    assert f"{tmp_path}/other" in _values(file, "ReadWritePaths")


def test_what_channels_start_is_not_kept_from_its_work(tmp_path: Path) -> None:
    strict = _print()
    assert _values(strict, "ProtectSystem") == ["strict"]
    assert _values(strict, "NoNewPrivileges") == ["yes"]
    for setting in ("notify.mail.email me@example.com", "notify.pager.command /usr/bin/true"):
        assert run_radar("config", "set", *setting.split()).returncode == 0
        unit = _print()
        assert _values(unit, "ProtectSystem") == ["full"]
        assert _values(unit, "NoNewPrivileges") == []
        _verify(unit, tmp_path)
        assert run_radar("config", "unset", setting.split()[0]).returncode == 0


def test_what_cannot_be_served_is_no_unit() -> None:
    done = run_radar("server", "--bind", "nowhere", "--print-unit", text=True)
    assert (done.returncode, done.stdout) == (2, "")


def _unit(**given: object) -> str:
    plain: dict[str, object] = {
        "program": ("/opt/radar/bin/radar",),
        "words": ("server",),
        "state_directory": "/var/lib/radar",
        "user": "",
        "port": 8321,
    }
    return Unit(**{**plain, **given}).text()  # type: ignore[arg-type]  # by name, as given


def test_systemd_makes_the_state_directory_where_it_can(tmp_path: Path) -> None:
    unit = _unit()
    assert _values(unit, "StateDirectory") == ["radar"]
    assert _values(unit, "ReadWritePaths") == []
    assert _values(unit, "ProtectHome") == ["yes"]
    at_home = _unit(state_directory="/home/ops/.local/state/radar", user="ops")
    assert _values(at_home, "ReadWritePaths") == ["/home/ops/.local/state/radar"]
    assert _values(at_home, "ProtectHome") == ["read-only"]
    assert _values(at_home, "User") == ["ops"]
    low = _unit(port=443, user="radar")
    assert _values(low, "AmbientCapabilities") == ["CAP_NET_BIND_SERVICE"]
    assert _values(low, "CapabilityBoundingSet") == ["CAP_NET_BIND_SERVICE"]
    assert _values(unit, "CapabilityBoundingSet") == [""]
    for number, each in enumerate((unit, low)):
        (folder := tmp_path / str(number)).mkdir()
        _verify(
            each.replace("/opt/radar/bin/radar", "/bin/true").replace("=radar\n", "=root\n"), folder
        )


def test_another_user_has_a_unit_of_their_own() -> None:
    require_root("to be another user")
    # This Python may lie where only root may look.
    paths = "+dac_override,+dac_read_search"
    prefix = [require_program("setpriv"), "--reuid=65534", "--clear-groups"]
    prefix += ["--inh-caps", paths, "--ambient-caps", paths]
    env = environment(RADAR_STATE_DIR="/nowhere", RADAR_CONFIG="/nowhere/config.toml")
    done = run_radar("server", "--print-unit", env=env, prefix=prefix, text=True)
    assert "User=nobody\n" in done.stdout


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("two words", '"two words"'),
        ("100%", "100%%"),
        ("$HOME", "$$HOME"),
        ('a"b\\c', '"a\\"b\\\\c"'),
    ],
)
def test_words_are_quoted_for_systemd(word: str, quoted: str) -> None:
    assert quote(word) == quoted
