"""`radar outbox`: the pings that are not where they belong."""

import os
import sys
import time
from datetime import datetime
from typing import Annotated, Callable, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.groups import Group
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import Result, Table, is_terminal
from radar_cli.client.wire import iso
from radar_cli.core import exits
from radar_cli.core.errors import DeliveryError, StateError, UsageError
from radar_cli.core.places import state_directory
from radar_cli.core.shapes import Moment, one_of
from radar_cli.delivery.destinations import Destination, Resolved, resolve
from radar_cli.delivery.dispatcher import PING_TIMEOUT_S
from radar_cli.delivery.replay import Flushed, flush
from radar_cli.delivery.sender import Sender
from radar_cli.model.ping import KINDS
from radar_cli.outbox.claiming import claim, is_free, peek, sort_in_old
from radar_cli.outbox.spool import (
    REJECTED,
    STORE_FOLDER,
    UNRESOLVED,
    WAITING,
    Entry,
    Outbox,
    Spool,
    place_of,
)
from radar_cli.outbox.trim import forget_dropped, read_dropped

_FLUSH_TIMEOUT_S = 300.0


@click.group(cls=Group, name="outbox")
@common_options
def command() -> None:
    """List, deliver or drop the pings that did not reach their server."""


class WaitingFields(TypedDict):
    """An undelivered ping; `rejected` is why its server refused it for good."""

    id: str
    monitor: str
    kind: Annotated[str, one_of(KINDS)]
    run_id: str | None
    time: Moment | None
    server: str | None
    profile: str | None
    rejected: str | None
    fields: dict[str, str]
    output: str


class FlushedFields(TypedDict):
    """The number of pings that were delivered, and of those that wait; `notes` are for people."""

    delivered: int
    waiting: int
    notes: list[str]


class DroppedFields(TypedDict):
    """The number of pings that were deleted."""

    dropped: int


@command.command(name="list")
@list_options
@answers(list[WaitingFields])
@pass_session
def list_pings(session: Session) -> Result:
    """Print the undelivered pings, oldest first."""
    del session
    outbox = _outbox()
    entries = _undelivered(outbox)
    rows = [
        (
            f"{datetime.fromtimestamp(entry.ping.time_us / 1e6):%Y-%m-%d %H:%M:%S}",  # noqa: DTZ006 (local time, for people)
            entry.ping.monitor,
            entry.ping.kind,
            place_of(entry.to),
            entry.to.get("rejected") or "waiting",
            entry.ping.id,
        )
        for entry in entries
    ]
    data = [_describe(entry) for entry in entries]
    columns = ("when", "monitor", "kind", "to", "state", "id")
    dropped = [read_dropped(spool) for spool in _spools(outbox)]
    notes = tuple(each.describe() for each in dropped if each is not None)
    table = Table(
        columns,
        rows,
        "the outbox is empty",
        least=("to", "state", "when", "kind"),
        whole=("monitor", "id"),
    )
    return Result(data, table, notes=notes)


@command.command(name="flush")
@common_options
@answers(FlushedFields)
@pass_session
def flush_pings(session: Session) -> Result:
    """Deliver what waits now, refused pings included.

    Late pings for a server that can't know that they are late are not sent as news; what was
    done instead is said.
    """
    outbox = _outbox()
    spools = [spool for spool in _spools(outbox) if _files(spool)]
    total, unknown = Flushed(), set()
    notes: list[str] = []
    timeout_s = session.load_profile().ping_timeout_s or PING_TIMEOUT_S
    with click.progressbar(
        length=sum(len(_files(spool)) for spool in spools),
        label="delivering",
        file=sys.stderr,
        hidden=not is_terminal(sys.stderr),
    ) as progress:
        for spool in spools:
            address = _address(spool)
            if address is None:  # all of them were set aside, or delivered since
                continue
            destination = _destination(session, address, notes)
            if destination is None:
                unknown.add(place_of(address))
            elif destination.is_server:
                _flush_one(spool, destination, total, timeout_s, progress.update)
            else:
                _ingest(outbox, spool, destination, total)
    left = [(name, spool) for spool in spools for name in _files(spool)]
    held = [name for name, spool in left if not is_free(spool, name)]
    if held:
        number = f"{len(held)} is" if len(held) == 1 else f"{len(held)} are"
        notes.append(f"{number} being delivered by a running job")
    hint = "set RADAR_SERVER and RADAR_API_KEY as they were, or drop them with 'radar outbox drop'"
    notes += [f"no key or profile for what waits for {p} ({hint})" for p in sorted(unknown)]
    data: FlushedFields = {
        "delivered": total.delivered,
        "waiting": len(left),
        "notes": [*total.notes, *notes],
    }
    failure = None
    if len(left) > len(held) and not total.delivered:
        why = next(iter(total.notes), "nobody knows where to")
        failure = DeliveryError(f"nothing could be delivered: {why}")
    return Result(
        data,
        text=f"{total.delivered} delivered, {len(left)} left",
        notes=(*dict.fromkeys(total.notes), *notes),
        exit_code=exits.BAD if left else exits.OK,
        failure=failure,
    )


@command.command(name="drop")
@click.argument("names", metavar="[ID|MONITOR]...", nargs=-1)
@click.option("--all", "drop_all", is_flag=True, help="Drop every undelivered ping.")
@click.option("--forget", is_flag=True, help="Just forget what the outbox's bound has dropped.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@common_options
@answers(DroppedFields)
@pass_session
def drop_pings(
    session: Session, names: tuple[str, ...], drop_all: bool, forget: bool, yes: bool
) -> Result:
    """Delete undelivered pings for good: those of a monitor, one by its id, or all.

    With --forget, no ping is deleted: `radar status` no longer tells what the bound has cost.
    """
    del session
    if bool(names) + drop_all + forget != 1:
        raise UsageError("name what to drop", "a ping's id, a monitor, --all or --forget")
    outbox = _outbox()
    if forget or drop_all:
        for spool in _spools(outbox):
            forget_dropped(spool)
    if forget:
        return Result(DroppedFields(dropped=0), text="forgotten")
    chosen = [
        entry
        for entry in _undelivered(outbox)
        if drop_all or entry.ping.monitor in names or entry.ping.id in names
    ]
    if chosen and not yes:
        click.confirm(f"Delete {len(chosen)} undelivered pings for good?", abort=True, err=True)
    dropped = 0
    for entry in chosen:
        held = claim(entry.spool, os.path.basename(entry.path))
        if held is not None:  # else it was delivered while the question stood
            if not held.remove():
                raise StateError(f"can't delete {held.path}", "may its folder be written to?")
            dropped += 1
    data: DroppedFields = {"dropped": dropped}
    return Result(data, text=f"{dropped} dropped", exit_code=exits.OK if chosen else exits.BAD)


def _outbox() -> Outbox:
    """The outbox; one that nobody has made yet is empty. StateError: it can't be read."""
    outbox = Outbox(state_directory(os.environ))
    try:
        os.listdir(outbox.folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StateError(
            f"can't read {outbox.folder}: {error.strerror}",
            "RADAR_STATE_DIR names another state directory",
        ) from error
    outbox.folder_names()
    if outbox.has_old:
        sort_in_old(outbox)
    return outbox


def _spools(outbox: Outbox) -> list[Spool]:
    """All folders but the store's: what waits there has arrived."""
    return [outbox.spool(name) for name in outbox.folder_names() if name != STORE_FOLDER]


def _files(spool: Spool) -> list[str]:
    return sorted(spool.names(WAITING) + spool.names(REJECTED))


def _undelivered(outbox: Outbox) -> list[Entry]:
    """The pings for a server, or for nobody knows whom, oldest first."""
    files = [(name, spool) for spool in _spools(outbox) for name in _files(spool)]
    files.sort(key=lambda file: file[0])
    return [entry for name, spool in files if (entry := peek(spool, name)) is not None]


def _address(spool: Spool) -> dict[str, str] | None:
    """The address of what waits in a folder; None if nothing there can be read."""
    for name in _files(spool):
        entry = peek(spool, name)
        if entry is not None:
            return {k: v for k, v in entry.to.items() if k != "rejected"}
    return None


def _destination(session: Session, address: dict[str, str], notes: list[str]) -> Destination | None:
    """The destination that a spooled address means today; None if nothing says."""
    named = address.get(UNRESOLVED) or address.get("profile")
    resolved: Resolved
    if named and named != "default":
        resolved = resolve([named], None, os.environ)
    else:
        profiles = [session.profile] if session.profile else []
        resolved = resolve(profiles, session.server, os.environ)
    notes += resolved.warnings
    return next((each for each in resolved.destinations if each.accepts(address)), None)


def _flush_one(
    spool: Spool,
    destination: Destination,
    total: Flushed,
    ping_timeout_s: float,
    show_progress: Callable[[int], None],
) -> None:
    def pause(seconds: float) -> bool:
        time.sleep(seconds)
        return False

    def is_stopped() -> bool:
        show_progress(1)  # asked before each ping
        return False

    sender = Sender(destination, pause)
    deadline = time.monotonic() + _FLUSH_TIMEOUT_S
    for suffix in (WAITING, REJECTED):
        flushed = flush(
            [spool],
            sender,
            deadline=deadline,
            ping_timeout_s=ping_timeout_s,
            suffix=suffix,
            is_stopped=is_stopped,
        )
        total.delivered += flushed.delivered
        total.notes += flushed.notes
    sender.close()


def _ingest(outbox: Outbox, spool: Spool, destination: Destination, total: Flushed) -> None:
    """Take what has turned out to be the store's into it."""
    from radar_cli.service.intake import drain

    before = len(_files(spool))
    drain(outbox, destination)
    total.delivered += before - len(_files(spool))


def _describe(entry: Entry) -> WaitingFields:
    ping = entry.ping
    return {
        "id": ping.id,
        "monitor": ping.monitor,
        "kind": ping.kind,
        "run_id": ping.run_id or None,
        "time": iso(ping.time_us),
        "server": entry.to.get("server"),
        "profile": entry.to.get("profile") or entry.to.get(UNRESOLVED),
        "rejected": entry.to.get("rejected"),
        "fields": ping.fields,
        "output": ping.body.decode("utf-8", "replace"),
    }
