"""`radar celery alive` for help, JSON and wrong options; all else is done before click."""

from typing import TypedDict

import click

from radar_cli.celery.alive import MAX_AGE_S, look
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.options import read_period
from radar_cli.cli.options import common_options
from radar_cli.cli.render import Result
from radar_cli.core import exits


class AliveFields(TypedDict):
    """The liveness of a worker or of Beat; `message` is for people."""

    alive: bool
    message: str


@click.command(name="alive")
@click.option("--file", metavar="FILE", default="", help="Where it gives its signs of life.")
@click.option(
    "--max-age",
    metavar="DURATION",
    default=f"{MAX_AGE_S:g}s",
    show_default=True,
    help="For how long it may be silent.",
)
@click.option("--beat", is_flag=True, help="Look at Beat, not at the worker.")
@click.option("--started", is_flag=True, help="Only whether it has started taking tasks.")
@common_options
@answers(AliveFields)
def command(file: str, max_age: str, beat: bool, started: bool) -> Result:
    """Probe the worker, or Beat, of this machine: exit 0 if it is alive, 1 if not.

    It reads the file that `radar_cli.celery.install_heartbeat(app)` has them write.
    """
    max_age_s = read_period("--max-age", max_age)
    is_alive, message = look(file, max_age_s, beat=beat, started=started)
    data: AliveFields = {"alive": is_alive, "message": message}
    return Result(data, text=message, exit_code=exits.OK if is_alive else exits.BAD)
