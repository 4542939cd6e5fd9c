"""`radar celery top`: a Celery, live in the terminal."""

from typing import Any

import click

from radar_cli.celery.broker import load_driver
from radar_cli.celery.project import project_of
from radar_cli.celery.schedule.sources import KINDS
from radar_cli.cli.backup import database_option
from radar_cli.cli.celery.options import broker_options, read_period, timeout_option
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.top.starting import check_screen, interval_option, read_interval, run_board

_IMPORT_S = 60.0


@click.command(name="top")
@broker_options
@click.option("--beat", metavar="SOURCE", default="", help=f"Beat's schedule: {KINDS}.")
@click.option("--queue", "queues", metavar="QUEUE", multiple=True, help="Look at it, too.")
@database_option
@interval_option
@timeout_option("5s")
@common_options
@pass_session
def command(session: Session, /, **given: Any) -> int:
    """Show a Celery live: workers, queues, tasks, failures and the schedule; ? shows the keys.

    It looks at the broker and the workers, and reads the ledger that 'radar celery watch' keeps,
    if there is one. What it does about them it asks first.
    """
    check_screen(session, "radar celery check")
    from radar_cli.cli.celery.actions import Actions
    from radar_cli.cli.celery.panes import Feeds, Panes
    from radar_cli.cli.celery.snapshots import Access, BrokerSight, LedgerSight, ScheduleSight
    from radar_cli.cli.top.board import Plan
    from radar_cli.cli.top.feed import Feed

    every_s = read_interval(given["interval"])
    timeout_s = read_period("--timeout", given["timeout"])
    project = project_of(
        given["broker"], given["app"], key_prefix=given["key_prefix"], timeout_s=_IMPORT_S
    )
    load_driver(project.broker)
    access = Access(project, timeout_s, given["database"])
    ledger = Feed("ledger", LedgerSight(access).look, every_s=every_s)

    def find_queues() -> tuple[str, ...]:
        return (*given["queues"], *(ledger.value.trends if ledger.value is not None else ()))

    feeds = Feeds(
        Feed("broker", BrokerSight(project, find_queues).look, every_s=every_s),
        ledger,
        Feed("schedule", ScheduleSight(given["beat"], access).look, every_s=every_s),
    )
    panes = Panes(feeds, Actions(access))
    plan = Plan(
        f"radar celery top  {access.shown}",
        panes.all(),
        (feeds.broker, feeds.ledger, feeds.schedule),
        panes.headline,
        panes.notes,
    )
    return run_board(session, plan)
