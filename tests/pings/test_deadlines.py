"""A run's time is up at the very moment in which its server answers."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from radar_cli.delivery.dispatcher import Dispatcher
from radar_cli.model.ping import Ping
from tests.support import answers
from tests.support.pings import kinds
from tests.support.server import Server
from tests.support.waiting import wait_until
from tests.support.wire import Request


@pytest.fixture
def closed_twice(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Descriptors that were closed and weren't open: another file's, with less luck."""
    found: list[int] = []
    close = os.close

    def watched(fd: int) -> None:
        try:
            close(fd)
        except OSError:
            found.append(fd)
            raise

    monkeypatch.setattr(os, "close", watched)
    return found


@pytest.mark.parametrize(
    ("answer", "left"),
    [(lambda: answers.status(401), ["success"]), (answers.ok, [])],
    ids=["refused", "delivered"],
)
def test_either_the_run_decides_what_becomes_of_a_ping_or_the_answer(
    answer: Callable[[], answers.Answer],
    left: list[str],
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    closed_twice: list[int],
) -> None:
    monkeypatch.setenv("RADAR_SERVER", server.url)
    monkeypatch.setenv("RADAR_API_KEY", "key")
    may_answer, is_answered = threading.Event(), threading.Event()
    sync = os.fsync

    def sync_slowly(fd: int) -> None:
        sync(fd)
        if threading.current_thread() is threading.main_thread() and not may_answer.is_set():
            may_answer.set()
            is_answered.wait(1)  # as long as an answer would need, if it didn't wait for us

    monkeypatch.setattr(os, "fsync", sync_slowly)

    def answer_in_time(_: Request) -> answers.Answer:
        may_answer.wait(5)
        return answer()

    server.behave(answer_in_time)
    dispatcher = Dispatcher([], None, 2.0, lambda: None, lambda *_: None)
    dispatcher.start()
    dispatcher.post(Ping("success", "m", time_us=time.time_ns() // 1000))
    dispatcher.close(time.monotonic() + 2)
    wait_until(lambda: server.connections == 1)

    def watch() -> None:
        wait_until(dispatcher.is_done)
        is_answered.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    dispatcher.abandon()
    watcher.join()
    assert closed_twice == []
    assert not [words for words in dispatcher.warnings if "pings are kept" in words]
    assert kinds() == left


# In a process of its own: it answers while no thread of ours can run.
_SERVER = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
connection.recv(65536)
print("asked", flush=True)
time.sleep(0.3)
connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nOK")
sys.stdin.read()
"""


def test_an_answer_that_has_come_counts_though_its_thread_had_no_turn_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = [sys.executable, "-c", _SERVER]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        monkeypatch.setenv("RADAR_SERVER", f"http://127.0.0.1:{server.stdout.readline().strip()}")
        monkeypatch.setenv("RADAR_API_KEY", "key")
        dispatcher = Dispatcher([], None, 30.0, lambda: None, lambda *_: None)
        dispatcher.start()
        dispatcher.post(Ping("success", "m", time_us=time.time_ns() // 1000))
        dispatcher.close(time.monotonic() + 30)
        assert server.stdout.readline() == "asked\n"
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(60)
        try:
            until = time.monotonic() + 1
            while time.monotonic() < until:
                pass
            dispatcher.abandon()
        finally:
            sys.setswitchinterval(interval_s)
        assert (dispatcher.fates, kinds()) == (set(), [])
        assert server.stdin is not None
        server.stdin.close()
