"""`radar monitors`: the group."""

import click

from radar_cli.cli.groups import Group
from radar_cli.cli.monitors.history import list_runs, print_output
from radar_cli.cli.monitors.listing import list_monitors
from radar_cli.cli.monitors.maintenance import maintenance
from radar_cli.cli.monitors.managing import (
    acknowledge_monitors,
    create_monitor,
    delete_monitors,
    pause_monitors,
    resume_monitors,
    snooze_monitors,
    update_monitors,
)
from radar_cli.cli.monitors.renaming import rename_monitor, unalias_monitor
from radar_cli.cli.monitors.showing import show_monitors
from radar_cli.cli.options import common_options


@click.group(cls=Group, name="monitors")
@common_options
def command() -> None:
    """List, show and change monitors: those of the server, or of the store on this machine."""


for _each in (
    list_monitors,
    show_monitors,
    create_monitor,
    update_monitors,
    rename_monitor,
    unalias_monitor,
    delete_monitors,
    pause_monitors,
    resume_monitors,
    acknowledge_monitors,
    snooze_monitors,
    maintenance,
    list_runs,
    print_output,
):
    command.add_command(_each)
