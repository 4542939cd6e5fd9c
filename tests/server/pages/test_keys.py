"""The page of API keys: who sees it, what it makes and ends, and what it never shows."""

import re

import pytest

from tests.server.pages.conftest import make_key
from tests.server.pages.visitor import Visitor, text_of
from tests.support.radar_server import RadarServer

_MADE = re.compile(r'id="made"[^>]*><code>(ck_app_\w+)</code>')


def _status(server: RadarServer, key: str, path: str) -> int:
    return server.request("GET", path, key=key).status_code


def _make(admin: Visitor, **fields: str) -> str:
    answer = admin.post("/keys", {"scope": "ping", "monitors": "*", "name": "", **fields})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    (made,) = _MADE.findall(answer.text)
    return str(made)


def test_a_key_is_shown_once_and_does_what_was_chosen(server: RadarServer, admin: Visitor) -> None:
    made = _make(admin, scope="read", monitors="web-*", name="a <b>wall</b>")
    page = admin.get("/keys").text
    text = text_of(page)
    assert f"a <b>wall</b> {made.split('_')[2]} look monitors: web-*" in text
    # Neither this one's secret nor anybody's, nor the hash that it is kept as.
    assert made.split("_")[3] not in page
    assert server.key.split("_")[3] not in page
    assert not re.search(r"\b[0-9a-f]{64}\b", page.replace(admin.csrf, ""))
    status = server.request("GET", "/api/v1/status", key=made).json()
    assert (status["scope"], status["key_monitors"]) == ("read", "web-*")


def test_a_revoked_key_ends_at_once(server: RadarServer, admin: Visitor, key: str) -> None:
    made = _make(admin, name="to end")
    assert server.request("POST", f"/ping/{key}", key=made).status_code == 200
    path = f"/keys/{made.split('_')[2]}/revoke"
    assert "their monitors will be missed" in admin.text(path)
    assert "logged in with it" not in admin.text(path)
    assert admin.post(path).status_code == 303
    assert server.request("POST", f"/ping/{key}", key=made).status_code == 401
    assert admin.get(path).status_code == 404
    assert admin.post(path).status_code == 404
    said = re.search(
        rf"to end {made.split('_')[2]} ping monitors: all (.*?) revoked", admin.text("/keys")
    )
    assert said is not None
    assert len(said[1].split()) <= 3


def test_who_revokes_their_own_is_told_and_logged_out(server: RadarServer) -> None:
    own = make_key(server, "admin")
    visitor = Visitor(server.url, own)
    path = f"/keys/{own.split('_')[2]}/revoke"
    assert "you will be logged out" in visitor.text(path)
    assert "the last key" not in visitor.text(path)
    visitor.post(path)
    assert visitor.get("/keys").headers["location"].startswith("/login")


@pytest.mark.parametrize(("scope", "monitors"), [("read", "*"), ("admin", "web-*")])
def test_it_is_for_who_may_change_everything(
    server: RadarServer, admin: Visitor, scope: str, monitors: str
) -> None:
    other = _make(admin, name="of others").split("_")[2]
    visitor = Visitor(server.url, make_key(server, scope, monitors))
    assert 'href="/keys"' not in visitor.get("/").text
    assert 'href="/keys"' in admin.get("/").text
    wanted = {"scope": "admin", "monitors": "*", "name": "mine"}
    for answer in (
        visitor.get("/keys"),
        visitor.get(f"/keys/{other}/revoke"),
        visitor.post("/keys", wanted),
        visitor.post(f"/keys/{other}/revoke"),
    ):
        assert answer.status_code == 403
        assert "of others" not in answer.text
    text = admin.text("/keys")
    assert "mine" not in text
    assert admin.get(f"/keys/{other}/revoke").status_code == 200


@pytest.mark.parametrize(
    "fields",
    [{"scope": "root"}, {"scope": ""}, {"monitors": ""}, {"monitors": "x" * 201}, {"name": "a\tb"}],
)
def test_what_is_no_key_is_not_made(admin: Visitor, fields: dict[str, str]) -> None:
    before = admin.get("/keys").text.count("<tr")
    answer = admin.post("/keys", {"scope": "ping", "monitors": "*", "name": "n", **fields})
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    assert not _MADE.search(answer.text)
    assert admin.get("/keys").text.count("<tr") == before
