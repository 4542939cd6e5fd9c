"""apprise as a channel: its services, here those that speak plain JSON to a real server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from radar_cli.notify.channel import UnusableChannelError
from radar_cli.notify.words import subject, text
from tests.notify.conftest import Maker, failure_of
from tests.notify.notices import NOTICE
from tests.support import answers
from tests.support.radar import environment
from tests.support.server import Server

# A library of apprise's own, with Python 3.11 and 3.12.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def test_it_tells_a_service(make_channel: Maker, server: Server) -> None:
    channel = make_channel(f"apprise = 'json://{server.host}:{server.port}/topic'")
    assert channel.place == "json://…"
    channel.send(NOTICE, timeout_s=30)
    (request,) = server.requests
    sent = json.loads(request.body)
    assert request.path.rstrip("/") == "/topic"
    assert (sent["title"], sent["type"]) == (subject(NOTICE), "failure")
    assert sent["message"].strip() == text(NOTICE).strip()


def test_it_tells_each_of_several_from_a_file(
    make_channel: Maker, server: Server, tmp_path: Path
) -> None:
    place = f"{server.host}:{server.port}"
    (tmp_path / "urls").write_text(f"json://{place}/a\n\njson://{place}/b\n")
    (tmp_path / "urls").chmod(0o600)
    channel = make_channel(f"apprise = ['file:urls', 'json://{place}/c']")
    channel.send(NOTICE, timeout_s=30)
    assert sorted(request.path.strip("/") for request in server.requests) == ["a", "b", "c"]


def test_it_says_what_went_wrong_without_the_tokens(make_channel: Maker, server: Server) -> None:
    server.behave(answers.status(503))
    error = failure_of(
        make_channel(f"apprise = 'json://ann:passw0rd@{server.host}:{server.port}/t0ken12345'")
    )
    assert error.message.startswith("json://…: ")
    assert "503" in error.message
    assert "passw0rd" not in error.message
    assert "t0ken12345" not in error.message
    assert error.is_retriable


def test_its_time_is_bounded(make_channel: Maker, server: Server) -> None:
    server.behave(answers.hang())
    channel = make_channel(f"apprise = 'json://{server.host}:{server.port}'")
    error = failure_of(channel, timeout_s=1)
    assert error.message == "json://…: not done within 1 s"


def test_a_service_that_apprise_does_not_know_needs_a_person(
    make_channel: Maker, capfd: pytest.CaptureFixture[str]
) -> None:
    error = failure_of(make_channel("apprise = 'carrierpigeon://loft/t0ken12345'"))
    assert isinstance(error, UnusableChannelError)
    assert error.message == "apprise can't make sense of carrierpigeon://…"
    assert capfd.readouterr() == ("", "")


def test_without_apprise_it_says_how_to_get_it(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[notify.one]\napprise = 'json://127.0.0.1'\n")
    config.chmod(0o600)
    program = """import sys; sys.modules['apprise'] = None
from radar_cli.launch.command import main; sys.exit(main())"""
    done = subprocess.run(
        [sys.executable, "-c", program, "notify", "test"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    command = f"{sys.executable} -m pip install 'radar-cli[notify]'"
    assert f"apprise is not installed ({command})" in done.stdout
