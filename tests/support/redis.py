"""A Redis of the tests' own, on a free port of loopback."""

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support import processes
from tests.support.ports import free_port
from tests.support.requirements import require_program
from tests.support.waiting import wait_until


class Redis:
    """A running server; a context manager. Databases 0 to 15 are places of their own."""

    def __init__(self, *options: str) -> None:
        self._program = require_program("redis-server")
        self._options = options
        self.folder = Path(tempfile.mkdtemp(prefix="radar-redis-"))
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def __enter__(self) -> "Redis":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server, on the same port each time, and wait until it answers."""
        started = subprocess.Popen(
            [
                *(self._program, "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--dir", self.folder, "--loglevel", "warning"),
                *self._options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._server = processes.share(started)
        wait_until(self._answers, 20, "Redis is up")

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(10)
            self._server = None

    def signal(self, number: signal.Signals) -> None:
        assert self._server is not None
        self._server.send_signal(number)

    def url(self, database: int = 0, login: str = "") -> str:
        return f"redis://{login}127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as client:
                client.sendall(b"PING\r\n")
                return client.recv(16)[:1] in (b"+", b"-")
        except OSError:
            return False


@contextlib.contextmanager
def sentinel(conf: Path, port: int) -> Iterator[None]:
    """A sentinel with that configuration, on the port that it names."""
    process = processes.remember(
        subprocess.Popen(
            [require_program("redis-server"), conf, "--sentinel", "--loglevel", "warning"],
            cwd=conf.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )

    def answers() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as client:
                client.sendall(b"PING\r\n")
                return client.recv(16)[:1] == b"+"
        except OSError:
            return False

    try:
        wait_until(answers, 20, "the sentinel is up")
        yield
    finally:
        process.kill()
        process.wait(10)


@contextlib.contextmanager
def running(*options: str) -> Iterator[Redis]:
    """A server for as long as the block lasts."""
    with Redis(*options) as server:
        yield server
