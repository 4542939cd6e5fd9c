"""Renaming a monitor on its page."""

from tests.server.pages.conftest import make_key
from tests.server.pages.visitor import Visitor, hidden_fields, text_of
from tests.support.radar_server import RadarServer


def test_it_is_renamed_and_found_by_its_old_key(
    server: RadarServer, admin: Visitor, key: str
) -> None:
    form = admin.get(f"/monitors/{key}/rename")
    assert "checked" in form.text
    new = f"new-{key}"
    answer = admin.post(f"/monitors/{key}/rename", {"key": f" {new} ", "alias": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/monitors/{new}")
    text = admin.text(f"/monitors/{new}")
    assert "1 runs" in admin.get(f"/monitors/{new}").text
    assert f"{key} still counts for it, not used since Remove" in text
    moved = admin.get(f"/monitors/{key}/edit")
    assert (moved.status_code, moved.headers["location"]) == (303, f"/monitors/{new}/edit")
    server.ping(f"{key}/fail", exit="3")
    text = admin.text(f"/monitors/{new}")
    assert "down failed" in text
    assert f"{key} still counts for it, last used" in text
    # A form that was open meanwhile is of a monitor that isn't there.
    assert admin.post(f"/monitors/{key}/pause").status_code == 404
    other = f"other-{key}"
    server.ping(f"{other}/success", create="1")
    admin.post(f"/monitors/{other}/unalias", {"alias": key})
    assert key in admin.text(f"/monitors/{new}").split("Old keys")[1]
    admin.post(f"/monitors/{new}/unalias", {"alias": key})
    assert "Old keys" not in admin.text(f"/monitors/{new}")
    assert admin.get(f"/monitors/{key}").status_code == 404


def test_a_key_that_cannot_be_is_said_in_the_form(
    server: RadarServer, admin: Visitor, reader: Visitor, key: str
) -> None:
    server.ping(f"b-{key}/success", create="1")
    path = f"/monitors/{key}/rename"
    for new, said in (
        ("Not A Key", "bad monitor key"),
        (f"b-{key}", "is there already"),
        ("", "a monitor key is needed"),
    ):
        answer = admin.post(path, {"key": new})
        assert answer.status_code == 422
        assert said in text_of(answer.text)
        # What was chosen before is chosen still.
        assert " checked" not in answer.text
    some = Visitor(server.url, make_key(server, "admin", f"{key}*"))
    answer = some.post(path, {"key": f"b2-{key}"})
    assert (answer.status_code, "your key is for" in answer.text) == (422, True)
    assert reader.get(path).status_code == 403
    assert reader.post(path, {"key": "c"}).status_code == 403
    assert admin.get(f"/monitors/{key}").status_code == 200


def test_nobody_makes_a_monitor_under_an_old_key(admin: Visitor, key: str) -> None:
    admin.post(f"/monitors/{key}/rename", {"key": f"n-{key}", "alias": "1"})
    fields = hidden_fields(admin.get("/new").text)
    answer = admin.client.post("/new", data={**fields, "key": key})
    assert answer.status_code == 422
    assert "counts for it" in text_of(answer.text)


def test_without_the_old_key_a_page_by_it_is_none(admin: Visitor, key: str) -> None:
    admin.post(f"/monitors/{key}/rename", {"key": f"n-{key}"})
    assert admin.get(f"/monitors/{key}").status_code == 404


def test_whoever_may_not_see_it_hears_no_new_key(
    server: RadarServer, admin: Visitor, key: str
) -> None:
    admin.post(f"/monitors/{key}/rename", {"key": f"n-{key}", "alias": "1"})
    some = Visitor(server.url, make_key(server, "read", f"{key}*"))
    answer = some.get(f"/monitors/{key}")
    assert (answer.status_code, f"n-{key}" in answer.text) == (404, False)
