"""Forms: what they change, who may send them, and from where."""

import re
from html import unescape

import httpx
import pytest

from tests.server.pages.conftest import make_key
from tests.server.pages.visitor import Visitor, addresses, elements, hidden_fields, text_of
from tests.support.radar_server import RadarServer

_FORMS = [
    *("/logout", "/new", "/monitors/{key}/pause", "/monitors/{key}/resume", "/monitors/{key}/edit"),
    *("/monitors/{key}/delete", "/monitors/{key}/ping-url", "/monitors/{key}/badge"),
    *("/keys", "/keys/none/revoke", "/bulk", "/channels/none/test"),
    *("/monitors/{key}/rename", "/monitors/{key}/unalias"),
]


def _fields(admin: Visitor, path: str) -> dict[str, str]:
    """The form's fields as the page has them."""
    page = admin.get(path).text
    return {
        attrs["name"] or "": attrs.get("value") or ""
        for tag, attrs in elements(page)
        if tag == "input" and attrs.get("name")
    }


@pytest.mark.parametrize("path", _FORMS)
@pytest.mark.parametrize("token", [None, "", "f" * 64, "other"])
def test_no_form_is_taken_without_the_sessions_token(
    server: RadarServer, admin: Visitor, key: str, path: str, token: str | None
) -> None:
    if token == "other":
        token = Visitor(server.url, server.key).csrf
    fields = {} if token is None else {"csrf": token}
    answer = admin.client.post(path.format(key=key), data={"key": "new-one", **fields})
    assert answer.status_code == 403
    assert admin.get(f"/monitors/{key}").status_code == 200
    assert "paused" not in admin.text(f"/monitors/{key}").partition("Expected")[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_no_form_is_taken_from_another_site(
    admin: Visitor, key: str, headers: dict[str, str]
) -> None:
    assert admin.post(f"/monitors/{key}/delete", headers=headers).status_code == 403
    assert admin.get(f"/monitors/{key}").status_code == 200


def test_a_form_from_here_is_taken(admin: Visitor, key: str) -> None:
    headers = {"origin": admin.url, "sec-fetch-site": "same-origin"}
    assert admin.post(f"/monitors/{key}/pause", headers=headers).status_code == 303


@pytest.mark.parametrize("path", _FORMS[1:])
def test_a_key_for_looking_changes_nothing(reader: Visitor, key: str, path: str) -> None:
    assert reader.post(path.format(key=key)).status_code == 403


def test_a_key_for_looking_sees_no_buttons(reader: Visitor, admin: Visitor, key: str) -> None:
    def buttons(visitor: Visitor) -> set[str]:
        found = addresses(visitor.get(f"/monitors/{key}").text)
        return {each.partition("#")[0].rpartition("/")[2] for each in found}

    assert {"edit", "rename", "delete", "pause", "ping-url", "badge"} <= buttons(admin)
    assert not {"edit", "delete", "pause", "ping-url", "badge", "new"} & buttons(reader)
    for path in (f"/monitors/{key}/edit", f"/monitors/{key}/delete", "/new"):
        assert reader.get(path).status_code == 403


def test_it_pauses_until_resumed(admin: Visitor, key: str) -> None:
    assert admin.post(f"/monitors/{key}/pause").headers["location"] == f"/monitors/{key}"
    assert "until somebody resumes it" in admin.text(f"/monitors/{key}")
    admin.post(f"/monitors/{key}/resume")
    assert "up since" in admin.text(f"/monitors/{key}")


def test_it_pauses_for_a_while(admin: Visitor, key: str) -> None:
    admin.post(f"/monitors/{key}/pause", {"for": " 2h "})
    text = admin.text(f"/monitors/{key}")
    assert re.search(r"paused since .* , until .* \(in 1 h 59 min\)", text)


@pytest.mark.parametrize("length", ["soon", "0", "-1h", "<b>"])
def test_a_pause_of_no_length_is_said_beside_the_field(
    admin: Visitor, key: str, length: str
) -> None:
    answer = admin.post(f"/monitors/{key}/pause", {"for": length})
    assert answer.status_code == 422
    (field,) = [attrs for _, attrs in elements(answer.text) if attrs.get("id") == "for"]
    assert (field["value"], field["aria-invalid"]) == (length, "true")
    assert "up since" in text_of(answer.text)


def test_it_asks_before_it_deletes(admin: Visitor, key: str) -> None:
    assert "with 1 ping and all" in admin.text(f"/monitors/{key}/delete")
    assert admin.get(f"/monitors/{key}").status_code == 200
    assert admin.post(f"/monitors/{key}/delete").headers["location"] == "/"
    assert admin.get(f"/monitors/{key}").status_code == 404


def test_it_edits_what_is_expected(admin: Visitor, key: str) -> None:
    path = f"/monitors/{key}/edit"
    wanted = {
        "name": "Größe & <Maß>",
        "schedule": "5  2 * * 1-5",
        "tz": "Europe/London",
        "grace": "30m",
        "max_runtime": "2h",
        "failure_tolerance": "2",
        "tag": "db, nightly db",
    }
    answer = admin.client.post(path, data={**_fields(admin, path), **wanted})
    assert answer.headers["location"] == f"/monitors/{key}"
    text = admin.text(f"/monitors/{key}")
    assert "Größe & <Maß>" in text
    assert "at 02:05 on Monday to Friday, by the clock of Europe/London 5 2 * * 1-5" in text
    assert "Grace 30 min Max runtime 2 h Tolerates 2 failures in a row Tags db nightly" in text
    again = _fields(admin, path)
    assert again["schedule"] == "5 2 * * 1-5"
    assert (again["grace"], again["max_runtime"], again["tag"]) == ("30m", "2h", "db nightly")
    admin.client.post(path, data={**again, "schedule": "", "every": "90m", "grace": ""})
    assert "every 1 h 30 min" in admin.text(f"/monitors/{key}")


def test_it_edits_the_notes_line_by_line(admin: Visitor, key: str) -> None:
    path = f"/monitors/{key}/edit"
    notes = "1. restart it\r\n2. see https://wiki.example/x?a=1&b=2, then <call>"
    admin.client.post(path, data={**_fields(admin, path), "notes": notes})
    page = admin.get(f"/monitors/{key}").text
    said = text_of(page).replace(" ", "")
    assert "1.restartit2.seehttps://wiki.example/x?a=1&b=2,then<call>" in said
    assert 'href="https://wiki.example/x?a=1&amp;b=2"' in page
    # What is sent back as it came changes nothing, whatever ends its lines.
    form = admin.get(path).text
    assert ">\n1. restart it\n2. see https" in form
    admin.client.post(path, data={**_fields(admin, path), "notes": notes, "was_notes": notes})
    assert admin.get(path).text.count("2. see https://wiki.example") == 2


def test_what_is_wrong_is_said_beside_each_field_and_nothing_is_lost(
    admin: Visitor, key: str
) -> None:
    path = f"/monitors/{key}/edit"
    wrong = {
        "schedule": "61 * * * *",
        "tz": "Europe/Nowhere",
        "grace": "soon",
        "max_runtime": "0",
        "failure_tolerance": "many",
        "name": "bell\x07",
    }
    answer = admin.client.post(
        path, data={**_fields(admin, path), **wrong, "tag": "kept", "every": ""}
    )
    assert answer.status_code == 422
    fields = {attrs.get("name"): attrs for tag, attrs in elements(answer.text) if tag == "input"}
    for name, value in wrong.items():
        assert fields[name]["aria-invalid"] == "true"
        assert unescape(fields[name]["value"] or "") == value
    assert fields["tag"]["value"] == "kept"
    assert "aria-invalid" not in fields["tag"]
    said = text_of(answer.text)
    assert "6 fields need an edit" in said
    assert "bad duration 'soon'" in said
    assert "--" not in said
    assert "kept" not in admin.text(f"/monitors/{key}")


def test_a_schedule_and_an_interval_exclude_each_other(admin: Visitor, key: str) -> None:
    path = f"/monitors/{key}/edit"
    answer = admin.client.post(
        path, data={**_fields(admin, path), "schedule": "@daily", "every": "1h"}
    )
    assert answer.status_code == 422
    assert "exclude each other" in text_of(answer.text)


def test_an_edit_waits_for_a_look_at_what_somebody_else_has_changed(
    server: RadarServer, admin: Visitor, key: str
) -> None:
    path = f"/monitors/{key}/edit"
    mine, theirs = _fields(admin, path), _fields(admin, path)
    admin.client.post(path, data={**theirs, "every": "1h", "name": "<theirs>"})
    late = admin.client.post(path, data={**mine, "tag": "mine", "name": "mine"})
    assert late.status_code == 412
    said = text_of(late.text)
    assert "somebody has changed this monitor" in said
    assert "somebody has set 1h" in said
    assert "somebody has set <theirs>" in said
    assert "Tags mine" not in admin.text(f"/monitors/{key}")
    fields = {
        attrs["name"] or "": attrs.get("value") or ""
        for tag, attrs in elements(late.text)
        if tag == "input" and attrs.get("name")
    }
    assert (fields["every"], fields["tag"], fields["name"]) == ("1h", "mine", "mine")
    assert server.ping(key).status_code == 200
    assert admin.client.post(path, data=fields).status_code == 303
    assert "mine" in admin.text("/", q=key)
    text = admin.text(f"/monitors/{key}")
    assert "every 1 h" in text
    assert "Tags mine" in text


def test_it_makes_a_monitor(admin: Visitor, key: str) -> None:
    fields = {**_fields(admin, "/new"), "key": f"new-{key}", "every": "1h"}
    answer = admin.client.post("/new", data=fields)
    assert answer.headers["location"] == f"/monitors/new-{key}"
    assert "No runs yet." in admin.text(f"/monitors/new-{key}")
    again = admin.client.post("/new", data=fields)
    assert again.status_code == 422
    assert "already" in text_of(again.text)
    bad = admin.client.post("/new", data={**fields, "key": "Bad Key", "every": "1h"})
    assert "bad monitor key 'Bad Key'" in text_of(bad.text)
    assert 'value="1h"' in bad.text


def test_the_secret_ping_url_is_shown_when_asked_for(
    server: RadarServer, admin: Visitor, key: str
) -> None:
    assert "/ping/" not in admin.get(f"/monitors/{key}").text

    def url(page: str) -> str:
        found = re.search(rf"{server.url}/ping/[0-9a-f-]+", page)
        assert found is not None
        return found[0]

    shown = admin.post(f"/monitors/{key}/ping-url")
    assert "data-refresh" not in shown.text
    first = url(shown.text)
    assert httpx.get(first, trust_env=False).status_code == 200
    second = url(admin.post(f"/monitors/{key}/ping-url", {"new": "1"}).text)
    assert httpx.get(first, trust_env=False).status_code == 401
    assert httpx.get(second, trust_env=False).status_code == 200
    assert "/ping/" not in admin.get(f"/monitors/{key}").text


def test_a_badge_is_for_everybody_once_it_is_wanted(
    server: RadarServer, admin: Visitor, key: str
) -> None:
    answer = admin.post(f"/monitors/{key}/badge", {"on": "1"})
    assert answer.headers["location"] == f"/monitors/{key}#badge"
    (path,) = set(re.findall(r'"(/badge/[^"]+)"', admin.get(f"/monitors/{key}").text))
    badge = httpx.get(server.url + path, trust_env=False)
    assert badge.headers["content-type"].startswith("image/svg+xml")
    assert badge.headers["cache-control"] == "public, max-age=30"
    assert badge.headers["content-security-policy"] == "default-src 'none'"
    assert {"up", f"Job {key}"[:39]} <= {
        t.rstrip("…") for t in re.findall(r">([^<>\n]+)<", badge.text)
    }
    assert "all is well" not in badge.text
    admin.post(f"/monitors/{key}/badge")
    gone = httpx.get(server.url + path, trust_env=False)
    assert gone.status_code == 404
    assert "unknown" in gone.text
    assert httpx.get(f"{server.url}/badge/x.svg", trust_env=False).status_code == 404


def test_a_key_for_some_monitors_sees_and_changes_only_those(server: RadarServer, key: str) -> None:
    server.ping(f"own-{key}/success", create="1")
    visitor = Visitor(server.url, make_key(server, "admin", "own-*"))
    text = visitor.text("/")
    assert f"own-{key}" in text
    assert f" {key}" not in text
    assert visitor.get(f"/monitors/own-{key}").status_code == 200
    assert visitor.get(f"/monitors/{key}").status_code == 404
    assert visitor.post(f"/monitors/{key}/delete").status_code == 404
    fields = {**hidden_fields(visitor.get("/new").text), "key": f"other-{key}"}
    assert "monitors like" in text_of(visitor.client.post("/new", data=fields).text)


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 70_000, 413),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 400), 400),
        ("application/x-www-form-urlencoded", b"\xff\xfe%ff=%00", 403),
    ],
)
def test_what_is_no_form_is_refused(
    admin: Visitor, key: str, kind: str, body: bytes, status: int
) -> None:
    answer = admin.client.post(
        f"/monitors/{key}/pause", content=body, headers={"content-type": kind}
    )
    assert answer.status_code == status
