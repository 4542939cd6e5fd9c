"""`radar outbox`: the pings that are not where they belong."""

import os
import sys
import time
from datetime import datetime
from typing import Any, Callable

import click

from radar_cli.cli.groups import Group
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import Result, Table, is_terminal
from radar_cli.core import exits
from radar_cli.core.errors import DeliveryError, StateError, UsageError
from radar_cli.core.places import state_directory
from radar_cli.delivery.destinations import UNRESOLVED, Destination, Resolved, resolve
from radar_cli.delivery.dispatcher import PING_TIMEOUT_S
from radar_cli.delivery.replay import Flushed, flush
from radar_cli.delivery.sender import Sender
from radar_cli.outbox.spool import REJECTED, WAITING, Entry, Spool, claim, is_free, peek

_FLUSH_TIMEOUT_S = 300.0


@click.group(cls=Group, name="outbox")
@common_options
def command() -> None:
    """List, deliver or drop the pings that did not reach their server."""


@command.command(name="list")
@list_options
@pass_session
def list_pings(session: Session) -> Result:
    """Print the undelivered pings, oldest first."""
    del session
    entries = _undelivered(_spool())
    rows = [
        (
            f"{datetime.fromtimestamp(entry.ping.time_us / 1e6):%Y-%m-%d %H:%M:%S}",  # noqa: DTZ006 (local time, for people)
            entry.ping.monitor,
            entry.ping.kind,
            _place(entry),
            entry.to.get("rejected") or "waiting",
            entry.ping.id,
        )
        for entry in entries
    ]
    data = [_describe(entry) for entry in entries]
    columns = ("when", "monitor", "kind", "to", "state", "id")
    return Result(data, Table(columns, rows, "the outbox is empty"))


@command.command(name="flush")
@common_options
@pass_session
def flush_pings(session: Session) -> Result:
    """Deliver what waits now, refused pings included.

    Late pings for a server that can't know that they are late are not sent as news; what was
    done instead is said.
    """
    spool = _spool()
    before = _undelivered(spool)
    total, unknown = Flushed(), set()
    notes: list[str] = []
    timeout_s = session.load_profile().ping_timeout_s or PING_TIMEOUT_S
    done: set[tuple[tuple[str, str], ...]] = set()
    with click.progressbar(
        length=len(before), label="delivering", file=sys.stderr, hidden=not is_terminal(sys.stderr)
    ) as progress:
        for entry in before:
            address = {k: v for k, v in entry.to.items() if k != "rejected"}
            if (place := tuple(sorted(address.items()))) in done:
                continue
            done.add(place)
            destination = _destination(session, address, notes)
            if destination is None:
                unknown.add(_place(entry))
            elif destination.is_server:
                _flush_one(spool, destination, total, timeout_s, progress.update)
            else:
                _take_in(spool, destination, address, total)
    left = _undelivered(spool)
    held = [entry for entry in left if not is_free(spool, os.path.basename(entry.path))]
    if held:
        number = f"{len(held)} is" if len(held) == 1 else f"{len(held)} are"
        notes.append(f"{number} being delivered by a running job")
    hint = "set RADAR_SERVER and RADAR_API_KEY as they were, or drop them with 'radar outbox drop'"
    notes += [f"no key or profile for what waits for {p} ({hint})" for p in sorted(unknown)]
    data = {"delivered": total.delivered, "waiting": len(left), "notes": [*total.notes, *notes]}
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
@click.option("--yes", is_flag=True, help="Don't ask.")
@common_options
@pass_session
def drop_pings(session: Session, names: tuple[str, ...], drop_all: bool, yes: bool) -> Result:
    """Delete undelivered pings for good: those of a monitor, one by its id, or all."""
    del session
    if bool(names) == drop_all:
        raise UsageError("name what to drop", "a ping's id, a monitor, or --all")
    spool = _spool()
    chosen = [
        entry
        for entry in _undelivered(spool)
        if drop_all or entry.ping.monitor in names or entry.ping.id in names
    ]
    if chosen and not yes:
        click.confirm(f"Delete {len(chosen)} undelivered pings for good?", abort=True, err=True)
    dropped = 0
    for entry in chosen:
        held = claim(spool, os.path.basename(entry.path))
        if held is not None:  # else it was delivered while the question stood
            held.remove()
            dropped += 1
    data = {"dropped": dropped}
    return Result(data, text=f"{dropped} dropped", exit_code=exits.OK if chosen else exits.BAD)


def _spool() -> Spool:
    """The spool; one that nobody has made yet is empty. StateError: it can't be read."""
    spool = Spool(state_directory(os.environ))
    try:
        os.listdir(spool.folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StateError(
            f"can't read {spool.folder}: {error.strerror}",
            "RADAR_STATE_DIR names another state directory",
        ) from error
    return spool


def _undelivered(spool: Spool) -> list[Entry]:
    """The pings for a server, or for nobody knows whom; the store's own are none of them."""
    names = sorted(spool.names(WAITING) + spool.names(REJECTED))
    return [entry for name in names if (entry := peek(spool, name)) is not None and entry.to]


def _place(entry: Entry) -> str:
    if UNRESOLVED in entry.to:
        return f"profile {entry.to[UNRESOLVED]}"
    return entry.to.get("server", "")


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

    carrier = Sender(destination, pause)
    deadline = time.monotonic() + _FLUSH_TIMEOUT_S
    for suffix in (WAITING, REJECTED):
        flushed = flush(
            spool,
            carrier,
            deadline=deadline,
            ping_timeout_s=ping_timeout_s,
            suffix=suffix,
            is_stopped=is_stopped,
        )
        total.delivered += flushed.delivered
        total.notes += flushed.notes
    carrier.close()


def _take_in(
    spool: Spool, destination: Destination, address: dict[str, str], total: Flushed
) -> None:
    """Take what has turned out to be the store's into it."""
    from radar_cli.store.intake import empty

    def waiting() -> int:
        return sum(entry.to == address for entry in _undelivered(spool))

    before = waiting()
    empty(spool, destination)
    total.delivered += before - waiting()


def _describe(entry: Entry) -> dict[str, Any]:
    ping = entry.ping
    return {
        "id": ping.id,
        "monitor": ping.monitor,
        "kind": ping.kind,
        "run_id": ping.run_id or None,
        "time": ping.time_us / 1e6,
        "server": entry.to.get("server"),
        "profile": entry.to.get("profile") or entry.to.get(UNRESOLVED),
        "rejected": entry.to.get("rejected"),
        "fields": ping.fields,
        "output": ping.body.decode("utf-8", "replace"),
    }
