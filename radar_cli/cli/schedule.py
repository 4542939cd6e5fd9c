"""`radar schedule`: the next runs of a cron expression, and what it means."""

import itertools
import time
from datetime import UTC, datetime
from typing import Any, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.choosing import choose, is_glob
from radar_cli.cli.groups import Group
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import Result, Table
from radar_cli.core import exits
from radar_cli.core.errors import UsageError
from radar_cli.core.grammar import parse_duration
from radar_cli.core.shapes import Moment
from radar_cli.core.zone import local_zone
from radar_cli.model.monitor import GRACE_S
from radar_cli.model.pitfalls import find_pitfalls
from radar_cli.model.schedule import CronSchedule
from radar_cli.model.sentences import explain

_LONGEST_LIST = 1000

_tz_option = click.option(
    "--tz", metavar="ZONE", help="Timezone of the expression, if not that of this machine."
)


@click.group(cls=Group, name="schedule")
@common_options
def command() -> None:
    """Tell when a cron expression, or a monitor's schedule, runs."""


class SlotFields(TypedDict):
    """A time at which a run is due, by the clock of the schedule."""

    at: Moment


class ExplainedFields(TypedDict):
    """A cron expression; `words` and `warnings` are for people."""

    expression: str
    tz: str
    words: str
    next: Moment | None
    warnings: list[str]


@command.command(name="next")
@click.argument("what", metavar="'EXPR'|MONITOR")
@_tz_option
@click.option("-n", "count", default=5, show_default=True, help="How many runs.")
@list_options
@answers(list[SlotFields])
@pass_session
def next_runs(session: Session, what: str, tz: str | None, count: int) -> Result:
    """Print the next runs, in the schedule's timezone and in this machine's."""
    if not 0 < count <= _LONGEST_LIST:
        raise UsageError(f"bad number of runs {count}", f"from 1 to {_LONGEST_LIST}")
    schedule, _ = _find(session, what, tz)
    here = CronSchedule("0 0 * * *", local_zone() or "UTC").tz
    slots = list(itertools.islice(schedule.slots_after(_now()), count))
    zones = {f"in {schedule.tz.key}": schedule.tz}
    if here.key != schedule.tz.key:
        zones[f"here ({here.key})"] = here
    columns = tuple(zones)
    rows = [tuple(_shown(slot, zone) for zone in zones.values()) for slot in slots]
    data: list[SlotFields] = [{"at": slot.isoformat()} for slot in slots]
    code = exits.OK if slots else exits.BAD
    return Result(data, Table(columns, rows, "it never matches any date"), exit_code=code)


@command.command(name="explain")
@click.argument("what", metavar="'EXPR'|MONITOR")
@_tz_option
@click.option("--grace", metavar="DURATION", help="Grace to judge it by (5m).")
@common_options
@answers(ExplainedFields)
@pass_session
def explain_schedule(session: Session, what: str, tz: str | None, grace: str | None) -> Result:
    """Say in words when it runs, and what may surprise in the coming year.

    Exits with 1 if it never runs.
    """
    schedule, declared_grace_s = _find(session, what, tz)
    try:
        grace_s = declared_grace_s if grace is None else parse_duration(grace)
    except ValueError as error:
        raise UsageError(f"--grace: {error}") from None
    now = _now()
    pitfalls = tuple(find_pitfalls(schedule, now, grace_s=grace_s))
    following = schedule.next_after(now)
    message = f"{explain(schedule)}, by the clock of {schedule.tz.key}"
    lines = [message]
    if following is not None:
        lines.append(f"next: {_shown(following, schedule.tz)}")
    data: ExplainedFields = {
        "expression": schedule.expression,
        "tz": schedule.tz.key,
        "words": explain(schedule),
        "next": None if following is None else following.isoformat(),
        "warnings": list(pitfalls),
    }
    code = exits.OK if following is not None else exits.BAD
    return Result(data, text="\n".join(lines), notes=pitfalls, exit_code=code)


def _find(session: Session, what: str, tz: str | None) -> tuple[CronSchedule, float]:
    """The schedule of an expression or a monitor, and its grace in seconds.

    BadScheduleError: it's no expression; UsageError: the monitor isn't there or has none.
    """
    if " " in what.strip() or what.startswith("@"):
        return CronSchedule(what, tz or local_zone() or "UTC"), GRACE_S
    if what.isdigit() or is_glob(what) or "/" in what:
        hint = "an expression stands in quotes: '5 2 * * *'"
        raise UsageError(f"no monitor {what[:60]!r}, and no cron expression", hint)
    with open_monitors(session) as opened:
        (known,) = choose(opened.store, [what])
    if known.monitor.schedule is None:
        hint = f"'radar monitors show {what}' shows what is expected of it"
        raise UsageError(f"monitor {what!r} has no cron schedule", hint)
    schedule = known.monitor.schedule
    if tz:
        schedule = CronSchedule(schedule.expression, tz)
    return schedule, known.monitor.grace_s


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def _shown(moment: datetime, zone: Any) -> str:
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"
