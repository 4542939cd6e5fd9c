"""Holding the job's output back until it is known whether to show it (`--quiet`)."""

import _thread
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.wrap.relay import Outlet


class Held:
    """Keeps a stream in an unlinked file until it is known whether to show it (`--quiet`)."""

    def __init__(self, outlet: "Outlet") -> None:
        self._outlet = outlet
        self._file: int | None = None
        self._spilled = False

    def write(self, data: memoryview) -> bool:
        """Keep all of `data`; where no file can hold it, show what there is and go on openly."""
        if self._spilled:
            return self._outlet.write(data)
        try:
            if self._file is None:
                self._file = open_unlinked()
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            return self.show() and self._outlet.write(data)
        return True

    def complaints(self) -> list[str]:
        """What of the output could not be written, and why."""
        return self._outlet.complaints()

    def show(self) -> bool:
        """Write all that is kept to where it belongs, and keep nothing from now on."""
        self._spilled = True
        if self._file is None:
            return True
        file, self._file = self._file, None
        os.lseek(file, 0, os.SEEK_SET)
        alive = True
        while alive and (data := os.read(file, 262_144)):
            alive = self._outlet.write(memoryview(data))
        os.close(file)
        return alive


class Showing:
    """Shows what is held, in a thread: signals are heard though a reader has stopped reading."""

    def __init__(self, outlets: "list[Outlet | Held]", nudge: "Callable[[], None]") -> None:
        self._outlets = outlets
        self._nudge = nudge
        self._is_done = False
        _thread.start_new_thread(self._run, ())

    def is_done(self) -> bool:
        """Whether all of it is shown; `nudge` is called then."""
        return self._is_done

    def _run(self) -> None:
        for outlet in self._outlets:
            if isinstance(outlet, Held):
                outlet.show()
        self._is_done = True
        self._nudge()


def open_unlinked() -> int:
    """A new file without a name, on disk rather than in a memory file system where possible."""
    folders = [os.environ.get("TMPDIR") or "/var/tmp", "/var/tmp", "/tmp"]  # noqa: S108 (never named)
    last: OSError | None = None
    for folder in folders:
        try:
            if hasattr(os, "O_TMPFILE"):
                return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
        except OSError as error:
            last = error  # a file system without O_TMPFILE, or no such folder
        name = os.path.join(folder, f"radar-{os.getpid()}-{os.urandom(8).hex()}")
        try:
            fd = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            last = error
            continue
        os.unlink(name)
        return fd
    raise last or OSError("no folder for temporary files")
