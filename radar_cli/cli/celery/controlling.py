"""Commands to workers: asked for, confirmed, sent, and what each worker said."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

import click

from radar_cli.celery.broker import Broker
from radar_cli.celery.control import Answer, find_nodes
from radar_cli.celery.control import command as command_nodes
from radar_cli.celery.project import Project
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.listing import shared_options
from radar_cli.cli.celery.opening import with_broker
from radar_cli.cli.celery.options import broker_options, timeout_option
from radar_cli.cli.options import AnyFunction, common_options
from radar_cli.cli.render import Cell, Result, Table, clean
from radar_cli.core import exits
from radar_cli.core.errors import UsageError

_STYLES = {True: "green", False: "bold red", None: "yellow"}
_WORDS = {True: "ok", False: "refused", None: "unknown"}


class SaidFields(TypedDict):
    """A worker's answer to a command; `ok` is null if it gave none."""

    worker: str
    ok: bool | None
    said: str


def control_options(function: AnyFunction) -> AnyFunction:
    """Add what all commands to workers take: the broker, --worker, --yes, --timeout."""
    worker = click.option(
        "--worker", "nodes", metavar="NODE", multiple=True, help="Only this one, not all."
    )
    yes = click.option("--yes", is_flag=True, help="Don't ask.")
    declared = answers(list[SaidFields])(function)
    return broker_options(worker(yes(timeout_option("5s")(common_options(declared)))))


def carry_out(
    context: click.Context,
    options: dict[str, Any],
    question: str,
    name: str,
    arguments: Mapping[str, Any],
    send: Callable[[Broker, Sequence[str]], list[Answer]] | None = None,
) -> Result:
    """Ask a person, then tell the workers, and show what they say.

    `question` is what is about to happen, with `{}` for to whom. Exits with 1 if one refuses.
    """
    shared = shared_options(context, options)
    nodes = options["nodes"] or with_broker(shared, _find)
    if not nodes:
        raise UsageError("no worker answers", "see 'radar celery check'")
    if not options["yes"]:
        whom = nodes[0] if len(nodes) == 1 else f"{len(nodes)} workers"
        click.confirm(clean(question.replace("{}", whom)), abort=True, err=True)

    def ask(broker: Broker, _project: Project, left_s: float) -> list[Answer]:
        if send is not None:
            return send(broker, nodes)
        return command_nodes(broker, name, arguments, nodes, timeout_s=left_s)

    answers = with_broker(shared, ask)
    rows = [
        (each.node, Cell(_WORDS[each.is_ok], _STYLES[each.is_ok]), each.text) for each in answers
    ]
    data: list[SaidFields] = [
        {"worker": each.node, "ok": each.is_ok, "said": each.text} for each in answers
    ]
    code = exits.OK if all(each.is_ok for each in answers) else exits.BAD
    return Result(data, Table(("worker", "state", "says"), rows), exit_code=code)


def _find(broker: Broker, _project: Project, left_s: float) -> list[str]:
    return find_nodes(broker, timeout_s=min(1.0, left_s))
