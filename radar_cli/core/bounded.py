"""Work that may take for ever, for no longer than a given time."""

import errno
import threading
from collections.abc import Callable
from contextlib import suppress


def _nothing() -> None:
    pass


def call_within(
    timeout_s: float, work: Callable[[], None], abandon: Callable[[], object] = _nothing
) -> None:
    """Call `work` in a thread of its own; whatever it raises is raised here.

    Raises TimeoutError if it takes longer, and then calls `abandon`, which may wake it. A look-up
    of a name can't be woken, nor a server that drips bytes be timed by a socket: such a thread is
    left alone, and doesn't keep the process from ending. OSError: no thread can be had.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (it belongs to the caller)
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, str(error)) from None
    thread.join(timeout_s)
    if thread.is_alive():
        with suppress(Exception):  # it takes things away from a thread that uses them
            abandon()
        raise TimeoutError(f"not done within {timeout_s:g} s")
    if raised:
        raise raised[0]
