"""`radar open`: a monitor's page in the browser, or its URL."""

from pathlib import Path

import pytest

from radar_cli.cli import app
from tests.support.radar import environment, radar_path, run_radar
from tests.support.radar_server import serving
from tests.support.terminal import Terminal


def test_it_wants_a_server_that_has_pages(capfd: pytest.CaptureFixture[str]) -> None:
    assert app.main(["open"]) == 2
    assert "there is no server that has pages" in capfd.readouterr().err
    assert app.main(["open", "a", "b", "--server", "https://x.example"]) == 2
    assert "one page at a time" in capfd.readouterr().err


def test_it_shows_the_page_of_a_monitor(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $1 >{tmp_path}/opened\n")
    browser.chmod(0o755)
    with serving(tmp_path / "server") as server:
        server.ping("backup", create="1")
        env = environment() | {"RADAR_SERVER": server.url, "RADAR_API_KEY": server.key}
        assert run_radar("open", env=env, text=True).stdout == f"{server.url}/\n"
        page = f"{server.url}/monitors/backup"
        assert run_radar("open", "backup", env=env, text=True).stdout == f"{page}\n"
        wrong = run_radar("open", "bakcup", env=env, text=True)
        assert (wrong.returncode, "did you mean 'backup'" in wrong.stderr) == (2, True)
        words = [str(radar_path()), "open", "backup"]
        with Terminal(words, env | {"BROWSER": f"{browser} %s"}) as terminal:
            assert terminal.wait(60) == 0
            assert b"is shown in the browser" in terminal.screen
        assert (tmp_path / "opened").read_text() == f"{page}\n"
        with Terminal([*words, "--url"], env | {"BROWSER": f"{browser} %s"}) as terminal:
            assert terminal.wait(60) == 0
            assert b"shown" not in terminal.screen
