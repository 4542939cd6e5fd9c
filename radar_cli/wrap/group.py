"""The process group of a job that ran out of time: all of it has to end, not just the job."""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
else:
    import _signal

_POLL_S = 0.02


def end_rest(group: int, deadline: float | None, reap: "Callable[[], None]") -> None:
    """KILL what ignored TERM in the group, once its time is up (monotonic; None: it is)."""
    while deadline is not None and time.monotonic() < deadline:
        reap()
        if not _is_alive(group):
            return
        time.sleep(_POLL_S)
    try:
        os.killpg(group, _signal.SIGKILL)
    except OSError:
        return  # nobody is left


def _is_alive(group: int) -> bool:
    """Whether anybody in the group still runs; zombies, which nobody may ever bury, don't."""
    try:
        os.killpg(group, 0)
        numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    except ProcessLookupError:
        return False
    except OSError:
        return True  # no /proc
    return not numbers or any(_runs_in(name, group) for name in numbers)


def _runs_in(number: str, group: int) -> bool:
    try:
        with open(f"/proc/{number}/stat", "rb", buffering=0) as file:
            state, _, process_group = file.read().rpartition(b")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return int(process_group) == group and state not in (b"Z", b"X")
