"""What every request passes: whose Host it names, whose address it has, what is logged of it."""

import ipaddress
import json
import re
import sys
import time
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from radar_cli.server.answers import error, send_json
from radar_cli.server.limits import is_loopback
from radar_cli.server.paths import KEY_PREFIX

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from radar_cli.server.service import Service

_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
]
_SECRETS = re.compile(
    rf"({KEY_PREFIX}[a-z]+_)[^/?&\s]+|\b[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\b",
    re.IGNORECASE,
)


def check_host(app: "ASGIApp", allowed: tuple[str, ...]) -> "ASGIApp":
    """Answer 421 to requests for another Host: a web page that a person visits must not reach us.

    (DNS rebinding: its name resolves to a loopback address.) Without `allowed`, all hosts are.
    """
    if not allowed:
        return app

    async def checked(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "http":
            name = host_name(next((v for n, v in scope["headers"] if n == b"host"), b""))
            if name not in allowed:
                message = f"not the host that is asked for here: --allowed-host {name[:100]}"
                await send_json(send, 421, error("WRONG_HOST", message))
                return
        await app(scope, receive, send)

    return checked


def host_name(header: bytes) -> str:
    """The name in a Host header, without its port."""
    name = header.decode("latin-1").lower()
    return name[: name.rfind("]") + 1] if name.startswith("[") else name.partition(":")[0]


def allowed_hosts(host: str, given: tuple[str, ...]) -> tuple[str, ...]:
    """The hosts that requests may name: those given, and on loopback this machine's own names."""
    if given == ("*",):
        return ()
    names = tuple(name.lower() for name in given)
    if is_loopback(host) or host == "localhost":
        return (*_LOCAL_NAMES, *names)
    return (*_LOCAL_NAMES, host.lower(), *names) if names else ()


def trust_proxies(app: "ASGIApp", trusted: tuple[str, ...]) -> "ASGIApp":
    """Take the client's address and scheme from a proxy's headers, if it is one of `trusted`."""
    if not trusted:
        return app
    networks = [ipaddress.ip_network(each, strict=False) for each in trusted]

    def is_trusted(address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in networks)

    async def forwarded(scope: "Scope", receive: "Receive", send: "Send") -> None:
        client = scope.get("client")
        if scope["type"] == "http" and client and is_trusted(client[0]):
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            chain = [part.strip() for part in headers.get(b"x-forwarded-for", "").split(",")]
            # The nearest hop that isn't a proxy of ours: what stands before it is hearsay.
            origin = next((hop for hop in reversed(chain) if hop and not is_trusted(hop)), "")
            if origin:
                scope["client"] = (origin, 0)
            if headers.get(b"x-forwarded-proto") in ("http", "https"):
                scope["scheme"] = headers[b"x-forwarded-proto"]
        await app(scope, receive, send)

    return forwarded


def add_headers(app: "ASGIApp") -> "ASGIApp":
    """Tell browsers to take answers for what they are, wherever a route doesn't say otherwise."""

    async def with_headers(scope: "Scope", receive: "Receive", send: "Send") -> None:
        async def send_more(message: "Message") -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((name, value) for name, value in SECURITY_HEADERS if name not in there),
                ]
            await send(message)

        await app(scope, receive, send_more if scope["type"] == "http" else send)

    return with_headers


def log_requests(app: "ASGIApp", service: "Service", log: IO[str] | None) -> "ASGIApp":
    """Count requests by status and, with a log, write one line of JSON for each."""

    async def logged(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        status = 500
        began = time.monotonic()

        async def send_noting(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, send_noting)
        finally:
            service.counters.requests[status] += 1
            if log is not None:
                client = scope.get("client")
                address = client[0] if client else None
                took_s = time.monotonic() - began
                write_line(log, address, scope["method"], scope["path"], status, took_s)

    return logged


def hide_secrets(path: str) -> str:
    """A path as it may be logged: without API keys and tokens."""
    return _SECRETS.sub(lambda match: (match[1] or "") + "...", path)


def open_log(place: str) -> IO[str] | None:
    """The access log: a file, stdout for `-`, none for "". OSError: it can't be written."""
    if not place:
        return None
    return sys.stdout if place == "-" else open(place, "a", encoding="utf-8", buffering=1)


def write_line(
    log: IO[str], address: str | None, method: str, path: str, status: int, seconds: float
) -> None:
    """Write a line of the access log."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "client": address,
        "method": method,
        # The query may hold anything that a job says.
        "path": hide_secrets(path),
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
    log.write(json.dumps(line) + "\n")
    if log is sys.stdout:
        log.flush()
