"""A name server on loopback that is dead, slow or plainly says no."""

import contextlib
import errno
import random
import socket
import threading
from pathlib import Path
from typing import Literal, Self

from tests.support.namespaces import dead_dns
from tests.support.requirements import require_root

_SERVFAIL, _NXDOMAIN = 2, 3


class NameServer:
    """Takes every question in; answers none, or each with an error.

    `prefix` before a command makes it the command's only name server. It needs root, for
    port 53 of a loopback address of its own and for the command's own /etc/resolv.conf.
    """

    def __init__(
        self, directory: Path, answer: Literal["never", "servfail", "nxdomain"] = "never"
    ) -> None:
        require_root("a name server on port 53 of loopback")
        self._answer = answer
        self.questions: list[str] = []
        self._socket = _bound_to_port_53()
        self.prefix = dead_dns(self._socket.getsockname()[0], directory)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            question, client = self._socket.recvfrom(1500)
            if client == self._socket.getsockname():  # `close` asks us to end
                return
            self.questions.append(_name(question))
            code = {"servfail": _SERVFAIL, "nxdomain": _NXDOMAIN}.get(self._answer)
            if code is not None:
                flags = (0x8180 | code).to_bytes(2, "big")
                self._socket.sendto(question[:2] + flags + question[4:], client)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(10)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _bound_to_port_53() -> socket.socket:
    """All of 127.0.0.0/8 is loopback: an address that no other test uses."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        address = f"127.{random.randint(64, 127)}.{random.randint(0, 255)}.53"
        try:
            sock.bind((address, 53))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:  # taken: try another
                sock.close()
                raise
        else:
            return sock


def _name(question: bytes) -> str:
    """The name that is asked for, after the header of 12 bytes."""
    labels, at = [], 12
    while at < len(question) and (size := question[at]):
        labels.append(question[at + 1 : at + 1 + size].decode("latin-1"))
        at += 1 + size
    return ".".join(labels)
