"""A ping as a request says it: from path, query and body to a fact with its time."""

import contextlib
from urllib.parse import parse_qsl

from radar_cli.core import text
from radar_cli.core.grammar import parse_run_id
from radar_cli.model.ping import Ping, parse_time
from radar_cli.server.paths import PingPath

# Programs write each minute out: `0,1,2,3,...` for all fields has 350 characters.
SCHEDULE_MAX = 1000
# Query fields that are kept, and how many characters of them (README, "What a ping says").
_KEPT = {
    **dict.fromkeys(("duration", "cpu", "rss", "exit", "signal", "tries", "output", "omitted"), 40),
    **dict.fromkeys(("every", "gracePeriod", "max_runtime"), 40),
    "tz": 100,
    "host": 255,
    "name": 200,
    "schedule": SCHEDULE_MAX,
    "tags": 500,
    "reason": 500,
    "message": 2000,
    "command": 2000,
}
_FIELDS_MAX = 100
_ID_MAX = 60
# Clocks of clients that are wrong by more say nothing about when it happened.
_OLDEST_US = 400 * 86_400 * 1_000_000
# A clock that is off by less is taken for right.
CLOCK_SLACK_US = 10 * 1_000_000
CREATING = ("schedule", "every")


class BadRequestError(ValueError):
    """A query that makes no sense."""


class PingRequest:
    """A request to `/ping/…` whose path is read."""

    def __init__(self, path: PingPath, query: str, host: str = "") -> None:
        """BadRequestError: the query makes no sense."""
        try:
            pairs = _read_query(query)
        except ValueError as error:
            raise BadRequestError(str(error)) from None
        said = {name: value for name, value in pairs if value}
        self.path = path
        self.run_id = _run_id(said.get("rid", ""))
        self.fields = {
            name: _clean(value, _KEPT[name]) for name, value in said.items() if name in _KEPT
        }
        if path.exit_code is not None:
            self.fields["exit"] = str(path.exit_code)
        if host and "host" not in self.fields:
            self.fields["host"] = host
        self.id = said.get("id", "")
        if len(self.id) > _ID_MAX or not (self.id.isascii() and self.id.isprintable()):
            raise BadRequestError("bad id: at most 60 characters of printable ASCII")
        self._ts_us = _time_us(said["ts"]) if "ts" in said else None
        self._sent_us = _time_us(said["sent"]) if "sent" in said else None
        # Radar's own client says all that it knows: what it wraps is worth a monitor.
        self.may_create = said.get("create") == "1" or bool(
            self.id or any(self.fields.get(name) for name in CREATING)
        )

    def ping(self, monitor: str, body: bytes, omitted_bytes: int, now_us: int) -> Ping:
        """The ping, received now."""
        fields = dict(self.fields)
        if omitted_bytes:
            before = fields.get("omitted", "0")
            fields["omitted"] = str(omitted_bytes + (int(before) if before.isdigit() else 0))
        return Ping(
            self.path.kind,
            monitor,
            run_id=self.run_id,
            time_us=self._event_time(now_us),
            fields=fields,
            body=text.valid(body),
            ping_id=self.id,
        )

    def _event_time(self, now_us: int) -> int:
        """When it happened by our clock, which is never later than now.

        The client's clock is ours, or off by a multiple of some seconds: what its request took on
        the way isn't told from that, and would mix up the beginnings and ends of short runs.
        """
        if self._ts_us is None:
            return now_us
        ahead_us = (self._sent_us or now_us) - now_us
        off_us = (ahead_us + CLOCK_SLACK_US // 2) // CLOCK_SLACK_US * CLOCK_SLACK_US
        return min(now_us, max(self._ts_us - off_us, now_us - _OLDEST_US))


def _read_query(query: str) -> list[tuple[str, str]]:
    """Its names and values. ValueError: there are too many."""
    if "%" in query or "+" in query or ";" in query:
        return parse_qsl(
            query, keep_blank_values=True, errors="replace", max_num_fields=_FIELDS_MAX
        )
    # Most need no decoding, and are read in a quarter of the time.
    pairs = [pair.partition("=") for pair in query.split("&")]
    if len(pairs) > _FIELDS_MAX:
        raise ValueError(f"more than {_FIELDS_MAX} fields")
    return [(name, value) for name, _, value in pairs]


def _run_id(rid: str) -> str:
    if not rid:
        return ""
    try:
        return parse_run_id(rid)
    except ValueError:
        raise BadRequestError("invalid uuid format: rid is a UUID") from None


def _time_us(said: str) -> int:
    # `int` would also take signs and underscores.
    if said.isascii() and said.replace(".", "", 1).isdigit():
        with contextlib.suppress(ValueError):
            return parse_time(said)
    raise BadRequestError("bad ts or sent: Unix time in seconds")


def _clean(value: str, length: int) -> str:
    """A value as far as it is kept; NUL is in no database's text."""
    return value[:length].replace("\0", "\ufffd")
