"""What the server writes about requests and about its own bugs, without keys and tokens."""

import json
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


def note_crash(crash: Exception) -> None:
    """Write the traceback of what nobody expects to stderr."""
    text = hide_secrets("".join(traceback.format_exception(crash)))
    sys.stderr.write("radar: a bug:\n" + _PASSWORDS.sub(r"\1...@", text))
    sys.stderr.flush()
