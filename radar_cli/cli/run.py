"""`radar run --help`, and `radar --profile X run …`, which come past click's parser."""

import sys

import click

from radar_cli.cli.options import Session, pass_session
from radar_cli.cli.table_help import render_help
from radar_cli.core import exits
from radar_cli.wrap import options, run

_ABOUT = (
    "Run a command and report how it went: when it started, how long it took, its exit code and"
    " the tail of its output. The command's exit code is radar's.",
    "Options stand before or after MONITOR and end at -- or at the first word that is none. Each"
    " can be set by a variable, too: RADAR_GRACE=10m at the top of a crontab is --grace 10m for"
    " all of its lines.",
    "Exit codes of radar itself: 124 the job took longer than --timeout, 125 wrong arguments (the"
    " job did not run), 126 the command can't be executed, 127 it isn't there, 75 --lock fail and"
    " another run holds the lock.",
)
_EXAMPLE = "5 2 * * *  radar run backup --schedule '5 2 * * *' -- /usr/local/bin/backup.sh"


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@pass_session
def command(session: Session, words: tuple[str, ...]) -> int:
    """Run a command and report how it went."""
    return run.run([*session.forwarded(), *words], show_help)


def show_help() -> int:
    """Print the help, made of the option table."""
    sys.stdout.write(render_help(options.USAGE, _ABOUT, options.TABLE, _EXAMPLE))
    return exits.OK
