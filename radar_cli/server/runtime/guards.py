"""The gate that every request passes, pings and pages alike.

It settles whose address and scheme a request has, refuses heads that aren't to be read and Hosts
that aren't ours, tells browsers to take answers for what they are, turns a crash into an answer,
counts and logs.
"""

import ipaddress
import time
from typing import IO, TYPE_CHECKING

from radar_cli.server.pings.endpoint import PREFIX
from radar_cli.server.runtime.answers import CRASH, error, send_early, send_json
from radar_cli.server.runtime.limits import is_loopback
from radar_cli.server.runtime.log import note_crash, note_request, write_line

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from radar_cli.server.runtime.service import Service

_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
]
# Where whoever reads heads says why one isn't read: status, slug and message.
REFUSED_HEAD = "radar.refused_head"


# What a client can make up is counted as one: there are as many labels as these.
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_ROUTES = frozenset(
    ("act", "ping", "api", "badge", "metrics", "healthz", "monitors", "login", "logout", "static")
)


def classify(method: str, path: str) -> tuple[str, str]:
    """Return the method and the kind of route of a request, as they are counted.

    A route's kind is the first word of its path; `page` is the dashboard's first one.
    """
    first = path[1:].partition("/")[0]
    route = first if first in _ROUTES else "other" if first else "page"
    return method if method in _METHODS else "other", route


class Gate:
    """An ASGI application before another one. ValueError: a trusted proxy has no such address."""

    def __init__(self, app: "ASGIApp", service: "Service", log: IO[str] | None = None) -> None:
        settings = service.settings
        self._app = app
        self._log = log
        self._counts = service.counters.requests
        self._hosts = allowed_hosts(settings.host, settings.allowed_hosts)
        self._proxies = Proxies(settings.trusted_proxies)
        self._root_path = settings.root_path
        limit = str(settings.body_limit_bytes).encode()
        self._ping_headers = [*_HEADERS, (b"ping-body-limit", limit)]

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Let one request pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.monotonic()
        status = 0
        is_ping = scope["path"].removeprefix(self._root_path).startswith(PREFIX)
        more_headers = self._ping_headers if is_ping else _HEADERS

        async def send_noting(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                there = {name for name, _ in headers}
                message["headers"] = [*headers, *(h for h in more_headers if h[0] not in there)]
            await send(message)

        if self._proxies:
            self._proxies.settle_origin(scope)
        try:
            refusal = self._refuse(scope)
            if refusal is None:
                await self._app(scope, receive, send_noting)
            else:
                refused, slug, message = refusal
                await send_early(receive, send_noting, refused, error(slug, message))
        except Exception as crash:  # noqa: BLE001 (the client is told, and the log)
            note_crash(crash)
            if not status:
                await send_json(send_noting, 500, CRASH)
        finally:
            path = scope["path"].removeprefix(self._root_path)
            self._counts[*classify(scope["method"], path), status or 500] += 1
            client = scope.get("client")
            took_s = time.monotonic() - began_s
            address = client[0] if client else None
            request = (address, scope["method"], scope["path"], status or 500, took_s)
            note_request(*request)
            if self._log is not None:
                write_line(self._log, *request)

    def _refuse(self, scope: "Scope") -> tuple[int, str, str] | None:
        """Explain why a request isn't for us, if it isn't.

        One for another Host may come from a web page that a person visits, whose name resolves to
        a loopback address (DNS rebinding).
        """
        refused: tuple[int, str, str] | None = scope.get(REFUSED_HEAD)
        if refused is not None or not self._hosts:
            return refused
        name = host_name(next((v for n, v in scope["headers"] if n == b"host"), b""))
        if name in self._hosts:
            return None
        message = f"not the host that is asked for here: --allowed-host {name[:100]}"
        return 421, "WRONG_HOST", message


class Proxies:
    """The proxies whose word counts, by their addresses. ValueError: one is none."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._networks = [ipaddress.ip_network(each, strict=False) for each in trusted]

    def __bool__(self) -> bool:
        return bool(self._networks)

    def settle_origin(self, scope: "Scope") -> None:
        """Take the client's address and scheme from the headers of a trusted proxy."""
        client = scope.get("client")
        if not client or not self._trusts(client[0]):
            return
        chain: list[bytes] = []
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                chain += value.split(b",")
            elif name == b"x-forwarded-proto" and value in (b"http", b"https"):
                scope["scheme"] = value.decode()
        # The nearest hop that isn't a proxy of ours: what stands before it is hearsay.
        for hop in reversed(chain):
            address = _address_in(hop.decode("latin-1").strip())
            if not address:
                return  # `unknown`, or a name that somebody has made up
            if not self._trusts(address):
                scope["client"] = (address, 0)
                return

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _address_in(hop: str) -> str:
    """The address of a hop, which some proxies write with a port; "" if it has none."""
    for text in (hop, hop.rpartition(":")[0]):
        address = text.removeprefix("[").removesuffix("]")
        try:
            ipaddress.ip_address(address)
        except ValueError:
            continue
        return address
    return ""


def host_name(header: bytes) -> str:
    """The name in a Host header, without its port."""
    name = header.decode("latin-1").lower()
    return name[: name.rfind("]") + 1] if name.startswith("[") else name.partition(":")[0]


def allowed_hosts(host: str, given: tuple[str, ...]) -> frozenset[str]:
    """The hosts that requests may name: those given, and on loopback this machine's own names.

    None at all: any.
    """
    if given == ("*",):
        return frozenset()
    names = [name.lower() for name in given]
    if is_loopback(host) or host == "localhost":
        return frozenset((*_LOCAL_NAMES, *names))
    return frozenset((*_LOCAL_NAMES, host.lower(), *names)) if names else frozenset()
