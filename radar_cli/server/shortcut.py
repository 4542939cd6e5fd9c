"""The short way of an ordinary ping: from the connection to the writer, and no task for it.

An ordinary one has a whole body of known length, shows a key that is known to be good, and makes
sense. All others take the long way, through ASGI, where every refusal is told; they are answered
in the same words. A server spends half as much on a ping that comes the short way.
"""

import json
import time
from typing import IO, TYPE_CHECKING, Callable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from radar_cli.model.ping import Ping
from radar_cli.server.access import AccessError, read_authorization
from radar_cli.server.crashes import CRASH, note_crash
from radar_cli.server.guards import SECURITY_HEADERS, host_name, write_line
from radar_cli.server.keys import ApiKey
from radar_cli.server.paths import BadPathError, parse_path
from radar_cli.server.pinging import answer, duration_of, refuse
from radar_cli.server.requests import BadRequestError, PingRequest

if TYPE_CHECKING:
    from radar_cli.server.service import Service
    from radar_cli.server.writer import Outcome

_PREFIX = b"/ping/"
_METHODS = (b"GET", b"POST", b"PUT")
# Headers that say that a request isn't ordinary.
_UNUSUAL = frozenset((b"transfer-encoding", b"expect", b"upgrade"))

Headers = list[tuple[bytes, bytes]]


class ShortPing:
    """An ordinary ping whose head is read."""

    __slots__ = ("address", "began", "body_bytes", "is_complete", "method", "request", "url")

    def __init__(
        self, request: PingRequest, address: str, method: bytes, url: bytes, body_bytes: int
    ) -> None:
        self.request = request
        self.address = address
        self.method = method
        self.url = url
        self.body_bytes = body_bytes
        self.is_complete = url.partition(b"?")[0].endswith(b"/complete")
        self.began = time.monotonic()


class Shortcut:
    """Reads the heads of ordinary pings, has them stored, and words the answers."""

    def __init__(self, service: "Service", hosts: tuple[str, ...], log: IO[str] | None) -> None:
        settings = service.settings
        self._service = service
        self._hosts = hosts
        self._log = log
        self._limit_bytes = settings.body_limit_bytes
        # Whose address counts behind a proxy is found out on the long way.
        self._is_closed = bool(settings.trusted_proxies)
        headers = [
            (b"content-type", b"application/json"),
            (b"ping-body-limit", str(settings.body_limit_bytes).encode()),
            *SECURITY_HEADERS,
        ]
        self._headers = b"".join(name + b": " + value + b"\r\n" for name, value in headers)

    def read(self, method: bytes, url: bytes, headers: Headers, address: str) -> ShortPing | None:
        """The ping of a request's head; None if it has to take the long way."""
        if self._is_closed or not url.startswith(_PREFIX) or method not in _METHODS:
            return None
        authorization, host, length = b"", b"", 0
        for name, value in headers:
            if name == b"authorization":
                authorization = value
            elif name == b"host":
                host = value
            elif name == b"content-length":
                length = int(value) if value.isdigit() else self._limit_bytes + 1
            elif name in _UNUSUAL:
                return None
        if length > self._limit_bytes or (self._hosts and host_name(host) not in self._hosts):
            return None
        path, _, query = url[len(_PREFIX) :].decode("latin-1").partition("?")
        if "#" in query or "#" in path:
            return None
        try:
            read = parse_path(path)
            request = PingRequest(read, query)
        except (BadPathError, BadRequestError):
            return None
        given = read.api_key or read_authorization(authorization.decode("latin-1"))
        key = self._service.access.recall(given) if given and read.monitor else None
        if not (isinstance(key, ApiKey) and key.may("ping") and key.covers(read.monitor)):
            return None
        short = ShortPing(request, address, method, url, length)
        if short.is_complete and "duration" not in request.fields:
            return None  # the store knows it
        try:
            self._service.limits.check_address(address, key.id)
        except AccessError:
            return None
        return short

    def store(self, short: ShortPing, body: bytes, tell: Callable[[bytes], None]) -> None:
        """Have a ping stored, and `tell` in the event loop the answer."""
        request = short.request
        now_us = self._service.clock.now_us()
        ping = request.ping(request.path.monitor, body, 0, now_us)

        def done(outcome: "Outcome") -> None:
            tell(self.word(short, outcome if isinstance(outcome, Exception) else ping))

        self._service.writer.put(ping, done, may_create=request.may_create)

    def word(self, short: ShortPing, outcome: Ping | Exception) -> bytes:
        """The answer, counted and logged."""
        service = self._service
        status, more = 200, b""
        if isinstance(outcome, Ping):
            service.counters.pings[outcome.kind] += 1
            duration_s = duration_of(outcome) if short.is_complete else None
            content = answer(outcome, duration_s, is_complete=short.is_complete)
        else:
            try:
                status, content, headers = refuse(service, outcome)
            except Exception as fault:  # noqa: BLE001 (a bug of ours: the client is told all the same)
                note_crash(fault)
                status, content, headers = 500, CRASH, {}
            more = "".join(f"{n.lower()}: {value}\r\n" for n, value in headers.items()).encode()
        service.counters.requests[status] += 1
        if self._log is not None:
            path = short.url.partition(b"?")[0].decode("latin-1")
            took_s = time.monotonic() - short.began
            write_line(self._log, short.address, short.method.decode(), path, status, took_s)
        body = json.dumps(content).encode()
        return b"%b%bcontent-length: %d\r\n%b\r\n%b" % (
            STATUS_LINE[status],
            self._headers,
            len(body),
            more,
            body,
        )
