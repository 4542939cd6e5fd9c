"""`radar completion`: the script that teaches a shell radar's words."""

from importlib.resources import files
from typing import TypedDict

import click

from radar_cli.cli import completion
from radar_cli.cli.answers import answers
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result

# The wheel has the files of completions/ beside the code that answers them.
_SCRIPTS = {"bash": "radar.bash", "zsh": "_radar", "fish": "radar.fish"}


class ScriptFields(TypedDict):
    """A shell's completion script."""

    shell: str
    script: str


@click.command(name="completion")
@click.argument("shell", type=click.Choice(tuple(_SCRIPTS)))
@common_options
@answers(ScriptFields)
@pass_session
def command(session: Session, shell: str) -> Result:
    """Print the completion script for SHELL; the docs have the line that installs it."""
    del session
    script = files(completion).joinpath("scripts", _SCRIPTS[shell]).read_text("utf-8")
    return Result(ScriptFields(shell=shell, script=script), text=script.removesuffix("\n"))
