"""A notice: one thing to tell a person."""

from dataclasses import dataclass

from radar_cli.monitors.runs import Run


@dataclass(frozen=True, slots=True)
class Notice:
    """What there is to tell of a monitor, as plain data. Times are Unix time in microseconds.

    `key` stays the same however often it is sent. A `kind` is down, up or test; `reason` is
    missed, failed, hung or "". `expected` and `happened` are sentences. `look` has lines that say
    how to look further: commands, or a URL.
    """

    key: str
    kind: str
    monitor: str
    name: str
    status: str
    previous: str
    reason: str
    since_us: int
    noticed_us: int
    expected: str = ""
    happened: str = ""
    last_run: Run | None = None
    host: str = ""
    look: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tz: str = "UTC"  # of the monitor's schedule, an IANA name: times are told in it
    previous_since_us: int | None = None  # since when `previous` was its status
    outage_us: tuple[int, int] | None = None  # when nobody looked, if that is why it comes late


def rehearse(key: str, host: str, now_us: int, tz: str = "UTC") -> Notice:
    """A notice that tells nothing but that notices arrive."""
    return Notice(
        key=key,
        kind="test",
        monitor="test",
        name="",
        status="up",
        previous="up",
        reason="",
        since_us=now_us,
        noticed_us=now_us,
        expected="this notice arrives, and somebody reads it",
        happened="somebody ran 'radar notify test'",
        host=host,
        look=("radar status", "radar notify list"),
        tz=tz,
    )
