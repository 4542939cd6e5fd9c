"""Stopping radar as the terminal, or a process, stopped the job."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal


def stop(number: int) -> None:
    """Stop as the signal would have, had it not been blocked; return when continued."""
    if number == _signal.SIGSTOP:
        number = _signal.SIGTSTP  # has no effect where there is no shell to continue us
    # A stop takes back a SIGCONT that has come in the meantime.
    if _signal.SIGCONT in _signal.sigpending():
        return
    os.kill(os.getpid(), number)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (number,))
    _signal.pthread_sigmask(_signal.SIG_BLOCK, (number,))
