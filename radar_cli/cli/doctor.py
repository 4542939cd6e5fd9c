"""`radar doctor`: whether radar can do here what it is for, and what stands in its way."""

from typing import Annotated, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Cell, Result, Table
from radar_cli.core import exits
from radar_cli.core.shapes import one_of
from radar_cli.why.examination import examine
from radar_cli.why.remarks import BAD, BEWARE, GOOD

_STYLES = {GOOD: "green", BEWARE: "yellow", BAD: "bold red"}


class RemarkFields(TypedDict):
    """A remark on what one look has found; message and hint are for people."""

    what: str
    state: Annotated[str, one_of([GOOD, BEWARE, BAD])]
    message: str
    hint: str | None


@click.command(name="doctor")
@common_options
@answers(list[RemarkFields])
@pass_session
def command(session: Session) -> Result:
    """Look for what keeps radar from watching over jobs: settings, disk, outbox, server, cron.

    Where CELERY_BROKER_URL names a broker, it names workers that don't call setup_radar as others
    do. Exits with 1 if something is bad.
    """
    remarks = list(examine(session.load_config, session.load_profile))
    data: list[RemarkFields] = [
        {"what": r.what, "state": r.state, "message": r.message, "hint": r.hint or None}
        for r in remarks
    ]
    rows = [(r.what, Cell(r.state, _STYLES[r.state]), r.message, r.hint) for r in remarks]
    is_bad = any(remark.state == BAD for remark in remarks)
    table = Table(
        ("what", "state", "found", "what to do"), rows, wrapped=("found",), hint="what to do"
    )
    return Result(data, table, exit_code=exits.BAD if is_bad else exits.OK)
