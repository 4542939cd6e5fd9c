"""A notice: one thing to tell a person."""

from dataclasses import dataclass

from radar_cli.monitors.runs import Run


@dataclass(frozen=True, slots=True)
class Notice:
    """What there is to tell of a monitor, as plain data. Times are Unix time in microseconds.

    `key` stays the same however often it is sent. A `kind` is down, up, late, fault, channel (one
    that fails, told through the others) or test; `reason` is missed, failed, hung or "". `expected`
    and `happened` are sentences. `look` has lines that say how to look further, `mute` how to hear
    no more of it: commands, or a URL. `others` are told in the same notice, each of a monitor of
    its own and of the same kind.
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
    notes: str = ""  # of the monitor: what to do, in a few lines
    url: str = ""  # of the monitor's page
    mute: tuple[str, ...] = ()
    act_url: str = ""  # of a page where whoever gets it says that they see to it
    incident: str = ""  # the same for a down, its reminders and its end
    downs: int = 0  # how often it went down until it settled, if it flapped
    others: tuple["Notice", ...] = ()

    @property
    def all(self) -> "tuple[Notice, ...]":
        """All that it tells, itself the first."""
        return (self, *self.others)


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
