"""`radar monitors maintenance`: times in which no notices of some monitors are sent."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.groups import Group
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table
from radar_cli.client.wire import WindowFields, describe_window
from radar_cli.core.errors import BadValueError, UsageError
from radar_cli.core.grammar import format_duration, parse_duration
from radar_cli.core.ids import new_id
from radar_cli.core.zone import local_zone
from radar_cli.model.notice_timing import Window, check_window
from radar_cli.model.schedule import load_timezone
from radar_cli.model.sentences import local_time
from radar_cli.store.windows import UnknownWindowError

_SHORT_ID = 8
_NAME_MAX = 100
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_GLOB = re.compile(r"[a-z0-9._*?!\[\]-]{1,200}")


class EndedFields(TypedDict):
    """The ids of maintenance windows that were ended."""

    ended: list[str]


@click.group(cls=Group, name="maintenance")
@common_options
def maintenance() -> None:
    """Tell nobody of some monitors for a time, once or again and again.

    They are judged as ever, and what is still down at its end is told then.
    """


@maintenance.command(name="add")
@click.argument("globs", metavar="[MONITOR]...", nargs=-1)
@click.option("--tag", metavar="TAG", default="", help="Only monitors with this tag.")
@click.option("--from", "begin", metavar="TIME", help="When it begins, if not now.")
@click.option("--until", "end", metavar="TIME", help="When it ends, or comes for the last time.")
@click.option("--for", "length", metavar="DURATION", help="How long it lasts.")
@click.option("--schedule", metavar="CRON", default="", help="Begin each time that this says.")
@click.option("--tz", metavar="ZONE", default="", help="The timezone of these times.")
@click.option("--name", metavar="TEXT", default="", help="Why, for people.")
@common_options
@answers(list[WindowFields])
@pass_session
def add_window(session: Session, /, globs: tuple[str, ...], tag: str, **given: Any) -> Result:
    """Add a maintenance window: for monitors by name or pattern (web-*), or with --tag.

    A time is 2026-12-24 18:00, or 18:00, which is the next one.
    """
    if not globs and not tag:
        raise UsageError("which monitors?", "name some, as in 'web-*', or give --tag; '*' is all")
    for glob in globs:
        if not _GLOB.fullmatch(glob):
            raise UsageError(f"{glob[:60]!r} is no key or pattern of keys", "like 'web-*'")
    if len(given["name"]) > _NAME_MAX or not given["name"].isprintable():
        raise UsageError("--name: a line of at most 100 characters")
    zone = given["tz"] or session.load_profile().tz or local_zone() or "UTC"
    added = []
    with open_monitors(session) as opened:
        now_us = opened.now_us()
        for glob in globs or ("*",):
            window = check_window(_plan(glob, tag, zone, now_us, **given), now_us)
            added.append(opened.store.windows.add(window))
        now_us = opened.now_us()
    text = "\n".join(f"{_short(each)} {_whom(each)}: {_when(each, now_us)}" for each in added)
    data = [describe_window(each, now_us) for each in added]
    return Result(data, text=text, notes=tuple(opened.notes))


@maintenance.command(name="list")
@list_options
@answers(list[WindowFields])
@pass_session
def list_windows(session: Session) -> Result:
    """Print the maintenance windows that aren't over; what is snoozed is among them."""
    with open_monitors(session) as opened:
        now_us = opened.now_us()
        windows = opened.store.windows.not_over(now_us)
    rows = [
        (
            _short(each),
            _whom(each),
            Cell(_when(each, now_us), "yellow" if each.covers(now_us) else ""),
            each.name,
        )
        for each in windows
    ]
    data = [describe_window(each, now_us) for each in windows]
    table = Table(("id", "monitors", "when", "why"), rows, "no maintenance windows")
    return Result(data, table, notes=tuple(opened.notes))


@maintenance.command(name="end")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@common_options
@answers(EndedFields)
@pass_session
def end_windows(session: Session, ids: tuple[str, ...]) -> Result:
    """End maintenance windows now, and what would come of them; the end of an id is enough."""
    with open_monitors(session) as opened:
        now_us = opened.now_us()
        windows = opened.store.windows.not_over(now_us)
        chosen = [_choose(windows, each) for each in ids]
        for window in chosen:
            opened.store.windows.end(window.id, now_us)
    text = "\n".join(f"{_short(each)} {_whom(each)} ended" for each in chosen)
    data: EndedFields = {"ended": [each.id for each in chosen]}
    return Result(data, text=text, notes=tuple(opened.notes))


def _plan(
    glob: str,
    tag: str,
    zone: str,
    now_us: int,
    *,
    begin: str | None,
    end: str | None,
    length: str | None,
    schedule: str,
    tz: str,
    name: str,
) -> Window:
    del tz  # it is the zone, or another one is
    if length and end and not schedule:
        raise UsageError("--for and --until are two ends", "give one of them")
    clock = load_timezone(zone)
    begin_us = now_us if begin is None else _read_time("--from", begin, clock, now_us)
    end_us = None if end is None else _read_time("--until", end, clock, max(now_us, begin_us))
    length_us = 0 if length is None else _read_length(length)
    if not schedule and length_us:
        end_us, length_us = begin_us + length_us, 0
    return Window(new_id(now_us), name, glob, tag, begin_us, end_us, schedule, zone, length_us)


def _read_length(text: str) -> int:
    try:
        return round(parse_duration(text) * 1e6)
    except BadValueError as error:
        raise error.as_usage_error("--for") from None


def _read_time(option: str, text: str, zone: tzinfo, after_us: int) -> int:
    """A time that somebody typed; one without a date is the next one after `after_us`."""
    if match := _CLOCK.fullmatch(text.strip()):
        after = datetime.fromtimestamp(after_us / 1e6, zone)
        moment = after.replace(
            hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0, fold=0
        )
        if moment.astimezone(UTC) <= after.astimezone(UTC):
            moment += timedelta(days=1)  # by the clock on the wall
        return round(moment.timestamp() * 1e6)
    try:
        moment = datetime.fromisoformat(text.strip())
        return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1e6)
    except (ValueError, OverflowError):
        hint = "like '2026-12-24 18:00', or 18:00"
        raise UsageError(f"{option}: {text[:60]!r} is no time", hint) from None


def _choose(windows: list[Window], ending: str) -> Window:
    found = [each for each in windows if ending and each.id.endswith(ending)]
    if len(found) != 1:
        what = "no maintenance window" if not found else f"{len(found)} maintenance windows"
        hint = "'radar monitors maintenance list' shows them"
        raise UnknownWindowError(f"{what} {ending[:60]!r}", hint)
    return found[0]


def _short(window: Window) -> str:
    return window.id[-_SHORT_ID:]


def _whom(window: Window) -> str:
    if not window.tag:
        return window.monitors
    return f"{'' if window.monitors == '*' else f'{window.monitors} '}tag {window.tag}"


def _when(window: Window, now_us: int) -> str:
    """Return when it is, in words; its end, or how long it lasts, is always among them."""
    span = window.span_at(now_us)
    words = []
    if span is not None and span[1] is not None:
        words.append(f"on until {local_time(span[1])}")
    elif span is not None:
        words.append("on until it is ended")
    if window.schedule:
        following = window.next_us(now_us)
        if following is not None:
            words.append(f"next {local_time(following)}")
        words.append(
            f"{window.schedule} ({window.tz}) for {format_duration(window.length_us / 1e6)}"
        )
        if window.end_us is not None:
            words.append(f"for the last time before {local_time(window.end_us)}")
    elif span is None and window.end_us is not None:
        words.append(f"from {local_time(window.begin_us)} until {local_time(window.end_us)}")
    return ", ".join(words)
