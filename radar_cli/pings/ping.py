"""A ping: one fact about one run, with an id of its own, so that it counts once."""

from radar_cli.ids import new_id
from radar_cli.pings import codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.monitors.runs import Origin

KINDS = ("start", "success", "fail", "log")


class Ping:
    """One fact: at `time_us` (Unix time in microseconds), a run of `monitor` did `kind`.

    `fields` holds the rest under the names that it has on the wire (README, "What a ping says"):
    duration and cpu in seconds, rss in bytes, exit, signal, reason, host, and what the monitor is
    declared as. `body` is the tail of the output, valid UTF-8. `origin` is what a server saw of
    whoever sent it; None if it came by no server.
    """

    def __init__(
        self,
        kind: str,
        monitor: str,
        *,
        run_id: str = "",
        time_us: int,
        fields: dict[str, str] | None = None,
        body: bytes = b"",
        ping_id: str = "",
        origin: "Origin | None" = None,
    ) -> None:
        self.kind = kind
        self.monitor = monitor
        self.run_id = run_id
        self.time_us = time_us
        self.fields = fields or {}
        self.body = body
        self.id = ping_id or new_id(time_us)
        self.origin = origin

    def encode(self) -> str:
        """All but the body, as a line without its end."""
        return codec.encode_fields(
            {
                "id": self.id,
                "kind": self.kind,
                "monitor": self.monitor,
                "rid": self.run_id,
                "ts": format_time(self.time_us),
                **self.fields,
            }
        )


def format_time(time_us: int) -> str:
    """Unix time in seconds with microseconds, exactly."""
    return f"{time_us // 1_000_000}.{time_us % 1_000_000:06d}"
