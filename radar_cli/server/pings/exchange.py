"""One request to `/ping/…`, from its head to its answer, without I/O.

Every ping passes these stages in this order, and each may refuse it:

1. `begin`: the method, how often the address asks, the path and the query;
2. `admit`: the API key, or the monitor that a secret token is for, as whoever looked it up found;
3. `feed`: the parts of the body, once the key is accepted;
4. `ping`: the fact to store;
5. `accept` or `refuse`: the answer.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Mapping, NamedTuple, Sequence

from radar_cli.core import text
from radar_cli.core.errors import RadarError
from radar_cli.model.declaring import warnings_of
from radar_cli.model.ping import Ping
from radar_cli.model.run import Origin
from radar_cli.server.pings.paths import BadPathError, PingPath, parse_path
from radar_cli.server.pings.requests import BadRequestError, PingRequest, duration_of
from radar_cli.server.pings.writer import (
    PoisonedPingError,
    TakenIdError,
    TooManyMonitorsError,
    UnknownMonitorPingError,
)
from radar_cli.server.runtime.access import AccessError, check, read_authorization
from radar_cli.server.runtime.answers import error
from radar_cli.server.runtime.keys import ApiKey
from radar_cli.server.runtime.limits import Limits

METHODS = ("HEAD", "GET", "POST", "PUT")
# A body has no longest length, and no longest time either, but it has to go on.
IDLE_MAX_S = 10.0
PACE_BYTES_A_S = 1_000
_PACE_EVERY_S = 60.0
_AGENT_MAX = 200
# Of each kind: the status, and the field of the time, in CronRadar's answer.
_WORDS = {
    "start": ("started", "startedAt"),
    "success": ("ok", "pingedAt"),
    "fail": ("failed", "failedAt"),
    "log": ("logged", "loggedAt"),
}


class Refused(Exception):  # noqa: N818 (it is an answer, not a fault)
    """A request that is refused as it is: the status, a slug, and why."""

    def __init__(
        self, status: int, slug: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.slug = slug
        self.message = message
        self.headers = headers or {}


class Answer(NamedTuple):
    """A response: its status, its JSON, and headers besides those of every answer."""

    status: int
    content: dict[str, Any]
    headers: Mapping[str, str]


class Head(NamedTuple):
    """A request's head; `path` is the part behind `/ping/`, as it came."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[bytes, bytes]]
    address: str  # of the client, "" if it has none


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits that all exchanges of a server share."""

    limits: Limits
    body_limit_bytes: int


class Body:
    """The end of a body that comes in parts, in memory that doesn't grow with it."""

    __slots__ = ("_kept", "_limit_bytes", "_paced_bytes", "_paced_s", "_total_bytes")

    def __init__(self, limit_bytes: int, now_s: float) -> None:
        self._limit_bytes = limit_bytes
        self._kept = bytearray()
        self._total_bytes = 0
        self._paced_s, self._paced_bytes = now_s, 0  # as the pace was last judged

    def feed(self, part: bytes, now_s: float, *, is_last: bool) -> None:
        """Take the next part. Refused: it doesn't come fast enough to wait for its end."""
        self._total_bytes += len(part)
        self._kept += part
        if len(self._kept) > 2 * self._limit_bytes:
            del self._kept[: -self._limit_bytes or None]
        passed_s = now_s - self._paced_s
        if is_last or passed_s < _PACE_EVERY_S:
            return
        if self._total_bytes - self._paced_bytes < PACE_BYTES_A_S * passed_s:
            raise Refused(408, "TIMEOUT", f"the body comes with less than {PACE_BYTES_A_S} bytes/s")
        self._paced_s, self._paced_bytes = now_s, self._total_bytes

    def end(self) -> tuple[bytes, int]:
        """Return what is kept of it, as valid UTF-8, and how many bytes before that are not."""
        kept, _ = text.cut(bytes(self._kept), self._limit_bytes)
        omitted = self._total_bytes - len(kept)
        valid = text.valid(kept)  # which may be longer
        return (valid if valid is kept else text.cut(valid, self._limit_bytes)[0]), omitted


@dataclass(slots=True)
class Exchange:
    """A request whose head has come, by the monotonic clock at `began_s`."""

    head: Head
    rules: Rules
    began_s: float
    monitor: str = ""
    key: ApiKey | None = None
    request: PingRequest = field(init=False)
    api_key: str = ""  # to be looked up, if the path has no token
    _body: Body | None = None
    _agent: str = ""

    @property
    def path(self) -> PingPath:
        """The path, once it is read."""
        return self.request.path

    def begin(self) -> None:
        """Read the head. Refused, AccessError, BadPathError, BadRequestError: it is no ping."""
        head = self.head
        # First of all: nothing of it may be kept, or looked up, that is over the limit.
        self.rules.limits.check_address(head.address)
        if head.method not in METHODS:
            allowed = ", ".join(METHODS)
            raise Refused(405, "METHOD_NOT_ALLOWED", f"use {allowed}", {"Allow": allowed})
        authorization = b""
        for name, value in head.headers:
            if name == b"authorization":
                authorization = value
            elif name == b"user-agent":
                self._agent = _readable(value)
        self.request = PingRequest(parse_path(head.path), head.query)
        if not self.path.token:
            self.api_key = self.path.api_key or (
                read_authorization(authorization.decode("latin-1")) if authorization else ""
            )

    def admit(self, key: ApiKey | None) -> None:
        """Go on with the key that was found. AccessError: it isn't good for this."""
        if key is not None:
            self.rules.limits.check_key(key.id, self.head.address)
        self.key = check(key, "ping", self.path.monitor)
        self.monitor = self.path.monitor

    def admit_token(self, monitor: str | None) -> None:
        """Go on with the monitor that a secret token is for. AccessError: there is none."""
        if monitor is None:
            raise AccessError(401, "no monitor has this token")
        self.rules.limits.check_key(f"token of {monitor}", self.head.address)
        self.monitor = monitor

    def feed(self, part: bytes, now_s: float, *, is_last: bool) -> None:
        """Take the next part of the body. Refused: it comes too slowly."""
        if self._body is None:
            self._body = Body(self.rules.body_limit_bytes, self.began_s)
        self._body.feed(part, now_s, is_last=is_last)

    def ping(self, now_us: int) -> Ping:
        """The fact to store, received now."""
        kept, omitted = (b"", 0) if self._body is None else self._body.end()
        origin = Origin(self.head.address, self.head.method, self._agent)
        return self.request.ping(self.monitor, kept, omitted, now_us, origin)

    @property
    def asks_duration(self) -> bool:
        """Whether the answer tells how long the run took, which the client doesn't say."""
        return self.path.is_complete and duration_of(self.request.fields) is None

    def accept(self, ping: Ping, started_us: int | None) -> Answer:
        """The answer to a ping that is stored, as CronRadar's documentation has it."""
        status, name = _WORDS[ping.kind]
        if self.path.is_complete:
            status, name = "completed", "completedAt"
        seconds, microseconds = divmod(ping.time_us, 1_000_000)
        content: dict[str, Any] = {
            "status": status,
            # As it was asked for: it may be an alias, and the key know no other name.
            "monitor": self.monitor,
            name: f"{_format_second(seconds)}.{microseconds // 1000:03d}Z",
        }
        if self.path.is_complete:
            duration_s = duration_of(self.request.fields)
            if duration_s is None and started_us is not None:
                duration_s = max(0.0, (ping.time_us - started_us) / 1e6)
            if duration_s is not None:
                content["duration"] = round(duration_s, 3)
        if warnings := [*self.request.warnings, *warnings_of(ping)]:
            content["warnings"] = warnings
        return Answer(200, content, {})

    def refuse(self, fault: Exception) -> Answer:
        """The answer to a ping that is not stored; what nobody expects is raised again."""
        match fault:
            case Refused():
                return Answer(fault.status, error(fault.slug, fault.message), fault.headers)
            case AccessError():
                return Answer(fault.status, error(fault.slug, fault.message), _challenge(fault))
            case BadPathError() | BadRequestError() | PoisonedPingError():
                return Answer(400, error("INVALID_REQUEST", str(fault)), {})
            case UnknownMonitorPingError():
                message = f"no monitor {str(fault)!r}: send a schedule with the ping, or ?create=1"
                return Answer(404, error("NOT_FOUND", message), {})
            case TakenIdError():
                message = f"the id {str(fault)!r} is that of another ping"
                return Answer(409, error("ID_TAKEN", message), {})
            case TooManyMonitorsError():
                return Answer(403, error("TOO_MANY_MONITORS", str(fault)), {})
            case RadarError():
                content = error("UNAVAILABLE", "the database can't be used")
                return Answer(503, content, {"Retry-After": "5"})
        raise fault


def late_body() -> Refused:
    """The refusal of a body of which nothing comes any more."""
    return Refused(408, "TIMEOUT", f"nothing of the body has come for {IDLE_MAX_S:g} s")


def broken_body() -> Refused:
    """The refusal of a body that ends before its end; nobody is there to read it."""
    return Refused(400, "INVALID_REQUEST", "the body has no end")


def _challenge(refused: AccessError) -> dict[str, str]:
    if refused.status == 401:
        return {"WWW-Authenticate": 'Basic realm="radar", Bearer'}
    return {"Retry-After": str(refused.retry_after_s)} if refused.status == 429 else {}


@lru_cache(256)  # most happen now
def _format_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(1024)  # most clients are of a few kinds
def _readable(agent: bytes) -> str:
    """A User-Agent as it may be kept and shown."""
    return text.printable(agent[:_AGENT_MAX].decode("latin-1")).strip()
