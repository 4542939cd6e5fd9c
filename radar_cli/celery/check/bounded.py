"""A bound on a check from outside: whatever hangs inside is left behind."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Bounded(Generic[T]):
    """Runs a function in a thread of its own, and waits for it no longer than it may take.

    A library may wait where no timeout reaches: in name resolution, in half a reply, in a TLS
    handshake. `stage` is what the function says it is doing.
    """

    def __init__(self, timeout_s: float) -> None:
        self._deadline = time.monotonic() + timeout_s
        self.stage = ""

    def left_s(self) -> float:
        """Return the seconds that are left."""
        return self._deadline - time.monotonic()

    def run(self, function: Callable[[], T]) -> T | None:
        """The function's result, or None if it isn't there in time. Raises what it raised."""
        results: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                results.append(function())
            except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
                errors.append(error)

        # A daemon: the interpreter doesn't wait for it at its end.
        thread = threading.Thread(target=work, name="check", daemon=True)
        thread.start()
        thread.join(max(0.0, self.left_s()))
        if errors:
            raise errors[0]
        return results[0] if results else None
