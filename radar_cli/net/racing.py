"""Races between a server's addresses, of which some may be dead, and between two askings.

The first address gets a moment for itself, which `connection` sees to; this is for when it doesn't
answer or refuses. Then the others are tried, one more every 200 ms or sooner, IPv6 and IPv4 in
turn, and the first one that answers is taken, be it the slow first one (RFC 8305). Likewise, where
a request is sent again since no answer has come, either answer will do. One thread does it all.
"""

import errno
import os
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket as _socket
    from collections.abc import Sequence
    from typing import Any
else:
    import _socket

_NAMED_MAX = 3
_NO_ANSWER = "no answer in time"

if TYPE_CHECKING:
    AddressInfo = tuple[int, int, int, str, Any]


def race(
    addresses: "Sequence[AddressInfo]",
    begun: "_socket.socket | None",
    failure: OSError,
    *,
    head_start_s: float,
    deadline: float,
) -> "_socket.socket":
    """Connect to whichever address answers first, before `deadline` (monotonic).

    `begun` is the attempt at the first address, and `failure` how that went: a time-out of ours
    (not the kernel's, which has a number) means that it may still succeed.
    OSError: none answered. It names the reason of each; it is a TimeoutError if one is silence.
    """
    this = _Race(deadline)
    try:
        if begun is not None and isinstance(failure, TimeoutError) and failure.errno is None:
            this.watch(begun, addresses[0][4])
        else:
            if begun is not None:
                begun.close()
            this.fail(addresses[0][4], failure)
        return this.run(_interleave(addresses[0], addresses[1:]), head_start_s)
    finally:
        this.close()


def first_to_speak(
    connections: "list[tuple[_socket.socket, bytes]]", deadline: float
) -> "tuple[_socket.socket, bytes] | None":
    """The first connection that has something to say, with that beside it; None if none has.

    Connections come with what was read from them before. Those that end are closed and taken out
    of the list; the one that is returned is still in it.
    """
    poll = select.poll()
    by_fd = {connection.fileno(): connection for connection, _ in connections}
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    while connections:
        left_s = deadline - time.monotonic()
        ready = poll.poll(int(max(0.0, left_s) * 1000) + 1)
        for fd, _ in ready:
            at = next(at for at, (each, _) in enumerate(connections) if each is by_fd[fd])
            connection, unread = connections[at]
            connection.settimeout(0.0)
            try:
                data = connection.recv(65_536)
            except OSError as error:
                # What TLS says to itself isn't an answer.
                if isinstance(error, BlockingIOError) or type(error).__name__ == "SSLWantReadError":
                    continue
                data = b""
            if data:
                connections[at] = connection, unread + data
                return connections[at]
            poll.unregister(fd)
            connection.close()
            del connections[at]
        if not ready and left_s <= 0:
            return None
    return None


class _Race:
    """The attempts that are going on, and what became of the others."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._poll = select.poll()
        self._running: dict[int, tuple[_socket.socket, Any]] = {}
        self._failures: list[tuple[str, OSError]] = []

    def close(self) -> None:
        """Close all attempts but the winner."""
        for connection, _ in self._running.values():
            connection.close()

    def watch(self, connection: "_socket.socket", address: "Any") -> None:
        """Take in an attempt that has begun."""
        self._running[connection.fileno()] = connection, address
        self._poll.register(connection.fileno(), select.POLLOUT)

    def fail(self, address: "Any", error: OSError) -> None:
        """Note that an address is out."""
        self._failures.append((str(address[0]), error))

    def run(self, waiting: "list[AddressInfo]", head_start_s: float) -> "_socket.socket":
        """Try the waiting addresses in turn; return the first connection."""
        next_at = time.monotonic()
        while waiting or self._running:
            now = time.monotonic()
            if waiting and (now >= next_at or not self._running):
                self._start(waiting.pop(0))
                next_at = now + head_start_s
                continue
            until = min(next_at, self._deadline) if waiting else self._deadline
            for fd, _ in self._poll.poll(max(0, int((until - now) * 1000) + 1)):
                winner = self._settle(fd)
                if winner is not None:
                    return winner
                next_at = now  # there is nothing to wait for before the next one
            if time.monotonic() >= self._deadline:
                break
        for _, address in self._running.values():
            self.fail(address, TimeoutError(errno.ETIMEDOUT, _NO_ANSWER))
        raise _sum_up(self._failures)

    def _start(self, info: "AddressInfo") -> None:
        family, kind, protocol, _, address = info
        try:
            connection = _socket.socket(family, kind, protocol)
        except OSError as error:  # a kernel without IPv6, say
            self.fail(address, error)
            return
        connection.settimeout(0.0)
        code = connection.connect_ex(address)
        if code in (0, errno.EINPROGRESS, errno.EINTR):
            self.watch(connection, address)
        else:
            connection.close()
            self.fail(address, OSError(code, os.strerror(code)))

    def _settle(self, fd: int) -> "_socket.socket | None":
        """The connection behind a descriptor that poll woke for, or None if it has failed."""
        connection, address = self._running.pop(fd)
        self._poll.unregister(fd)
        code = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if code == 0:
            return connection
        connection.close()
        self.fail(address, OSError(code, os.strerror(code)))
        return None


def _interleave(first: "AddressInfo", others: "Sequence[AddressInfo]") -> "list[AddressInfo]":
    """The others, in their order but of one family and the other in turn (RFC 8305, 4)."""
    same = [info for info in others if info[0] == first[0]]
    different = [info for info in others if info[0] != first[0]]
    turns: list[AddressInfo] = []
    while same or different:
        turns += different[:1] + same[:1]
        del different[:1], same[:1]
    return turns


def _sum_up(failures: list[tuple[str, OSError]]) -> OSError:
    """One error that tells why each address is out."""
    reasons: dict[str, list[str]] = {}
    for address, error in failures:
        reasons.setdefault(error.strerror or str(error), []).append(address)
    words = []
    for reason, addresses in reasons.items():
        named = ", ".join(addresses[:_NAMED_MAX])
        more = len(addresses) - _NAMED_MAX
        words.append(f"{reason} ({named}" + (f" and {more} more)" if more > 0 else ")"))
    is_silence = any(isinstance(error, TimeoutError) for _, error in failures)
    code = errno.ETIMEDOUT if is_silence else failures[0][1].errno
    return OSError(code or errno.EIO, "; ".join(words))
