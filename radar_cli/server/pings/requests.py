"""The query of a ping: read strictly, and made into a fact with its time.

A field is known or not. A known one is given once; one that contradicts the path is refused, since
nobody knows which of the two is meant. Unknown ones are ignored, and the answer says so, unless
they tell of a failure. But what a ping declares its monitor as costs no ping: given twice, or by a
name that is nearly right, it is kept as a declaration that can't be read, which becomes the
monitor's fault.
"""

import contextlib
from math import isfinite
from urllib.parse import parse_qsl

from radar_cli.core.grammar import parse_run_id
from radar_cli.model.declaring import JUDGED, warn_of_unknown
from radar_cli.model.ping import Ping, parse_time
from radar_cli.model.run import Origin
from radar_cli.server.pings.paths import PingPath

# Programs write each minute out: `0,1,2,3,...` for all fields has 350 characters.
SCHEDULE_MAX = 1000
# Query fields that are kept, and how many characters of them (docs/reference/http.md).
_KEPT = {
    **dict.fromkeys(("duration", "cpu", "rss", "exit", "signal", "tries", "output", "omitted"), 40),
    **dict.fromkeys(("every", "gracePeriod", "max_runtime", "extend"), 40),
    "tz": 100,
    "zone": 100,
    "cron_tz": 100,
    "hosts": 40,
    "task": 240,
    "host": 255,
    "name": 200,
    "schedule": SCHEDULE_MAX,
    "tags": 500,
    "reason": 500,
    "message": 2000,
    "url": 2000,
    "command": 2000,
}
_KNOWN = frozenset((*_KEPT, "id", "rid", "ts", "sent", "create"))
# What a second, other value of a declaring field is joined by: tags are a list, and of the others
# no reading makes sense of two.
_DECLARING = {**dict.fromkeys(JUDGED & _KEPT.keys(), " and "), "tags": " "}
_FIELDS_MAX = 100
_ID_MAX = 60
_WARNINGS_MAX = 5
# Clocks of clients that are wrong by more say nothing about when it happened.
_OLDEST_US = 400 * 86_400 * 1_000_000
# A clock that is off by less is taken for right.
CLOCK_SLACK_US = 10 * 1_000_000
CREATING = ("schedule", "every")
# A check that Healthchecks makes by `?create=1`: its period and its grace, in seconds.
_AUTO_CREATED = {"every": "86400", "gracePeriod": "3600"}


class BadRequestError(ValueError):
    """A query that makes no sense."""


class PingRequest:
    """The query of a request to `/ping/…` whose path is read."""

    __slots__ = ("_sent_us", "_ts_us", "fields", "id", "is_create", "path", "run_id", "warnings")

    def __init__(self, path: PingPath, query: str) -> None:
        """BadRequestError: the query makes no sense."""
        fields, unknown, belying = _sort_out(query)
        self.path = path
        self.warnings = unknown
        self.run_id = _run_id(fields["rid"]) if "rid" in fields else ""
        self.id = fields.get("id", "")
        if len(self.id) > _ID_MAX or not (self.id.isascii() and self.id.isprintable()):
            raise BadRequestError("bad id: at most 60 characters of printable ASCII")
        self._ts_us = _time_us(fields["ts"]) if "ts" in fields else None
        self._sent_us = _time_us(fields["sent"]) if "sent" in fields else None
        create = fields.get("create", "0")
        self.is_create = create == "1"
        if create not in ("0", "1"):
            self.warnings.append(f"bad create {create[:40]!r}: 1 makes an unknown monitor")
        self.fields = {
            name: _clean(value, _KEPT[name])
            for name, value in fields.items()
            if name in _KEPT and (value or name != "exit")
        }
        if belying or fields.keys() & _OUTCOME:
            _check_outcome(path, fields, belying, has_id=bool(self.id))
        if path.exit_code is not None:
            self.fields["exit"] = str(path.exit_code)

    @property
    def may_create(self) -> bool:
        """Whether it makes a monitor that isn't there.

        Radar's own client, whose pings have ids, says all that it knows: what it wraps is worth a
        monitor.
        """
        return self.is_create or bool(self.id) or any(name in self.fields for name in CREATING)

    @property
    def defaults(self) -> dict[str, str]:
        """The declaration of a monitor that this ping makes and says nothing of."""
        if not self.is_create or any(name in self.fields for name in CREATING):
            return {}
        return _AUTO_CREATED

    def ping(
        self, monitor: str, body: bytes, omitted_bytes: int, now_us: int, origin: Origin
    ) -> Ping:
        """The ping, received now, with a body of valid UTF-8."""
        fields = dict(self.fields)
        if omitted_bytes:
            fields["omitted"] = str(omitted_bytes + _count(fields.get("omitted", "")))
        return Ping(
            self.path.kind,
            monitor,
            run_id=self.run_id,
            time_us=self._event_time(now_us),
            fields=fields,
            body=body,
            ping_id=self.id,
            origin=origin,
        )

    def _event_time(self, now_us: int) -> int:
        """Return when it happened by our clock, which is never later than now.

        The client's clock is ours, or off by a multiple of some seconds: what its request took on
        the way isn't told from that, and would mix up the beginnings and ends of short runs.
        """
        if self._ts_us is None:
            return now_us
        ahead_us = (self._sent_us or now_us) - now_us
        off_us = (ahead_us + CLOCK_SLACK_US // 2) // CLOCK_SLACK_US * CLOCK_SLACK_US
        return min(now_us, max(self._ts_us - off_us, now_us - _OLDEST_US))


def duration_of(fields: dict[str, str]) -> float | None:
    """Return how long a run took, as its ping says itself, in seconds."""
    duration_s = _number(fields.get("duration"))
    return duration_s if duration_s is not None and duration_s >= 0 else None


# Fields that say how a run ended, as the path does.
_OUTCOME = frozenset(("exit", "signal", "reason"))
# And what others call them, with what belies a path that says success.
_CODES = frozenset(("exit", "exitcode", "exitstatus", "returncode", "rc", "code"))
_STATES = frozenset(("state", "status", "kind", "result", "outcome"))
_NO_SUCCESS = frozenset(
    ("fail", "failed", "failure", "error", "down", "critical", "timeout", "run", "start", "started")
)


def _belies_success(name: str, value: str) -> bool:
    """Whether an unknown field says that a run has failed, or only begun."""
    letters = "".join(filter(str.isalnum, name[:40].lower()))
    if letters in _CODES:
        return bool(_number(value))
    return letters in _STATES and value.strip().lower() in _NO_SUCCESS


def _check_outcome(
    path: PingPath, fields: dict[str, str], belying: list[str], *, has_id: bool
) -> None:
    """BadRequestError: the query says that the run ended otherwise than the path does.

    A program that gives its pings ids has judged the run itself: a success with another exit code
    is one of `radar run --ok-codes`. A failure may have any exit code: what was wrong with the
    run needn't be its exit.
    """
    exit_code = _number(fields.get("exit"))
    if path.exit_code is not None and exit_code not in (None, path.exit_code):
        raise BadRequestError(
            f"exit={fields['exit'][:40]} contradicts /{path.exit_code} in the path"
        )
    if path.kind == "fail" or has_id:
        return
    if "exit" in fields and exit_code is None:
        # The line may have named a variable that isn't set, and then nobody knows how it ended.
        raise BadRequestError(f"bad exit {fields['exit'][:40]!r}: the exit code is a number")
    contradiction = ""
    if belying and path.kind == "success":
        contradiction = belying[0]
    elif exit_code is not None and (exit_code or path.kind != "success"):
        contradiction = f"exit={fields['exit'][:40]}"
    elif fields.get("signal", "0") != "0":
        contradiction = f"signal={fields['signal'][:40]}"
    elif path.kind == "success" and "reason" in fields:
        contradiction = "reason, which says why a run failed,"
    if contradiction:
        raise BadRequestError(
            f"{contradiction} contradicts the path, which says {path.kind}:"
            " a failure is /fail or its exit code"
        )


def _sort_out(query: str) -> tuple[dict[str, str], list[str], list[str]]:
    """Return the known fields, a warning of each unknown one, and those that belie a success.

    A declaration without a value is one: its line may have named a variable that isn't set.
    """
    try:
        pairs = _read_query(query) if query else []
    except ValueError as error:
        raise BadRequestError(str(error)) from None
    fields: dict[str, str] = {}
    unknown: list[tuple[str, str]] = []
    for name, value in pairs:
        if name not in _KNOWN:
            if name:
                unknown.append((name, value))
        elif (value or name in JUDGED or name == "exit") and fields.setdefault(
            name, value
        ) != value:
            if name not in _DECLARING:
                raise BadRequestError(f"{name} is given twice")
            fields[name] += f"{_DECLARING[name]}{value}"
    belying = [f"{name}={value}"[:80] for name, value in unknown if _belies_success(name, value)]
    warnings = [warn_of_unknown(name, value, fields) for name, value in unknown[:_WARNINGS_MAX]]
    return fields, warnings, belying


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
    try:
        return parse_run_id(rid)
    except ValueError:
        raise BadRequestError("invalid uuid format: rid is a UUID") from None


def _time_us(text: str) -> int:
    # `int` would also take signs and underscores.
    if text.isascii() and text.replace(".", "", 1).isdigit():
        with contextlib.suppress(ValueError):
            return parse_time(text)
    raise BadRequestError("bad ts or sent: Unix time in seconds")


def _number(text: str | None) -> float | None:
    """A number as somebody else's program wrote it; None if it is none."""
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _count(text: str) -> int:
    # "²" is a digit to `isdigit`, and none to `int`.
    return int(text) if text.isascii() and text.isdigit() else 0


def _clean(value: str, length: int) -> str:
    """A value as far as it is kept; NUL is in no database's text."""
    return value[:length].replace("\0", "\ufffd")
