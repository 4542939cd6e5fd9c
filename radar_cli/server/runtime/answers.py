"""Answers as JSON, errors included: `{"error": "SLUG", "message": ...}`."""

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Send

# The rest of a body that is refused is let pass for so long, in all and without a byte of it.
_PASSING_S = 30.0
_PASSING_IDLE_S = 5.0


async def send_json(
    send: "Send", status: int, content: dict[str, Any], headers: "Mapping[str, str] | None" = None
) -> None:
    """Answer with a JSON object."""
    body = json.dumps(content).encode()
    await send(_start(status, body, headers or {}))
    await send({"type": "http.response.body", "body": body})


async def send_early(
    receive: "Receive",
    send: "Send",
    status: int,
    content: dict[str, Any],
    headers: "Mapping[str, str] | None" = None,
) -> None:
    """Answer with a JSON object to a request whose body hasn't come to its end, and hang up.

    The client has the whole answer at once. What it still sends is let pass for a while: a
    connection that is closed on unread bytes is reset, and the answer may be lost with it. As it
    is said to be closed, no client takes it for one that waits for the next request.
    """
    body = json.dumps(content).encode()
    await send(_start(status, body, {**(headers or {}), "Connection": "close"}))
    await send({"type": "http.response.body", "body": body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(_PASSING_S):
            while True:
                async with asyncio.timeout(_PASSING_IDLE_S):
                    message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    break
    await send({"type": "http.response.body"})


def error(slug: str, message: str, **more: Any) -> dict[str, Any]:
    """The content of an error."""
    return {"error": slug, "message": message, **more}


CRASH = error("INTERNAL_ERROR", "the server has a bug; its log says more")


def _start(status: int, body: bytes, headers: "Mapping[str, str]") -> dict[str, Any]:
    pairs = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if headers:
        pairs += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}
