"""The job's stdin between its tries: whether another one would find what the first one found.

A try that finds an empty stdin where the first one read a dump succeeds, having done nothing.
"""

import os
import select
import stat

_NOTHING, _FILE, _STREAM = range(3)
# Cron gives a pipe to each job, and closes its own end a moment after it has started it. On a busy
# machine that comes only when radar waits, and a try that can't be repeated is worth this much.
_CLOSING_S = 0.05


class Input:
    """Stdin as it is before the first try."""

    def __init__(self) -> None:
        self._kind = _NOTHING
        self._offset = 0
        self._has_bytes = False
        try:
            mode = os.fstat(0).st_mode
            if stat.S_ISREG(mode) or stat.S_ISBLK(mode):
                self._offset = os.lseek(0, 0, os.SEEK_CUR)
                self._kind = _FILE
        except OSError:
            return  # it is closed
        # A terminal and /dev/null give each try its own.
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            self._has_bytes, has_writer = _look(_CLOSING_S, is_socket=stat.S_ISSOCK(mode))
            self._kind = _STREAM if self._has_bytes or has_writer else _NOTHING

    def look_again(self) -> None:
        """Take a writer for none that has written nothing and gone by the time of the spawn."""
        if self._kind == _STREAM and not self._has_bytes:
            has_bytes, has_writer = _look(0.0, is_socket=stat.S_ISSOCK(os.fstat(0).st_mode))
            if not has_bytes and not has_writer:
                self._kind = _NOTHING

    def rewind(self) -> bool:
        """Give another try what the first one had; False if it may be used up."""
        if self._kind == _FILE:
            try:
                os.lseek(0, self._offset, os.SEEK_SET)
            except OSError:
                return False
        return self._kind != _STREAM


def _look(patience_s: float, *, is_socket: bool) -> tuple[bool, bool]:
    """Whether there are bytes on stdin by now, and whether anybody may still write some."""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    events = dict(poll.poll(patience_s * 1000)).get(0, 0)
    if is_socket and events & select.POLLIN:
        return _has_bytes_on_socket(), not events & select.POLLHUP
    return bool(events & select.POLLIN), not events & (select.POLLHUP | select.POLLNVAL)


def _has_bytes_on_socket() -> bool:
    import _socket

    copy = _socket.socket(fileno=os.dup(0))
    try:
        return bool(copy.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT))
    except OSError:
        return False
    finally:
        copy.close()
