"""Durations in the options of `radar celery`."""

from radar_cli.errors import UsageError
from radar_cli.grammar import parse_duration, parse_period


def read_duration(option: str, text: str) -> float:
    """Seconds of an option's value. UsageError: it is no duration."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def read_period(option: str, text: str) -> float:
    """The same, and more than 0."""
    try:
        return parse_period(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
