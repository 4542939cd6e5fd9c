"""Bodies of requests that aren't pings: they are read as a whole, so they have an end, and soon."""

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_MAX_BYTES = 1_000_000
_PATIENCE_S = 30.0


def bound_bodies(app: "ASGIApp") -> "ASGIApp":
    """Let no request have a body that is too long (413) or too slow (408)."""

    async def bounded(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        length, total, is_read = said_length(scope), 0, False

        async def receive_some() -> "Message":
            nonlocal total, is_read
            if is_read:  # what comes now is that the client hangs up
                return await receive()
            if length > BODY_MAX_BYTES:
                raise _too_long()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise _close(408, "the body did not come in time") from None
            total += len(message.get("body", b""))
            if total > BODY_MAX_BYTES:
                raise _too_long()
            is_read = not message.get("more_body", False)
            return message

        await app(scope, receive_some, send)

    return bounded


def said_length(scope: "Scope") -> int:
    """How long a request says that its body is; 0 if it doesn't."""
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(said) if said.isdigit() and len(said) < 19 else 0


def _too_long() -> HTTPException:
    return _close(413, f"the body has more than {BODY_MAX_BYTES} bytes")


def _close(status: int, message: str) -> HTTPException:
    return HTTPException(status, message, {"Connection": "close"})
