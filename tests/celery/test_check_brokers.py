"""Brokers that are down, refuse or hang: each by its cause."""

import signal
import time

import pytest

from tests.celery.checking import Verdict
from tests.support import redis
from tests.support.ports import free_port
from tests.support.rabbitmq import Rabbitmq
from tests.support.redis import Redis

# What a check may take beyond its --timeout: a start of Python on a busy machine.
_START_S = 20.0


def _cause(verdict: Verdict) -> str:
    (finding,) = [f for f in verdict.data["findings"] if f["layer"] == "broker"]
    assert finding["state"] != "ok"
    return str(finding["data"]["cause"])


@pytest.mark.celery_versions
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_nobody_listens(scheme: str) -> None:
    verdict = Verdict(f"{scheme}://127.0.0.1:{free_port()}/0")
    assert (verdict.code, _cause(verdict)) == (1, "refused")
    assert {f["state"] for f in verdict.data["findings"] if f["layer"] != "broker"} == {"unknown"}


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_the_host_has_no_address(scheme: str) -> None:
    verdict = Verdict(f"{scheme}://nowhere.invalid/0", "--timeout", "8s")
    assert (verdict.code, _cause(verdict)) == (3, "dns")


@pytest.mark.celery_versions
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
@pytest.mark.celery_versions
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


def _cause_of_any(verdict: Verdict) -> str:
    return next(
        str(f["data"]["cause"])
        for f in verdict.data["findings"]
        if f["layer"] == "broker" and f["state"] != "ok"
    )
