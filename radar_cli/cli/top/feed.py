"""A feed: looking again and again in a thread of its own, which may hang and harms nobody."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from radar_cli.core.errors import RadarError
from radar_cli.core.grammar import format_duration

T = TypeVar("T")

EVERY_S = 2.0
# So long a look may take until that is worth a word.
_SLOW_S = 3.0


class Feed(Generic[T]):
    """Calls `look` every few seconds. `value` is what it last found, `fault` why it finds nothing.

    `number` grows with each that has ended. The last value stays when the next look fails.
    """

    def __init__(self, name: str, look: Callable[[], T], *, every_s: float = EVERY_S) -> None:
        self.name = name
        self.value: T | None = None
        self.fault = ""
        self.number = 0
        self._look = look
        self._every_s = every_s
        self._awake = threading.Event()
        self._is_over = False
        self._began: float | None = None

    def start(self) -> None:
        """Begin to look."""
        # A daemon: one that hangs doesn't hold up the end.
        threading.Thread(target=self._run, name=self.name, daemon=True).start()

    def stop(self) -> None:
        """Look no more; nobody waits for a look that goes on."""
        self._is_over = True
        self._awake.set()

    def look_now(self) -> None:
        """Look at once."""
        self._awake.set()

    def remark(self) -> str:
        """Return what is wrong with it, in a line."""
        began = self._began
        if began is not None and (took_s := time.monotonic() - began) > _SLOW_S:
            return f"{self.name}: no answer for {format_duration(int(took_s))}"
        return f"{self.name}: {self.fault}" if self.fault else ""

    def _run(self) -> None:
        while not self._is_over:
            self._awake.clear()
            self._began = time.monotonic()
            try:
                self.value, self.fault = self._look(), ""
            except Exception as error:  # noqa: BLE001  (each library raises its own; it goes on)
                self.fault = describe_error(error)
            self._began = None
            self.number += 1
            self._awake.wait(self._every_s)


class Job(Generic[T]):
    """Something done once, in a thread of its own; `then` is for the screen's thread to call."""

    def __init__(self, what: str, function: Callable[[], T], then: Callable[[T], None]) -> None:
        self.what = what
        self.fault = ""
        self.is_over = False
        self._function = function
        self._then = then
        self._found: list[T] = []
        threading.Thread(target=self._run, name=what, daemon=True).start()

    def finish(self) -> None:
        """Go on with what was found."""
        for found in self._found:
            self._then(found)

    def _run(self) -> None:
        try:
            self._found.append(self._function())
        except Exception as error:  # noqa: BLE001  (as above: it is shown)
            self.fault = f"{self.what}: {describe_error(error)}"
        self.is_over = True


def describe_error(error: Exception) -> str:
    """Return an error as one line."""
    if isinstance(error, RadarError):
        return error.line()
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
