"""`/channels` and `/notices`: how people are told, and what they were told; never a secret."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.pages.conftest import make_key
from tests.server.pages.visitor import Visitor, addresses, link, text_of
from tests.support.answers import status
from tests.support.radar_server import RadarServer
from tests.support.server import Server
from tests.support.waiting import wait_until

_SECRET = "s3cr3t-path"
_CONFIG = """
[notify.chat]
webhook = "{url}/{secret}/good"
secret = "{secret}-key"
headers = {{ X-Key = "{secret}-header" }}
together = false
tags = ["told"]

[notify.pager]
webhook = "{url}/{secret}/bad"
after = "30m"
quiet = ["22:00-07:00"]
tz = "Europe/Berlin"

[notify.broken]
email = "nobody at all"
"""


@pytest.fixture
def hook() -> Iterator[Server]:
    """Where webhooks lead: one is well, the other refuses."""
    with Server() as server:
        yield server


@pytest.fixture
def told(tmp_path: Path, hook: Server) -> Iterator[RadarServer]:
    """A server with three channels, one of which can't work."""
    isolated = {"HOME": str(tmp_path), "RADAR_SYSTEM_CONFIG": str(tmp_path / "system.toml")}
    config = _CONFIG.format(url=hook.url, secret=_SECRET)
    with RadarServer(tmp_path / "state", config=config, env=isolated) as served:
        yield served


def test_channels_and_their_notices_are_shown_without_secrets(told: RadarServer) -> None:
    admin, reader = Visitor(told.url, told.key), Visitor(told.url, make_key(told, "read"))
    text = admin.text("/channels")
    assert "chat webhook" in text
    assert "tells down, up, fault tags told one by one" in text
    assert "tells down, up after 30 min quiet 22:00-07:00 (Europe/Berlin)" in text
    assert "Nothing is sent:" in text
    assert "nothing was told by it yet" in text
    told.ping("job/success", create="1", tags="told")
    told.ping("job/fail", exit="3")
    told.ping("other/fail", create="1")
    wait_until(lambda: "chat delivered" in admin.text("/notices"), 30, "a notice")
    for visitor in (admin, reader):
        page = visitor.get("/notices").text
        assert "down job chat delivered" in text_of(page)
        assert "/monitors/job" in addresses(page)
        assert "other" not in text_of(page)
        assert _SECRET not in page
        channels = visitor.get("/channels").text
        assert "delivered" in text_of(channels)
        assert _SECRET not in channels
        assert ("Send a test" in channels) == (visitor is admin)
        assert "down chat delivered" in visitor.text("/monitors/job")
        assert "No notice of it was sent" in visitor.text("/monitors/other")
    assert "No notice is like that" in admin.text("/notices", monitor="other")
    assert "No notice is like that" in admin.text("/notices", channel="pager")
    assert "down job" in admin.text("/notices", monitor="job", channel="chat")
    assert admin.get("/notices", monitor="\0 <b>", before="\0", channel="\0").status_code == 200


def test_a_test_notice_says_what_came_of_it(told: RadarServer, hook: Server) -> None:
    admin, reader = Visitor(told.url, told.key), Visitor(told.url, make_key(told, "read"))
    hook.behave(status(204))
    took = admin.post("/channels/chat/test")
    assert "chat took the test notice" in text_of(took.text)
    hook.behave(status(403))
    refused = admin.post("/channels/pager/test")
    assert "pager did not take the test notice: " in text_of(refused.text)
    assert "403" in text_of(refused.text)
    broken = admin.post("/channels/broken/test")
    assert "broken did not take the test notice" in text_of(broken.text)
    for answer in (took, refused, broken):
        assert answer.status_code == 200
        assert _SECRET not in answer.text
    assert admin.post("/channels/nobody/test").status_code == 404
    assert reader.post("/channels/chat/test").status_code == 403


def test_a_channel_that_fails_is_told_on_every_page(told: RadarServer, hook: Server) -> None:
    admin = Visitor(told.url, told.key)
    hook.behave(status(503))
    told.ping("job/success", create="1", tags="told")
    told.ping("job/fail", exit="3")
    wait_until(lambda: "Channel chat delivers nothing" in admin.text("/"), 30, "the banner")
    for path in ("/monitors/job", "/channels", "/notices", "/keys", "/new"):
        assert "Channel chat delivers nothing" in admin.text(path)
    assert "Failing for" in admin.text("/channels")
    assert "on its way" in admin.text("/notices")
    some = Visitor(told.url, make_key(told, "admin", "job"))
    assert "delivers nothing" not in some.text("/")


def test_a_key_for_some_monitors_reads_only_of_those(told: RadarServer) -> None:
    admin = Visitor(told.url, told.key)
    for name in ("web-1", "db-1"):
        told.ping(f"{name}/success", create="1", tags="told")
        told.ping(f"{name}/fail", exit="3")
    wait_until(lambda: admin.text("/notices").count("chat delivered") >= 2, 30, "two notices")
    some = Visitor(told.url, make_key(told, "admin", "web-*"))
    for query in ({}, {"monitor": "db-1"}, {"channel": "chat"}, {"monitor": "web-1"}):
        assert "db-1" not in some.text("/notices", **query).replace("of db-1", "")
    assert "web-1" in some.text("/notices")
    assert "No notice is like that" in some.text("/notices", monitor="db-1")
    assert some.get("/channels").status_code == 403
    assert some.post("/channels/chat/test").status_code == 403
    assert "/channels" not in addresses(some.get("/").text)


def test_there_are_older_pages(server: RadarServer, admin: Visitor, key: str) -> None:
    with server.store() as store, store.database.change() as change:
        rows = [(f"n{n:03d}-{key}", f"c-{key}", "down", 1, n, 1, "delivered") for n in range(120)]
        change.execute_many(
            "INSERT INTO notice (id, channel, kind, monitors, created_us, tries, fate)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    seen, path = 0, f"/notices?channel=c-{key}"
    for wanted in (50, 50, 20):
        page = admin.client.get(path).text
        assert page.count('<td role="cell" class="made"') == wanted
        seen += wanted
        path = link(page, "next", server.url)
    assert (seen, path) == (120, "")
