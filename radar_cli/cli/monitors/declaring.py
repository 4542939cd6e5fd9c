"""The options that say what a monitor is declared as."""

from typing import Any, Mapping

import click

from radar_cli.cli.options import AnyFunction
from radar_cli.model.declaring import OPTIONS, read_changes


def declaring_options(function: AnyFunction) -> AnyFunction:
    """Add the options of `create` and `update`; all of them arrive as text."""
    options = (
        click.option("--schedule", metavar="CRON", help="When it runs: 5 fields, or @daily."),
        click.option("--every", metavar="DURATION", help="How often it runs, if not by cron."),
        click.option("--tz", metavar="ZONE", help="Timezone of the schedule (this machine's)."),
        click.option("--grace", metavar="DURATION", help="How late a run may be (5m)."),
        click.option("--max-runtime", metavar="DURATION", help="A run that takes longer is hung."),
        click.option(
            "--hosts",
            metavar="any|each|N",
            help="How many machines serve each slot: any one of them, each, or so many.",
        ),
        click.option("--name", metavar="NAME", help="Its name for people."),
        click.option("--tag", metavar="TAG", multiple=True, help="A tag; may be repeated."),
        click.option(
            "--failure-tolerance",
            metavar="N",
            help="How many failures in a row don't make it down (0).",
        ),
        click.option(
            "--notes",
            metavar="TEXT",
            help="What to do when it is down, for its notices: lines, links among them.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def read_options(
    given: Mapping[str, Any], declared: Mapping[str, str], default_tz: str
) -> dict[str, str | None]:
    """Read what these options change in a declaration; one that isn't given changes nothing.

    UsageError, BadScheduleError: one of them is impossible.
    """
    texts = {
        OPTIONS[option]: " ".join(value) if isinstance(value, tuple) else value
        for option, value in given.items()
        if value is not None and value != ()
    }
    names = {field: f"--{option.replace('_', '-')}" for option, field in OPTIONS.items()}
    return read_changes(texts, declared, names, default_tz)
