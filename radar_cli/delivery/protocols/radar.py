"""Pings as radar's own server takes them: CronRadar's paths, and fields of its own beside them.

The output is the body; a ping's `id` makes it count once, however often it arrives; `ts` and
`sent` give its age, so that a late one lands where it belongs (README, "What a ping says").
"""

from radar_cli import __version__
from radar_cli.model.ping import Ping, encode_fields, format_time

KNOWS_EVENT_TIME = True
BODY_DEFAULT_BYTES = 10_000
_WORDS = {"start": "/start", "success": "/complete", "fail": "/fail", "log": "/log"}


def request(
    ping: Ping, key: str, now_us: int, limit_bytes: int
) -> tuple[str, dict[str, str], bytes]:
    """Path, headers and body of a ping that is sent at `now_us` to who keeps that much output."""
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
    headers = {"User-Agent": f"radar/{__version__}"}
    if body:
        headers["Content-Type"] = "text/plain; charset=utf-8"
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return path, headers, body
