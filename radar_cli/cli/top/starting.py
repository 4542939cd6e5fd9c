"""Starting a live screen: what it needs, and how it ends."""

import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from radar_cli.cli.options import AnyFunction, Session
from radar_cli.cli.render import is_terminal, wants_color
from radar_cli.core.errors import BadValueError, NotInstalledError, UsageError
from radar_cli.core.extras import install_command
from radar_cli.core.grammar import parse_period

if TYPE_CHECKING:
    from radar_cli.cli.top.board import Plan


def interval_option(function: AnyFunction) -> AnyFunction:
    """Add --interval: how often a live screen looks."""
    option: Callable[[AnyFunction], AnyFunction] = click.option(
        "--interval", metavar="DURATION", default="2s", show_default=True, help="How often to look."
    )
    return option(function)


def read_interval(text: str) -> float:
    """Return the seconds that --interval says. UsageError: it says none."""
    try:
        return parse_period(text)
    except BadValueError as error:
        raise error.as_usage_error("--interval") from None


def check_screen(session: Session, instead: str) -> None:
    """Raise UsageError if there is no screen for it or its library is missing.

    `instead` is the command that prints the same once.
    """
    if session.format != "table" or session.fields:
        raise UsageError("top is a screen for people", f"'{instead}' prints once")
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(map(is_terminal, streams)) or os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError("top needs a terminal", f"'{instead}' prints once")
    try:
        import textual  # noqa: F401  (only whether it is there)
    except ModuleNotFoundError as error:
        raise NotInstalledError(f"top needs {error.name}", install_command("top")) from None


def run_board(session: Session, plan: "Plan") -> int:
    """Show a board until a person or a signal ends it; the terminal is as it was by then."""
    is_colored = wants_color(session.color, sys.stdout)
    if not is_colored:
        os.environ["NO_COLOR"] = "1"  # as Textual has it
    elif os.environ.get("NO_COLOR") is not None:
        del os.environ["NO_COLOR"]
    from radar_cli.cli.top.board import Board

    board = Board(plan)
    board.run(mouse=False)  # so that the terminal's own selection works
    if board.bug is not None:
        raise board.bug
    if board.ended_by is not None:
        signal.signal(board.ended_by, signal.SIG_DFL)
        os.kill(os.getpid(), board.ended_by)
    return board.return_code or 0
