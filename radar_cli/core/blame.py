"""The reason of a failure: the exception in one line, and the end of its traceback."""

import os
import sys
import sysconfig
import traceback
from types import TracebackType

# Whoever cuts it takes its secrets out first: half a secret is none that can be found.
_MESSAGE_CHARACTERS = 20_000
_FRAMES_MAX = 500
_PACKAGES = ("site-packages", "dist-packages")
_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARIES = tuple(
    {os.path.abspath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")}
)


def describe_exception(error: BaseException, where: TracebackType | None) -> str:
    """Return `ValueError at shop/tasks.py:12 (backup): no disk`: one line, not yet redacted.

    The line is the innermost of the app's own code: what raises is often a library's.
    """
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    words = name
    if place := own_line(where):
        words += f" at {place}"
    message = " ".join(_text(error).split())[:_MESSAGE_CHARACTERS]
    return f"{words}: {message}" if message else words


def own_line(where: TracebackType | None) -> str:
    """Return the innermost line of the app's own code as `shop/tasks.py:12 (backup)`, or ""."""
    found = None
    for frame, line in traceback.walk_tb(where):
        if _is_own(frame.f_code.co_filename):
            found = frame.f_code, line
    if found is None:
        return ""
    code, line = found
    return f"{_shorten(code.co_filename)}:{line} ({code.co_name})"


def format_traceback(error: BaseException, where: TracebackType | None) -> bytes:
    """Return the traceback as Python prints it, with causes, as UTF-8."""
    try:
        lines = traceback.format_exception(type(error), error, where, limit=-_FRAMES_MAX)
    except Exception as fault:  # noqa: BLE001 (the exception's own code, which is anybody's)
        lines = [f"{type(error).__name__} (no traceback: {type(fault).__name__})\n"]
    return "".join(lines).encode("utf-8", "replace")


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as fault:  # noqa: BLE001 (as above)
        return f"(no text: {type(fault).__name__})"


def _is_own(path: str) -> bool:
    """Whether a file is the app's: no library's, no frozen module's, and not radar's."""
    if path.startswith("<") or any(f"{os.sep}{name}{os.sep}" in path for name in _PACKAGES):
        return False
    return not os.path.abspath(path).startswith((_OWN_FOLDER, *_LIBRARIES))


def _shorten(path: str) -> str:
    """The path from the folder that it was imported from."""
    full = os.path.abspath(path)
    roots = [os.path.abspath(root or os.curdir) + os.sep for root in (*sys.path, os.curdir)]
    root = max((each for each in roots if full.startswith(each)), key=len, default="")
    return full[len(root) :]
