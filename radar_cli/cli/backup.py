"""`radar backup` and `radar restore`: the store, while it is in use."""

import os
import shlex
import time
from typing import TYPE_CHECKING, Callable, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.opening import bring_up_to_date, retention_of
from radar_cli.cli.options import AnyFunction, Session, common_options, pass_session
from radar_cli.cli.render import Result, clean
from radar_cli.core.errors import ConfigError, StateError, UsageError
from radar_cli.core.places import state_directory
from radar_cli.delivery.destinations import STORE, Destination
from radar_cli.outbox.spool import STORE_FOLDER, WAITING, Outbox
from radar_cli.store.backup import DamagedError, Restoring, back_up
from radar_cli.store.database import without_password
from radar_cli.store.identity import check_file
from radar_cli.store.opening import embedded_path, open_store, store_file
from radar_cli.store.retention import Retention
from radar_cli.store.sqlite import occupied

if TYPE_CHECKING:
    from radar_cli.store.store import Store

# What somebody else is taking in at this moment is in the store by then.
_OTHERS_PATIENCE_S = 10.0
_OTHERS_PAUSE_S = 0.02


class BackupFields(TypedDict):
    """A copy of a store."""

    file: str
    store: str
    bytes: int
    monitors: int
    pings: int


class RestoredFields(TypedDict):
    """A store that was restored; `kept` is the file that has what was there before."""

    store: str
    monitors: int
    pings: int
    kept: str | None


class CommandsFields(TypedDict):
    """The lines of a database's own tools that do it."""

    commands: list[str]


class OwnToolsError(UsageError):
    """A database has tools of its own for what is asked for."""

    slug = "own-tools"


def database_option(function: AnyFunction) -> AnyFunction:
    """Add `--database`, for which RADAR_DATABASE stands."""
    option: Callable[[AnyFunction], AnyFunction] = click.option(
        "--database",
        metavar="URL",
        default=lambda: os.environ.get("RADAR_DATABASE", ""),
        help="Another store than that on this machine: sqlite:///PATH or postgresql://HOST/NAME.",
    )
    return option(function)


@click.command(name="backup")
@click.argument("file", metavar="FILE")
@database_option
@common_options
@answers(BackupFields | CommandsFields)
@pass_session
def command(session: Session, file: str, database: str) -> Result:
    """Copy the store into FILE while it is in use: one moment of it, whole and checked.

    Pings that wait for the store on this machine are taken in first. A backup that is at FILE is
    replaced in one step; 'radar restore' puts one back.
    """
    _check_file(file, "radar backup FILE, then cat FILE")
    directory = state_directory(os.environ)
    place = store_file(database, directory)
    if not place:
        tool = f"pg_dump --format=custom --no-owner --file={shlex.quote(file)}"
        return _leave_to_postgresql(f"{tool} --dbname={_shown(database)}")
    own = os.path.dirname(place)
    is_embedded = place == embedded_path(own)
    check_file(place)
    if not os.path.exists(place) and not (is_embedded and _waiting(own)):
        raise StateError(f"there is no store at {place}", "nothing was ever kept here")
    with open_store(database, directory) as store:
        notes = _ingest(session, store, own) if is_embedded else []
    content = back_up(place, file)
    size = os.path.getsize(file)
    data: BackupFields = {
        "file": os.path.abspath(file),
        "store": place,
        "bytes": size,
        "monitors": content.monitors,
        "pings": content.pings,
    }
    message = f"{file}: {content.words()} of {place}, checked ({size / 1e6:.1f} MB)"
    return Result(data, text=message, notes=tuple(notes))


@click.command(name="restore")
@click.argument("file", metavar="FILE")
@click.option("--yes", is_flag=True, help="Don't ask.")
@database_option
@common_options
@answers(RestoredFields | CommandsFields)
@pass_session
def restore(session: Session, file: str, yes: bool, database: str) -> Result:
    """Put the backup FILE in the store's place; what was there is kept beside it.

    No server may run on it meanwhile. Pings that wait are taken in afterwards.
    """
    del session
    _check_file(file, "cat > FILE, then radar restore FILE")
    place = store_file(database, state_directory(os.environ))
    if not place:
        tool = "pg_restore --clean --if-exists --no-owner --single-transaction"
        return _leave_to_postgresql(f"{tool} --dbname={_shown(database)} {shlex.quote(file)}")
    with occupied(place, alone=True), Restoring(file, place) as restoring:
        is_readable, there = True, ""
        try:
            present = restoring.find_present()
            if present is not None and (present.monitors or present.pings):
                there = present.words()
        except DamagedError:
            is_readable, there = False, "what can't be read"
        if there and not yes:
            question = f"Replace {there} at {place} by the {restoring.content.words()} of {file}?"
            click.confirm(clean(question), abort=True, err=True)
        kept = restoring.carry_out(is_readable=is_readable)
    data: RestoredFields = {
        "store": place,
        "monitors": restoring.content.monitors,
        "pings": restoring.content.pings,
        "kept": kept or None,
    }
    text = f"{place}: {restoring.content.words()} of {file}"
    return Result(data, text=text + (f"\nwhat was there is in {kept}" if kept else ""))


def _check_file(file: str, hint: str) -> None:
    if file == "-":
        raise UsageError("a backup is a file, no stream", hint)


def _leave_to_postgresql(line: str) -> Result:
    return Result(
        CommandsFields(commands=[line]),
        text=line,
        failure=OwnToolsError(
            "PostgreSQL's own tool does it, as above", "PGPASSWORD or ~/.pgpass has the password"
        ),
    )


def _shown(database: str) -> str:
    return shlex.quote(without_password(database))


def _ingest(session: Session, store: "Store", directory: str) -> list[str]:
    """Take in what waits for the store, and wait for what somebody else takes in just now."""
    own, retention, notes = Destination(STORE, is_default=False), Retention(), list[str]()
    try:
        profile = session.load_profile()
    except ConfigError as error:
        notes.append(f"what waits for a mended config is not in it: {error.line()}")
    else:
        if not profile.server:
            own = Destination(STORE, profile=profile.name, redact=profile.redact)
            retention = retention_of(profile)
    waited = _waiting(directory)
    deadline = time.monotonic() + _OTHERS_PATIENCE_S
    bring_up_to_date(store, directory, own, retention)
    while waited & _waiting(directory) and time.monotonic() < deadline:
        time.sleep(_OTHERS_PAUSE_S)
        bring_up_to_date(store, directory, own, retention)
    if left := len(waited & _waiting(directory)):
        notes.append(f"{left} pings that wait in {directory}/spool are not in it")
    return notes


def _waiting(directory: str) -> set[str]:
    return {*Outbox(directory).spool(STORE_FOLDER).names(WAITING)}
