"""Signed links in notices: seeing to an outage without a login, and without doing harm."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from radar_cli.notify.signing import LASTS_S, Signer
from tests.support.radar import run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.server import Server
from tests.support.waiting import wait_until

_PUBLIC = "https://radar.example"


@pytest.fixture
def acting(tmp_path: Path, server: Server, database: str) -> Iterator[RadarServer]:
    """A server that tells of what is down by a webhook, and knows its URL."""
    config = f"[notify.chat]\nwebhook = '{server.url}/hook'\ntogether = false\n"
    options = ("--public-url", _PUBLIC, "--access-log", "-", "--log-level", "debug")
    with serving(tmp_path / "acting", *options, config=config, database=database) as started:
        yield started


@pytest.fixture
def server() -> Iterator[Server]:
    """Whoever gets the notices."""
    with Server() as started:
        yield started


def _fail(acting: RadarServer, server: Server, key: str = "job") -> str:
    """Let a monitor go down; return the path of the link in the notice."""
    known = len(server.requests)
    assert acting.ping(f"{key}/fail", create="1").status_code == 200
    notice = wait_until(lambda: _find_down(server, known), 20)
    assert notice["act_url"] == notice["mute"][0]
    assert notice["act_url"] in notice["text"]
    parts = urlsplit(notice["act_url"])
    assert f"{parts.scheme}://{parts.netloc}" == _PUBLIC
    return f"{parts.path}?{parts.query}"


def _find_down(server: Server, known: int) -> dict[str, Any]:
    """The notice of a down behind so many others; nothing while there is none."""
    told = (json.loads(request.body) for request in server.requests[known:])
    return next((each for each in told if each["kind"] == "down"), {})


def _post(acting: RadarServer, path: str, **fields: str) -> httpx.Response:
    token = path.partition("t=")[2]
    headers = {"Origin": _PUBLIC, "Sec-Fetch-Site": "same-origin"}
    data = {"t": token, **fields}
    return acting.request("POST", "/act", key="", data=data, headers=headers)


def _monitor(acting: RadarServer, key: str = "job") -> dict[str, Any]:
    found: dict[str, Any] = acting.request("GET", f"/api/v1/monitors/{key}").json()
    return found


def test_a_link_opens_a_page_and_only_its_button_acts(acting: RadarServer, server: Server) -> None:
    path = _fail(acting, server)
    for _ in range(2):
        page = acting.request("GET", path, key="")
        assert page.status_code == 200
        assert "job is down." in page.text
        assert page.headers["referrer-policy"] == "same-origin"
        assert "set-cookie" not in page.headers
    # Programs that look at the links of a mail do it by HEAD, too.
    acting.request("HEAD", path, key="")
    assert _monitor(acting)["acknowledged"] is None
    done = _post(acting, path, do="ack", who="Ann <b>")
    assert done.status_code == 303
    assert _monitor(acting)["acknowledged"]["by"] == "Ann <b> (a notice through chat)"
    thanks = acting.request("GET", done.headers["location"], key="")
    assert "Thank you." in thanks.text
    assert "Ann &lt;b&gt;" in thanks.text
    # It is used up.
    assert "already" in acting.request("GET", path, key="").text
    again = _post(acting, path, do="ack", who="Bob")
    assert (again.status_code, "already" in again.text) == (409, True)
    assert _monitor(acting)["acknowledged"]["by"].startswith("Ann")
    # No log has the token.
    assert path.partition("t=")[2] not in acting.said()


def test_a_link_can_have_nothing_told_for_a_while_once(acting: RadarServer, server: Server) -> None:
    path = _fail(acting, server)
    assert _post(acting, path, do="60").status_code == 400
    assert _post(acting, path).status_code == 400
    done = _post(acting, path, do="3600")
    assert done.status_code == 303
    silenced = _monitor(acting)["silenced"]
    assert silenced["why"] == "snoozed by a notice through chat"
    assert "Quiet for" not in acting.request("GET", path, key="").text
    assert _post(acting, path, do="86400").status_code == 409
    assert _monitor(acting)["silenced"] == silenced
    # To see to it is still possible.
    assert _post(acting, path, do="ack").status_code == 303
    assert _monitor(acting)["acknowledged"]["by"] == "a notice through chat"


def test_a_link_is_for_one_outage_alone(acting: RadarServer, server: Server) -> None:
    first = _fail(acting, server)
    acting.ping("job/success")
    over = acting.request("GET", first, key="")
    assert "is over" in over.text
    second = _fail(acting, server)
    assert second != first
    assert _post(acting, first, do="ack").status_code == 409
    assert _monitor(acting)["acknowledged"] is None
    assert _post(acting, second, do="ack").status_code == 303
    acting.request("DELETE", "/api/v1/monitors/job")
    assert acting.request("GET", second, key="").status_code == 410


def test_what_is_forged_or_expired_or_from_elsewhere_changes_nothing(
    acting: RadarServer, server: Server
) -> None:
    path = _fail(acting, server)
    token = path.partition("t=")[2]
    with acting.store() as store:
        signer, incident = Signer(store.tokens.link_secret(), _PUBLIC), store.incidents.find("job")
        assert incident is not None
        old = signer.sign("job", incident, "chat", time.time() - LASTS_S - 60)
        other = Signer(b"x" * 32, _PUBLIC).sign("job", incident, "chat", time.time())
    for bad, word in ((token[:-1], "not right"), (other, "not right"), (old, "expired"), ("", "")):
        page = acting.request("GET", f"/act?t={bad}", key="")
        assert (page.status_code, word in page.text) == (403, True)
        # Nothing of any monitor is told to who has no right link.
        assert "job" not in page.text
        assert _post(acting, f"/act?t={bad}", do="ack").status_code == 403
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        data = {"t": token, "do": "ack"}
        page = acting.request("POST", "/act", key="", data=data, headers=headers)
        assert page.status_code == 403
    assert _monitor(acting)["acknowledged"] is None


def test_without_a_public_url_there_are_no_links(tmp_path: Path, server: Server) -> None:
    config = f"[notify.chat]\nwebhook = '{server.url}/hook'\n"
    with serving(tmp_path / "plain", config=config) as plain:
        plain.ping("job/fail", create="1")
        wait_until(lambda: server.requests, 20)
        notice = json.loads(server.requests[-1].body)
        assert notice["act_url"] is None
        assert notice["mute"][0] == "radar monitors ack job"
        assert plain.request("GET", "/act?t=x", key="").status_code == 404


def test_who_sees_to_it_is_told_wherever_people_look(acting: RadarServer, server: Server) -> None:
    path = _fail(acting, server)
    _post(acting, path, do="3600", who="Ann")
    _post(acting, path, do="ack", who="Ann")
    env = acting.environment() | {
        "RADAR_SERVER": acting.url,
        "RADAR_API_KEY": acting.key,
        "RADAR_STATE_DIR": str(acting.state.with_name("client")),
    }
    for words in (("status",), ("monitors", "show", "job")):
        said = run_radar(*words, env=env, text=True)
        assert "seen to" in said.stdout
        assert "silenced" in said.stdout
    assert (
        "by Ann (a notice through chat)"
        in run_radar("monitors", "show", "job", env=env, text=True).stdout
    )
    entry = json.loads(run_radar("status", "--json", env=env).stdout)["data"][0]
    assert entry["acknowledged"]["by"] == "Ann (a notice through chat)"
    assert entry["silenced"]["why"] == "snoozed by Ann (a notice through chat)"
    assert "no notices of job, until" in run_radar("status", env=env, text=True).stderr


def test_a_link_leads_to_a_monitor_that_was_renamed(acting: RadarServer, server: Server) -> None:
    path = _fail(acting, server)
    renamed = acting.request("POST", "/api/v1/monitors/job/rename", json={"key": "other"})
    assert renamed.status_code == 200
    assert "other is down." in acting.request("GET", path, key="").text
    assert _post(acting, path, do="ack", who="Ann").status_code == 303
    assert _monitor(acting, "other")["acknowledged"]["by"].startswith("Ann")
