"""Mail by a program in sendmail's place, and by a real SMTP server."""

import ssl
import time
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from radar_cli.notify.channel import UnusableChannelError
from radar_cli.notify.mail import html
from radar_cli.notify.words import subject, text
from tests.notify.conftest import Maker, failure_of
from tests.notify.notices import NOTICE
from tests.notify.test_command import write_program
from tests.support import answers
from tests.support.answers import Answer
from tests.support.certificates import Authority
from tests.support.mail import MailServer, parse_letter
from tests.support.server import Server, refused_port
from tests.support.wire import Connection, Request

# What aiosmtpd says of a server that takes passwords in the clear, as a test on loopback may.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

TO = "email = ['ops@example.com', 'ann@example.com']\n"
FROM = "from = 'radar@example.com'\n"
PASSWORD = "correct horse"


@pytest.fixture
def sendmail(tmp_path: Path) -> Path:
    """A program that keeps the mail and its arguments."""
    return write_program(
        tmp_path / "sendmail", f'cat > {tmp_path}/letter; echo "$@" > {tmp_path}/words'
    )


def smtp(port: int, scheme: str = "smtp", user: str = "", host: str = "127.0.0.1") -> str:
    at = f"{user}@" if user else ""
    return f"{TO}{FROM}smtp = '{scheme}://{at}{host}:{port}'\n"


def serve(scheme: str, context: ssl.SSLContext, users: dict[str, str] | None = None) -> MailServer:
    if scheme == "smtps":
        return MailServer(tls=context, users=users)
    return MailServer(starttls=context, users=users)


def drip() -> Answer:
    """A greeting that goes on and on, byte by byte."""

    def act(connection: Connection, _request: Request) -> bool:
        while True:
            connection.send(b"2")
            connection.pause(0.1)

    return Answer("drip", act, "accept")


def body_of(letter: EmailMessage, kind: str) -> str:
    body = letter.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_it_hands_text_and_html_to_sendmail(
    make_channel: Maker, sendmail: Path, tmp_path: Path
) -> None:
    channel = make_channel(f"{TO}{FROM}sendmail = '{sendmail}'")
    assert channel.place == "ops@example.com, ann@example.com"
    channel.send(NOTICE, timeout_s=20)
    content = (tmp_path / "letter").read_bytes()
    assert b"\r" not in content
    letter = parse_letter(content)
    assert (tmp_path / "words").read_text() == "-i -t\n"
    assert letter["Subject"] == subject(NOTICE)
    assert letter["From"] == "radar@example.com"
    assert letter["To"] == "ops@example.com, ann@example.com"
    assert letter["Date"].datetime.timestamp() == NOTICE.noticed_us // 1_000_000
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["X-Radar-Monitor"] == "backup"
    assert letter.get_content_type() == "multipart/alternative"
    assert body_of(letter, "plain") == text(NOTICE)
    assert body_of(letter, "html") == html(NOTICE, subject(NOTICE))


def test_a_retry_is_the_same_mail(make_channel: Maker, sendmail: Path, tmp_path: Path) -> None:
    channel = make_channel(f"{TO}{FROM}sendmail = '{sendmail}'")
    ids = []
    for _ in range(2):
        channel.send(NOTICE, timeout_s=20)
        ids.append(parse_letter((tmp_path / "letter").read_bytes())["Message-ID"])
    assert ids[0] == ids[1]
    assert ids[0].endswith("@example.com>")


def test_a_down_its_reminder_and_its_end_are_one_thread(
    make_channel: Maker, sendmail: Path, tmp_path: Path
) -> None:
    channel = make_channel(f"{TO}{FROM}sendmail = '{sendmail}'")
    down = replace(NOTICE, key="1", incident="flip-42")
    still, up = replace(down, key="2", previous="down"), replace(down, key="3", kind="up")
    other = replace(NOTICE, key="4", incident="flip-43", monitor="other")
    several = replace(up, key="5", others=(other,))
    letters = []
    for notice in (down, still, up, several):
        receipt = channel.send(notice, timeout_s=20)
        assert receipt.is_on_its_way
        assert receipt.answer == f"handed to {sendmail}, which doesn't say whether it arrives"
        letters.append(parse_letter((tmp_path / "letter").read_bytes()))
    root = letters[0]["Message-ID"]
    assert letters[0]["In-Reply-To"] is None
    assert [letter["In-Reply-To"] for letter in letters[1:]] == [root] * 3
    assert [letter["References"].split()[0] for letter in letters[1:]] == [root] * 3
    assert len(letters[3]["References"].split()) == 2
    assert letters[3]["X-Radar-Monitor"] == "backup, other"
    assert len({letter["Message-ID"] for letter in letters}) == 4


def test_sendmail_knows_local_users_and_who_writes(
    make_channel: Maker, sendmail: Path, tmp_path: Path
) -> None:
    make_channel(f"email = 'root'\nsendmail = '{sendmail}'").send(NOTICE, timeout_s=20)
    letter = parse_letter((tmp_path / "letter").read_bytes())
    assert letter["To"] == "root"
    assert letter["From"] is None


def test_it_says_what_sendmail_said(make_channel: Maker, tmp_path: Path) -> None:
    program = write_program(tmp_path / "sendmail", "echo 'queue is full' >&2; exit 75")
    error = failure_of(make_channel(f"{TO}sendmail = '{program}'"))
    assert error.message == f"{program} failed with 75: queue is full"
    assert error.is_retriable


def test_it_speaks_to_an_smtp_server(make_channel: Maker) -> None:
    with MailServer() as server:
        receipt = make_channel(smtp(server.port)).send(NOTICE, timeout_s=20)
        assert receipt.answer == f"127.0.0.1:{server.port} answers 250 OK"
        assert receipt.is_on_its_way
        (envelope,) = server.envelopes
        (letter,) = server.letters
    assert envelope.mail_from == "radar@example.com"
    assert envelope.rcpt_tos == ["ops@example.com", "ann@example.com"]
    assert letter["Subject"] == subject(NOTICE)
    assert body_of(letter, "plain") == text(NOTICE)


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_it_speaks_tls_and_logs_in(
    make_channel: Maker, authority: Authority, tmp_path: Path, scheme: str
) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    context = authority.server_context()
    with serve(scheme, context, {"ops@example.com": PASSWORD}) as server:
        lines = smtp(server.port, scheme, "ops%40example.com", "localhost")
        lines += f"password = 'file:password'\nca_file = '{authority.ca_file}'"
        make_channel(lines).send(NOTICE, timeout_s=20)
        assert len(server.envelopes) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_it_gives_nothing_to_a_server_that_it_does_not_trust(
    make_channel: Maker, authority: Authority, scheme: str
) -> None:
    with serve(scheme, authority.server_context("other.example")) as server:
        lines = smtp(server.port, scheme, host="localhost") + f"ca_file = '{authority.ca_file}'"
        error = failure_of(make_channel(lines))
        assert "certificate" in error.message.lower()
        assert server.envelopes == []


def test_it_never_goes_on_without_the_tls_that_was_asked_for(make_channel: Maker) -> None:
    with MailServer() as server:
        error = failure_of(make_channel(smtp(server.port, "smtp+starttls")))
        assert isinstance(error, UnusableChannelError)
        assert "STARTTLS" in error.message
        assert server.envelopes == []


def test_a_wrong_password_needs_a_person_and_is_not_shown(make_channel: Maker) -> None:
    with MailServer(users={"ann": PASSWORD}) as server:
        lines = smtp(server.port, user="ann") + "password = 'hunter2hunter2'"
        error = failure_of(make_channel(lines))
        assert isinstance(error, UnusableChannelError)
        assert error.message.startswith(f"127.0.0.1:{server.port}: 535 ")
        assert "hunter2" not in error.line()
        assert server.envelopes == []


@pytest.mark.parametrize(
    ("reply", "is_retriable"),
    [("451 4.3.0 later", True), ("452 disk full", True), ("554 5.7.1 spam", False)],
)
def test_it_knows_when_a_retry_makes_sense(
    make_channel: Maker, reply: str, is_retriable: bool
) -> None:
    with MailServer() as server:
        server.reply = reply
        error = failure_of(make_channel(smtp(server.port)))
    assert error.message.endswith(reply)
    assert error.is_retriable == is_retriable


@pytest.mark.parametrize(
    ("refuse", "is_retriable", "taken"),
    [
        ({"ops@example.com": "550 No such user"}, False, 1),
        ({"ops@example.com": "450 Greylisted"}, True, 1),
        ({"ops@example.com": "550 No such user", "ann@example.com": "450 Later"}, True, 0),
    ],
)
def test_it_names_who_did_not_get_it(
    make_channel: Maker, refuse: dict[str, str], is_retriable: bool, taken: int
) -> None:
    with MailServer() as server:
        server.refuse = refuse
        error = failure_of(make_channel(smtp(server.port)))
        assert len(server.envelopes) == taken
    assert error.message == "refused: " + "; ".join(f"{k}: {v}" for k, v in refuse.items())
    assert error.is_retriable == is_retriable


@pytest.mark.parametrize(
    "answer",
    [answers.accept_only(), drip(), answers.reset("accept")],
    ids=lambda answer: answer.name,
)
def test_its_time_is_bounded_as_a_whole(
    make_channel: Maker, server: Server, answer: Answer
) -> None:
    server.behave(answer)
    begin = time.monotonic()
    error = failure_of(make_channel(smtp(server.port)), timeout_s=1)
    assert time.monotonic() - begin < 15
    assert error.is_retriable
    assert error.message.startswith(f"127.0.0.1:{server.port}: ")


def test_nobody_listens(make_channel: Maker) -> None:
    with refused_port() as port:
        error = failure_of(make_channel(smtp(port)))
    assert error.message == f"127.0.0.1:{port}: Connection refused"
