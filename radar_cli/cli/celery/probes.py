"""`radar celery probes`: probes and alert rules to paste, filled in for a project."""

from typing import TypedDict

import click

from radar_cli.celery.probes import (
    Deployment,
    compose_compose,
    compose_docker,
    compose_helm,
    compose_kubernetes,
    compose_prometheus,
)
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.options import read_period
from radar_cli.cli.options import common_options
from radar_cli.cli.render import Result
from radar_cli.core.errors import UsageError

_KINDS = {
    "docker": compose_docker,
    "compose": compose_compose,
    "kubernetes": compose_kubernetes,
    "helm": compose_helm,
    "prometheus": compose_prometheus,
}


class ProbesFields(TypedDict):
    """Probes or rules to paste."""

    kind: str
    text: str


@click.command(name="probes")
@click.argument("kind", type=click.Choice(tuple(_KINDS)))
@click.option("-A", "--app", metavar="APP", default="APP", help="The app, as for celery -A.")
@click.option("--queue", "queues", metavar="QUEUE", multiple=True, help="A queue of its workers.")
@click.option("--image", metavar="IMAGE", default="IMAGE", help="The image of the containers.")
@click.option("--file", metavar="FILE", default="", help="Where signs of life are given.")
@click.option(
    "--schedule", metavar="FILE", default="celerybeat-schedule", help="Where Beat keeps it (-s)."
)
@click.option(
    "--max-age", metavar="DURATION", default="60s", help="How long silence is life (60s)."
)
@click.option(
    "--max-depth", metavar="N", type=click.IntRange(0), default=1000, help="How long queues may be."
)
@common_options
@answers(ProbesFields)
def command(
    kind: str,
    app: str,
    queues: tuple[str, ...],
    image: str,
    file: str,
    schedule: str,
    max_age: str,
    max_depth: int,
) -> Result:
    """Print health checks of Docker, Compose, Kubernetes or Helm, or alert rules for Prometheus.

    For a worker and for Beat, filled in with the options. Nothing is imported or asked.
    """
    read_period("--max-age", max_age)
    for value in (app, image, file, schedule, *queues):
        if not value.isprintable():
            raise UsageError(f"bad value {value[:60]!r}", "it has to be printable")
    text = _KINDS[kind](Deployment(app, queues, image, file, schedule, max_age, max_depth))
    return Result(ProbesFields(kind=kind, text=text), text=text)
