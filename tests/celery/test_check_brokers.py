"""Brokers that are down, refuse, hang or stop in the middle: each by its cause, and in time."""

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.celery.checking import Verdict
from tests.support import redis
from tests.support.rabbitmq import Rabbitmq
from tests.support.redis import Redis, free_port

# What a check may take beyond its --timeout: a start of Python on a busy machine.
_START_S = 20.0


def _cause(verdict: Verdict) -> str:
    (finding,) = [f for f in verdict.data["findings"] if f["layer"] == "broker"]
    assert finding["state"] != "ok"
    return str(finding["data"]["cause"])


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_nobody_listens(scheme: str) -> None:
    verdict = Verdict(f"{scheme}://127.0.0.1:{free_port()}/0")
    assert (verdict.code, _cause(verdict)) == (1, "refused")
    assert {f["state"] for f in verdict.data["findings"] if f["layer"] != "broker"} == {"unknown"}


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_the_host_has_no_address(scheme: str) -> None:
    verdict = Verdict(f"{scheme}://nowhere.invalid/0", "--timeout", "8s")
    assert (verdict.code, _cause(verdict)) == (3, "dns")


def test_redis_refuses_a_password() -> None:
    with redis.running("--requirepass", "right") as server:
        wrong = Verdict(server.url(login=":wrong@"))
        none = Verdict(server.url())
    assert (wrong.code, _cause(wrong)) == (3, "password")
    assert (none.code, _cause(none)) == (3, "password")
    assert "wrong" not in wrong.said


def test_redis_has_no_such_database(redis_server: Redis) -> None:
    assert _cause(Verdict(redis_server.url(9999))) == "vhost"


def test_redis_takes_no_writes() -> None:
    with redis.running("--maxmemory", "1", "--maxmemory-policy", "noeviction") as server:
        verdict = Verdict(server.url())
    assert (verdict.code, _cause_of_any(verdict)) == (1, "memory")


@pytest.mark.slow
def test_rabbitmq_refuses_a_password_or_a_vhost(rabbitmq_server: Rabbitmq) -> None:
    verdict = Verdict(rabbitmq_server.url(login="radar:wr0ng"))
    assert (verdict.code, _cause(verdict)) == (3, "password")
    assert "wr0ng" not in verdict.said
    assert _cause(Verdict(rabbitmq_server.url("nowhere"))) == "vhost"


@pytest.mark.slow
def test_redis_that_is_stopped_hangs() -> None:
    with redis.running() as server:
        server.signal(signal.SIGSTOP)
        started = time.monotonic()
        verdict = Verdict(server.url(), "--timeout", "2s")
        took_s = time.monotonic() - started
    assert (verdict.code, _cause(verdict)) == (1, "hang")
    assert took_s < 2 + _START_S


def _nothing(client: socket.socket) -> None:
    """Accept, and never answer."""


def _half(client: socket.socket) -> None:
    client.recv(100)
    client.sendall(b"$1000\r\nhalf of it")


def _drop(client: socket.socket) -> None:
    client.recv(100)
    client.close()


def _drip(client: socket.socket) -> None:
    """Answer byte by byte, so that no timeout of a single read ever ends it."""
    client.sendall(b"$100000\r\n")
    for _ in range(100):
        time.sleep(0.1)
        client.sendall(b"x")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["redis", "rediss", "amqp", "amqps"])
@pytest.mark.parametrize("behave", [_nothing, _half, _drop, _drip])
def test_it_ends_in_time_whatever_the_broker_does(
    scheme: str, behave: Callable[[socket.socket], None]
) -> None:
    with _listening(behave) as port:
        started = time.monotonic()
        verdict = Verdict(f"{scheme}://127.0.0.1:{port}/0", "--timeout", "2s")
        took_s = time.monotonic() - started
    assert verdict.code in (1, 3)
    assert verdict.wrong()[0][0] == "broker"
    assert took_s < 2 + _START_S


@contextlib.contextmanager
def _listening(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that treats each client so; its port."""
    kept = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    kept.append(client)
                    threading.Thread(target=_quietly, args=(behave, client), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for client in kept:
        client.close()


def _quietly(behave: Callable[[socket.socket], None], client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        behave(client)


def _cause_of_any(verdict: Verdict) -> str:
    return next(
        str(f["data"]["cause"])
        for f in verdict.data["findings"]
        if f["layer"] == "broker" and f["state"] != "ok"
    )
