"""No command outlasts its --timeout, whatever the broker does; and none says that all is well."""

import contextlib
import time
from collections.abc import Iterator

import pytest

from tests.support import hanging
from tests.support.hanging import Behaviour
from tests.support.rabbitmq import Rabbitmq
from tests.support.radar import environment, start_radar
from tests.support.redis import Redis
from tests.support.relay import Relay

pytestmark = pytest.mark.slow

_TIMEOUT_S = 2.0
# What they may take beyond it: as many starts of Python at once, on a busy machine.
_STARTS_S = 30.0
# All that ask a broker, with the exit codes that an answer which didn't come may have.
_COMMANDS = {
    ("check",): (1, 3),
    ("check", "--beat", "remote"): (1, 3),
    ("ready",): (1,),
    ("workers",): (3,),
    ("queues",): (3,),
    ("tasks",): (3,),
    ("audit",): (3,),
    ("canary", "--queue", "celery"): (1, 3),
    ("beat", "remote"): (3,),
    ("workers", "shutdown", "--worker", "w@test", "--yes"): (3,),
}
_BEHAVIOURS = (hanging.nothing, hanging.half, hanging.drop, hanging.drip)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize("behave", _BEHAVIOURS)
def test_a_server_that_does_not_answer(scheme: str, behave: Behaviour) -> None:
    with hanging.listening(behave) as port:
        _run_all(f"{scheme}://127.0.0.1:{port}/0", _COMMANDS)


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
@pytest.mark.parametrize("behave", [hanging.nothing, hanging.drip])
def test_a_server_that_does_not_answer_to_tls(scheme: str, behave: Behaviour) -> None:
    with hanging.listening(behave) as port:
        _run_all(f"{scheme}://127.0.0.1:{port}/0", {("check",): (1, 3), ("ready",): (1,)})


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_packets_that_get_lost(scheme: str) -> None:
    with hanging.dropping_packets() as port:
        said = _run_all(f"{scheme}://127.0.0.1:{port}/0", _COMMANDS)
    assert all("no connection in time" in each for each in said.values()), said


@pytest.mark.parametrize("most_bytes", [600, 1500])
def test_a_broker_that_falls_silent_in_the_middle(
    most_bytes: int, redis_server: Redis, rabbitmq_server: Rabbitmq
) -> None:
    for server in (redis_server, rabbitmq_server):
        # It may fall silent after all that a command wants to hear.
        commands = {words: (*codes, 0, 1, 3) for words, codes in _COMMANDS.items()}
        url = server.url()
        with _one_relay_each(server.port, most_bytes, len(commands)) as ports:
            urls = [url.replace(str(server.port), str(port)) for port in ports]
            _run_all(urls, commands)


@pytest.mark.parametrize("behave", [hanging.nothing, hanging.drip])
def test_a_schedule_that_is_kept_elsewhere(behave: Behaviour) -> None:
    with hanging.listening(behave) as port:
        places = (
            f"redbeat:redis://127.0.0.1:{port}/0",
            f"django:postgresql://a:hunter2@127.0.0.1:{port}/x",
        )
        said = _run_all("", {("beat", place): (2, 3) for place in places})
    assert "hunter2" not in str(said.values())


@contextlib.contextmanager
def _one_relay_each(port: int, most_bytes: int, count: int) -> Iterator[list[int]]:
    with contextlib.ExitStack() as stack:
        relays = [stack.enter_context(Relay(port, most_bytes)) for _ in range(count)]
        yield [relay.port for relay in relays]


def _run_all(
    urls: str | list[str], commands: dict[tuple[str, ...], tuple[int, ...]]
) -> dict[str, str]:
    """Run them all at once, see that they end in time and how, and return what they say."""
    each_url = urls if isinstance(urls, list) else [urls] * len(commands)
    started = time.monotonic()
    running = {
        words: start_radar(
            *("celery", *words, "--timeout", f"{_TIMEOUT_S:g}s"),
            *(("-b", url) if url else ()),
            env=environment(measured=False),  # there are hundreds
        )
        for words, url in zip(commands, each_url, strict=True)
    }
    said = {}
    for words, process in running.items():
        out, err = process.communicate(timeout=60)
        text = (out + err).decode()
        assert time.monotonic() - started < _TIMEOUT_S + _STARTS_S, (words, text)
        assert process.returncode in commands[words], (words, process.returncode, text)
        assert text.strip(), words
        assert "Traceback" not in text
        said[" ".join(words)] = text
    return said
