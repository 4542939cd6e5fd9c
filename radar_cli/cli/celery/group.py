"""`radar celery`: the group, whose commands are imported when they are called."""

import importlib

import click

from radar_cli.cli.groups import Group
from radar_cli.cli.options import common_options

# name: (module, what it does)
COMMANDS = {
    "check": ("radar_cli.cli.celery.check", "Judge broker, workers, queues and schedule now."),
    "alive": ("radar_cli.cli.celery.alive", "Probe the worker or Beat of this machine."),
    "ready": ("radar_cli.cli.celery.ready", "Tell whether one worker may get work: a probe."),
    "workers": ("radar_cli.cli.celery.workers", "List the workers, or control them."),
    "queues": ("radar_cli.cli.celery.queues", "List what waits in each queue."),
    "tasks": ("radar_cli.cli.celery.tasks", "List the tasks that workers hold, or end them."),
    "probes": ("radar_cli.cli.celery.probes", "Print health checks and alert rules to paste."),
    "audit": ("radar_cli.cli.celery.audit", "Judge the settings of workers, or of an app."),
    "failures": ("radar_cli.cli.celery.failures", "Show why tasks failed, by exception and line."),
    "beat": ("radar_cli.cli.celery.beat", "Show Beat's schedule, and what is overdue in it."),
    "canary": ("radar_cli.cli.celery.canary", "Measure how long tasks wait in each queue."),
    "exporter": ("radar_cli.cli.celery.exporter", "Serve metrics of a Celery for Prometheus."),
    "top": ("radar_cli.cli.celery.top", "Show a Celery live, and act on what is seen."),
    "watch": ("radar_cli.cli.celery.watch", "Watch on and on, and keep a ledger of every task."),
}


class _LazyGroup(Group):
    """The commands in COMMANDS; the group's help imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (as above)
        """Import the command `cmd_name`."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (as above)
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=_LazyGroup, name="celery")
@common_options
def command() -> None:
    """Watch over Celery: its broker, workers, queues and schedule."""
