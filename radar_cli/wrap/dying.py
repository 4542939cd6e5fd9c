"""Ending radar by the signal that ended the job, so that a shell loop stops on ^C."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal


def die(number: int) -> None:
    """End this process by a signal, without a core file of ours."""
    try:
        import resource

        # 1 and not 0: it stops files and, where core_pattern is a pipe, the program behind it.
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (min(1, hard) if hard >= 0 else 1, hard))
    except Exception:  # noqa: BLE001, S110 (no module, no right: a core file is better than another end)
        pass
    try:  # noqa: SIM105 (contextlib is an import of 3 ms)
        _signal.signal(number, _signal.SIG_DFL)
    except (OSError, ValueError):
        pass  # KILL, or one that the C library keeps for itself: it's at its default
    os.kill(os.getpid(), number)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (number,))
