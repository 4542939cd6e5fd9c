"""The facts that the rules judge: a worker's effective settings, and what goes with them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MISSING: Any = object()
_PERIOD = re.compile(r"(?:(-?\d+) days?, )?(\d+):(\d\d):(\d\d(?:\.\d+)?)")


@dataclass(frozen=True)
class Facts:
    """One worker's settings (or an app's), its broker's kind and its pool."""

    conf: Mapping[str, Any]
    broker: str  # redis, amqp or other
    pool: str = "prefork"  # or threads, solo, gevent, eventlet
    slots: int = 0  # how many tasks at once; 0: unknown
    longest_eta_s: float = 0.0  # how far ahead the farthest task that the worker holds lies
    server: Mapping[str, str] = field(default_factory=dict)  # Redis's own settings
    where: str = ""

    def get(self, name: str) -> Any:
        """A setting's value; MISSING if this version of Celery has no such setting."""
        return self.conf.get(name, MISSING)

    def has(self, name: str) -> bool:
        """Whether the setting is there and says yes."""
        value = self.get(name)
        return value is not MISSING and bool(value)

    def lacks(self, name: str) -> bool:
        """Whether the setting is there and says no."""
        return self.get(name) is not MISSING and not self.has(name)

    def seconds(self, name: str) -> float:
        """A duration, 0 if there is none."""
        return seconds_of(self.get(name))

    def transport(self, name: str) -> Any:
        """An option of broker_transport_options, or None."""
        options = self.conf.get("broker_transport_options")
        return options.get(name) if isinstance(options, Mapping) else None

    @property
    def visibility_s(self) -> float:
        """After how long Redis delivers again what no worker has acknowledged."""
        return seconds_of(self.transport("visibility_timeout")) or 3600.0

    @property
    def has_backend(self) -> bool:
        """Whether results are kept anywhere."""
        backend = str(self.conf.get("result_backend") or "")
        return bool(backend) and not backend.startswith("disabled")

    @property
    def is_threaded(self) -> bool:
        """Whether tasks share the worker's process, and nothing can end one."""
        return self.pool in ("threads", "solo", "gevent", "eventlet")


def seconds_of(value: Any) -> float:
    """Seconds of a number, a timedelta or what remote control makes of one; else 0."""
    if hasattr(value, "total_seconds"):
        return float(value.total_seconds())
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _PERIOD.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return 0.0
    days, hours, minutes, rest = match.groups()
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(rest)
