"""`radar ping --help`, and `radar --profile X ping …`, which come past click's parser."""

import sys

import click

from radar_cli.cli.options import Session, pass_session
from radar_cli.cli.table_help import render_help
from radar_cli.core import exits
from radar_cli.wrap import ping_command as pings

_ABOUT = (
    "Send one ping by hand: success, unless another kind is given. With - the output to go with it"
    " is read from stdin. Inside a job that radar wraps, a ping of the same monitor joins its run.",
    "A ping that can't be delivered waits in the outbox (see radar outbox).",
    "Exit codes: 0 delivered or in the outbox, 1 refused, 2 wrong arguments, 3 lost.",
)
_EXAMPLE = "pg_dump shop > shop.sql && radar ping shop-dump"


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@pass_session
def command(session: Session, words: tuple[str, ...]) -> int:
    """Send one ping by hand."""
    return pings.ping([*session.forwarded(), *words], show_help)


def show_help() -> int:
    """Print the help, made of the option table."""
    sys.stdout.write(render_help(pings.USAGE, _ABOUT, pings.TABLE, _EXAMPLE))
    return exits.OK
