"""Managing monitors by the API, as the tests of it do."""

from typing import Any

from tests.support.radar_server import RadarServer

MONITORS = "/api/v1/monitors"
RID = "018f4e9a-7b1c-4c3d-8e2f-5a6b7c8d9e0f"


def create(api: RadarServer, key: str, **declared: Any) -> dict[str, Any]:
    """Create a monitor; return what the server says of it."""
    made = api.request("POST", MONITORS, json={"key": key, **declared})
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer
