"""The list in the order that a person chose, and what is done to several of it at once."""

import time

import pytest

from tests.server.pages.conftest import make_key
from tests.server.pages.visitor import Visitor, elements, hidden_fields, monitor_links, text_of
from tests.support.radar_server import RadarServer


@pytest.fixture
def keys(server: RadarServer, key: str) -> list[str]:
    """Three monitors of this test; the second one is down."""
    names = [f"{key}-{number}" for number in (2, 10, 9)]
    for name, tag in zip(names, ("a b", "a", ""), strict=True):
        query = {"every": "3600", "create": "1", "tags": f"{key} {tag}".strip()}
        assert server.ping(f"{name}/success", **query).status_code == 200
    server.ping(f"{names[1]}/fail", exit="1")
    return names


def _sent(form: dict[str, str], keys: list[str], **more: str) -> dict[str, str | list[str]]:
    return {**form, **more, "key": keys}


def _status(admin: Visitor, name: str) -> str:
    return text_of(admin.get(f"/monitors/{name}").text).partition(f"{name} ")[2].split()[0]


def test_it_is_sorted_by_what_a_link_says(admin: Visitor, key: str, keys: list[str]) -> None:
    two, ten, nine = keys
    orders = {
        "": [ten, two, nine],
        "name": [two, nine, ten],
        "-name": [ten, nine, two],
        "last": [ten, nine, two],
        "nonsense": [ten, two, nine],
    }
    for sort, wanted in orders.items():
        assert monitor_links(admin.get("/", tag=key, sort=sort).text) == wanted, sort
    page = admin.get("/", tag=key, sort="name", q="0").text
    (chosen,) = [
        attrs["href"] for tag, attrs in elements(page) if attrs.get("aria-current") and tag == "a"
    ]
    # Once more turns it round, and keeps what is looked for.
    assert chosen == f"/?q=0&tag={key}&sort=-name"
    assert ("sort", "name") in hidden_fields(page).items()


def test_it_is_grouped_by_tag(admin: Visitor, key: str, keys: list[str]) -> None:
    two, ten, nine = keys
    page = admin.get("/", tag=key, group="tag", sort="name").text
    assert monitor_links(page) == [two, ten, two, two, nine, ten]
    assert f"a 2, 1 down Choose {two} up {two}" in text_of(page)


def test_several_are_paused_and_resumed(admin: Visitor, key: str, keys: list[str]) -> None:
    page = admin.get("/", tag=key).text
    form = hidden_fields(page)
    assert form["back"] == f"/?tag={key}"
    sent = _sent(form, keys[:2], do="pause", **{"for": "2h"})
    answer = admin.client.post("/bulk", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/?tag={key}")
    assert [_status(admin, each) for each in keys] == ["paused", "paused", "up"]
    assert "in 1 h 59 min" in admin.text(f"/monitors/{keys[0]}")
    admin.client.post("/bulk", data=_sent(form, keys, do="resume"))
    assert [_status(admin, each) for each in keys] == ["up", "down", "up"]


def test_it_asks_before_it_deletes_several(admin: Visitor, key: str, keys: list[str]) -> None:
    form = hidden_fields(admin.get("/", tag=key).text)
    asked = admin.client.post("/bulk", data=_sent(form, keys[:2], do="delete"))
    assert asked.status_code == 200
    assert "Delete 2 monitors?" in text_of(asked.text)
    assert "with 3 pings" in text_of(asked.text)
    assert all(admin.get(f"/monitors/{each}").status_code == 200 for each in keys)
    chosen = [
        attrs["value"] or ""
        for tag, attrs in elements(asked.text)
        if tag == "input" and attrs.get("name") == "key"
    ]
    assert chosen == keys[:2]
    answer = admin.client.post("/bulk", data=_sent(hidden_fields(asked.text), chosen))
    assert answer.headers["location"] == f"/?tag={key}"
    assert [admin.get(f"/monitors/{each}").status_code for each in keys] == [404, 404, 200]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"do": "pause", "for": "soon"}, 422),
        ({"do": "pause", "for": "0"}, 422),
        ({"do": "explode"}, 400),
        ({}, 400),
    ],
)
def test_what_cannot_be_changes_nothing(
    admin: Visitor, keys: list[str], more: dict[str, str], status: int
) -> None:
    form = hidden_fields(admin.get("/").text)
    answer = admin.client.post("/bulk", data={**form, "key": keys, **more})
    assert answer.status_code == status
    assert [_status(admin, each) for each in keys] == ["up", "down", "up"]


def test_all_of_them_are_changed_or_none(
    server: RadarServer, admin: Visitor, key: str, keys: list[str]
) -> None:
    form = hidden_fields(admin.get("/").text)
    for chosen, status in (([], 422), ([*keys, f"{key}-gone"], 404), ([*keys, "No Key"], 404)):
        answer = admin.client.post("/bulk", data=_sent(form, chosen, do="pause"))
        assert answer.status_code == status
    some = Visitor(server.url, make_key(server, "admin", f"{key}-2"))
    answer = some.client.post(
        "/bulk", data=_sent(hidden_fields(some.get("/").text), keys, do="pause")
    )
    assert answer.status_code == 404
    assert [_status(admin, each) for each in keys] == ["up", "down", "up"]


def test_a_key_for_looking_chooses_nothing(reader: Visitor, key: str, keys: list[str]) -> None:
    page = reader.get("/", tag=key).text
    assert "checkbox" not in page
    assert "/bulk" not in page
    assert reader.post("/bulk", {"do": "pause", "key": keys[0]}).status_code == 403


def test_whoever_comes_back_stays_here(admin: Visitor, keys: list[str]) -> None:
    form = hidden_fields(admin.get("/").text)
    for back in ("//elsewhere.example", "https://elsewhere.example", "/\\elsewhere", ""):
        sent = {**_sent(form, keys, do="resume"), "back": back}
        assert admin.client.post("/bulk", data=sent).headers["location"] == "/"


def test_what_a_list_says_is_as_new_as_the_last_ping(
    server: RadarServer, admin: Visitor, keys: list[str]
) -> None:
    def strip() -> str:
        page = admin.get("/", q=keys[0]).text
        return next(a["aria-label"] or "" for _, a in elements(page) if a.get("class") == "strip")

    assert strip() == "last 1 runs: 1 well"
    for number in range(2, 5):
        time.sleep(0.001)  # so that no two are of one moment
        server.ping(f"{keys[0]}/success")
        assert strip() == f"last {number} runs: {number} well"
