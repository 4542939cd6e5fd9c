"""Looking into a queue, taking a message out, and sending a task again: on both brokers."""

from typing import Any

import pytest

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
