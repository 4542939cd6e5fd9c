"""`radar sync`: monitors as code."""

import os
from typing import Annotated, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.opening import Opened, open_monitors
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result, clean
from radar_cli.core import exits
from radar_cli.core.errors import UsageError
from radar_cli.core.shapes import one_of
from radar_cli.model.port import ChangedError
from radar_cli.sync.file import name_of, read_monitors, show_value, write_monitors
from radar_cli.sync.plan import CREATE, DELETE, MARK, Plan, Present, Step, make_plan

_FILE = "radar.toml"
_SIGNS = {CREATE: "+", DELETE: "-", MARK: "=", "update": "~"}


# Because of `from`, which is no name in Python.
ChangeFields = TypedDict(
    "ChangeFields",
    {"field": str, "from": str | None, "to": str | None, "changed_there": bool},
)
ChangeFields.__doc__ = "A field of a monitor; `changed_there`: somebody else has set it since."


class StepFields(TypedDict):
    """A monitor that is made as the file declares it."""

    action: Annotated[str, one_of(list(_SIGNS))]
    key: str
    changes: list[ChangeFields]


class PlanFields(TypedDict):
    """The differences between the file and the monitors that there are."""

    source: str
    applied: bool
    steps: list[StepFields]
    dropped: list[str]


class ExportedFields(TypedDict):
    """The monitors that there are, as such a file."""

    toml: str


@click.command(name="sync")
@click.argument("file", metavar="[FILE]", default=_FILE)
@click.option("--apply", "applies", is_flag=True, help="Carry the plan out.")
@click.option("--prune", "prunes", is_flag=True, help="Delete monitors that the file has dropped.")
@click.option("--export", "exports", is_flag=True, help="Print the present state as such a file.")
@click.option(
    "--source", metavar="NAME", help="Whose monitors these are, if not the file's folder's."
)
@click.option("--yes", is_flag=True, help="Don't ask before monitors are deleted.")
@common_options
@answers(PlanFields | ExportedFields)
@pass_session
def command(
    session: Session,
    file: str,
    applies: bool,
    prunes: bool,
    exports: bool,
    source: str | None,
    yes: bool,
) -> Result:
    """Show what differs between FILE (radar.toml) and the monitors that there are.

    FILE has a table [monitors.KEY] for each. Fields that it doesn't name are never touched. Exits
    with 1 if something differs, and nothing was applied.
    """
    if exports:
        if applies or prunes:
            raise UsageError("--export excludes --apply and --prune")
        return _export(session)
    wanted = read_monitors(_read(file), file)
    name = source or os.path.basename(os.path.dirname(os.path.abspath(file))) or "radar"
    if len(name) > 200 or not name.isprintable():
        raise UsageError("--source: at most 200 characters that can be printed")
    with open_monitors(session) as opened:
        tz = session.load_profile().tz or ""
        plan = make_plan(wanted, _find_present(opened), name, tz, prunes=prunes)
        deleted = [step.key for step in plan.steps if step.kind == DELETE]
        if applies and deleted and not yes:
            question = f"Delete {', '.join(deleted[:10])} with all pings for good?"
            click.confirm(clean(question), abort=True, err=True)
        if applies:
            for step in plan.steps:
                carry_out(opened, step)
        notes = [*opened.notes, *_mention_dropped(plan, prunes=prunes)]
    text = "\n".join(line for step in plan.steps for line in _show(step))
    if not plan.has_drift:
        notes.append(
            f"{_count(len(wanted))} as {file} declares {'it' if len(wanted) == 1 else 'them'}"
        )
    elif applies:
        notes.append(f"applied: {_summarise(plan)}")
    else:
        notes.append(f"{_summarise(plan)}: --apply carries it out")
    data: PlanFields = {
        "source": name,
        "applied": applies,
        "steps": [_describe(step) for step in plan.steps],
        "dropped": list(plan.dropped),
    }
    code = exits.BAD if plan.has_drift and not applies else exits.OK
    return Result(data, text=text, notes=tuple(notes), exit_code=code)


def _read(file: str) -> str:
    try:
        with open(file, encoding="utf-8") as opened:
            return opened.read()
    except FileNotFoundError:
        hint = "'radar sync --export >radar.toml' writes the present state"
        raise UsageError(f"there is no {file}", hint) from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no UTF-8") from None
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}") from None


def _export(session: Session) -> Result:
    with open_monitors(session) as opened:
        monitors = {known.key: known.declared for known in opened.store.monitors.all()}
        notes = tuple(opened.notes)
    text = write_monitors(monitors)
    return Result(ExportedFields(toml=text), text=text.removesuffix("\n"), notes=notes)


def _find_present(opened: Opened) -> dict[str, Present]:
    return {
        known.key: Present(known.declared, known.fingerprint)
        for known in opened.store.monitors.all()
    }


def carry_out(opened: Opened, step: Step) -> None:
    """Change a monitor as long as it is what the plan was made for. ChangedError: it isn't."""
    store, now_us = opened.store, opened.now_us()
    if step.kind == DELETE:
        store.monitors.delete([step.key])
    elif step.kind == CREATE:
        declared = {name: text for name, text in step.changes.items() if text is not None}
        if not store.monitors.create(step.key, declared, now_us):
            raise ChangedError(f"monitor {step.key!r} was created meanwhile", "run it again")
    else:
        store.monitors.update(step.key, step.changes, now_us, fingerprint=step.fingerprint)


def _show(step: Step) -> list[str]:
    """The step as lines of a diff."""
    lines = [f"{_SIGNS[step.kind]} {step.key}"]
    if step.kind == MARK:
        return []
    for each in step.differences:
        name, after = name_of(each.field), show_value(each.field, each.after)
        if step.kind == CREATE:
            lines.append(f"    {name} = {after}")
            continue
        since = "  (changed there since it was last applied)" if each.is_changed_there else ""
        lines.append(f"    {name}: {show_value(each.field, each.before)} -> {after}{since}")
    return [clean(line) for line in lines]


def _describe(step: Step) -> StepFields:
    return {
        "action": step.kind,
        "key": step.key,
        "changes": [
            {
                "field": name_of(each.field),
                "from": each.before,
                "to": each.after,
                "changed_there": each.is_changed_there,
            }
            for each in step.differences
        ],
    }


def _mention_dropped(plan: Plan, *, prunes: bool) -> list[str]:
    if prunes or not plan.dropped:
        return []
    names = ", ".join(plan.dropped[:10])
    return [f"the file has dropped {names}: --prune deletes what it drops"]


def _summarise(plan: Plan) -> str:
    words = {CREATE: "to create", "update": "to change", DELETE: "to delete"}
    counts = {kind: sum(step.kind == kind for step in plan.steps) for kind in words}
    return ", ".join(f"{counts[kind]} {words[kind]}" for kind in words if counts[kind])


def _count(number: int) -> str:
    return f"{number} monitor{' is' if number == 1 else 's are'}"
