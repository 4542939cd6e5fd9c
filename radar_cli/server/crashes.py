"""What nobody has thought of: the client is told that it went wrong, the log what."""

import re
import sys
import traceback
from typing import TYPE_CHECKING

from radar_cli.server.answers import error, send_json
from radar_cli.server.guards import hide_secrets

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CRASH = error("INTERNAL_ERROR", "the server has a bug; its log says more")
_PASSWORDS = re.compile(r"(://[^\s:/@]*:)[^\s/@]+@")


def catch_crashes(app: "ASGIApp") -> "ASGIApp":
    """Answer 500 to what raises an exception that nobody expects, and note it once."""

    async def caught(scope: "Scope", receive: "Receive", send: "Send") -> None:
        has_begun = False

        async def send_noting(message: "Message") -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        try:
            await app(scope, receive, send_noting)
        except Exception as crash:  # noqa: BLE001 (that is what it is for)
            note_crash(crash)
            if not has_begun:
                await send_json(send, 500, CRASH)

    return caught


def note_crash(crash: Exception) -> None:
    """Write the traceback to stderr, without keys, tokens and passwords."""
    text = hide_secrets("".join(traceback.format_exception(crash)))
    sys.stderr.write("radar: a bug:\n" + _PASSWORDS.sub(r"\1...@", text))
    sys.stderr.flush()
