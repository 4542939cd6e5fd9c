"""Seeing to a monitor from its page."""

from tests.server.pages.visitor import Visitor
from tests.support.radar_server import RadarServer


def test_who_is_logged_in_sees_to_what_is_down_and_has_peace(
    server: RadarServer, admin: Visitor, reader: Visitor, key: str
) -> None:
    path = f"/monitors/{key}"
    assert "I see to it" not in admin.text(path)
    server.ping(f"{key}/fail")
    assert "I see to it" in admin.text(path)
    assert "I see to it" not in reader.text(path)
    assert reader.post(f"{path}/ack").status_code == 403
    assert admin.client.post(f"{path}/ack", data={"csrf": "f" * 64}).status_code == 403
    assert " sees to it since " not in reader.text(path)
    assert admin.post(f"{path}/ack").headers["location"] == path
    assert "first sees to it since " in reader.text(path)
    assert admin.post(f"{path}/snooze", {"for_s": "99"}).status_code == 400
    assert admin.post(f"{path}/snooze", {"for_s": "3600"}).status_code == 303
    said = reader.text(path)
    assert "No notices of it are sent until " in said
    assert ": snoozed by first." in said
    answer = server.request("GET", f"/api/v1/monitors/{key}").json()
    assert (answer["acknowledged"]["by"], answer["silenced"]["why"]) == (
        "first",
        "snoozed by first",
    )
    admin.post(f"{path}/snooze")
    assert "No notices of it are sent" not in reader.text(path)
    server.ping(f"{key}/success")
    assert "sees to it since" not in reader.text(path)
