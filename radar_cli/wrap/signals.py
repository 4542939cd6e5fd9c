"""Waiting for the job while every signal sent to radar reaches it, once.

All signals are blocked before the spawn and taken out one by one with `sigtimedwait`, which tells
who sent them: what the kernel sends for a terminal has reached the job, too, since it stays in
radar's process group; what a process sent to radar has not.

No wait relies on a signal alone: a library that was loaded into radar from outside may have a
thread, to which the kernel may give SIGCHLD or TERM instead. So every wait ends after a second at
the latest for another look at the job, and the signals that would end radar have handlers.

All of it is loaded before the job runs, since it must work when nothing more can be imported.
"""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
    from signal import sigtimedwait
else:
    import _signal

    try:
        from _signal import sigtimedwait
    except ImportError:  # macOS
        from radar_cli.wrap.sigwait import sigtimedwait

_SI_KERNEL = 0x80  # siginfo's si_code, asm-generic/siginfo.h
_TERMINAL = frozenset(
    (
        _signal.SIGINT,
        _signal.SIGQUIT,
        _signal.SIGTSTP,
        _signal.SIGTTIN,
        _signal.SIGTTOU,
        _signal.SIGHUP,
        _signal.SIGCONT,
        _signal.SIGWINCH,
    )
)
# The kernel sends these for timers that radar's parent set before it became radar: the job would
# have them now (`perl -e 'alarm 10; exec @ARGV'` is an old way to limit a job's time).
_TIMERS = frozenset((_signal.SIGALRM, _signal.SIGVTALRM, _signal.SIGPROF))
_STOPS = frozenset((_signal.SIGTSTP, _signal.SIGTTIN, _signal.SIGTTOU))
_ENDS = frozenset((_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGQUIT))
# A signal this soon after the job's end was meant for the job (^C reaches it first, say).
_AFTERMATH_S = 1.0
_SECOND_LOOK_S = 1.0
_MEANWHILE_S = 0.02
# These don't end a process, can't be caught, or mean a fault of the process itself.
_NO_HANDLER = frozenset(
    (
        *(_signal.SIGKILL, _signal.SIGSTOP, _signal.SIGCHLD, _signal.SIGCONT, _signal.SIGURG),
        *(_signal.SIGWINCH, _signal.SIGTSTP, _signal.SIGTTIN, _signal.SIGTTOU),
        *(_signal.SIGSEGV, _signal.SIGBUS, _signal.SIGFPE, _signal.SIGILL, _signal.SIGABRT),
        *(_signal.SIGTRAP, _signal.SIGSYS),
    )
)
_FIRST_REAL_TIME = 32  # from here on the kernel has signals for programs that agree on them
_POLL_S = 0.02


class Ended:
    """The job's end: exit code or signal, and what `wait4` says it used."""

    def __init__(self, status: int, cpu_s: float, max_rss_bytes: int) -> None:
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        self.code = 128 + self.signal if self.signal else os.WEXITSTATUS(status)
        self.cpu_s = cpu_s
        self.max_rss_bytes = max_rss_bytes
        self.timed_out = False


class Signals:
    """Radar's signals from the moment they are blocked; `mask` is what was blocked before."""

    def __init__(self) -> None:
        self._all = _signal.valid_signals()
        self.mask: set[int] = _signal.pthread_sigmask(_signal.SIG_BLOCK, self._all)
        self.ending = 0  # the last signal of those that ask a job to end
        self._job = 0
        self._job_ended_at = 0.0
        self._aftermath = 0  # one that came just after the job's end
        self.is_hurried = False  # told to end with no job running
        self.is_interrupted = False  # and with another try to come
        self.meanwhile: Callable[[], None] | None = None  # to be called while the job runs
        self._is_init = os.getpid() == 1
        self._heeds_nudges = False
        # Whether a thread of ours has a child (a key's `cmd:`), which is not to be buried.
        self.has_children: Callable[[], bool] = lambda: False
        self._elsewhere: list[int] = []  # signals that the kernel gave to a thread not of radar's
        for number in set(range(1, _FIRST_REAL_TIME)) - _NO_HANDLER:
            if _signal.getsignal(number) == _signal.SIG_DFL:
                _signal.signal(number, lambda number, _: self._elsewhere.append(number))

    def wait_for_job(
        self,
        pid: int,
        *,
        own_group: bool,
        at_terminal: bool,
        timeout_s: float | None,
        kill_after_s: float,
    ) -> Ended:
        """Wait for the end of the job, sending it what radar is sent, and KILL when it's time."""
        self._job = pid
        self._heeds_nudges = self._is_init  # the first nudge is when it may bury strays
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        timed_out = False
        while True:
            ended = self._reap(pid, at_terminal=at_terminal)
            if ended is not None:
                break
            number, is_at_job = self._next(deadline)
            if number == 0:
                end(pid, _signal.SIGKILL if timed_out else _signal.SIGTERM, own_group=own_group)
                deadline = None if timed_out else time.monotonic() + kill_after_s
                timed_out = True
            elif number != _signal.SIGCHLD:
                if not is_at_job:
                    send(pid, number)
                elif own_group:
                    send(-pid, number)
                if number in _ENDS and not is_ignored(number):
                    self.ending = number
                # At a terminal the job itself shows whether it stops: an editor may not.
                if number in _STOPS and not at_terminal:
                    stop_self(number)
        if timed_out and own_group:
            end_rest(pid, deadline, self._reap_strays)
        if self.meanwhile is not None:
            self.meanwhile()
        self._job_ended_at = time.monotonic()
        ended.timed_out = timed_out
        return ended

    def wait_until(
        self, is_done: "Callable[[], bool]", deadline: float | None, *, in_any_case: bool = False
    ) -> bool:
        """Wait, with no job running, until `is_done` or the deadline (monotonic).

        False as well when radar is asked to end, save for what has to be done `in_any_case`;
        `ending` then tells by which signal.
        Whoever makes `is_done` true calls `nudge`.
        """
        self._heeds_nudges = True  # and then looks whether it is done already
        while not is_done():
            if self.is_hurried and not in_any_case:
                return False
            number, _ = self._next(deadline)
            if number == 0:
                return is_done()
            if number == _signal.SIGCHLD:
                self._reap_strays()
                continue
            asks_to_end = number in _ENDS and not is_ignored(number)
            if time.monotonic() - self._job_ended_at <= _AFTERMATH_S:
                # Who asks twice means radar.
                if asks_to_end and self._aftermath:
                    self.ending, self.is_hurried = number, True
                elif asks_to_end:
                    self._aftermath = number
            elif number in _STOPS:
                stop_self(number)
            elif asks_to_end:
                self.ending, self.is_hurried = number, True
        return True

    def nudge(self) -> None:
        """Wake `wait_until` from another thread. While the job runs, nothing waits for that."""
        if self._heeds_nudges:
            os.kill(os.getpid(), _signal.SIGCHLD)

    def pause(self, seconds: float) -> bool:
        """Wait between two tries of the job; False when radar is asked to end."""
        self._job_ended_at = 0.0  # there is a job to come, for which the signal is meant
        if self._aftermath:
            self.ending, self.is_hurried = self._aftermath, True
        self.wait_until(lambda: False, time.monotonic() + seconds)
        self.is_interrupted = self.is_hurried
        return not self.is_hurried

    def die(self, number: int) -> None:
        """End radar by the signal that ended the job; return where that is impossible, as PID 1."""
        if not self._is_init:  # which has no default actions
            end_self(number)

    def _next(self, deadline: float | None) -> tuple[int, bool]:
        """The next signal, and whether the job has it already; 0 on the deadline.

        SIGCHLD as well where it is time for another look.
        """
        while True:
            look_again_s = _SECOND_LOOK_S
            if self.meanwhile is not None:
                self.meanwhile()
                look_again_s = _MEANWHILE_S
            left_s = look_again_s if deadline is None else max(0.0, deadline - time.monotonic())
            info = sigtimedwait(self._all, min(left_s, look_again_s))
            if info is None and self._elsewhere:
                return self._elsewhere.pop(0), False
            if info is None:
                is_over = deadline is not None and time.monotonic() >= deadline
                return (0 if is_over else _signal.SIGCHLD), False
            number = info.si_signo
            if number == _signal.SIGCHLD:
                return number, False
            if info.si_pid == os.getpid() and info.si_code != _SI_KERNEL:
                continue  # SIGPIPE or SIGXFSZ from a write of our own
            if info.si_code == _SI_KERNEL and number not in _TIMERS:
                if number in (_signal.SIGHUP, _signal.SIGCONT) and os.getsid(0) == os.getpid():
                    return number, False  # on a hangup the kernel tells just the session leader
                if number in _TERMINAL:
                    return number, True
                continue
            # `kill 0` in the job reaches radar as well.
            return number, info.si_pid == self._job

    def _reap(self, pid: int, *, at_terminal: bool) -> Ended | None:
        """Return how the job ended, or None if it goes on; PID 1 buries all others, too."""
        flags = os.WNOHANG | (os.WUNTRACED if at_terminal else 0)
        while True:
            try:
                found, status, cpu_s, max_rss_bytes = _wait(pid, flags)
            except ChildProcessError:
                # Somebody else reaped it (a debugger's ptrace, say): it's gone, how is unknown.
                return Ended(255 << 8, 0.0, 0)
            if found == 0:
                self._reap_strays()
                return None
            if os.WIFSTOPPED(status):
                # The shell must see us stopped to give the terminal back to the person.
                stop_self(os.WSTOPSIG(status))
                continue
            return Ended(status, cpu_s, max_rss_bytes)

    def _reap_strays(self) -> None:
        while self._is_init and not self.has_children():
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if found is None or found.si_pid == self._job:
                    return
                os.waitpid(found.si_pid, 0)
            except ChildProcessError:
                return


def heed_interrupts() -> None:
    """Die of ^C as other programs do, until signals are blocked: without a traceback."""
    if not is_ignored(_signal.SIGINT):
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def _wait(pid: int, flags: int) -> tuple[int, int, float, int]:
    """As waitpid, with the seconds of CPU and the bytes of memory that the job used.

    wait4 makes a `resource.struct_rusage` after the job is reaped: where that can't be had (no
    descriptor is left to open the module, say), the exit code would be lost.
    """
    try:
        import resource

        has_usage = bool(resource.struct_rusage)
    except Exception:  # noqa: BLE001 (whatever an import may raise)
        has_usage = False
    if not has_usage:
        return *os.waitpid(pid, flags), 0.0, 0
    found, status, usage = os.wait4(pid, flags)
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return found, status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit


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


def elapsed_us() -> int:
    """Read a clock that nobody sets and that goes on while the machine sleeps."""
    try:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
    except (AttributeError, OSError):  # no Linux
        return time.monotonic_ns() // 1000
