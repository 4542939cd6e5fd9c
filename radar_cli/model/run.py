"""Runs, made of their pings."""

from dataclasses import dataclass
from math import isfinite
from typing import Iterable, NamedTuple

from radar_cli.model.ping import Ping


class Origin(NamedTuple):
    """The sender of a ping, as the server saw it."""

    address: str  # "" for one on a Unix socket
    method: str
    agent: str  # the User-Agent, "" without one


@dataclass(slots=True)
class Run:
    """One execution: what its pings say, as far as they have come.

    Times are Unix time in microseconds, durations in seconds, memory in bytes.
    """

    run_id: str
    started_us: int | None = None
    ended_us: int | None = None
    outcome: str = ""  # success or fail, "" while it runs
    duration_s: float | None = None
    exit_code: int | None = None
    signal: int | None = None
    reason: str = ""
    cpu_s: float | None = None
    max_rss_bytes: int | None = None
    tries: int = 1
    host: str = ""
    message: str = ""
    url: str = ""  # a link to go with it, as to a CI job
    task: str = ""  # of Celery's, whose run it is
    output: bytes = b""
    output_bytes: int | None = None
    omitted_bytes: int = 0
    is_unread: bool = False  # its output went to a terminal
    origin: Origin | None = None  # of its last ping

    @property
    def is_running(self) -> bool:
        """Whether no end of it is known."""
        return not self.outcome

    @property
    def first_us(self) -> int:
        """The time of its first ping, by which runs are in order."""
        return min(us for us in (self.started_us, self.ended_us) if us is not None)


def fold_runs(pings: Iterable[Ping]) -> list[Run]:
    """The runs that these pings of one monitor tell of, in the order of their first ping.

    Overlapping runs are told apart by run id. A ping without one ends the newest run without one
    that still goes on, or is a run of its own.
    """
    runs: list[Run] = []
    by_id: dict[str, Run] = {}
    for ping in pings:
        if ping.kind == "log":
            continue
        run = by_id.get(ping.run_id)
        if run is None or (not ping.run_id and (not run.is_running or ping.kind == "start")):
            run = Run(ping.run_id)
            by_id[ping.run_id] = run
            runs.append(run)
        _apply(run, ping)
    return runs


def _apply(run: Run, ping: Ping) -> None:
    fields = ping.fields
    run.host = fields.get("host", run.host)
    run.url = fields.get("url", run.url)
    run.task = fields.get("task", run.task)
    run.origin = ping.origin or run.origin
    if ping.kind == "start":
        run.started_us = ping.time_us
        return
    run.outcome = ping.kind
    run.ended_us = ping.time_us
    run.duration_s = _number(fields.get("duration"))
    if run.duration_s is None and run.started_us is not None:
        run.duration_s = max(0.0, (ping.time_us - run.started_us) / 1e6)
    exit_code, signal = _number(fields.get("exit")), _number(fields.get("signal"))
    run.exit_code = None if exit_code is None else int(exit_code)
    run.signal = None if signal is None else int(signal)
    run.reason = fields.get("reason", "")
    run.cpu_s = _number(fields.get("cpu"))
    rss, output = _number(fields.get("rss")), _number(fields.get("output"))
    run.max_rss_bytes = None if rss is None else int(rss)
    run.output_bytes = None if output is None else int(output)
    run.is_unread = fields.get("output") == "terminal"
    run.tries = int(_number(fields.get("tries")) or 1)
    run.omitted_bytes = int(_number(fields.get("omitted")) or 0)
    run.message = fields.get("message", "")
    run.output = ping.body


def _number(text: str | None) -> float | None:
    """A number that somebody else's ping may have in any shape."""
    try:
        number = None if text is None else float(text)
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None
