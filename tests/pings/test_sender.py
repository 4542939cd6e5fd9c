"""One ping and one server: what its answers mean, and when and with how much text it asks again."""

import time
from collections.abc import Iterator

import pytest

from radar_cli.delivery.destinations import Destination
from radar_cli.delivery.sender import (
    DELIVERED,
    DROPPED,
    REJECTED,
    UNSURE,
    WAITING,
    Outcome,
    Sender,
)
from radar_cli.model.ping import Ping
from tests.support import answers
from tests.support.server import Server

_MONITOR_TOKEN = "0f0e0d0c-0b0a-4908-8706-050403020100"
_NO_MONITOR = "no such monitor there, and no schedule to create it with?"


class _Sending:
    """A sender to a server of this test's, and the pauses that it makes."""

    def __init__(self, server: Server, protocol: str = "radar", key: str = "k") -> None:
        self.server = server
        self.destination = Destination(protocol, server=server.url, key=key)
        self.pauses: list[float] = []
        self.is_disturbed = False
        self.sender = Sender(self.destination, self._pause)

    def _pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return self.is_disturbed

    def deliver(self, ping: Ping, seconds: float = 60.0, *, once: bool = True) -> Outcome:
        return self.sender.deliver(ping, time.monotonic() + seconds, once=once)


@pytest.fixture
def sending(server: Server) -> Iterator[_Sending]:
    made = _Sending(server)
    yield made
    made.sender.close()


def _ping(kind: str = "fail", monitor: str = "m", body: bytes = b"", **fields: str) -> Ping:
    return Ping(kind, monitor, time_us=time.time_ns() // 1000, fields=fields, body=body)


@pytest.mark.parametrize(
    ("code", "result", "needs_person", "is_answer", "hint"),
    [
        (200, DELIVERED, False, False, ""),
        (299, DELIVERED, False, False, ""),
        *((code, WAITING, False, code >= 500, "") for code in (408, 425, 429, 500, 502, 503, 504)),
        (501, WAITING, True, True, ""),
        (300, WAITING, True, False, " (is the URL right?)"),
        *((code, REJECTED, True, False, "") for code in (400, 405, 410, 499)),
        (
            404,
            REJECTED,
            True,
            False,
            " (no such monitor there, and no schedule to create it with?)",
        ),
        (401, WAITING, True, False, " (is the API key right?)"),
        (403, WAITING, True, False, " (is the API key right?)"),
        (407, WAITING, True, False, " (the proxy wants a user and a password)"),
    ],
)
def test_an_answer_says_what_becomes_of_the_ping(
    sending: _Sending, code: int, result: str, needs_person: bool, is_answer: bool, hint: str
) -> None:
    sending.server.behave(answers.status(code, body=b"so\nit is"))
    outcome = sending.deliver(_ping())
    assert (outcome.result, outcome.needs_person) == (result, needs_person)
    assert outcome.is_answer == is_answer
    assert outcome.shows_outage == (result == WAITING and not needs_person)
    if result != DELIVERED:
        assert outcome.reason == f"{sending.server.url} answered {code}: so it is{hint}"
        assert outcome.status == code


def test_a_web_page_is_no_answer_to_a_ping(sending: _Sending) -> None:
    sending.server.behave(answers.ok(b"  <html>Log in</html>"))
    outcome = sending.deliver(_ping(), once=False)
    assert (outcome.result, outcome.needs_person) == (WAITING, True)
    assert outcome.reason.endswith("answered with a web page: is that URL right?")
    assert len(sending.server.pings) == 1


@pytest.mark.parametrize(
    ("seconds", "tries"), [("0", 2), ("7", 2), ("61", 1), ("soon", 1), ("9" * 5000, 1)]
)
def test_it_asks_again_when_the_server_wants_it_if_there_is_time(
    sending: _Sending, seconds: str, tries: int
) -> None:
    sending.server.behave(answers.status(503, {"Retry-After": seconds}), answers.ok())
    outcome = sending.deliver(_ping(), once=False)
    assert (outcome.result == DELIVERED, len(sending.server.pings)) == (tries == 2, tries)
    assert len(sending.pauses) == tries - 1
    if seconds == "7":
        assert sending.pauses == [7.0]


def test_it_waits_longer_each_time(sending: _Sending) -> None:
    sending.server.behave(*[answers.status(503)] * 5, answers.ok())
    assert sending.deliver(_ping(), once=False).result == DELIVERED
    assert len(sending.pauses) == 5
    for number, seconds in enumerate(sending.pauses):
        assert 0.125 <= seconds / 2**number <= 0.375


def test_something_newer_ends_the_waiting(sending: _Sending) -> None:
    sending.is_disturbed = True
    sending.server.behave(answers.status(503), answers.ok())
    assert sending.deliver(_ping(), once=False).result == WAITING
    assert len(sending.server.pings) == 1


def test_nothing_is_asked_when_the_time_is_over(sending: _Sending) -> None:
    outcome = sending.deliver(_ping(), 0.0)
    assert (outcome.result, outcome.is_tried, outcome.shows_outage) == (WAITING, False, False)
    assert outcome.reason == f"{sending.server.url}: no answer in time"
    assert sending.server.pings == []


@pytest.mark.parametrize("code", [413, 414, 431])
def test_what_is_too_long_is_sent_with_less_and_then_without(sending: _Sending, code: int) -> None:
    ping = _ping(body=b"x" * 3_000, message="y" * 300, omitted="5", schedule="z" * 120)
    sending.server.behave(answers.status(code), answers.status(code), answers.ok())
    assert sending.deliver(ping).result == DELIVERED
    bodies = [request.body for request in sending.server.requests]
    assert bodies == [b"x" * 3_000, b"x" * 1_000, b""]
    assert ping.fields["omitted"] == "5"
    first, less, least = (request.target for request in sending.server.requests)
    assert ("omitted=5" in first, "omitted=2005" in less, "omitted=3005" in least) == (True,) * 3
    assert ("y" * 300 in less, "y" * 100 in least, "y" * 101 in least) == (True, True, False)
    assert "z" * 120 in least


def test_what_cant_be_shortened_is_sent_once(sending: _Sending) -> None:
    sending.server.behave(answers.status(413), answers.ok())
    outcome = sending.deliver(_ping())
    assert (outcome.result, len(sending.server.pings)) == (REJECTED, 1)
    sending.server.behave(answers.status(400), answers.ok())
    assert sending.deliver(_ping(body=b"x")).result == REJECTED
    assert len(sending.server.pings) == 2


def test_a_short_text_is_left_out_at_once(sending: _Sending) -> None:
    sending.server.behave(answers.status(413), answers.ok())
    assert sending.deliver(_ping(body=b"x" * 1_000)).result == DELIVERED
    assert [len(request.body) for request in sending.server.requests] == [1_000, 0]


@pytest.mark.parametrize(
    ("limit", "known"), [("77", 77), ("99999999", 10_000_000), ("-1", 10_000), ("\u00b2", 10_000)]
)
def test_it_learns_how_much_text_the_server_keeps(
    sending: _Sending, limit: str, known: int
) -> None:
    sending.server.behave(answers.ok(headers={"Ping-Body-Limit": limit}))
    before = sending.sender.body_limit_bytes
    assert sending.deliver(_ping()).result == DELIVERED
    assert sending.sender.body_limit_bytes == (known if known != 10_000 else before)


@pytest.mark.parametrize(
    ("key", "monitor", "headers", "is_asked"),
    [
        ("k", "m", {}, True),
        ("", "m", {}, False),
        ("", _MONITOR_TOKEN, {}, True),
        ("", _MONITOR_TOKEN[:-1], {}, False),
        ("", _MONITOR_TOKEN.replace("-", "0"), {}, False),
        ("", "m", {"authorization": "Bearer x"}, True),
        ("", "m", {"X-Team": "x"}, False),
    ],
)
def test_without_a_key_nobody_is_asked(
    server: Server, key: str, monitor: str, headers: dict[str, str], is_asked: bool
) -> None:
    sending = _Sending(server, key=key)
    sending.destination.headers = headers
    outcome = sending.deliver(_ping(monitor=monitor))
    sending.sender.close()
    assert (len(server.requests) == 1) == is_asked
    if not is_asked:
        assert (outcome.result, outcome.needs_person) == (WAITING, True)
        assert outcome.reason.startswith(f"no API key for {server.url}: ")


def test_own_headers_go_along_and_replace_ours(sending: _Sending) -> None:
    sending.destination.headers = {"authorization": "Basic b3du", "X-Team": "billing"}
    assert sending.deliver(_ping()).result == DELIVERED
    (request,) = sending.server.requests
    assert (request.headers["authorization"], request.headers["x-team"]) == (
        "Basic b3du",
        "billing",
    )


@pytest.mark.parametrize(
    ("protocol", "kind", "result"),
    [
        ("radar", "success", WAITING),
        ("cronradar", "success", UNSURE),
        ("cronradar", "fail", WAITING),
        ("cronradar", "log", DROPPED),
    ],
)
def test_a_success_without_an_answer_may_have_arrived(
    server: Server, protocol: str, kind: str, result: str
) -> None:
    sending = _Sending(server, protocol)
    server.behave(answers.hang())
    outcome = sending.deliver(_ping(kind), 0.3)
    sending.sender.close()
    assert outcome.result == result
    assert outcome.reason.endswith(", and it may have arrived") == (result == UNSURE)
    assert len(server.requests) == (result != DROPPED)


@pytest.mark.parametrize(
    ("location", "hint"),
    [
        ("https://new.example/", "it has moved to https://new.example/: make that the server"),
        ("", "is the URL right?"),
    ],
)
def test_a_server_that_moved_says_where(sending: _Sending, location: str, hint: str) -> None:
    headers = {"Location": location} if location else {}
    sending.server.behave(answers.status(302, headers))
    outcome = sending.deliver(_ping())
    assert (outcome.result, outcome.needs_person) == (WAITING, True)
    assert hint in outcome.reason
