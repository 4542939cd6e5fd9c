"""A notice: one thing to tell a person."""

import json
from dataclasses import dataclass, fields

from radar_cli.model.run import Run


@dataclass(frozen=True, slots=True)
class Notice:
    """The content of a notice, as plain data. Times are Unix time in microseconds.

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


_RUN_FIELDS = tuple(field.name for field in fields(Run))
# More of an output than any notice shows.
_OUTPUT_MAX_BYTES = 8_000


def encode_notice(notice: Notice) -> str:
    """The notice without its key, which is that of its alert."""
    values = {field.name: getattr(notice, field.name) for field in fields(Notice)}
    del values["key"], values["others"]  # an alert is of one monitor
    run = notice.last_run
    if run is not None:
        kept = {name: getattr(run, name) for name in _RUN_FIELDS}
        kept["output"] = run.output[-_OUTPUT_MAX_BYTES:].decode("utf-8", "replace")
        kept["omitted_bytes"] += max(0, len(run.output) - _OUTPUT_MAX_BYTES)
        values["last_run"] = kept
    return json.dumps(values)


def decode_notice(text: str, key: str) -> Notice:
    """The notice that `encode_notice` encoded. ValueError, TypeError or KeyError: it didn't."""
    values = json.loads(text)
    run = values["last_run"]
    if run is not None:
        values["last_run"] = Run(**{**run, "output": run["output"].encode()})
    for name in ("look", "tags", "mute"):
        values[name] = tuple(values.get(name, ()))
    if values.get("outage_us") is not None:
        begin_us, end_us = values["outage_us"]
        values["outage_us"] = (begin_us, end_us)
    return Notice(key=key, **values)
