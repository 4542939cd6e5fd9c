"""HTTP connections: none is held open by saying nothing, and no head is longer than it may be.

uvicorn waits for ever for the end of a request's head, however long it grows.
"""

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from radar_cli.server.runtime.guards import REFUSED_HEAD

if TYPE_CHECKING:
    from asyncio import TimerHandle, Transport

# A client that has connected, or begun a request, has this long to finish its head.
HEAD_PATIENCE_S = 10.0
# radar's own longest: a message and a command of 2,000 characters, percent-encoded.
HEAD_MAX_BYTES = 65_536
_URL_SHOWN_BYTES = 200


class GuardedProtocol(HttpToolsProtocol):
    """Closes a connection whose request doesn't come in time, and refuses heads (431, 400)."""

    _timer: "TimerHandle | None" = None
    _is_in_head: bool = False
    _head_bytes: int = 0
    _is_deaf: bool = False  # a head was refused, and what follows it isn't read

    def connection_made(self, transport: "Transport") -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait(HEAD_PATIENCE_S)

    def data_received(self, data: bytes) -> None:
        """Read on; what is still to come of a head has to follow."""
        if self._is_deaf:
            return
        was_in_head = self._is_in_head
        super().data_received(data)
        if not self._is_in_head:
            return
        if was_in_head:
            # Not only what is told by callbacks: a name or a value may have no end.
            self._head_bytes += len(data)
        if self._head_bytes > HEAD_MAX_BYTES:
            self._refuse_head(431, "HEAD_TOO_LARGE", _TOO_LARGE)
        elif self._timer is None:
            self._wait(HEAD_PATIENCE_S)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_in_head = True
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Read on in the request's target."""
        super().on_url(url)
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes <= HEAD_MAX_BYTES:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there; the body is for whoever reads it."""
        if self._is_deaf:
            return
        if self._head_bytes > HEAD_MAX_BYTES:
            self._refuse_head(431, "HEAD_TOO_LARGE", _TOO_LARGE)
        elif b"#" in self.url:
            # uvicorn would cut it off, and `/ping/job#/fail` be a success.
            self._refuse_head(400, "INVALID_REQUEST", "a request's target has no fragment")
        else:
            self._end_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server ends: so does a connection that has nothing under way.

        Closing one waits for the client's end of TLS, and an idle client has no reason to answer.
        """
        super().shutdown()
        transport = self.transport
        if transport.is_closing() and not transport.get_write_buffer_size():
            transport.abort()

    def _end_head(self) -> None:
        self._is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def _refuse_head(self, status: int, slug: str, message: str) -> None:
        """Have the request answered as if it had nothing but its path, and read no further.

        The answer comes in its turn, behind those of requests before it.
        """
        self._is_deaf = True
        self.headers.clear()
        self.url = self.url.partition(b"#")[0].partition(b"?")[0][:_URL_SHOWN_BYTES] or b"/"
        self.scope[REFUSED_HEAD] = (status, slug, message)  # type: ignore[literal-required]  # ours
        self._end_head()

    def _wait(self, patience_s: float) -> None:
        self._timer = self.loop.call_later(patience_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()


_TOO_LARGE = f"the head of a request has at most {HEAD_MAX_BYTES} bytes here"
