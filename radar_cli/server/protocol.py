"""HTTP connections: none is held open by saying nothing, and ordinary pings come a short way.

uvicorn waits for ever for the end of a request's head, and begins a task for each request.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from radar_cli.server.pinging import BODY_PATIENCE_S, BodyError, late_body

if TYPE_CHECKING:
    from asyncio import TimerHandle, Transport

    from radar_cli.server.shortcut import Shortcut, ShortPing

# A client that has connected, or begun a request, has this long to finish its head.
HEAD_PATIENCE_S = 10.0


class GuardedProtocol(HttpToolsProtocol):
    """Closes a connection whose request doesn't come in time; takes ordinary pings itself."""

    shortcut: "ClassVar[Shortcut | None]" = None
    _timer: "TimerHandle | None" = None
    _is_in_head: bool = False
    _short: "_ShortCycle | None" = None  # whose body comes

    def connection_made(self, transport: "Transport") -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait(HEAD_PATIENCE_S)

    def data_received(self, data: bytes) -> None:
        """Read on; what is still to come of a request has to follow."""
        super().data_received(data)
        # Most requests come whole, and need no timer.
        if self._timer is None:
            if self._is_in_head:
                self._wait(HEAD_PATIENCE_S)
            elif self._short is not None:
                self._wait(BODY_PATIENCE_S)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        """The head is there; the body is for whoever reads it."""
        self._is_in_head = False
        self._stop_waiting()
        cycle = self.cycle
        is_free = cycle is None or cycle.response_complete
        # What has written ahead of its client has to wait for it, as a task can.
        if self.shortcut is not None and is_free and not self.flow.write_paused:
            address = self.client[0] if self.client else ""
            short = self.shortcut.read(self.parser.get_method(), self.url, self.headers, address)
            if short is not None:
                keeps = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
                self._short = _ShortCycle(self, self.shortcut, short, keep_alive=keeps)
                self.cycle = self._short  # type: ignore[assignment]  # all that uvicorn asks of it
                return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there."""
        if self._short is None:
            super().on_message_complete()
            return
        self._stop_waiting()
        short, self._short = self._short, None
        short.store()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._stop_waiting()
        self._short = None
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server ends: so does a connection that has nothing under way.

        Closing one waits for the client's end of TLS, and an idle client has no reason to answer.
        """
        super().shutdown()
        transport = self.transport
        if transport.is_closing() and not transport.get_write_buffer_size():
            transport.abort()

    def begin_answer(self) -> bytes:
        """The headers that every answer has."""
        return _word(tuple(self.server_state.default_headers))

    def _wait(self, patience_s: float) -> None:
        self._timer = self.loop.call_later(patience_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self.transport is None or self.transport.is_closing():
            return
        if self._short is not None:
            short, self._short = self._short, None
            short.give_up(late_body())
        self.transport.close()


@lru_cache(4)  # they change once a second
def _word(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return b"".join(name + b": " + value + b"\r\n" for name, value in headers)


class _Unheard:
    """An event that nobody waits for."""

    def set(self) -> None:
        """Nothing happens."""


class _ShortCycle:
    """The request and the answer of one ordinary ping, as uvicorn has a cycle of them."""

    message_event = _Unheard()

    def __init__(
        self,
        protocol: GuardedProtocol,
        shortcut: "Shortcut",
        short: "ShortPing",
        *,
        keep_alive: bool,
    ) -> None:
        self.body = b""
        self.more_body = True
        self.disconnected = False
        self.response_complete = False
        self.keep_alive = keep_alive
        self._protocol = protocol
        self._shortcut = shortcut
        self._short = short

    def store(self) -> None:
        """The body is there: have the ping stored."""
        self.more_body = False
        self._shortcut.store(self._short, self.body, self._tell)

    def give_up(self, why: BodyError) -> None:
        """The body doesn't come."""
        self.keep_alive = False
        self._tell(self._shortcut.word(self._short, why))

    def _tell(self, answer: bytes) -> None:
        """Send the answer, if somebody is there, and go on with what follows."""
        self.response_complete = True
        protocol = self._protocol
        if self.disconnected or protocol.transport.is_closing():
            return
        status_line, _, rest = answer.partition(b"\r\n")
        default = protocol.begin_answer()
        if not self.keep_alive:
            default += b"connection: close\r\n"
        protocol.transport.write(b"%b\r\n%b%b" % (status_line, default, rest))
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()
