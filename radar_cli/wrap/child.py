"""Starting the job so that it finds everything as radar found it.

Only `posix_spawn` and, in one rare case, `fork` start a job: the signal mask, the dispositions,
the descriptors and the very bytes of arguments and environment reach it as they came.
`_signal` and not `signal`: the latter builds enums for 2 ms, a seventh of the whole launch.
"""

import os

from radar_cli.core import exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal

STDOUT, STDERR = 1, 2
LARGEST_PIPE_BYTES = 1_048_576  # Linux: /proc/sys/fs/pipe-max-size without privileges

# Python ignores these at its start, so that they have to be put back for the job.
_IGNORED_BY_PYTHON = (_signal.SIGPIPE, _signal.SIGXFSZ)

Actions = list[tuple[int, int, int]]


class Launch:
    """The launch of a job, shared by all tries: arguments, environment, signal mask."""

    def __init__(self, command: list[str], extra: dict[bytes, bytes], mask: "set[int]") -> None:
        self.argv = [os.fsencode(word) for word in command]
        self.environ = inherited_environ()
        self.environ.update(extra)
        self.mask = mask
        # Wait for nothing that the kernel would throw away: with SIGCHLD ignored, it does.
        self.sigchld_ignored = _signal.getsignal(_signal.SIGCHLD) == _signal.SIG_IGN
        if self.sigchld_ignored:
            _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)

    def spawn(self, actions: Actions, *, own_group: bool = False) -> int:
        """Start the job and return its process id; OSError says why it can't be started."""
        try:
            return self._spawn(self.argv, actions, own_group=own_group)
        except OSError as error:
            if error.errno != 8:  # ENOEXEC: a script without `#!`; env and shells run it by sh
                raise
        script = _find_program(self.argv[0], self.environ)
        argv = [b"/bin/sh", script, *self.argv[1:]]
        return self._spawn(argv, actions, own_group=own_group)

    def _spawn(self, argv: list[bytes], actions: Actions, *, own_group: bool) -> int:
        # posix_spawn can neither ignore SIGCHLD nor pass on a variable without a name.
        if self.sigchld_ignored or b"" in self.environ:
            ignored = (_signal.SIGCHLD,) if self.sigchld_ignored else ()
            return _fork(
                argv,
                self.environ,
                actions,
                self.mask,
                defaults=_IGNORED_BY_PYTHON,
                ignored=ignored,
                own_group=own_group,
            )
        if own_group:
            return os.posix_spawnp(
                argv[0],
                argv,
                self.environ,
                file_actions=actions,
                setpgroup=0,
                setsigmask=self.mask,
                setsigdef=_IGNORED_BY_PYTHON,
            )
        return os.posix_spawnp(
            argv[0],
            argv,
            self.environ,
            file_actions=actions,
            setsigmask=self.mask,
            setsigdef=_IGNORED_BY_PYTHON,
        )


def inherited_environ() -> dict[bytes, bytes]:
    """The environment as radar was given it, in bytes.

    In a C locale Python coerces LC_CTYPE to UTF-8 at its start (PEP 538) and says so in the
    environment; cron's jobs would sort and print otherwise than without us.
    """
    environ = dict(os.environb)
    if environ.get(b"LC_CTYPE") in (b"C.UTF-8", b"C.utf8", b"UTF-8"):
        try:
            with open("/proc/self/environ", "rb", buffering=0) as file:
                original = file.read()
        except OSError:
            original = b""  # no /proc: only coercion writes just this value in practice
        # It may have stood there as `C` or `POSIX` before.
        _, was_set, rest = (b"\0" + original).partition(b"\0LC_CTYPE=")
        if was_set:
            environ[b"LC_CTYPE"] = rest.partition(b"\0")[0]
        else:
            del environ[b"LC_CTYPE"]
    return environ


def guard_standard_descriptors() -> None:
    """Keep pipes and sockets of ours off 0, 1 and 2 where radar was started with one closed.

    What is opened here is closed on exec, so that the job finds them closed, too.
    """
    while (fd := os.open("/dev/null", os.O_RDWR)) <= 2:
        pass
    os.close(fd)


def _fork(
    argv: list[bytes],
    environ: dict[bytes, bytes],
    actions: Actions,
    mask: "set[int]",
    *,
    defaults: "tuple[int, ...]",
    ignored: "tuple[int, ...]",
    own_group: bool,
) -> int:
    """Start the job with some signals ignored, and return its process id."""
    report_read, report_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if own_group:
                os.setpgid(0, 0)
            for _, source, target in actions:
                os.dup2(source, target)
            for number in defaults:
                _signal.signal(number, _signal.SIG_DFL)
            for number in ignored:
                _signal.signal(number, _signal.SIG_IGN)
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
            _become(argv, environ)
        except OSError as error:
            os.write(report_write, str(error.errno).encode())
        finally:
            os._exit(exits.NOT_FOUND)
    os.close(report_write)
    with open(report_read, "rb", buffering=0) as file:
        report = file.read()
    if report:
        os.waitpid(pid, 0)
        raise OSError(int(report), os.strerror(int(report)), argv[0])
    return pid


def _become(argv: list[bytes], environ: dict[bytes, bytes]) -> None:
    if b"" not in environ:
        os.execvpe(argv[0], argv, environ)  # noqa: S606 (no shell: that is the point)
    # Python refuses to name a variable "", but leaves those that it was given where they are.
    for name, value in environ.items():
        if name:
            os.putenv(name, value)
    if b"LC_CTYPE" not in environ:
        os.unsetenv(b"LC_CTYPE")
    os.execv(_find_program(argv[0], environ), argv)  # noqa: S606


def _find_program(name: bytes, environ: dict[bytes, bytes]) -> bytes:
    """The file that execvp would run for `name`: the first executable one in PATH."""
    if b"/" in name:
        return name
    for folder in environ.get(b"PATH", b"/bin:/usr/bin").split(b":"):
        path = (folder or b".") + b"/" + name
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return name
