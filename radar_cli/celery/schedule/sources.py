"""Sources of a schedule: `open_source` finds the reader for what a person typed.

Each is imported when it is asked for: a file needs neither Celery nor a driver.
"""

from typing import Any

from radar_cli.celery.schedule.entry import Source
from radar_cli.core.errors import UsageError

# In the words of people.
KINDS = "PATH, django:PATH, django:postgresql://..., redbeat:, redbeat:URL or remote"


def open_source(text: str, *, connection: Any = None) -> Source:
    """The source that `text` names; `connection` is kombu's to the broker, for those that need one.

    UsageError: it names none. Nothing is read yet.
    """
    kind, colon, rest = text.partition(":")
    if kind == "redbeat" and colon:
        from radar_cli.celery.schedule.redbeat import RedBeat

        return RedBeat(rest if "://" in rest else _url_of(connection, text) + rest)
    if kind == "remote" and text in (kind, f"{kind}:{rest}"):
        from radar_cli.celery.schedule.remote import Remote

        _require(connection, text)
        return Remote(rest, connection)
    if kind == "django" and rest:
        from radar_cli.celery.schedule.django import DjangoTables

        return DjangoTables(rest)
    from radar_cli.celery.schedule.shelf import Shelf

    path = rest if kind == "file" and colon else text
    if not path:
        raise UsageError(f"no schedule {text!r}", f"use {KINDS}")
    return Shelf(path)


def _require(connection: Any, text: str) -> None:
    if connection is None:
        raise UsageError(f"the schedule {text!r} needs the broker", "give -b URL or -A APP")


def _url_of(connection: Any, text: str) -> str:
    """The broker's URL, where RedBeat keeps its keys if it isn't told otherwise."""
    _require(connection, text)
    url = str(connection.as_uri(include_password=True))
    if not url.startswith(("redis", "rediss")):
        raise UsageError(f"the schedule {text!r} needs a Redis", "redbeat:redis://HOST/0")
    return url
