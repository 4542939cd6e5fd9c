"""Coverage for threads that are started below `threading`, as radar's own are.

The noxfile has every measured process import this as it starts: coverage traces a new
thread by `threading`'s hook, which `_thread.start_new_thread` knows nothing of.
"""

import _thread
import sys
import threading
from collections.abc import Callable
from typing import Any

_start = _thread.start_new_thread


def start_new_thread(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
) -> int:
    """Start a thread that traces as `threading`'s threads do."""

    def traced() -> None:
        sys.settrace(threading.gettrace())
        function(*args, **(kwargs or {}))

    return _start(traced, ())


_thread.start_new_thread = start_new_thread
