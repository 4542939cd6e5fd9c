"""Reading the pickles in a schedule file without running anything that they name.

A pickle is a program: it names functions and has them called. Here every name leads to a stand-in
of ours, which keeps the arguments; the few values that a schedule is made of (moments, durations,
timezones) are checked before they are made. `CELERY` lists what is told apart, all else is inert.
"""

import io
import pickle
from datetime import datetime, timedelta, timezone
from typing import Any, Callable
from zoneinfo import ZoneInfo

from radar_cli.model.schedule import load_timezone

CELERY = {
    ("celery.beat", "ScheduleEntry"): "entry",
    ("celery.schedules", "schedule"): "interval",
    ("celery.schedules", "crontab"): "crontab",
    ("celery.schedules", "solar"): "solar",
    ("django_celery_beat.tzcrontab", "TzAwareCrontab"): "crontab",
    ("django_celery_beat.clockedschedule", "clocked"): "clocked",
}


class Inert:
    """A stand-in for an object: its class's name, and the arguments that made it."""

    kind = ""

    def __init__(self, *arguments: Any, **_: Any) -> None:
        self.arguments = arguments

    def __new__(cls, *_: Any, **__: Any) -> "Inert":
        """Make one from whatever the pickle says."""
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        """Take in no state."""

    def append(self, item: Any) -> None:
        """Take in nothing, as a list would."""

    def add(self, item: Any) -> None:
        """Take in nothing, as a set would."""

    def extend(self, items: Any) -> None:
        """Take in nothing, as a list would."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Take in nothing, as a dict would."""

    def __call__(self, *_: Any, **__: Any) -> "Inert":
        """Be what a function that is never called returns."""
        return self


def load(data: bytes) -> Any:
    """The value of a pickle, with Inert objects in it. ValueError: it is broken."""
    try:
        return _Reader(data).load()
    except Exception as error:  # noqa: BLE001  (a broken pickle can raise anything)
        raise ValueError(f"a broken pickle ({type(error).__name__})") from None


# The reader in Python, not the one in C: it is slower, but its memory can't be made to explode
# by one instruction (LONG_BINPUT), and no C is reached with what a stranger wrote.
class _Reader(pickle._Unpickler):
    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name."""
        known = _VALUES.get((module, name))
        if known is not None:
            return _stand_in(known)
        kind = CELERY.get((module, name), f"{module}.{name}")
        return type("Inert", (Inert,), {"kind": kind})

    def persistent_load(self, pid: Any) -> Any:
        """Leave alone what a pickle keeps elsewhere."""
        del pid
        return Inert()


def _moment(*arguments: Any) -> Any:
    # A timezone of an unknown class is left out: the wall's time is read as UTC, then.
    return datetime(*(each for each in arguments if not isinstance(each, Inert)))  # noqa: DTZ001 (its zone, if any, is among them)


def _zone(*arguments: Any) -> Any:
    return load_timezone(arguments[0]) if isinstance(arguments[0], str) else Inert()


def _attribute(*arguments: Any) -> Any:
    # ZoneInfo pickles as getattr(ZoneInfo, "_unpickle")(key, from_cache).
    return _stand_in(_zone) if arguments[1:] == ("_unpickle",) else Inert()


def _stand_in(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of its own for each name that is read: a pickle can set its attributes."""

    def stand_in(*arguments: Any) -> Any:
        return function(*arguments)

    return stand_in


_VALUES: dict[tuple[str, str], Callable[..., Any]] = {
    ("datetime", "datetime"): _moment,
    ("datetime", "timedelta"): timedelta,
    ("datetime", "timezone"): timezone,
    ("zoneinfo", "ZoneInfo"): _zone,
    ("backports.zoneinfo", "ZoneInfo"): _zone,
    ("pytz", "_p"): _zone,
    ("pytz", "_UTC"): lambda *_: ZoneInfo("UTC"),
    ("builtins", "getattr"): _attribute,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
}
