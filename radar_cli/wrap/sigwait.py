"""`sigtimedwait` for systems without it: macOS, where this is untested.

`sigwait` doesn't say who sent a signal. What a terminal can send is taken to come from it when
radar is in its foreground.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal

SI_KERNEL = 0x80
_FROM_KEYS = (_signal.SIGINT, _signal.SIGQUIT, _signal.SIGTSTP, _signal.SIGWINCH)


class Info:
    """The part of siginfo_t that radar reads."""

    def __init__(self, number: int, code: int) -> None:
        self.si_signo = number
        self.si_code = code
        self.si_pid = 0


def sigtimedwait(signals: "set[int]", timeout_s: float) -> Info | None:
    """Wait for one of `signals`, which are blocked; None after `timeout_s`.

    The timer's SIGALRM can't be told from another.
    """
    _signal.setitimer(_signal.ITIMER_REAL, max(timeout_s, 0.000_001))
    number = int(_signal.sigwait(signals))
    _signal.setitimer(_signal.ITIMER_REAL, 0)
    if number == _signal.SIGALRM:
        return None
    is_from_keys = number in _FROM_KEYS and _is_in_foreground()
    return Info(number, SI_KERNEL if is_from_keys else 0)


def _is_in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
