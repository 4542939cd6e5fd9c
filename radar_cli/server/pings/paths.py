"""The path of a ping: its monitor, what happened, and a key if it holds one.

A path is read strictly and in this order. What stands behind `/ping/` is split at slashes, and each
segment is decoded by itself:

1. One to three segments, none of them empty; anything else is refused (400).
2. The last of several, if it is a kind (`start`, `success`, `complete`, `fail`, `log`) or an exit
   code (0 to 255): what happened. Without one it is a success.
3. One segment is left: a monitor's secret token, if it is a UUID, else a monitor's key.
4. Two are left: MONITOR/API_KEY (CronRadar) or API_KEY/MONITOR (Healthchecks). The API key is the
   one that begins with `ck_`; if both do, it is the second.

A segment with none of these meanings is refused, and nothing is stored: `/failed`, `/256` or
`/Fail` behind a monitor or a token is a mistake, and must not count as a success. Kinds and exit
codes can't be monitors' keys (radar_cli.ids), so that no path has two meanings.
Sources: cron.life's documentation and SDK 0.1.0; Healthchecks' "Pinging API".
"""

from dataclasses import dataclass, field
from urllib.parse import unquote

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
_SEGMENTS_MAX = 3
_HEX = frozenset("0123456789abcdef")
_TOKEN_LENGTH = 36
_SHOWN_LENGTH = 60


class BadPathError(ValueError):
    """A path that is no ping's."""


@dataclass(slots=True)
class PingPath:
    """A ping's path: its monitor by key or by token, what happened, and a key if it holds one."""

    kind: str
    monitor: str = ""
    token: str = ""
    exit_code: int | None = None
    api_key: str = ""
    # CronRadar's word for a success, whose answer tells how long the run took.
    is_complete: bool = field(default=False, compare=False)


def parse_path(path: str) -> PingPath:
    """Read the part of a path behind `/ping/`, as it came. BadPathError says why it is none."""
    segments = path.split("/")
    if len(segments) > _SEGMENTS_MAX or not all(segments):
        raise BadPathError(
            "a ping's path is /ping/MONITOR, with /start, /complete, /fail, /log or an exit code"
        )
    if "%" in path:
        segments = [unquote(segment) for segment in segments]
    kind, exit_code, is_complete = "success", None, False
    if len(segments) > 1 and (found := _what_happened(segments[-1])) is not None:
        kind, exit_code = found
        is_complete = segments.pop() == "complete"
    name, api_key = segments[0], ""
    if len(segments) > 1:
        name, api_key = _find_key(segments)
    if is_token(name):
        if api_key:
            raise BadPathError("a secret token takes no API key")
        return PingPath(kind, "", name.lower(), exit_code, "", is_complete)
    try:
        monitor = check_key(name)
    except ValueError as error:
        raise BadPathError(str(error)) from None
    return PingPath(kind, monitor, "", exit_code, api_key, is_complete)


def is_token(text: str) -> bool:
    """Whether it is a UUID in its canonical form, as every monitor's secret token."""
    if len(text) != _TOKEN_LENGTH:
        return False
    parts = text.lower().split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and _HEX.issuperset("".join(parts))


def _find_key(segments: list[str]) -> tuple[str, str]:
    """The monitor and the API key of several segments. BadPathError: they aren't that."""
    if len(segments) == 2:
        first, second = segments
        if second.startswith(KEY_PREFIX):
            return first, second
        if first.startswith(KEY_PREFIX):
            return second, first
    last = segments[-1]
    # A key that is mistyped must not come back in an answer.
    shown = "what stands there" if last.startswith(KEY_PREFIX) else repr(last[:_SHOWN_LENGTH])
    raise BadPathError(f"{shown} is no kind of ping, no exit code from 0 to 255 and no API key")


def _what_happened(segment: str) -> tuple[str, int | None] | None:
    if segment in KINDS:
        return KINDS[segment], None
    if segment.isascii() and segment.isdigit() and len(segment) <= 3 and int(segment) <= 255:
        return ("fail" if int(segment) else "success"), int(segment)
    return None
