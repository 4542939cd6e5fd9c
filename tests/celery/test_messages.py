"""Looking into a queue, taking a message out, and sending a task again: on both brokers."""

import base64
import json
from typing import Any

import pytest
import redis

from radar_cli.celery.broker import Broker, leave, open_broker
from radar_cli.celery.messages import peek, take_out
from radar_cli.celery.resending import Call, UnknownCallError, read_call, send_again
from tests.support.celery_app import send


@pytest.fixture
def broker(broker_url: str) -> Any:
    opened = open_broker(broker_url)
    yield opened
    leave(opened.connection)


def test_one_message_is_taken_out_and_the_others_stay(broker: Broker, broker_url: str) -> None:
    for number in range(3):
        kwargs = {"api_key": "hunter2"}
        send(broker_url, "shop.quick", number, "x", queue="mail", kwargs=kwargs)
    found = peek(broker, "mail")
    assert [each.called for each in found] == [f"{n}, 'x', api_key=[redacted]" for n in range(3)]
    assert {each.name for each in found} == {"shop.quick"}
    assert take_out(broker, "mail", found[1])
    assert not take_out(broker, "mail", found[1])
    assert [each.id for each in peek(broker, "mail")] == [found[0].id, found[2].id]
    assert [each.id for each in peek(broker, "mail", 1)] == [found[0].id]


def test_a_task_is_sent_as_an_app_sends_it(broker: Broker, broker_url: str) -> None:
    send(broker_url, "shop.quick", 1, queue="mail")
    [first] = peek(broker, "mail")
    call = read_call("shop.quick", "mail", "1, [2, None], x={'a': True}")
    assert call == Call("shop.quick", "mail", [1, [2, None]], {"x": {"a": True}})
    number = send_again(broker, call)
    [_, again] = peek(broker, "mail")
    assert (again.id, again.name) == (number, "shop.quick")
    assert again.called == "1, [2, None], x={'a': True}"
    assert first.id != number


@pytest.mark.parametrize(
    ("called", "why"),
    [
        ("1, password=[redacted]", "secret"),
        ("1, …", "in part"),
        ("'" + 498 * "x" + "'", "in part"),
        ("['a', ...]", "in part"),
        ("<object at 0x1>", "no values"),
        ("{1, 2}", "no values"),
        ("open('x')", "no values"),
        ("**{}", "no values"),
        ("1) or (2", "no values"),
    ],
)
def test_what_isnt_known_is_never_guessed(called: str, why: str) -> None:
    with pytest.raises(UnknownCallError, match=why):
        read_call("shop.quick", "", called)


def test_a_task_may_have_no_arguments_but_needs_a_name() -> None:
    assert read_call("shop.quick", "", "") == Call("shop.quick", "")
    with pytest.raises(UnknownCallError, match="name"):
        read_call("", "", "")


def test_what_is_no_message_of_celerys_is_shown_and_can_be_taken_out(redis_url: str) -> None:
    old = {"task": "shop.old", "id": "an-id", "args": [1], "kwargs": {"token": "hunter2"}}
    with redis.Redis.from_url(redis_url) as client:
        body = base64.b64encode(json.dumps(old).encode()).decode()
        client.lpush("mail", b"\xff garbage", b"[]", json.dumps({"body": body}), b'{"body": "!"}')
    broker = open_broker(redis_url)
    found = peek(broker, "mail")
    nothing = "no message of Celery's"
    assert [each.name for each in found] == [nothing, nothing, "shop.old", nothing]
    assert (found[2].id, found[2].called) == ("an-id", "1, token=[redacted]")
    assert all(take_out(broker, "mail", each) for each in found)
    assert peek(broker, "mail") == []
    leave(broker.connection)
