"""Pings as CronRadar takes them (https://cron.life, its documentation of 2026).

It knows no run id, no event time, no exit code and no output: a failure's exit code and last line
go into `message`, and what is late is not sent as if it were news (see flush.py).
"""

from radar_cli import __version__
from radar_cli.core.text import last_line
from radar_cli.model.ping import Ping, encode_fields
from radar_cli.net.proxies import basic

KNOWS_EVENT_TIME = False
BODY_DEFAULT_BYTES = 0
_WORDS = {"start": "/start", "success": "/complete", "fail": "/fail"}
_MESSAGE_MAX_CHARACTERS = 500


def request(
    ping: Ping,
    key: str,
    now_us: int,  # noqa: ARG001 (it has no place for the time,
    limit_bytes: int,  # noqa: ARG001 (nor for the output)
) -> tuple[str, dict[str, str], bytes]:
    """Path, headers and body of a ping."""
    declared = {name: ping.fields.get(name, "") for name in ("schedule", "gracePeriod", "name")}
    if ping.kind == "fail":
        declared["message"] = message(ping)
    query = encode_fields(declared)
    path = f"/ping/{ping.monitor}{_WORDS[ping.kind]}" + (f"?{query}" if query else "")
    headers = {"User-Agent": f"radar/{__version__}"}
    if key:
        # A key in the path, as newer pages have it, would end up in logs.
        headers["Authorization"] = basic(f"{key}:")
    return path, headers, b""


def message(ping: Ping) -> str:
    """A failure in one line: how it ended, and the last line of its output."""
    fields = ping.fields
    if fields.get("reason"):
        how = fields["reason"]
    elif fields.get("signal"):
        how = f"signal {fields['signal']}"
    else:
        how = f"exit {fields['exit']}" if fields.get("exit") else ""
    said = fields.get("message", "")
    if not said:
        said = last_line(ping.body.decode("utf-8", "replace"))
    return ": ".join(part for part in (how, said) if part)[:_MESSAGE_MAX_CHARACTERS]
