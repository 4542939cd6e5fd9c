"""`radar crontab`: find a machine's scheduled jobs, put radar in front of them, undo it."""

import json
import os
import shlex
import sys
import time
from datetime import UTC, datetime
from typing import Annotated, Any, Collection, Iterable, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.groups import Group
from radar_cli.cli.link import make_script
from radar_cli.cli.monitors.declaring import read_options
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, clean, emit
from radar_cli.core import exits
from radar_cli.core.errors import UsageError
from radar_cli.core.ids import check_key, expand_host
from radar_cli.core.places import state_directory
from radar_cli.core.shapes import Moment, one_of
from radar_cli.crontab.applying import apply, declare, find_link, starts
from radar_cli.crontab.drop_in import make_drop_in
from radar_cli.crontab.keeping import Keeping
from radar_cli.crontab.lines import Job
from radar_cli.crontab.link import find_folders, write_link
from radar_cli.crontab.lint import Lint
from radar_cli.crontab.scan import Found, Scan
from radar_cli.crontab.sources import SPOOLS, STDIN, Machine, Source, own_name, read_file
from radar_cli.crontab.wrapping import Edit, Wrapper, find_check, find_keys, unwrap
from radar_cli.crontab.writing import can_write, find_packages
from radar_cli.wrap import options

# Options of `radar run` that take the word behind them.
VALUED = frozenset(row[0] for row in options.TABLE if row[1] != "switch")
_LAST = datetime.max.replace(tzinfo=UTC)

_root_option = click.option(
    "--root", metavar="DIR", default="/", help="Look at the machine whose root directory this is."
)


class JobFields(TypedDict):
    """A scheduled job; `monitor` is null where radar is called by a script of the job's own."""

    kind: Annotated[str, one_of(["crontab", "run-parts", "anacron", "timer", "at"])]
    source: str
    line: int | None
    user: str | None
    schedule: str | None
    words: str | None
    next: Moment | None
    command: str
    watched: bool
    monitor: str | None
    note: str | None


class ScanFields(TypedDict):
    """All scheduled jobs; `unreadable` says of what could not be looked at, why."""

    jobs: list[JobFields]
    unreadable: dict[str, str]


class LintFields(TypedDict):
    """Something in a crontab that is likely not meant; message and hint are for people."""

    source: str
    line: int | None
    rule: str
    message: str
    hint: str | None


class LintsFields(TypedDict):
    """All of that; `unreadable` says of what could not be looked at, why."""

    remarks: list[LintFields]
    unreadable: dict[str, str]


class WrappedFields(TypedDict):
    """A line of a crontab, and the monitor of its job."""

    line: int
    monitor: str


class EditFields(TypedDict):
    """The change of one crontab."""

    source: str
    jobs: list[WrappedFields]
    diff: list[str]


class UnwrapFields(TypedDict):
    """The crontabs that were changed, or would be with --diff, and what went wrong."""

    crontabs: list[EditFields]
    backups: list[str]
    failures: list[str]


class WrapFields(UnwrapFields):
    """The crontabs that were changed, the launcher that they call, and the monitors created."""

    link: str | None
    monitors: list[str]


class DropInFields(TypedDict):
    """A drop-in of a systemd service, and whether it was written to its place."""

    path: str
    text: str
    written: bool


class DeclaredFields(TypedDict):
    """The monitors that were created."""

    created: list[str]


@click.group(cls=Group, name="crontab")
@common_options
def command() -> None:
    """Find a machine's scheduled jobs, put radar in front of them, and undo it."""


@command.command(name="scan")
@click.argument("files", metavar="[FILE|-]...", nargs=-1)
@_root_option
@list_options
@answers(ScanFields, rows="jobs")
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
    data: ScanFields = {"jobs": [_describe(job) for job in found], "unreadable": machine.unread}
    notes = _describe_unread(machine)
    columns = ("watched", "next", "when", "user", "where", "command")
    table = Table(
        columns,
        [_row(job) for job in found],
        "no scheduled jobs",
        least=("command", "when", "user", "next"),
        whole=("watched", "where"),
    )
    notes += _summarise(found)
    return Result(data, table, notes=tuple(notes))


_packaged_option = click.option(
    "--packaged", is_flag=True, help="Also what belongs to a package, whose upgrades then ask."
)
_diff_option = click.option("--diff", "only_diff", is_flag=True, help="Just show the diff.")
_yes_option = click.option("--yes", is_flag=True, help="Don't ask.")


@command.command(name="wrap")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("-i", "--interactive", is_flag=True, help="Ask for each job.")
@click.option("--link", "link_file", metavar="FILE", help="Start radar by this link.")
@click.option(
    "--prefix", metavar="TEXT", default="", help="How keys begin, as '{host}-' on many machines."
)
@_packaged_option
@click.option(
    "--timers", "with_timers", is_flag=True, help="Have the added line watch systemd's timers, too."
)
@_diff_option
@_yes_option
@common_options
@answers(WrapFields)
@pass_session
def wrap_jobs(
    session: Session,
    files: tuple[str, ...],
    interactive: bool,
    link_file: str | None,
    prefix: str,
    packaged: bool,
    with_timers: bool,
    only_diff: bool,
    yes: bool,
) -> Result:
    """Put radar in front of each job of the crontabs, and create a monitor for each.

    All crontabs that this user may write, or just FILEs. The diff is shown first; the lines as
    they were are kept, for unwrap. A line that looks for what is missing is added, once.
    """
    try:
        check_key(expand_host(f"{prefix}job"))
    except ValueError as error:
        raise UsageError(f"--prefix: {error}") from None
    machine = Machine()
    everywhere = list(machine.find_crontabs())
    sources, notes = _choose(files, machine, everywhere, is_packaged=packaged)
    known = {source.path: source for source in (*everywhere, *sources)}
    keeping = Keeping(state_directory(os.environ))
    link_path = os.path.abspath(link_file or find_link(os.environ))
    scan = Scan(machine, VALUED, _now())

    def zone_of(job: Job) -> str:
        zone = scan.zone_of(job)
        return zone if zone != scan.zone else ""

    taken = find_keys(known.values(), VALUED)
    agrees = _ask if interactive else lambda *_: True
    wrapper = Wrapper(link_path, VALUED, keeping, taken, zone_of, agrees, prefix=prefix)
    edits = [wrapper.wrap(source) for source in sources]
    notes += _describe_left(edits)
    wrapped = [change for edit in edits for change in edit.changes]
    if wrapped and not session.load_profile().server:
        edits = _with_check(wrapper, edits, known.values(), with_timers=with_timers)
    edits = [edit for edit in edits if edit.changes]
    if not edits:
        return Result(_describe_wrap([]), text="nothing to wrap", notes=tuple(notes))
    what = f"Put radar in front of {_count(len(wrapped), 'job')}"
    _show(session, edits, what, is_asked=not (yes or only_diff))
    if only_diff:
        return Result(_describe_wrap(edits), notes=tuple(notes))
    if not starts(link_path):
        write_link(link_path, make_script(find_folders(os.environ)), force=False)
    applied = apply(edits, machine, keeping, _now())
    made = declare(applied.edits, link_path, scan.zone)
    notes += [*applied.failures, *made.failures]
    keys = [change.key for edit in applied.edits for change in edit.changes if change.key]
    text = f"{_count(len(keys), 'job')} wrapped: {', '.join(keys)}" if keys else ""
    data = _describe_wrap(applied.edits)
    data["link"], data["backups"], data["monitors"] = link_path, applied.backups, made.created
    data["failures"] = [*applied.failures, *made.failures]
    is_bad = applied.failures or made.failures
    code = exits.BAD if is_bad else exits.OK
    notes += [f"backup: {backup}" for backup in applied.backups]
    return Result(data, text=text, notes=tuple(notes), exit_code=code)


@command.command(name="unwrap")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@_packaged_option
@_diff_option
@_yes_option
@common_options
@answers(UnwrapFields)
@pass_session
def unwrap_jobs(
    session: Session, files: tuple[str, ...], packaged: bool, only_diff: bool, yes: bool
) -> Result:
    """Take radar away again: each line becomes what it was before wrap.

    A line that was edited since keeps the edit and only loses radar's part. The monitors stay.
    """
    machine = Machine()
    everywhere = list(machine.find_crontabs())
    sources, notes = _choose(files, machine, everywhere, is_packaged=packaged)
    keeping = Keeping(state_directory(os.environ))
    edits = [unwrap(source, keeping, VALUED) for source in sources]
    notes += _describe_left(edits)
    others = {source.path: source for source in (*everywhere, *sources)}.values()
    freed = {change.key for edit in edits for change in edit.changes}
    if left := set(find_keys(others, VALUED)) - freed:
        if any(not change.key for edit in edits for change in edit.changes):
            notes.append(f"'check --notify' stays: it looks for {', '.join(sorted(left))}, too")
        edits = [edit.without_check() for edit in edits]
    edits = [edit for edit in edits if edit.changes]
    if not edits:
        return Result(_describe_unwrap([]), text="nothing to unwrap", notes=tuple(notes))
    keys = [change.key for edit in edits for change in edit.changes if change.key]
    what = f"Take radar away from {_count(len(keys), 'job')}"
    _show(session, edits, what, is_asked=not (yes or only_diff))
    if only_diff:
        return Result(_describe_unwrap(edits), notes=tuple(notes))
    applied = apply(edits, machine, keeping, _now(), is_kept=False)
    notes += applied.failures
    if keys:
        line = shlex.join(["radar", "monitors", "delete", *keys])
        notes.append(f"their monitors go on expecting runs: '{line}' ends that")
    data = _describe_unwrap(applied.edits)
    data["backups"], data["failures"] = applied.backups, applied.failures
    code = exits.BAD if applied.failures else exits.OK
    text = f"{_count(len(keys), 'job')} unwrapped"
    return Result(data, text=text, notes=tuple(notes), exit_code=code)


@command.command(name="lint")
@click.argument("files", metavar="[FILE|-]...", nargs=-1)
@_root_option
@list_options
@answers(LintsFields, rows="remarks")
@pass_session
def lint_crontabs(session: Session, files: tuple[str, ...], root: str) -> Result:
    """Look for what in crontabs is likely not what is meant; exits with 1 if there is something.

    All crontabs of this machine, or just FILEs; - is one on stdin.
    """
    del session
    machine = open_machine(root)
    lint = Lint(machine, VALUED, _now())
    if files:
        found = list(lint.look_at(read_sources(files)))
    else:
        found = [*lint.look_at(machine.find_crontabs()), *lint.look_at_names()]
    places = list(dict.fromkeys(each.place for each in found))
    found.sort(key=lambda each: (places.index(each.place), each.line or 0))
    rows = [(_place(each.place, each.line), each.rule, each.message, each.hint) for each in found]
    data: LintsFields = {
        "remarks": [
            {
                "source": each.place,
                "line": each.line,
                "rule": each.rule,
                "message": each.message,
                "hint": each.hint or None,
            }
            for each in found
        ],
        "unreadable": machine.unread,
    }
    notes = tuple(_describe_unread(machine))
    table = Table(
        ("where", "rule", "found", "what to do"),
        rows,
        "nothing found",
        wrapped=("found",),
        hint="what to do",
    )
    return Result(data, table, notes=notes, exit_code=exits.BAD if found else exits.OK)


@command.command(name="drop-in")
@click.argument("timer", metavar="TIMER")
@click.option("--link", "link_file", metavar="FILE", help="Start radar by this link.")
@click.option("--write", "writes", is_flag=True, help="Write it where systemd looks for it.")
@_root_option
@common_options
@answers(DropInFields)
@pass_session
def make_timers_drop_in(
    session: Session, timer: str, link_file: str | None, writes: bool, root: str
) -> Result:
    """Print a drop-in that puts radar in front of what a systemd timer starts.

    A timer is watched without it, by 'radar check --timers'; with it, its output is kept, too.
    """
    del session
    machine = open_machine(root)
    link_path = os.path.abspath(link_file or find_link(os.environ))
    path, text = make_drop_in(machine, timer, link_path)
    notes = [f"{path} is where it belongs: --write puts it there"]
    if writes:
        if not starts(link_path):
            write_link(link_path, make_script(find_folders(os.environ)), force=False)
        try:
            os.makedirs(os.path.dirname(machine.at(path)), exist_ok=True)
            with open(machine.at(path), "x", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
        except OSError as error:
            raise UsageError(f"{path} can't be written: {error.strerror}") from None
        notes = [f"{path} is written: 'systemctl daemon-reload' makes systemd read it"]
    data: DropInFields = {"path": path, "text": text, "written": writes}
    return Result(data, text=text.removesuffix("\n"), notes=tuple(notes))


@command.command(name="declare", hidden=True)
@common_options
@answers(DeclaredFields)
@pass_session
def declare_monitors(session: Session) -> Result:
    """Create the monitors that stdin has as JSON; one that is there stays as it is."""
    try:
        rows = json.load(sys.stdin)
    except ValueError as error:
        raise UsageError(f"what stdin has is no JSON: {error}") from None
    created = []
    with open_monitors(session) as opened:
        for row in rows:
            given = {**row["options"], "tag": tuple(row["options"]["tag"])}
            fields = read_options(given, {}, row["tz"])
            declared = {name: text for name, text in fields.items() if text is not None}
            if opened.store.monitors.create(row["key"], declared, opened.now_us()):
                created.append(row["key"])
    return Result(DeclaredFields(created=created))


def _choose(
    files: tuple[str, ...], machine: Machine, everywhere: list[Source], *, is_packaged: bool
) -> tuple[list[Source], list[str]]:
    """Return the crontabs to edit, and why others aren't."""
    notes = [] if files else _describe_unread(machine)
    sources = read_sources(files) if files else everywhere
    if STDIN in files:
        raise UsageError("what comes on stdin can't be edited", "name its file")
    paths = [source.path for source in sources if not source.is_spooled]
    packages = {} if is_packaged else find_packages(paths)
    chosen = []
    for source in sources:
        if not any(source.crontab.jobs):
            continue
        if package := packages.get(source.path):
            notes.append(f"{source.path} belongs to {package}: --packaged edits it all the same")
        elif not can_write(source):
            notes.append(f"{source.path} can't be written by {own_name()}")
        else:
            chosen.append(source)
    return chosen, notes


def _with_check(
    wrapper: Wrapper, edits: list[Edit], known: Collection[Source], *, with_timers: bool
) -> list[Edit]:
    """Return the edits with a line that looks for what is missing, unless there is one."""
    own = own_name()
    users = {change.user for edit in edits for change in edit.changes}
    everybody = os.geteuid() == 0 and users != {own}
    if find_check(known, VALUED, own, everybody=everybody) is not None:
        return edits
    options = (" --all-users" if everybody else "") + (" --timers" if with_timers else "")
    best = next((edit for edit in edits if edit.source.user == own), None)
    if best is None and os.geteuid() == 0:
        best = next((edit for edit in edits if edit.source.has_users and edit.changes), None)
    if best is None:
        # Perhaps there is one without a job.
        spooled = (source for source in known if source.is_spooled and source.user == own)
        empty = Source(f"{SPOOLS[0]}/{own}", b"", own, is_spooled=True)
        return [*edits, wrapper.add_check(Edit(next(spooled, empty)), options)]
    return [wrapper.add_check(edit, options) if edit is best else edit for edit in edits]


def _ask(source: Source, number: int, job: Job, key: str) -> bool:
    command = clean(job.command.decode("utf-8", "backslashreplace"))
    return click.confirm(f"{source.place}:{number} {command}\n  as {key}?", default=True, err=True)


def _show(session: Session, edits: list[Edit], what: str, *, is_asked: bool) -> None:
    """Show the diff, and ask whether it is to be carried out."""
    rows = (line for edit in edits for line in edit.diff())
    text = "".join("\t".join(map(clean, row.split("\t"))) + "\n" for row in rows)
    if session.format != "json":
        emit(text)
        sys.stdout.flush()
    elif is_asked and sys.stderr is not None:
        sys.stderr.write(text)
    if is_asked:
        where = edits[0].source.place if len(edits) == 1 else f"{len(edits)} crontabs"
        click.confirm(f"{what} in {clean(where)}?", abort=True, err=True)


def _describe_wrap(edits: Iterable[Edit]) -> WrapFields:
    return {**_describe_unwrap(edits), "link": None, "monitors": []}


def _describe_unwrap(edits: Iterable[Edit]) -> UnwrapFields:
    crontabs: list[EditFields] = [
        {
            "source": edit.source.path,
            "jobs": [
                {"line": change.number, "monitor": change.key}
                for change in edit.changes
                if change.key
            ],
            "diff": edit.diff(),
        }
        for edit in edits
    ]
    return {"crontabs": crontabs, "backups": [], "failures": []}


def _describe_unread(machine: Machine) -> list[str]:
    return [f"{place} can't be read: {why}" for place, why in machine.unread.items()]


def _describe_left(edits: list[Edit]) -> list[str]:
    """Return which lines stay, and which have no schedule to watch over."""
    notes = []
    for edit in edits:
        place = edit.source.place
        notes += [f"{place}:{number} stays as it is: {why}" for number, why in edit.left]
        notes += [
            f"{place}:{change.number} has times that only cron knows: nothing misses {change.key}"
            for change in edit.changes
            if change.job is not None and not (change.job.schedule or change.job.is_at_boot)
        ]
    return notes


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def open_machine(root: str) -> Machine:
    """Return the machine of a root directory. UsageError: there is no such directory."""
    if not os.path.isdir(root):
        raise UsageError(f"--root: {root!r} is no directory")
    return Machine(root)


def read_sources(files: Iterable[str]) -> list[Source]:
    """Return crontabs by their paths. UsageError: one can't be read."""
    sources = []
    user = own_name()
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


def _describe(job: Found) -> JobFields:
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
    when = job.words + (f" ({job.note})" if job.note and not is_own else "")
    return (
        Cell("radar") if is_own else watched,
        following,
        when,
        job.user,
        _place(job.place, job.line),
        job.command,
    )


def _place(path: str, line: int | None) -> str:
    return path if line is None else f"{path}:{line}"


def _summarise(found: list[Found]) -> list[str]:
    others = [job for job in found if job.note != "radar's own"]
    unwatched = [job for job in others if not job.is_watched]
    if not unwatched:
        return []
    kinds = {job.kind for job in unwatched}
    hints = []
    if "crontab" in kinds:
        hints.append("'radar crontab wrap' does it; --packaged: also lines of packages")
    if "timer" in kinds:
        hints.append("'radar check --timers' watches timers")
    hint = f" ({'; '.join(hints)})" if hints else ""
    return [f"{len(unwatched)} of {len(others)} jobs aren't watched{hint}"]


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)
