"""The rare ways to start a job: what posix_spawn can't do, and scripts without `#!`."""

import os

from radar_cli import exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal

    from radar_cli.wrap.child import Actions
else:
    import _signal


def fork(
    argv: list[bytes],
    environ: dict[bytes, bytes],
    actions: "Actions",
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
    os.execv(find_program(argv[0], environ), argv)  # noqa: S606


def find_program(name: bytes, environ: dict[bytes, bytes]) -> bytes:
    """The file that execvp would run for `name`: the first executable one in PATH."""
    if b"/" in name:
        return name
    for folder in environ.get(b"PATH", b"/bin:/usr/bin").split(b":"):
        path = (folder or b".") + b"/" + name
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return name
