"""The options that commands of `radar celery` share."""

import os
from typing import Callable

import click

from radar_cli.cli.options import AnyFunction
from radar_cli.core.errors import BadValueError
from radar_cli.core.grammar import parse_duration, parse_period


def broker_options(function: AnyFunction) -> AnyFunction:
    """Add -b, -A and --key-prefix: where the broker is."""
    options = (
        click.option(
            "-b",
            "--broker",
            metavar="URL",
            default=lambda: os.environ.get("RADAR_CELERY_BROKER", ""),
            help="The broker; needs no app.",
        ),
        click.option(
            "-A", "--app", metavar="APP", default="", help="Import this app for its configuration."
        ),
        click.option(
            "--key-prefix",
            metavar="TEXT",
            default="",
            help="The global_keyprefix of a Redis, if no app sets it.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def timeout_option(default: str) -> Callable[[AnyFunction], AnyFunction]:
    """Add --timeout: the longest that the whole command takes."""
    option: Callable[[AnyFunction], AnyFunction] = click.option(
        "--timeout",
        metavar="DURATION",
        default=default,
        show_default=True,
        help="Longest wait in all.",
    )
    return option


def read_period(name: str, text: str) -> float:
    """Seconds of the duration that an option gives; it isn't 0."""
    return _read(name, text, parse_period)


def read_duration(name: str, text: str | None) -> float | None:
    """Seconds of the duration that an option may give."""
    return None if text is None else _read(name, text, parse_duration)


def _read(name: str, text: str, parse: Callable[[str], float]) -> float:
    try:
        return parse(text)
    except BadValueError as error:
        raise error.as_usage_error(name) from None
