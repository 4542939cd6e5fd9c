"""Answers as JSON, errors included: `{"error": "SLUG", "message": ...}`."""

import asyncio
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from radar_cli.server.api.models import ErrorAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


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


_WORDS = {
    400: "It can't be understood.",
    401: "There is no key with it, or a wrong one.",
    403: "The key is too narrow.",
    404: "There is no such monitor, or nothing of that name.",
    408: "The body doesn't come.",
    409: "There is a monitor of that key, or a ping of that id, already.",
    412: "The monitor is not any more what If-Match says.",
    413: "The body is too long.",
    422: "A value is out of bounds.",
    429: "There are too many requests; Retry-After says when to come again.",
    431: "The head of the request is too long.",
    503: "The database can't be used.",
}
_ALWAYS = (400, 401, 403, 408, 413, 422, 429, 431, 503)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return a route's `responses`: these, and what every route with a key may answer."""
    return {
        status: {"model": ErrorAnswer, "description": _WORDS[status]}
        for status in sorted({*_ALWAYS, *statuses})
    }


def errors_beside_text(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for a route that answers with text: its errors are JSON all the same."""
    schema = {"$ref": f"#/components/schemas/{ErrorAnswer.__name__}"}
    return {
        status: {
            "description": answer["description"],
            "content": {"application/json": {"schema": schema}},
        }
        for status, answer in errors(*statuses).items()
    }


# Unix time in microseconds, as the answer begins.
HEADER = b"radar-time"
_PREFIX = "/api/"


def add_server_time(app: "ASGIApp") -> "ASGIApp":
    """Add the header to what is answered below `/api/`."""

    async def telling(scope: "Scope", receive: "Receive", send: "Send") -> None:
        async def send_with_time(message: "Message") -> None:
            if message["type"] == "http.response.start":
                moment = str(time.time_ns() // 1000).encode()
                message = {**message, "headers": [*message["headers"], (HEADER, moment)]}
            await send(message)

        is_api = scope["type"] == "http" and _PREFIX in scope["path"]
        await app(scope, receive, send_with_time if is_api else send)

    return telling
