"""What arrived at a server, and what has to."""

from collections import Counter

from radar_cli.model.ping import Ping, format_time
from tests.support.pings import read_pings
from tests.support.radar import run_radar
from tests.support.server import Server

WORDS = {"start": "start", "success": "complete", "fail": "fail", "log": "log"}
Fact = tuple[str, str, str]  # kind, id, ts


def facts(pings: list[Ping]) -> list[Fact]:
    return [(WORDS[ping.kind], ping.id, format_time(ping.time_us)) for ping in pings]


def accepted(server: Server, monitor: str) -> list[Fact]:
    return [
        (ping.kind, ping.query["id"], ping.query["ts"])
        for ping in server.accepted
        if ping.monitor == monitor
    ]


def deliver_later(server: Server, env: dict[str, str], monitor: str, kept: list[Ping]) -> None:
    """Let the next run deliver what was kept: each ping once, in order, with its own time."""
    delivered = accepted(server, monitor)
    assert run_radar("run", "the-next-one", "--", "true", env=env).returncode == 0
    assert accepted(server, monitor)[len(delivered) :] == facts(kept)
    assert read_pings() == []


def doubles(server: Server) -> list[str]:
    """The ids that were accepted more than once."""
    counts = Counter(ping.query["id"] for ping in server.accepted)
    return [ping_id for ping_id, count in counts.items() if count > 1]
