"""`radar crontab`: find a machine's scheduled jobs, put radar in front of them, undo it."""

import getpass
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any, Iterable

import click

from radar_cli.cli.groups import Group
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table
from radar_cli.core.errors import UsageError
from radar_cli.crontab.scan import Found, Scan
from radar_cli.crontab.sources import STDIN, Machine, Source, read_file
from radar_cli.wrap import options

# Options of `radar run` that take the word behind them.
VALUED = frozenset(row[0] for row in options.TABLE if row[1] != "switch")
_LONGEST_COMMAND = 60
_LAST = datetime.max.replace(tzinfo=UTC)

_root_option = click.option(
    "--root", metavar="DIR", default="/", help="Look at the machine whose root directory this is."
)


@click.group(cls=Group, name="crontab")
@common_options
def command() -> None:
    """Find a machine's scheduled jobs, put radar in front of them, and undo it."""


@command.command(name="scan")
@click.argument("files", metavar="[FILE|-]...", nargs=-1)
@_root_option
@list_options
@pass_session
def scan_jobs(session: Session, files: tuple[str, ...], root: str) -> Result:
    """List every scheduled job of this machine: when it runs, whose it is, is it watched.

    Crontabs of users and of the system, cron.d, what run-parts starts, anacron, systemd's timers,
    at. With FILE, just the jobs in these crontabs; - is one on stdin.
    """
    del session
    machine = open_machine(root)
    scan = Scan(machine, VALUED, _now())
    if files:
        found = [job for source in read_sources(files) for job in scan.find_in(source)]
    else:
        found = list(scan.find_all())
    found.sort(key=lambda job: (job.next is None, job.next or _LAST))
    data = {"jobs": [_describe(job) for job in found], "unreadable": machine.unread}
    notes = [f"{place} can't be read: {why}" for place, why in machine.unread.items()]
    columns = ("watched", "next", "when", "user", "where", "command")
    table = Table(columns, [_row(job) for job in found], "no scheduled jobs")
    notes += _summarise(found)
    return Result(data, table, notes=tuple(notes))


def open_machine(root: str) -> Machine:
    """Return the machine of a root directory. UsageError: there is no such directory."""
    if not os.path.isdir(root):
        raise UsageError(f"--root: {root!r} is no directory")
    return Machine(root)


def read_sources(files: Iterable[str]) -> list[Source]:
    """Return crontabs by their paths. UsageError: one can't be read."""
    sources = []
    user = getpass.getuser()
    for name in files:
        try:
            if name == STDIN:
                if sys.stdin is None:
                    raise UsageError("stdin is closed", "pipe a crontab into it")
                sources.append(Source("stdin", sys.stdin.buffer.read(), user))
            else:
                sources.append(read_file(name, user))
        except OSError as error:
            raise UsageError(f"{name} can't be read: {error.strerror}") from None
    return sources


def _describe(job: Found) -> dict[str, Any]:
    return {
        "kind": job.kind,
        "source": job.place,
        "line": job.line,
        "user": job.user or None,
        "schedule": job.schedule or None,
        "words": job.words or None,
        "next": None if job.next is None else job.next.isoformat(),
        "command": job.command,
        "watched": job.is_watched,
        "monitor": job.monitor or None,
        "note": job.note or None,
    }


def _row(job: Found) -> tuple[Any, ...]:
    is_own = job.note == "radar's own"
    watched = Cell(job.monitor or "yes", "green") if job.is_watched else Cell("no", "yellow")
    following = "" if job.next is None else f"{job.next.astimezone():%a %Y-%m-%d %H:%M}"
    place = job.place if job.line is None else f"{job.place}:{job.line}"
    shown = job.command
    if len(shown) > _LONGEST_COMMAND:
        shown = shown[: _LONGEST_COMMAND - 1] + "…"
    when = job.words + (f" ({job.note})" if job.note and not is_own else "")
    return (Cell("radar") if is_own else watched, following, when, job.user, place, shown)


def _summarise(found: list[Found]) -> list[str]:
    others = [job for job in found if job.note != "radar's own"]
    unwatched = sum(not job.is_watched for job in others)
    if not unwatched:
        return []
    return [f"{unwatched} of {len(others)} jobs aren't watched ('radar crontab wrap' does it)"]


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)
