"""`radar doctor`: each thing that stands in radar's way has a remark and a hint."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radar_cli import __version__
from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import Outbox
from tests.cli.envelopes import read_envelope
from tests.support import answers
from tests.support.installation import Installation
from tests.support.namespaces import as_user
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.server import Server


@pytest.fixture
def served(tmp_path: Path) -> Iterator[RadarServer]:
    with serving(tmp_path / "server") as started:
        yield started


@pytest.fixture(autouse=True)
def _config(user_file: Path) -> None:
    """The environment names a file, which has to be there."""
    user_file.write_text("")


def _ask(
    *, prefix: list[str] | None = None, **variables: str
) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the remarks by what they are about."""
    env = environment() | variables
    done = run_radar("doctor", "--json", env=env, prefix=prefix or [], text=True)
    return done.returncode, {entry["what"]: entry for entry in read_envelope(done)["data"]}


def test_nothing_is_bad_on_a_machine_without_a_server() -> None:
    code, found = _ask()
    assert code == 0
    assert [found[what]["state"] for what in ("config", "state", "outbox", "store")] == ["ok"] * 4
    assert found["notices"]["state"] == "beware"
    assert f"PATH={_folder()}" in found["cron"]["hint"]


def _folder() -> str:
    return os.path.dirname(str(run_radar("config", "path").args[0]))


def test_it_tries_the_templates_of_channels(user_file: Path) -> None:
    channels = "[notify.a]\nemail = 'root'\nbody = '{{ oops }}'\n[notify.b]\nemail = 'root'\n"
    user_file.write_text(channels + "body = '{{ kind }}'\n")
    _, found = _ask()
    assert found["channel a"]["state"] == "beware"
    assert "'oops' is undefined" in found["channel a"]["message"]
    assert "channel b" not in found


def test_it_asks_the_server(served: RadarServer) -> None:
    code, found = _ask(RADAR_SERVER=served.url, RADAR_API_KEY=served.key)
    assert (code, found["server"]["state"], found["clock"]["state"]) == (0, "ok", "ok")
    code, found = _ask(RADAR_SERVER=served.url, RADAR_API_KEY="ck_app_wrong_key")
    assert (code, found["server"]["state"]) == (1, "bad")


def test_it_says_that_the_server_is_away() -> None:
    code, found = _ask(RADAR_SERVER="http://127.0.0.1:9")
    assert (code, found["server"]["state"]) == (1, "bad")
    assert "can't reach http://127.0.0.1:9" in found["server"]["message"]


def test_it_says_that_clocks_are_apart(server: Server) -> None:
    body = b'{"version": "1", "scope": "read"}'
    server.behave(answers.status(200, {"Radar-Time": "1800000000000000"}, body))
    assert _ask(RADAR_SERVER=server.url)[1]["clock"]["state"] == "beware"


def test_it_says_what_is_to_edit_and_what_waits(user_file: Path, state_dir: Path) -> None:
    user_file.write_text('grce = "5m"\n')
    Outbox(str(state_dir)).put(
        Ping("fail", "x", time_us=1), {"server": "https://radar.example"}, durable=False
    )
    code, found = _ask()
    assert (code, found["config"]["state"], found["outbox"]["state"]) == (1, "bad", "bad")


def test_it_says_that_the_state_directory_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, found = _ask(RADAR_STATE_DIR=str(tmp_path / "file"))
    assert (code, found["state"]["state"], found["store"]["state"]) == (1, "bad", "bad")


@pytest.fixture
def link(home: Path) -> Path:
    """Where a user's link is: as root, this machine's real one would be looked at."""
    return home / ".local/lib/radar/radar"


def _ask_about(link: Path) -> tuple[str, str, str]:
    """The state, the message and the hint of the remark on a user's link."""
    _, found = _ask(prefix=as_user())
    assert str(link) in found["link"]["message"]
    return found["link"]["state"], found["link"]["message"], found["link"]["hint"] or ""


def test_it_says_how_a_crontab_gets_a_link() -> None:
    _, found = _ask(prefix=as_user())
    assert (found["link"]["state"], found["link"]["message"]) == ("ok", "there is none")
    assert "'radar link'" in found["link"]["hint"]


def test_it_starts_the_link_as_cron_would(link: Path) -> None:
    assert run_radar("link", link).returncode == 0
    message = f"{link} starts radar {__version__} with {sys.executable}"
    assert _ask_about(link) == ("ok", message, "")


def test_it_says_what_is_wrong_with_the_link(link: Path, tmp_path: Path) -> None:
    other = Installation(tmp_path / "other")
    module = other.package / "__init__.py"
    module.write_text(module.read_text().replace(f'"{__version__}"', '"0.0.9"'))
    other.write_link(link)
    again = f"'radar link {link}' writes it anew"
    message = f"{link} starts radar 0.0.9, and this is {__version__}"
    assert _ask_about(link) == ("beware", message, again)
    (other.package / "cli/app.py").unlink()
    state, message, hint = _ask_about(link)
    assert (state, hint) == ("bad", again)
    assert message.startswith(f"{link}: radar doesn't start: not started by {other.python}: Module")
    other.python.unlink()
    message = f"{link}: radar doesn't start: not started by {other.python}; nothing done"
    assert _ask_about(link) == ("bad", message, again)
    link.chmod(0o644)
    message = f"{link} can't be started: Permission denied"
    assert _ask_about(link) == ("bad", message, f"chmod 755 {link}")


@pytest.mark.slow
def test_a_link_that_hangs_does_not_hold_it_up(link: Path, tmp_path: Path) -> None:
    other = Installation(tmp_path / "other")
    other.write_link(link)
    (other.package / "launch/command.py").write_text("import time; time.sleep(60)\n")
    state, message, _ = _ask_about(link)
    assert (state, message.endswith("s to start")) == ("bad", True)


def test_it_says_that_each_run_compiles_radar_anew(tmp_path: Path) -> None:
    other = Installation(tmp_path / "other")
    words = other.command("doctor", "--json")
    for folder in sorted(other.package.rglob("__pycache__")):
        shutil.rmtree(folder)

    def ask(**variables: str) -> dict[str, Any]:
        env = environment(measured=False) | variables
        done = subprocess.run([*as_user(), *words], env=env, capture_output=True, check=False)
        (found,) = [r for r in json.loads(done.stdout)["data"] if r["what"] == "bytecode"]
        return dict(found)

    rooms = [path for path in other.package.rglob("*") if path.is_dir()]
    for path in rooms:
        path.chmod(0o555)
    found = ask()
    assert found["state"] == "beware"
    assert "aren't compiled: each run costs twice as much" in found["message"]
    for path in rooms:
        path.chmod(0o755)
    assert ask()["state"] == "ok"
    line = found["hint"].removeprefix("its owner runs ")
    subprocess.run(shlex.split(line), env=environment(measured=False), check=True)
    for path in rooms:
        path.chmod(0o555)
    assert ask()["state"] == "ok"
    (other.package / "wrap").chmod(0o755)
    (other.package / "wrap/run.py").write_bytes(b"# other\n")
    for path in rooms:
        path.chmod(0o555)
    assert ask()["message"].startswith("1 modules in ")
    for path in rooms:
        path.chmod(0o755)
