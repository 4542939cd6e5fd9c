"""Celery's workers, if a broker is known: whether each reports its runs to radar as others do."""

import importlib.util
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from radar_cli.core.errors import RadarError
from radar_cli.why.remarks import BAD, GOOD, Remark

if TYPE_CHECKING:
    from radar_cli.celery.broker import Broker
    from radar_cli.celery.check.seen import Look

_TIMEOUT_S = 5.0
_VARIABLES = ("RADAR_CELERY_BROKER", "CELERY_BROKER_URL")
_SETUP = "call setup_radar(app) in its app, deploy the same code to all, and restart it"


def look_at_celery(environ: Mapping[str, str]) -> Iterator[Remark]:
    """Look at the workers of the broker that a variable names; if none does, say how."""
    url = next(filter(None, map(environ.get, _VARIABLES)), "")
    if not url:
        yield from _look_for_workers_here()
    elif importlib.util.find_spec("kombu") is None:
        yield Remark("celery", GOOD, "not looked at: the extra 'celery' is not installed")
    else:
        yield from _look_at_workers(url)


def _look_for_workers_here() -> Iterator[Remark]:
    from radar_cli.celery.processes import find_nodes

    if nodes := find_nodes():
        message = f"{', '.join(nodes[:3])} runs here, and no broker is known"
        hint = f"'{_VARIABLES[-1]}=redis://… radar doctor' asks its workers whether they report"
        yield Remark("celery", GOOD, message, hint)


def _look_at_workers(url: str) -> Iterator[Remark]:
    from radar_cli.celery.calling import with_project
    from radar_cli.celery.check.looking import Looker
    from radar_cli.celery.check.workers import find_reporting
    from radar_cli.celery.project import Project

    def look(broker: "Broker", _project: Project, left_s: float) -> "Look":
        with Looker(broker, ()) as looker:
            return looker.look(lambda: left_s)

    try:
        seen = with_project(Project(url), _TIMEOUT_S, look)
    except RadarError as error:
        yield Remark("celery", BAD, error.message, error.hint)
        return
    workers = seen.workers.values()
    silent = [(each.node, find_reporting(each, seen)) for each in workers]
    for node, reporting in silent:
        if reporting:
            message = f"{node} reports no runs of its tasks, as {reporting} does"
            yield Remark("celery", BAD, message, _SETUP)
    if not any(reporting for _, reporting in silent):
        count = sum(each.reports for each in workers)
        yield Remark("celery", GOOD, f"{count} of {len(silent)} workers report their tasks' runs")
