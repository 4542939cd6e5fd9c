"""Bodies of requests that FastAPI reads whole, before it knows who sends them."""

import asyncio
from typing import TYPE_CHECKING

from radar_cli.server.runtime.answers import error, send_early

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A thousand keys of monitors, and all that may be declared, are less.
BODY_MAX_BYTES = 1_000_000
_PATIENCE_S = 30.0
_TOO_LARGE = 413, error("TOO_LARGE", f"a body has at most {BODY_MAX_BYTES} bytes here")
_TIMEOUT = 408, error("TIMEOUT", f"the body did not come within {_PATIENCE_S:g} s")


class TooLargeError(Exception):
    """A body that is longer than it may be."""


def limit_bodies(app: "ASGIApp") -> "ASGIApp":
    """Answer 413 to a body that is too long, and 408 to one that doesn't come."""

    async def limited(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(_PATIENCE_S):
                body = await _read(scope, receive)
        except TooLargeError:
            await send_early(receive, send, *_TOO_LARGE)
        except TimeoutError:
            await send_early(receive, send, *_TIMEOUT)
        else:
            if body is not None:
                await app(scope, _replay(body, receive), send)

    return limited


async def _read(scope: "Scope", receive: "Receive") -> bytes | None:
    """The body of a request; None if its client has gone. TooLargeError: it is too long."""
    body = bytearray()
    if _declared_length(scope) > BODY_MAX_BYTES:
        raise TooLargeError
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > BODY_MAX_BYTES:
            raise TooLargeError
        if not message.get("more_body", False):
            return bytes(body)


def _declared_length(scope: "Scope") -> int:
    """Return the length that a request announces for its body; 0 if it doesn't."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(length) if length.isdigit() and len(length) < 19 else 0


def _replay(body: bytes, receive: "Receive") -> "Receive":
    """Tell of a body that was read, and then of what else comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> "Message":
        return left.pop() if left else await receive()

    return replayed
