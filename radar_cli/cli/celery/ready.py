"""`radar celery ready`: whether one worker may get work."""

import socket
from typing import TypedDict

import click

from radar_cli.celery.broker import Broker
from radar_cli.celery.broker_causes import BrokerError
from radar_cli.celery.inspect import Answers, Asking
from radar_cli.celery.project import Project
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.opening import with_broker
from radar_cli.cli.celery.options import broker_options, timeout_option
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result
from radar_cli.core import exits


class ReadyFields(TypedDict):
    """The readiness of a worker; `reason` is why it may get no work, for people."""

    node: str
    ready: bool
    reason: str | None
    queues: list[str]


@click.command(name="ready")
@click.argument("node", metavar="[NODE]", required=False)
@broker_options
@click.option("--queue", "queues", metavar="QUEUE", multiple=True, help="It has to consume it.")
@timeout_option("3s")
@common_options
@answers(ReadyFields)
@pass_session
def command(
    session: Session, /, node: str | None, queues: tuple[str, ...], **options: str
) -> Result:
    """Tell whether a worker answers and consumes its queues: a readiness probe.

    NODE is celery@ and this machine's name, if not given. Exits with 0 or 1, whatever the reason.
    """
    del session
    name = node or f"celery@{socket.gethostname()}"

    def probe(broker: Broker, _project: Project, left_s: float) -> Answers:
        with Asking(broker.connection, exchange=broker.exchange) as asking:
            return asking.ask({"active_queues": {}}, destinations=[name], timeout_s=left_s)

    try:
        reply = with_broker(options, probe).replies["active_queues"].get(name)
        fault = _find_fault(reply, queues)
    except BrokerError as error:
        reply, fault = None, error.line()
    consumed = [str(queue["name"]) for queue in reply] if isinstance(reply, list) else []
    data: ReadyFields = {
        "node": name,
        "ready": not fault,
        "reason": fault or None,
        "queues": consumed,
    }
    text = f"{name} is not ready: {fault}" if fault else f"{name} is ready: {', '.join(consumed)}"
    return Result(data, text=text, exit_code=exits.BAD if fault else exits.OK)


def _find_fault(reply: object, queues: tuple[str, ...]) -> str:
    """Explain why a worker isn't ready; empty if it is."""
    if not isinstance(reply, list):
        return "no answer in time"
    names = {str(queue["name"]) for queue in reply}
    missing = sorted(set(queues) - names)
    if missing:
        return f"it doesn't consume {', '.join(missing)}"
    return "" if names else "it consumes no queue"
