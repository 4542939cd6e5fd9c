"""Answers as JSON, errors included: `{"error": "SLUG", "message": ...}`."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Send


async def send_json(
    send: "Send", status: int, content: dict[str, Any], headers: "Mapping[str, str] | None" = None
) -> None:
    """Answer with a JSON object."""
    body = json.dumps(content).encode()
    pairs = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in (headers or {}).items()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def error(slug: str, message: str, **more: Any) -> dict[str, Any]:
    """The content of an error."""
    return {"error": slug, "message": message, **more}
