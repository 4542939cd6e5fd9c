"""Logging in and out, and what ends a session."""

import time

import httpx
import pytest

from tests.server.pages.conftest import make_key, revoke
from tests.server.pages.visitor import Visitor, hidden_fields, text_of
from tests.support.radar_server import RadarServer, serving


def test_it_sends_strangers_to_the_login_and_back(server: RadarServer, key: str) -> None:
    visitor = Visitor(server.url)
    answer = visitor.get(f"/monitors/{key}", page="2")
    assert answer.status_code == 303
    form_page = visitor.client.get(answer.headers["location"])
    onward = hidden_fields(form_page.text)["next"]
    assert onward == f"/monitors/{key}?page=2"
    assert visitor.log_in(server.key, onward).headers["location"] == onward
    assert visitor.get(onward).status_code == 200


def test_a_session_cookie_is_for_this_site_and_no_script(server: RadarServer) -> None:
    cookies = Visitor(server.url).log_in(server.key).headers.get_list("set-cookie")
    (cookie,) = [each for each in cookies if each.startswith("radar_session=")]
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert flags == {"httponly", "samesite=strict", "path=/", "max-age=604800"}


@pytest.mark.parametrize(
    "onward",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\tx"],
)
def test_it_leads_to_no_other_site_after_the_login(server: RadarServer, onward: str) -> None:
    assert Visitor(server.url).log_in(server.key, next=onward).headers["location"] == "/"


def test_a_wrong_key_shows_the_form_again(server: RadarServer) -> None:
    answer = Visitor(server.url).log_in("ck_app_aaaaaaaaaa_wrong<b>")
    assert answer.status_code == 401
    assert "This key is wrong, or was revoked." in text_of(answer.text)
    assert "radar_session" not in answer.headers.get("set-cookie", "")
    assert "wrong<b>" not in answer.text
    assert "wrong&lt;b" not in answer.text


def test_a_key_for_pings_only_may_not_look(server: RadarServer) -> None:
    answer = Visitor(server.url).log_in(make_key(server, "ping"))
    assert answer.status_code == 403
    assert "for ping only" in text_of(answer.text)


def test_who_guesses_too_often_has_to_wait_and_who_knows_gets_in(server: RadarServer) -> None:
    with serving(server.state.with_name("guessed")) as guessed:
        visitor = Visitor(guessed.url)
        statuses = [visitor.log_in(f"guess {number}").status_code for number in range(23)]
        refused = visitor.log_in("guess")
        assert statuses[0] == 401
        assert set(statuses) == {401, 429}
        assert int(refused.headers["retry-after"]) >= 1
        assert visitor.log_in(guessed.key).status_code == 303


def test_logging_out_ends_the_session_for_a_copied_cookie_too(admin: Visitor) -> None:
    copied = admin.client.cookies["radar_session"]
    answer = admin.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "radar_session" not in admin.client.cookies
    stolen = httpx.get(
        admin.url + "/", cookies={"radar_session": copied}, trust_env=False, follow_redirects=False
    )
    assert stolen.status_code == 303


def test_a_revoked_key_ends_its_sessions(server: RadarServer, admin: Visitor) -> None:
    key = make_key(server, "admin")
    visitor = Visitor(server.url, key)
    assert visitor.get("/").status_code == 200
    revoke(server, key)
    assert visitor.get("/").status_code == 303
    assert admin.get("/").status_code == 200


def test_a_session_ends_after_a_week(server: RadarServer, admin: Visitor) -> None:
    with server.store() as store, store.database.change() as change:
        (latest,) = change.read("SELECT max(expires_us) FROM session")[0]
        assert 6.99 < (latest / 1e6 - time.time()) / 86_400 <= 7
        change.execute("UPDATE session SET expires_us = ?", (time.time_ns() // 1000 - 1,))
    assert admin.get("/").status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "ä"])
def test_the_login_needs_its_own_forms_token(server: RadarServer, token: str) -> None:
    answer = Visitor(server.url).log_in(server.key, csrf=token)
    assert answer.status_code == 403
    assert "radar_session" not in answer.headers.get("set-cookie", "")


def test_the_login_takes_no_form_from_another_browser(server: RadarServer) -> None:
    other = hidden_fields(Visitor(server.url).get("/login").text)
    assert Visitor(server.url).log_in(server.key, csrf=other["csrf"]).status_code == 403


def test_a_link_from_elsewhere_is_led_on_with_the_cookie(server: RadarServer, key: str) -> None:
    visitor = Visitor(server.url)
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    answer = visitor.client.get(f"/monitors/{key}?page=2", headers=headers)
    assert answer.status_code == 200
    assert f'content="0;url=/monitors/{key}?page=2"' in answer.text
    assert key not in text_of(answer.text)


def test_no_key_is_in_the_access_log(server: RadarServer, admin: Visitor) -> None:
    admin.get("/")
    log = (server.state.parent / "access").read_text()
    assert '"/login"' in log
    assert server.key not in log
    assert admin.client.cookies["radar_session"] not in log
