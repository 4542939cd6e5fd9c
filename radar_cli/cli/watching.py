"""Watching a table: drawn again and again, on a screen that is given back at the end."""

import os
import select
import signal
import sys
import termios
import time
import tty
from contextlib import contextmanager
from types import FrameType
from typing import Callable, Iterator

from radar_cli.cli.layout import cut
from radar_cli.cli.render import Result, Table, clean, draw, is_terminal
from radar_cli.core.errors import UsageError

_EVERY_S = 2.0
_ENTER = "\x1b[?1049h\x1b[?25l"  # the alternate screen, without a cursor
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _CLEAR_LINE, _CLEAR_REST = "\x1b[H", "\x1b[K", "\x1b[J"
_ENDING = b"qQ\x03\x04"
# After these the terminal is as it was, and then they do what they do.
_DEADLY = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


def watch(look: Callable[[], Result], title: str, is_color_wanted: bool) -> None:
    """Draw what `look` finds every two seconds, until `q` or ^C. UsageError: there is no screen."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise UsageError("--watch needs a terminal", "without --watch it prints once")
    with _screen() as awaken:
        while True:
            _draw(look(), title, is_color_wanted)
            if _wait(awaken, look, title, is_color_wanted):
                return


def _wait(awaken: int, look: Callable[[], Result], title: str, is_color_wanted: bool) -> bool:
    """Wait for the next look; return whether it is the end."""
    until = time.monotonic() + _EVERY_S
    while (left_s := until - time.monotonic()) > 0:
        ready, _, _ = select.select([0, awaken], [], [], left_s)
        if awaken in ready:
            numbers = set(os.read(awaken, 100))
            if signal.SIGTSTP in numbers:
                _suspend()
            _draw(look(), title, is_color_wanted)  # the size may be another one
        if 0 in ready:
            keys = os.read(0, 100)
            if not keys or any(key in _ENDING for key in keys):
                return True
    return False


class _EndedError(BaseException):
    """A signal has come that ends this process: as with KeyboardInterrupt, nobody holds it up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _screen() -> Iterator[int]:
    """Have the screen and the keys for oneself; yield a descriptor that tells of signals."""
    kept = termios.tcgetattr(0)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = {number: signal.signal(number, _end) for number in _DEADLY}
    before |= {n: signal.signal(n, _note) for n in (signal.SIGWINCH, signal.SIGTSTP)}
    signal.set_wakeup_fd(writing)
    ended: int | None = None
    try:
        _take_screen()
        yield reading
    except _EndedError as error:
        ended = error.number
    finally:
        for number in _DEADLY:
            signal.signal(number, signal.SIG_IGN)
        _write(_LEAVE)
        termios.tcsetattr(0, termios.TCSADRAIN, kept)
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)
    if ended is not None:
        if ended != signal.SIGINT:
            signal.signal(ended, signal.SIG_DFL)
        os.kill(os.getpid(), ended)


def _note(_: int, __: FrameType | None) -> None:
    """Let the wake-up descriptor tell of a signal."""


def _end(number: int, _: FrameType | None) -> None:
    raise _EndedError(number)


def _take_screen() -> None:
    tty.setcbreak(0)
    _write(_ENTER)


def _suspend() -> None:
    """Stop as ^Z wants it, with the terminal as the shell knows it; go on with the screen."""
    kept = termios.tcgetattr(0)
    kept[3] |= termios.ECHO | termios.ICANON
    termios.tcsetattr(0, termios.TCSADRAIN, kept)
    _write(_LEAVE)
    os.kill(os.getpid(), signal.SIGSTOP)
    _take_screen()


def _draw(result: Result, title: str, is_color_wanted: bool) -> None:
    size = _find_size()
    table = result.table or Table(("",), [])
    remarks = [clean(line) for line in (*result.notes, table.remark)]
    if result.failure is not None:
        remarks.append(clean(result.failure.line()))
    head = f"{title}  {time.strftime('%H:%M:%S')}  q ends it"
    above = [_fit(line, size.columns) for line in (head, *filter(None, remarks))][: size.lines - 2]
    lines = draw(table, size.columns, is_color_wanted=is_color_wanted, is_bound=True)
    lines = lines if table.rows else []
    room = max(2, size.lines - len(above) - 1)
    if len(lines) > room:
        hidden = len(lines) - room + 1
        more = f"… {hidden} more: a glob, --tag or --down shows fewer"
        lines = [*lines[: room - 1], _fit(more, size.columns)]
    shown = "".join(f"{line}{_CLEAR_LINE}\r\n" for line in (*above, *lines))
    _write(_HOME + shown + _CLEAR_REST)


def _find_size() -> os.terminal_size:
    """The size as it is now: COLUMNS and LINES don't know of a window that was made larger."""
    size = os.get_terminal_size(1)
    return size if all(size) else os.terminal_size((80, 24))


def _fit(line: str, width: int) -> str:
    return "".join(text for text, _ in cut([(line, "")], width))


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
