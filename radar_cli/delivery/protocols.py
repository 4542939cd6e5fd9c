"""Pings as servers take them: one class for each protocol.

`knows_event_time`: a late ping lands where it belongs, by its own time; without, it is news.
`body_default_bytes`: how much output a server keeps that hasn't said so.
"""

from radar_cli import __version__
from radar_cli.model.ping import Ping, encode_fields, format_time

_AGENT = f"radar/{__version__}"
_WORDS = {"start": "/start", "success": "/complete", "fail": "/fail", "log": "/log"}
_MESSAGE_MAX_CHARACTERS = 500


class Radar:
    """Pings to radar's own server: CronRadar's paths, and fields of its own beside them.

    The output is the body; a ping's `id` makes it count once, however often it arrives; `ts` and
    `sent` give its age, so that a late one lands where it belongs (docs/reference/http.md).
    """

    knows_event_time = True
    body_default_bytes = 10_000

    def request(
        self, ping: Ping, key: str, now_us: int, limit_bytes: int
    ) -> tuple[str, dict[str, str], bytes]:
        """Return path, headers and body of a ping sent at `now_us` to who keeps so much output."""
        body, gone = ping.body, 0
        if len(body) > limit_bytes:
            from radar_cli.core.text import cut

            body, gone = cut(body, limit_bytes)
        fields = {
            "id": ping.id,
            "rid": ping.run_id,
            "ts": format_time(ping.time_us),
            "sent": format_time(now_us),
            **ping.fields,
        }
        if gone:
            fields["omitted"] = str(int(fields.get("omitted", "0")) + gone)
        path = f"/ping/{ping.monitor}{_WORDS[ping.kind]}?{encode_fields(fields)}"
        headers = {"User-Agent": _AGENT}
        if body:
            headers["Content-Type"] = "text/plain; charset=utf-8"
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return path, headers, body


class CronRadar:
    """Pings to CronRadar (https://cron.life, its documentation of 2026).

    It knows no run id, no event time, no exit code and no output: a failure's exit code and last
    line go into `message`, and what is late is not sent as if it were news (see replay.py).
    """

    knows_event_time = False
    body_default_bytes = 0

    def request(
        self,
        ping: Ping,
        key: str,
        now_us: int,  # noqa: ARG002 (it has no place for the time,
        limit_bytes: int,  # noqa: ARG002 (nor for the output)
    ) -> tuple[str, dict[str, str], bytes]:
        """Return path, headers and body of a ping."""
        declared = {name: ping.fields.get(name, "") for name in ("schedule", "gracePeriod", "name")}
        if declared["schedule"]:
            from radar_cli.core.cron import find_fault

            # What it can't read it refuses, and with it the ping.
            if find_fault(declared["schedule"]):
                declared["schedule"] = ""
        if not declared["gracePeriod"].isdigit():
            declared["gracePeriod"] = ""
        if ping.kind == "fail":
            declared["message"] = _describe_failure(ping)
        query = encode_fields(declared)
        path = f"/ping/{ping.monitor}{_WORDS[ping.kind]}" + (f"?{query}" if query else "")
        headers = {"User-Agent": _AGENT}
        if key:
            from radar_cli.net.proxies import basic

            # A key in the path, as newer pages have it, would end up in logs.
            headers["Authorization"] = basic(f"{key}:")
        return path, headers, b""


def _describe_failure(ping: Ping) -> str:
    """A failure in one line: how it ended, and the last line of its output."""
    from radar_cli.core.text import last_line

    fields = ping.fields
    if fields.get("reason"):
        how = fields["reason"]
    elif fields.get("signal"):
        how = f"signal {fields['signal']}"
    else:
        how = f"exit {fields['exit']}" if fields.get("exit") else ""
    message = fields.get("message", "")
    if not message:
        message = last_line(ping.body.decode("utf-8", "replace"))
    return ": ".join(part for part in (how, message) if part)[:_MESSAGE_MAX_CHARACTERS]
