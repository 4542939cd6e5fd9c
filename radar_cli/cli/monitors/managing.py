"""`radar monitors create|update|delete|pause|resume`."""

import getpass
import os
from typing import Any, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.choosing import Choice, monitors_argument
from radar_cli.cli.monitors.declaring import declaring_options, read_options
from radar_cli.cli.monitors.described import find_monitors
from radar_cli.cli.monitors.showing import WarnedFields
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result, clean
from radar_cli.client.wire import MonitorFields, describe_monitor, iso
from radar_cli.core import exits
from radar_cli.core.errors import BadValueError, UsageError
from radar_cli.core.grammar import parse_duration
from radar_cli.core.ids import check_key
from radar_cli.core.shapes import Moment
from radar_cli.model.pitfalls import warn_of
from radar_cli.model.port import MonitorExistsError, MonitorStore
from radar_cli.model.record import MonitorRecord
from radar_cli.model.sentences import (
    describe_next,
    describe_schedule,
    describe_status,
    local_time,
)


class DeletedFields(TypedDict):
    """The monitors that were deleted, and how many pings with them."""

    deleted: list[str]
    pings: int


class AcknowledgedFields(TypedDict):
    """The monitors of which nobody is reminded any more: those that are down."""

    acknowledged: list[str]


class SnoozedFields(TypedDict):
    """The monitors of which no notices are sent, and until when."""

    snoozed: list[str]
    until: Moment | None


@click.command(name="create")
@click.argument("key", metavar="NEW-KEY")
@declaring_options
@common_options
@answers(WarnedFields)
@pass_session
def create_monitor(session: Session, /, key: str, **given: Any) -> Result:
    """Create a monitor: its silence counts from now on, before any run of it."""
    try:
        check_key(key)
    except BadValueError as error:
        raise error.as_usage_error() from None
    changes = read_options(given, {}, _default_tz(session))
    declared = {field: value for field, value in changes.items() if value is not None}
    with open_monitors(session) as opened:
        store, notes, now_us = opened.store, opened.notes, opened.now_us()
        if not store.monitors.create(key, declared, now_us):
            hint = f"'radar monitors update {key}' changes it"
            raise MonitorExistsError(f"monitor {key!r} is there already", hint)
        (known,) = find_monitors(store, [key])
        now_us = opened.now_us()
    return _show_declared(known, f"{key} created", now_us, notes)


@click.command(name="update")
@monitors_argument(tag="--tagged")
@declaring_options
@click.option("--yes", is_flag=True, help="Don't ask, though a glob or a tag chooses several.")
@common_options
@answers(WarnedFields | list[WarnedFields])
@pass_session
def update_monitors(session: Session, /, choice: Choice, yes: bool, **given: Any) -> Result:
    """Change what monitors are declared as; only what is given changes.

    An empty value clears: --grace '' is the default again. --schedule and --every replace one
    another, and the tags that are given replace those that were.
    """
    if all(value is None or value == () for value in given.values()):
        raise UsageError("nothing to change", "see 'radar monitors update --help'")
    with open_monitors(session) as opened:
        store, found = opened.store, find_monitors(opened.store, choice)
        if not (choice.is_by_name or yes):
            _confirm(f"Change {_count(found)}?")
        default_tz = _default_tz(session)
        # All that is given is read before anything changes.
        several = [(known, read_options(given, known.declared, default_tz)) for known in found]
        results = []
        for known, changes in several:
            changed = (
                store.monitors.update(known.key, changes, opened.now_us()) if changes else known
            )
            message = f"{known.key} updated" if changes else f"{known.key} is like that already"
            results.append(_show_declared(changed, message, opened.now_us(), []))
    return _join(results, opened.notes, is_one=choice.is_one)


def _join(results: list[Result], notes: list[str], *, is_one: bool) -> Result:
    """Join what became of several monitors; programs that name one get one."""
    data = results[0].data if is_one else [result.data for result in results]
    text = "\n".join(result.text for result in results)
    notes = [*notes, *(note for result in results for note in result.notes)]
    return Result(data, text=text, notes=tuple(notes))


def _count(found: list[MonitorRecord]) -> str:
    return f"monitor {found[0].key}" if len(found) == 1 else f"{len(found)} monitors"


def _confirm(question: str) -> None:
    click.confirm(clean(question), abort=True, err=True)


@click.command(name="delete")
@monitors_argument()
@click.option("--yes", is_flag=True, help="Don't ask.")
@common_options
@answers(DeletedFields)
@pass_session
def delete_monitors(session: Session, choice: Choice, yes: bool) -> Result:
    """Delete monitors with all their pings, for good.

    A job that goes on reporting makes its monitor anew.
    """
    with open_monitors(session) as opened:
        store, notes = opened.store, opened.notes
        found = find_monitors(store, choice)
        names = [known.key for known in found]
        if not yes:
            pings = store.history.count_pings(*names)
            _confirm(f"Delete {_count(found)} and {pings} pings for good?")
        pings = store.monitors.delete(names)
    data: DeletedFields = {"deleted": names, "pings": pings}
    return Result(data, text=f"{', '.join(names)} deleted, {pings} pings", notes=tuple(notes))


@click.command(name="pause")
@monitors_argument()
@click.option("--for", "duration", metavar="DURATION", help="Resume by itself after this long.")
@common_options
@answers(list[MonitorFields])
@pass_session
def pause_monitors(session: Session, choice: Choice, duration: str | None) -> Result:
    """Expect nothing of monitors until they are resumed, or for a while.

    What falls due meanwhile isn't missed. Their pings are kept all the same.
    """
    pause_us = None if duration is None else read_pause(duration)
    with open_monitors(session) as opened:
        store, notes, now_us = opened.store, opened.notes, opened.now_us()
        names = [known.key for known in find_monitors(store, choice)]
        store.monitors.judge(now_us)
        store.monitors.pause(names, now_us, None if pause_us is None else now_us + pause_us)
        # A server has done it later, by its clock.
        return _show_changed(store, names, "paused", opened.now_us(), notes)


@click.command(name="ack")
@monitors_argument()
@common_options
@answers(AcknowledgedFields)
@pass_session
def acknowledge_monitors(session: Session, choice: Choice) -> Result:
    """Say that you see to monitors that are down: nobody is reminded of them any more.

    That they are up again is told as ever.
    """
    with open_monitors(session) as opened:
        names = [known.key for known in find_monitors(opened.store, choice)]
        done = opened.store.incidents.acknowledge(names, opened.now_us(), who())
        opened.notes += [f"{name} isn't down" for name in names if name not in done]
    text = "\n".join(f"{name}: no more reminders until it is up" for name in done)
    data: AcknowledgedFields = {"acknowledged": done}
    return Result(data, text=text, notes=tuple(opened.notes))


@click.command(name="snooze")
@monitors_argument()
@click.option(
    "--for", "duration", metavar="DURATION", default="4h", show_default=True, help="For how long."
)
@common_options
@answers(SnoozedFields)
@pass_session
def snooze_monitors(session: Session, choice: Choice, duration: str) -> Result:
    """Tell nobody anything of monitors for a while; they are judged as ever.

    What is still down at its end is told again. 'radar monitors maintenance end' ends it earlier.
    """
    snooze_us = read_pause(duration)
    with open_monitors(session) as opened:
        names = [known.key for known in find_monitors(opened.store, choice)]
        now_us = opened.now_us()
        opened.store.incidents.snooze(names, now_us, now_us + snooze_us, who())
    text = "\n".join(f"{name} snoozed until {local_time(now_us + snooze_us)}" for name in names)
    data: SnoozedFields = {"snoozed": names, "until": iso(now_us + snooze_us)}
    return Result(data, text=text, notes=tuple(opened.notes))


def who() -> str:
    """Return the user and the machine, as far as they are known."""
    try:
        return f"{getpass.getuser()}@{os.uname().nodename}"
    except (KeyError, OSError):  # a container's user may have no name
        return f"{os.getuid()}@{os.uname().nodename}"


@click.command(name="resume")
@monitors_argument()
@common_options
@answers(list[MonitorFields])
@pass_session
def resume_monitors(session: Session, choice: Choice) -> Result:
    """Expect runs again, from now on: nothing of the time of the pause is missed."""
    with open_monitors(session) as opened:
        store, notes, now_us = opened.store, opened.notes, opened.now_us()
        names = [known.key for known in find_monitors(store, choice)]
        store.monitors.judge(now_us)
        resumed = store.monitors.resume(names, now_us)
        notes += [f"{name} wasn't paused" for name in names if name not in resumed]
        return _show_changed(store, resumed, "resumed", opened.now_us(), notes)


def _default_tz(session: Session) -> str:
    return session.load_profile().tz or ""


def read_pause(text: str) -> int:
    """Return the length of a pause in microseconds."""
    try:
        pause_us = round(parse_duration(text) * 1e6)
    except BadValueError as error:
        raise error.as_usage_error("--for") from None
    if pause_us <= 0:
        raise UsageError(f"--for: {text[:60]!r} is no time", "leave it out to pause without end")
    return pause_us


def _show_declared(known: MonitorRecord, done: str, now_us: int, notes: list[str]) -> Result:
    view = known.view_at(now_us)
    lines = [f"{done}: {describe_schedule(known.monitor)}"]
    if following := describe_next(known.monitor, view.expected_us):
        lines.append(f"next: {following}")
    warnings = warn_of(known.monitor, known.active_faults, now_us)
    data: WarnedFields = {**describe_monitor(known, view, now_us), "warnings": warnings}
    notes += [f"warning: {line}" for line in warnings]
    return Result(data, text="\n".join(lines), notes=tuple(notes), exit_code=exits.OK)


def _show_changed(
    store: MonitorStore, keys: list[str], done: str, now_us: int, notes: list[str]
) -> Result:
    data, lines = [], []
    for known in find_monitors(store, keys):
        view = known.view_at(now_us)
        data.append(describe_monitor(known, view, now_us))
        pause = known.monitor.pause_at(now_us)
        line = f"{known.key} {done}"
        if pause is None:
            line += f": {describe_status(known.monitor, view, now_us)}"
        elif pause.end_us is not None:
            line += f" until {local_time(pause.end_us)}"
        if pause is None and (following := describe_next(known.monitor, view.expected_us)):
            line += f", next: {following}"
        lines.append(line)
    return Result(data, text="\n".join(lines), notes=tuple(notes))
