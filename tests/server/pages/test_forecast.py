"""What a form says of a schedule before anybody saves it."""

import re

from tests.server.pages.visitor import Visitor, hidden_fields, text_of
from tests.support.radar_server import RadarServer


def _forecast(admin: Visitor, **texts: str) -> str:
    answer = admin.get("/forecast", **texts)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


def test_it_says_a_schedule_in_words_and_when_next(admin: Visitor) -> None:
    said = _forecast(admin, schedule="5 2 * * *", tz="Europe/London")
    assert said.startswith("at 02:05 every day, by the clock of Europe/London")
    runs = re.findall(r"\w{3} \d{4}-\d\d-\d\d 02:05 (?:GMT|BST)", said)
    assert (len(runs), len(set(runs))) == (5, 5)
    assert "GMT" in _forecast(admin, schedule="@hourly", tz="GMT")


def test_it_says_what_is_wrong_and_what_surprises(admin: Visitor) -> None:
    assert "bad schedule" in _forecast(admin, schedule="5 2 * *")
    assert "exclude each other" in _forecast(admin, schedule="@daily", every="1h")
    assert "Nowhere" in _forecast(admin, schedule="@daily", tz="Nowhere/Land")
    assert "It never runs" in _forecast(admin, schedule="0 0 31 2 *")
    assert _forecast(admin, every="6h") == "every 6 h, counted from the last run"
    assert _forecast(admin, tz="UTC") == ""
    assert "<b>" not in admin.get("/forecast", schedule="<b>x</b>" * 999).text


def test_nobody_asks_without_a_session(server: RadarServer) -> None:
    assert Visitor(server.url).get("/forecast", schedule="@daily").status_code == 303


def test_without_scripts_a_button_shows_it_and_changes_nothing(admin: Visitor, key: str) -> None:
    page = admin.get(f"/monitors/{key}/edit").text
    fields = {**hidden_fields(page), "schedule": "*/20 * * * *", "grace": "nonsense"}
    shown = admin.client.post(f"/monitors/{key}/edit", data={**fields, "do": "preview"})
    assert shown.status_code == 200
    assert 'value="*/20 * * * *"' in shown.text
    assert "no duration" in text_of(shown.text) or "nonsense" in shown.text
    fields["grace"] = ""
    shown = admin.client.post(f"/monitors/{key}/edit", data={**fields, "do": "preview"})
    assert "every 20 minutes" in text_of(shown.text)
    assert "no schedule" in admin.text(f"/monitors/{key}")
    # And saved from there it is as it was shown.
    saved = admin.client.post(f"/monitors/{key}/edit", data={**fields, **hidden_fields(shown.text)})
    assert saved.status_code == 303
    assert "every 20 minutes" in admin.text(f"/monitors/{key}")
    made = hidden_fields(admin.get("/new").text)
    shown = admin.client.post(
        "/new", data={**made, "key": f"n-{key}", "every": "2h", "do": "preview"}
    )
    assert "every 2 h, counted from the last run" in text_of(shown.text)
    assert admin.get(f"/monitors/n-{key}").status_code == 404
