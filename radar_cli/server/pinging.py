"""The ping routes, straight on ASGI: they carry a thousand times more than all others."""

import asyncio
import contextlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from radar_cli.core import text
from radar_cli.core.errors import RadarError
from radar_cli.model.ping import Ping
from radar_cli.server.access import AccessError, check, read_authorization
from radar_cli.server.answers import error, send_json
from radar_cli.server.bodies import said_length
from radar_cli.server.paths import BadPathError, PingPath, parse_path
from radar_cli.server.requests import BadRequestError, PingRequest
from radar_cli.server.writer import PoisonedPingError, UnknownMonitorPingError
from radar_cli.store.tokens import PING

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from radar_cli.server.service import Service

PREFIX = "/ping/"
_METHODS = ("HEAD", "GET", "POST", "PUT")
# More than that is nobody's output: it isn't even read.
_BODY_MAX_FACTOR = 100
BODY_PATIENCE_S = 30.0
_WORDS = {
    "start": ("started", "startedAt"),
    "success": ("ok", "pingedAt"),
    "fail": ("failed", "failedAt"),
    "log": ("logged", "loggedAt"),
}


class BodyError(Exception):
    """A body that is too long, or doesn't come."""

    def __init__(self, status: int, slug: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.slug = slug
        self.message = message


class Pinging:
    """Answers requests to `/ping/…`."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._limit = {"Ping-Body-Limit": str(service.settings.body_limit_bytes)}

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Take one ping."""
        status, content, headers = await self._take(scope, receive)
        await send_json(send, status, content, {**self._limit, **headers})

    async def _take(
        self, scope: "Scope", receive: "Receive"
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        service = self._service
        if scope["method"] not in _METHODS:
            return 405, error("METHOD_NOT_ALLOWED", "GET, POST, PUT or HEAD"), _ALLOW
        try:
            path = parse_path(_path_of(scope))
            request = PingRequest(path, scope["query_string"].decode("latin-1"))
            monitor = await self._authorize(scope, path)
            body, omitted = await self._read_body(scope, receive)
            ping = request.ping(monitor, body, omitted, service.clock.now_us())
            duration_s = await self._duration(scope, ping)
            await service.writer.add(ping, may_create=request.may_create)
        except Exception as fault:  # noqa: BLE001 (what isn't ours is raised again)
            return refuse(service, fault)
        service.counters.pings[ping.kind] += 1
        return 200, answer(ping, duration_s, is_complete=_is_complete(scope)), {}

    async def _authorize(self, scope: "Scope", path: PingPath) -> str:
        """The monitor that a request may ping. AccessError: none."""
        service = self._service
        if path.token:
            found = await asyncio.to_thread(service.store.find_by_token, path.token, PING)
            service.limits.check(scope, path.token)
            if found is None:
                raise AccessError(401, "no monitor has this token")
            return found
        headers = {name: value for name, value in scope["headers"] if name == b"authorization"}
        given = path.api_key or read_authorization(
            headers.get(b"authorization", b"").decode("latin-1")
        )
        known = service.access.recall(given) if given else None
        if isinstance(known, bool):
            known = await asyncio.to_thread(service.access.find, given)
        service.limits.check(scope, known.id if known is not None else "")
        check(known, "ping", path.monitor)
        return path.monitor

    async def _read_body(self, scope: "Scope", receive: "Receive") -> tuple[bytes, int]:
        """The end of the body, and how many bytes before it are let go. BodyError: see there."""
        limit = self._service.settings.body_limit_bytes
        total, kept = 0, bytearray()
        too_long = BodyError(413, "TOO_LARGE", f"more than {limit} bytes aren't kept")
        if said_length(scope) > limit * _BODY_MAX_FACTOR:
            raise too_long
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BODY_PATIENCE_S):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise BodyError(400, "INVALID_REQUEST", "the body has no end")
                    part = message.get("body", b"")
                    total += len(part)
                    if total > limit * _BODY_MAX_FACTOR:
                        raise too_long
                    kept += part
                    if len(kept) > 2 * limit:
                        del kept[:-limit]
                    if not message.get("more_body", False):
                        body, _ = text.cut(bytes(kept), limit)
                        return body, total - len(body)
        raise late_body()

    async def _duration(self, scope: "Scope", ping: Ping) -> float | None:
        """How long the run took, for who asks by `/complete` and doesn't say it."""
        if not _is_complete(scope):
            return None
        if (said := duration_of(ping)) is not None:
            return said
        known = await asyncio.to_thread(self._service.store.find, ping.monitor)
        start_us = None if known is None else known.state.running.get(ping.run_id)
        return None if start_us is None else max(0.0, (ping.time_us - start_us) / 1e6)


def late_body() -> BodyError:
    """A body that doesn't come."""
    return BodyError(408, "TIMEOUT", f"the body did not come within {BODY_PATIENCE_S:g} s")


def refuse(service: "Service", fault: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, content and headers of the answer to a ping that was not stored, and why."""
    match fault:
        case AccessError():
            return fault.status, error(fault.slug, fault.message), _challenge(fault)
        case BadPathError() | BadRequestError() | PoisonedPingError():
            return 400, error("INVALID_REQUEST", str(fault)), {}
        case BodyError():
            return fault.status, error(fault.slug, fault.message), {"Connection": "close"}
        case UnknownMonitorPingError():
            message = f"no monitor {str(fault)!r}: send a schedule with the ping, or ?create=1"
            return 404, error("NOT_FOUND", message), {}
        case RadarError():
            service.note_fault(fault)
            return 503, error("UNAVAILABLE", "the database can't be used"), {"Retry-After": "5"}
    raise fault


_ALLOW = {"Allow": ", ".join(_METHODS)}


def _path_of(scope: "Scope") -> str:
    """What stands behind the prefix, each segment decoded by itself."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    path = path.removeprefix(scope.get("root_path", "")).removeprefix(PREFIX)
    return "/".join(unquote(segment).replace("/", "%2F") for segment in path.split("/"))


def _challenge(refused: AccessError) -> dict[str, str]:
    if refused.status == 401:
        return {"WWW-Authenticate": 'Basic realm="radar", Bearer'}
    return {"Retry-After": str(refused.retry_after_s)} if refused.status == 429 else {}


def answer(ping: Ping, duration_s: float | None, *, is_complete: bool) -> dict[str, Any]:
    """What CronRadar answers (its documentation, "Ping API")."""
    status, name = ("completed", "completedAt") if is_complete else _WORDS[ping.kind]
    seconds, microseconds = divmod(ping.time_us, 1_000_000)
    content: dict[str, Any] = {
        "status": status,
        "monitor": ping.monitor,
        name: f"{_tell_second(seconds)}.{microseconds // 1000:03d}Z",
    }
    if duration_s is not None:
        content["duration"] = round(duration_s, 3)
    return content


@lru_cache(256)  # most happen now
def _tell_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def duration_of(ping: Ping) -> float | None:
    """How long its run took, as it says itself."""
    with contextlib.suppress(ValueError):
        duration_s = float(ping.fields["duration"]) if "duration" in ping.fields else -1.0
        return duration_s if 0 <= duration_s < float("inf") else None
    return None


def _is_complete(scope: "Scope") -> bool:
    path: str = scope["path"]
    return path.endswith("/complete")
