"""The beginning of every `radar` command: see who else is in this Python, then hand over.

Instrumentation (OpenTelemetry, ddtrace), debuggers and a `sitecustomize` put themselves into every
Python by PYTHONPATH. Their threads would take radar's signals, their handlers would run between its
steps. Where anybody is there, radar starts itself anew in an isolated Python; a clean one costs
two small files of /proc to be known as such.

What runs jobs comes past click: everything imported before the job's start delays it.
"""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal  # `signal` builds enums for 2 ms, a seventh of the whole launch

# So many new objects, net, before the collector looks for cycles: imports make thousands, and none.
_GARBAGE_OBJECTS = 50_000
# faulthandler(3): PYTHONFAULTHANDLER=1 is in many images.
_FAULTS = (_signal.SIGSEGV, _signal.SIGFPE, _signal.SIGABRT, _signal.SIGBUS, _signal.SIGILL)
# The C library's own, for cancelling threads and for setuid (glibc 32 and 33, musl 32 to 34).
_LIBC = (32, 33, 34)
_TIMERS = (
    (_signal.SIGALRM, _signal.ITIMER_REAL),
    (_signal.SIGVTALRM, _signal.ITIMER_VIRTUAL),
    (_signal.SIGPROF, _signal.ITIMER_PROF),
)
_FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main(mask: str = "") -> int:
    """Run the command line in `sys.argv` and return its exit code.

    `mask` is the signal mask (hexadecimal, as in /proc/PID/status) to be restored where radar has
    started itself anew. An exception means, for `radar run`, that the job has not been started.
    """
    gc.set_threshold(_GARBAGE_OBJECTS, *gc.get_threshold()[1:])
    if sys.flags.isolated and sys.flags.no_site:
        _set_process_name()
        if mask:
            _restore_signals(int(mask, 16))
    else:
        own, foreign = _sort_search_path()
        if _is_shared(own, foreign):
            _start_anew(own)
    return _dispatch(sys.argv[1:])


def _dispatch(words: list[str]) -> int:
    if words[:1] == ["run"]:
        from radar_cli.wrap.run import run

        return run(words[1:], _show_run_help)
    if words[:1] == ["ping"]:
        from radar_cli.wrap.ping_command import ping

        return ping(words[1:], _show_ping_help)
    if words[:2] == ["celery", "alive"]:
        from radar_cli.celery.alive import alive

        return alive(words[2:], lambda: _run_click(words))
    if words[:2] == ["completion", "words"]:
        from radar_cli.cli.completion.words import print_words

        return print_words(words[2:])
    return _run_click(words)


def _run_click(words: list[str]) -> int:
    from radar_cli.cli.app import main as click_main

    return click_main(words)


def _show_run_help() -> int:
    from radar_cli.cli.run import show_help

    return show_help()


def _show_ping_help() -> int:
    from radar_cli.cli.ping import show_help

    return show_help()


def _sort_search_path() -> tuple[list[str], list[str]]:
    """Move PYTHONPATH and the current directory to the end of `sys.path`; return both parts.

    They are the job's: an application's `resource.py` or `click` there would be imported in place
    of the real one.
    """
    standard = getattr(sys, "_stdlib_dir", None)
    at = sys.path.index(standard) if standard in sys.path else 0
    own, foreign = sys.path[at:], sys.path[:at]
    sys.path[:] = own + foreign
    return own, foreign


def _is_shared(own: list[str], foreign: list[str]) -> bool:
    """Whether anybody but Python and radar is in this process."""
    return _has_foreign_module(own, foreign) or _has_foreign_thread() or _has_foreign_handler()


def _has_foreign_module(own: list[str], foreign: list[str]) -> bool:
    ours, theirs = _as_prefixes(own), _as_prefixes(foreign)
    script = sys.modules.get("__main__")  # multiprocessing gives it a second name
    for name, module in list(sys.modules.items()):
        if module is script or name.partition(".")[0] == "radar_cli":
            continue
        # Not getattr: a lazy module would import what it stands for.
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str) and (not file.startswith(ours) or file.startswith(theirs)):
            return True
    return False


def _as_prefixes(folders: list[str]) -> tuple[str, ...]:
    # Python puts its zipped library before the real one, into the foreign part: it isn't there.
    return tuple(f"{folder}/" for folder in folders if folder and not folder.endswith(".zip"))


def _has_foreign_thread() -> bool:
    """Whether another thread is there; native ones are counted, too."""
    try:
        return len(os.listdir("/proc/self/task")) > 1
    except OSError:  # no Linux
        import _thread

        return _thread._count() > 0


def _has_foreign_handler() -> bool:
    """Whether a signal has a handler, in Python or C, that isn't Python's own."""
    caught = _caught_signals()
    if caught & _as_mask((_signal.SIGINT,)):
        if _signal.getsignal(_signal.SIGINT) is not _signal.default_int_handler:
            return True
        caught &= ~_as_mask((_signal.SIGINT,))
    if caught & _as_mask(_FAULTS):
        faulthandler = sys.modules.get("faulthandler")
        if faulthandler is not None and faulthandler.is_enabled():
            caught &= ~_as_mask(_FAULTS)
    return bool(caught & ~_as_mask(_LIBC))


def _caught_signals() -> int:
    """The signals that have a handler, as a mask; 0 where there is no /proc (proc(5), SigCgt)."""
    try:
        fd = os.open("/proc/self/status", os.O_RDONLY)
        try:
            status = os.read(fd, 8192)
        finally:
            os.close(fd)
        return int(status.partition(b"SigCgt:")[2].split(None, 1)[0], 16)
    except (OSError, IndexError, ValueError):
        return 0


def _as_mask(signals: "tuple[int, ...] | set[int]") -> int:
    return sum(1 << number - 1 for number in signals)


def _start_anew(own: list[str]) -> None:
    """Become this command in an isolated Python; return only if that can't be started."""
    if not sys.executable:
        return
    before: set[int] = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    _stop_foreign_timers()
    # Python itself finds its own library again; -I and -S leave out the rest.
    standard = (getattr(sys, "_stdlib_dir", None), f"{getattr(sys, '_stdlib_dir', '')}/lib-dynload")
    folders = [folder for folder in own if folder not in standard]
    if _FOLDER not in folders:
        folders.insert(0, _FOLDER)
    script = os.path.join(os.path.dirname(__file__), "isolated.py")
    words = [sys.executable, "-I", "-S", script, f"{_as_mask(before):x}"]
    try:
        os.execve(sys.executable, [*words, *folders, "--", *sys.argv], _original_environ())  # noqa: S606 (no shell: that is the point)
    except OSError:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


def _stop_foreign_timers() -> None:
    """Stop the timers of handlers that are here: a timer lives on over exec, a handler doesn't.

    A timer without a handler was set by radar's parent for the job.
    """
    caught = _caught_signals()
    for number, timer in _TIMERS:
        if caught & _as_mask((number,)):
            _signal.setitimer(timer, 0)
            if number in _signal.sigpending():
                _signal.sigwait((number,))


def _original_environ() -> dict[bytes, bytes]:
    """The environment that this process was started with, whatever was changed in it since."""
    try:
        with open("/proc/self/environ", "rb", buffering=0) as file:
            entries = file.read().split(b"\0")
    except OSError:
        return dict(os.environb)
    return dict(entry.split(b"=", 1) for entry in entries if entry.find(b"=") > 0)


def _restore_signals(mask: int) -> None:
    signals = {number for number in _signal.valid_signals() if mask >> number - 1 & 1}
    _signal.pthread_sigmask(_signal.SIG_SETMASK, signals)


def _set_process_name() -> None:
    """Be `radar` and not `python3` in ps and top (proc(5), /proc/PID/comm)."""
    try:
        fd = os.open("/proc/self/comm", os.O_WRONLY)
        try:
            os.write(fd, b"radar")
        finally:
            os.close(fd)
    except OSError:
        return  # no Linux
