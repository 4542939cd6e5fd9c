"""What a ping's path says, for every client that ever sent one.

A path is read in this order; what stands behind `/ping/` is split at slashes:

1. One segment that is a UUID: a monitor's secret token; it needs no key.
2. One segment: a monitor's key.
3. The last of several, if it is a kind (`start`, `success`, `complete`, `fail`, `log`) or an exit
   code (0 to 255): what happened. Without one it is a success.
4. What is left is MONITOR, TOKEN, MONITOR/API_KEY (CronRadar), or PING_KEY/MONITOR (Healthchecks):
   of two segments the API key is the one that looks like one (`ck_…`), else the second.

Kinds and exit codes can't be monitors' keys (radar_cli.core.ids), so that no path has two meanings.
Sources: cron.life's documentation and SDK 0.1.0; Healthchecks' "Pinging API".
"""

from dataclasses import dataclass

from radar_cli.core.ids import check_key

# What a segment says, as pings have it.
KINDS = {
    "start": "start",
    "success": "success",
    "complete": "success",
    "fail": "fail",
    "log": "log",
}
KEY_PREFIX = "ck_"
_HEX = frozenset("0123456789abcdef")
_TOKEN_LENGTH = 36


class BadPathError(ValueError):
    """A path that is no ping's."""


@dataclass(frozen=True, slots=True)
class PingPath:
    """A ping's path: its monitor by key or by token, what happened, and a key if it holds one."""

    kind: str
    monitor: str = ""
    token: str = ""
    exit_code: int | None = None
    api_key: str = ""


def parse_path(path: str) -> PingPath:
    """Read the part of a path behind `/ping/`. BadPathError says why it is none."""
    segments = path.split("/")
    if len(segments) > 3 or not all(segments):
        raise BadPathError(
            "a ping's path is /ping/MONITOR, with /start, /fail, /log or an exit code"
        )
    kind, exit_code = "success", None
    if len(segments) > 1 and (found := _what_happened(segments[-1])) is not None:
        kind, exit_code = found
        segments.pop()
    api_key = ""
    if len(segments) == 2:
        first, second = segments
        swapped = first.startswith(KEY_PREFIX) and not second.startswith(KEY_PREFIX)
        name, api_key = (second, first) if swapped else (first, second)
        if _what_happened(api_key) is not None:
            raise BadPathError("a ping's path says once what happened")
    elif len(segments) == 1:
        (name,) = segments
    else:
        raise BadPathError("a ping's path has at most MONITOR, a key, and what happened")
    if is_token(name):
        return PingPath(kind, token=name.lower(), exit_code=exit_code, api_key=api_key)
    try:
        return PingPath(kind, monitor=check_key(name), exit_code=exit_code, api_key=api_key)
    except ValueError as error:
        raise BadPathError(str(error)) from None


def is_token(text: str) -> bool:
    """Whether it is a UUID in its canonical form, as every monitor's secret token."""
    if len(text) != _TOKEN_LENGTH:
        return False
    parts = text.lower().split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and _HEX.issuperset("".join(parts))


def _what_happened(segment: str) -> tuple[str, int | None] | None:
    if segment in KINDS:
        return KINDS[segment], None
    if segment.isascii() and segment.isdigit() and len(segment) <= 3 and int(segment) <= 255:
        return ("fail" if int(segment) else "success"), int(segment)
    return None
