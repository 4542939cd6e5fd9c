"""The server's log of itself and of requests, without keys, tokens and passwords.

Its log goes to stderr: lines with a time and a level, or a JSON object each. What anything else
writes to stderr becomes such a line, too, so that whoever collects them can read all.
"""

import io
import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import IO

from radar_cli.server.pings.paths import KEY_PREFIX

_SECRETS = re.compile(
    rf"({KEY_PREFIX}[a-z]+_)[^/?&\s]+|\b[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\b",
    re.IGNORECASE,
)
_PASSWORDS = re.compile(r"(://[^\s:/@]*:)[^\s/@]+@")
_PATH_MAX = 1_000
LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")
# Ours, and those of what the server is built on.
_LOGGERS = ("radar", "uvicorn", "asyncio")

log = logging.getLogger("radar")


def begin_log(level: str, form: str) -> None:
    """Have everything that is at least so important written to stderr, in one of FORMATS."""
    stream = sys.stderr
    if stream is None:
        return
    handler = _Handler(stream)
    handler.setFormatter(_Json() if form == "json" else _Text())
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level.upper())
    sys.stderr = _Stray(stream)


class _Handler(logging.StreamHandler[IO[str]]):
    """Writes lines; what can't be written is lost, and the server goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Say nothing, as there is nowhere to say it."""


class _Text(logging.Formatter):
    """`2026-12-01T02:00:00.000Z warning: ...`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; with a traceback, some lines."""
        return f"{_time_of(record)} {record.levelname.lower()}: {_message_of(record)}"


class _Json(logging.Formatter):
    """`{"time": ..., "level": "warning", "message": ...}`, and what else is known."""

    def format(self, record: logging.LogRecord) -> str:
        """The object of a record, in one line."""
        line = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message_of(record),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line)


class _Stray(io.TextIOBase):
    """Takes the place of stderr: what is written there is logged, line by line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._begun = ""

    def write(self, text: str) -> int:
        """Log the lines that end in this text."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if line:
                log.warning("%s", line.removeprefix("radar: "))
        return len(text)

    def isatty(self) -> bool:
        """Whether a person reads the log."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor behind it."""
        return self._stream.fileno()


def _time_of(record: logging.LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message_of(record: logging.LogRecord) -> str:
    message = record.getMessage()
    if record.exc_info:
        message += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
    return _PASSWORDS.sub(r"\1...@", hide_secrets(message))


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
        "path": hide_secrets(path)[:_PATH_MAX],
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
    log.write(json.dumps(line) + "\n")
    if log is sys.stdout:
        log.flush()


def note_request(address: str | None, method: str, path: str, status: int, seconds: float) -> None:
    """Log a request, for those who look for what is wrong."""
    if log.isEnabledFor(logging.DEBUG):
        shown = hide_secrets(path)[:_PATH_MAX]
        fields: dict[str, object] = {
            "client": address,
            "method": method,
            "path": shown,
            "status": status,
        }
        fields["ms"] = round(seconds * 1000, 1)
        log.debug("%s %s %s", method, shown, status, extra={"fields": fields})


def note_crash(crash: Exception) -> None:
    """Log the traceback of what nobody expects."""
    log.error("a bug:", exc_info=crash)
