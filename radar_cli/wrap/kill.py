"""What radar does by kill(2): ending the job, and stopping and ending itself.

Imported before the job runs, since all of it must work when nothing more can be imported.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal


def send(pid: int, number: int) -> None:
    """Send the job a signal, or with -pid its group."""
    try:
        os.kill(pid, number)
    except OSError:
        return  # it changed its user id (sudo) or is a zombie: nobody else could send it, either


def end(pid: int, number: int, *, own_group: bool) -> None:
    """Send the job, or all of its group, a signal that a stopped process hears as well."""
    for each in (number, _signal.SIGCONT):
        send(-pid if own_group else pid, each)


def stop_self(number: int) -> None:
    """Stop as the signal would have, had it not been blocked; return when continued."""
    if number == _signal.SIGSTOP:
        number = _signal.SIGTSTP  # has no effect where there is no shell to continue us
    # A stop takes back a SIGCONT that has come in the meantime.
    if is_ignored(number) or _signal.SIGCONT in _signal.sigpending():
        return
    os.kill(os.getpid(), number)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (number,))
    _signal.pthread_sigmask(_signal.SIG_BLOCK, (number,))


def end_self(number: int) -> None:
    """End this process by the signal that ended the job, without a core file of ours."""
    try:
        import resource

        # 1 and not 0: it stops files and, where core_pattern is a pipe, the program behind it.
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (min(1, hard) if hard >= 0 else 1, hard))
    except Exception:  # noqa: BLE001, S110 (a core file is better than another end)
        pass
    try:  # noqa: SIM105 (contextlib is an import of 3 ms)
        _signal.signal(number, _signal.SIG_DFL)
    except (OSError, ValueError):
        pass  # KILL, or one that the C library keeps for itself: it's at its default
    os.kill(os.getpid(), number)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (number,))


def is_ignored(number: int) -> bool:
    """Whether radar, and so its job, was started with this signal ignored."""
    return bool(_signal.getsignal(number) == _signal.SIG_IGN)
