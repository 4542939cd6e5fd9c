"""A webhook against a real server, good and bad, within its time."""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radar_cli.notify.channel import UnusableChannelError
from radar_cli.notify.webhook import RETRIABLE
from radar_cli.notify.words import data
from tests.notify.conftest import Maker, failure_of
from tests.notify.notices import NOTICE
from tests.support import answers
from tests.support.certificates import Authority
from tests.support.dns import NameServer
from tests.support.radar import environment
from tests.support.server import Server, refused_port, unreachable_port

# Longer than that, and something else than the timeout has ended it.
_PATIENCE_S = 15


def test_it_posts_the_notice_as_json(make_channel: Maker, server: Server) -> None:
    channel = make_channel(
        f"webhook = '{server.url}/hook?a=1'\nheaders = {{ X-Team = 'ops', User-Agent = 'me' }}"
    )
    channel.send(NOTICE, timeout_s=20)
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/hook?a=1")
    assert json.loads(request.body) == data(NOTICE)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == NOTICE.key
    assert (request.headers["x-team"], request.headers["user-agent"]) == ("ops", "me")
    assert "x-radar-signature" not in request.headers


def test_it_signs_what_it_sends(make_channel: Maker, server: Server, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret key\n")
    (tmp_path / "key").chmod(0o600)
    make_channel(f"webhook = '{server.url}'\nsecret = 'file:key'").send(NOTICE, timeout_s=20)
    (request,) = server.requests
    stamp, _, signature = request.headers["x-radar-signature"].partition(",")
    signed = stamp.removeprefix("t=").encode() + b"." + request.body
    expected = hmac.new(b"s3cret key", signed, hashlib.sha256).hexdigest()
    assert signature == f"v1={expected}"
    assert abs(int(stamp.removeprefix("t=")) - time.time()) < 60


def test_its_url_may_be_a_secret_elsewhere(make_channel: Maker, server: Server) -> None:
    channel = make_channel(f"webhook = 'cmd:echo {server.url}/token'")
    assert channel.place == f"cmd:echo {server.url}/token"
    channel.send(NOTICE, timeout_s=20)
    assert server.requests[0].target == "/token"


def test_it_does_not_show_the_path_of_its_url(make_channel: Maker, server: Server) -> None:
    server.behave(answers.status(404))
    channel = make_channel(f"webhook = '{server.url}/services/TOKEN'")
    assert channel.place == f"{server.url}/…"
    assert failure_of(channel).message == f"{server.url}/… answers 404"


@pytest.mark.parametrize("code", [301, 303, 400, 401, 404, 408, 410, 425, 429, 500, 501, 503])
def test_it_knows_when_a_retry_makes_sense(make_channel: Maker, server: Server, code: int) -> None:
    server.behave(answers.status(code))
    error = failure_of(make_channel(f"webhook = '{server.url}'"))
    assert error.message == f"{server.url} answers {code}"
    assert error.is_retriable == (code in RETRIABLE)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [answers.reset(), answers.close(), answers.garbage(), answers.reset("accept")],
    ids=lambda answer: answer.name,
)
def test_a_broken_connection_may_be_tried_again(
    make_channel: Maker, server: Server, answer: answers.Answer
) -> None:
    server.behave(answer)
    error = failure_of(make_channel(f"webhook = '{server.url}'"))
    assert error.is_retriable
    assert error.message.startswith(f"{server.url}: ")
    assert (error.slug, error.exit_code) == ("notify", 3)


def test_nobody_listens(make_channel: Maker) -> None:
    with refused_port() as port:
        error = failure_of(make_channel(f"webhook = 'http://127.0.0.1:{port}/'"))
    assert error.message.endswith("Connection refused")
    assert error.is_retriable


@pytest.mark.parametrize(
    "answer",
    [answers.hang(), answers.accept_only(), answers.slow(0.2)],
    ids=lambda answer: answer.name,
)
def test_its_time_is_bounded_as_a_whole(
    make_channel: Maker, server: Server, answer: answers.Answer
) -> None:
    server.behave(answer)
    begin = time.monotonic()
    error = failure_of(make_channel(f"webhook = '{server.url}'"), timeout_s=1)
    assert time.monotonic() - begin < _PATIENCE_S
    assert error.message == f"{server.url}: no answer within 1 s"
    assert error.is_retriable


def test_its_time_is_bounded_where_no_connect_succeeds(make_channel: Maker) -> None:
    with unreachable_port() as port:
        begin = time.monotonic()
        assert failure_of(make_channel(f"webhook = 'http://127.0.0.1:{port}'"), 1).is_retriable
        assert time.monotonic() - begin < _PATIENCE_S


def test_it_reads_nothing_of_an_endless_answer(make_channel: Maker, server: Server) -> None:
    server.behave(answers.endless())
    make_channel(f"webhook = '{server.url}'").send(NOTICE, timeout_s=60)


def test_it_follows_the_same_server_elsewhere(make_channel: Maker, server: Server) -> None:
    newer = answers.redirect(307, f"{server.url}/newer")
    server.behave(answers.redirect(308, "/new?b=2"), newer, answers.ok())
    make_channel(f"webhook = '{server.url}/old'\nsecret = 's'").send(NOTICE, timeout_s=20)
    assert [request.target for request in server.requests] == ["/old", "/new?b=2", "/newer"]
    assert len({request.body for request in server.requests}) == 1


def test_it_follows_no_redirect_for_ever(make_channel: Maker, server: Server) -> None:
    server.behave(answers.redirect(307, "/again"))
    error = failure_of(make_channel(f"webhook = '{server.url}'"))
    assert error.message == f"{server.url} answers 307"
    assert len(server.requests) == 4


def test_it_gives_nothing_to_another_server(make_channel: Maker, server: Server) -> None:
    with Server() as other:
        server.behave(answers.redirect(307, f"{other.url}/steal"))
        error = failure_of(make_channel(f"webhook = '{server.url}'\nsecret = 's'"))
        assert other.connections == 0
        assert f"it sends elsewhere, to {other.url}" in error.message
        assert "steal" not in error.line()
    assert not error.is_retriable


def test_it_trusts_the_certificates_that_it_is_told_to(
    make_channel: Maker, tls_server: Server, authority: Authority
) -> None:
    error = failure_of(make_channel(f"webhook = '{tls_server.url}'"))
    assert "certificate" in error.message.lower()
    channel = make_channel(f"webhook = '{tls_server.url}'\nca_file = '{authority.ca_file}'")
    channel.send(NOTICE, timeout_s=20)
    assert len(tls_server.requests) == 1
    missing = make_channel(f"webhook = '{tls_server.url}'\nca_file = 'none.pem'")
    assert isinstance(failure_of(missing), UnusableChannelError)


def test_a_secret_that_cannot_be_had_needs_a_person(make_channel: Maker, server: Server) -> None:
    error = failure_of(make_channel(f"webhook = '{server.url}'\nsecret = 'cmd:false'"))
    assert isinstance(error, UnusableChannelError)
    assert error.message == "notify.one.secret: false failed with 1"
    assert server.connections == 0


def test_a_url_from_elsewhere_that_is_none_needs_a_person(make_channel: Maker) -> None:
    error = failure_of(make_channel("webhook = 'cmd:echo chat.example/TOKEN'"))
    assert isinstance(error, UnusableChannelError)
    assert "it begins with https://" in error.message


@pytest.mark.slow
def test_a_dead_name_server_costs_no_more_than_its_time(tmp_path: Path) -> None:
    Path(os.environ["RADAR_CONFIG"]).write_text("[notify.one]\nwebhook = 'http://hook.test'\n")
    program = (
        "import os\n"
        "from radar_cli.settings.profiles import load\n"
        "from radar_cli.notify.channels import find_channels\n"
        "from radar_cli.notify.channel import ChannelError\n"
        "from radar_cli.notify.notice import rehearse\n"
        "(channel,) = find_channels(load(os.environ))\n"
        "try:\n    channel.send(rehearse('k', 'h', 0), timeout_s=1)\n"
        "except ChannelError as error:\n    print(error.message)\n"
    )
    with NameServer(tmp_path) as dns:
        begin = time.monotonic()
        done = _run_python(program, dns.prefix)
        assert time.monotonic() - begin < _PATIENCE_S
        assert dns.questions
    assert done == "http://hook.test: no answer within 1 s\n"


def _run_python(program: str, prefix: list[str]) -> str:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", program],
        env=environment(measured=False),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout
