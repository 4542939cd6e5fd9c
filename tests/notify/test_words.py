import dataclasses
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.model.run import Run
from radar_cli.notify.excerpt import TAIL_BYTES, last_lines
from radar_cli.notify.mail import html, write_letter
from radar_cli.notify.notice import Notice, rehearse
from radar_cli.notify.wording import Wording
from radar_cli.notify.words import data, headline, subject, text
from tests.notify.notices import MINUTE_US, NOTICE, RUN, SINCE_US
from tests.support.mail import parse_letter

# Any text at all: controls, surrogates, what turns the direction of writing.
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=80) | st.sampled_from(
    ["a\r\nBcc: x@y", "<script>alert(1)</script>", "\x1b]0;t\x07", '"onload="x', "\udcff", "&lt;"]
)
NOTICES = st.builds(
    Notice,
    key=ANYTHING,
    kind=st.sampled_from(["down", "up", "test"]),
    monitor=ANYTHING,
    name=ANYTHING,
    status=st.sampled_from(["up", "down"]),
    previous=st.sampled_from(["up", "down", "new"]),
    reason=st.sampled_from(["missed", "failed", "hung", ""]),
    since_us=st.integers(-(1 << 70), 1 << 70),
    noticed_us=st.integers(0, 1 << 62),
    expected=ANYTHING,
    happened=ANYTHING,
    last_run=st.none()
    | st.builds(
        Run,
        ANYTHING,
        started_us=st.none() | st.integers(0, 1 << 62),
        outcome=st.sampled_from(["", "fail", "success"]),
        duration_s=st.none() | st.floats(-1, 1e9),
        exit_code=st.none() | st.integers(0, 255),
        signal=st.none() | st.integers(0, 200),
        reason=ANYTHING,
        host=ANYTHING,
        message=ANYTHING,
        output=st.binary(max_size=200) | ANYTHING.map(lambda t: t.encode("utf-8", "ignore")),
    ),
    host=ANYTHING,
    look=st.lists(ANYTHING | ANYTHING.map("https://x/{}".format), max_size=2).map(tuple),
    tags=st.lists(ANYTHING, max_size=2).map(tuple),
    tz=ANYTHING | st.sampled_from(["Europe/Berlin", "UTC", "", "../../etc/passwd"]),
    previous_since_us=st.none() | st.integers(0, 1 << 62),
    notes=ANYTHING,
    url=ANYTHING | ANYTHING.map("https://x/{}".format),
    mute=st.lists(ANYTHING, max_size=2).map(tuple),
    incident=ANYTHING,
    downs=st.integers(0, 9),
    others=st.just(()) | st.just((NOTICE,)),
)
TAGS = {"br", "html", "head", "meta", "title", "body", "p", "table", "tr", "td", "div", "pre", "a"}
VOID = {"meta", "br"}


class Outline(HTMLParser):
    """The elements of a document, in order, and whether each was closed in its turn."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.attributes: set[str] = set()
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "[radar] Nightly backup is down: missed since 02:05"),
        ({"name": ""}, "[radar] backup is down: missed since 02:05"),
        ({"reason": "failed"}, "[radar] Nightly backup is down: failed at 02:05"),
        ({"reason": "hung"}, "[radar] Nightly backup is down: hung since 02:05"),
        ({"reason": ""}, "[radar] Nightly backup is down since 02:05"),
        ({"tz": "UTC"}, "[radar] Nightly backup is down: missed since 00:05"),
        ({"tz": "Mars/Base"}, "[radar] Nightly backup is down: missed since 00:05"),
        (
            {"noticed_us": SINCE_US + 3000 * MINUTE_US},
            "[radar] Nightly backup is down: missed since 18 Jul 02:05",
        ),
        (
            {"noticed_us": SINCE_US + 366 * 1440 * MINUTE_US},
            "[radar] Nightly backup is down: missed since 18 Jul 2026 02:05",
        ),
        ({"kind": "up", "previous": "down"}, "[radar] Nightly backup is up again"),
        (
            {
                "kind": "up",
                "previous": "down",
                "previous_since_us": SINCE_US - 190 * MINUTE_US,
            },
            "[radar] Nightly backup is up again after 3 h 10 min",
        ),
        ({"kind": "test"}, "[radar] this is a test: notices arrive from db-1"),
    ],
)
def test_it_says_the_most_in_the_subject(changes: dict[str, object], expected: str) -> None:
    assert subject(dataclasses.replace(NOTICE, **changes)) == expected  # type: ignore[arg-type]


def test_it_says_what_to_know_at_3_am() -> None:
    assert text(NOTICE) == (
        "Nightly backup is down: missed since 02:05\n"
        "\n"
        "Monitor:  Nightly backup (backup)\n"
        "Expected: a run at 02:05 every day, at most 5 min late\n"
        "Happened: no run since it was due\n"
        "Since:    Sat 2026-07-18 02:05:00 CEST (Europe/Berlin)\n"
        "Noticed:  Sat 2026-07-18 02:06:00 CEST (Europe/Berlin)\n"
        "On:       db-1\n"
        "Tags:     nightly db\n"
        "Last run: failed, began 2026-07-17 02:05:00 CEST, took 3 min, exit 9, on db-1\n"
        "\n"
        "The end of its output:\n"
        "    copying\n"
        "    disk is full\n"
        "\n"
        "To look further:\n"
        "    radar status -v backup\n"
        "    https://radar.example/m/backup?a=1&b=2\n"
    )


def test_it_names_the_signal_that_killed_the_last_run() -> None:
    run = dataclasses.replace(RUN, signal=9, exit_code=None)
    assert "took 3 min, SIGKILL, on db-1" in text(dataclasses.replace(NOTICE, last_run=run))


NOTED = dataclasses.replace(
    NOTICE,
    notes="1. restart it\n2. see https://wiki.example/backup.",
    url="https://radar.example/monitors/backup",
    mute=("radar monitors ack backup",),
    incident="flip-42",
)
OTHER = dataclasses.replace(NOTICE, monitor="db", name="", reason="failed", url="https://r/db")


def test_it_says_what_its_notes_say_and_how_to_mute_it() -> None:
    words = text(NOTED)
    assert "Its notes:\n    1. restart it\n    2. see https://wiki.example/backup.\n" in words
    assert words.endswith("To mute it:\n    radar monitors ack backup\n")
    outline = Outline(html(NOTED, subject(NOTED)))
    assert "https://wiki.example/backup" in outline.links
    assert "2. see https://wiki.example/backup." in outline.text


def test_several_are_told_with_all_their_names() -> None:
    both = dataclasses.replace(NOTED, others=(OTHER,))
    assert subject(both) == "[radar] 2 monitors are down: Nightly backup, db"
    assert (
        "    Nightly backup is down: missed since 02:05  https://radar.example/monitors/backup\n"
        "    db is down: failed at 02:05  https://r/db\n"
    ) in text(both)
    outline = Outline(html(both, subject(both)))
    assert "db is down: failed at 02:05" in outline.text
    assert "https://r/db" in outline.links
    assert [each["monitor"] for each in data(both)["monitors"]] == ["backup", "db"]
    assert data(both)["monitor"] == "backup"
    many = dataclasses.replace(NOTED, others=tuple([OTHER] * 500), previous="down")
    assert subject(many).startswith("[radar] 501 monitors are down: Nightly backup, db, ")
    assert subject(many).endswith(" more")
    assert "... and 401 more" in text(many)
    assert len(subject(many)) < 200
    still = dataclasses.replace(many, others=(dataclasses.replace(OTHER, previous="down"),))
    assert subject(still) == "[radar] 2 monitors are still down: Nightly backup, db"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": "late", "status": "late"}, "Nightly backup is late: due at 02:05"),
        (
            {"kind": "up", "status": "up", "downs": 3, "previous_since_us": SINCE_US - MINUTE_US},
            "Nightly backup went down 3 times within 2 min, and is up now",
        ),
        ({"kind": "channel", "happened": "channel chat fails"}, "channel chat fails"),
    ],
)
def test_it_says_what_else_there_may_be(changes: dict[str, object], expected: str) -> None:
    assert headline(dataclasses.replace(NOTICE, **changes)) == expected  # type: ignore[arg-type]


def test_it_tells_the_same_in_html() -> None:
    outline = Outline(html(NOTICE, subject(NOTICE)))
    for line in text(NOTICE).splitlines():
        label, _, value = line.strip().partition(":")
        assert (value.strip() if line[:1].isupper() and value else label) in outline.text
    assert outline.links == ["https://radar.example/m/backup?a=1&b=2"]


def test_it_tells_programs_the_same() -> None:
    found = data(NOTICE)
    assert (found["radar"], found["key"], found["kind"]) == (1, "flip-42/chat", "down")
    assert found["since"] == "2026-07-18T00:05:00.000000+00:00"
    assert found["subject"] == subject(NOTICE)
    assert found["last_run"]["output"] == "copying\ndisk is full"
    assert found["last_run"]["exit_code"] == 9
    assert found["tags"] == ["nightly", "db"]


def test_a_test_notice_claims_nothing_of_any_monitor() -> None:
    words = text(rehearse("k", "db-1", SINCE_US))
    assert words.startswith("this is a test: notices arrive from db-1\n")
    assert "Monitor:" not in words
    assert "down" not in words


@pytest.mark.parametrize(
    ("output", "expected", "is_cut"),
    [
        (b"", [], False),
        (b"\n\n  \n", [], False),
        (b"one\r\ntwo\r\n", ["one", "two"], False),
        (b"10%\r50%\r100%\ndone", ["100%", "done"], False),
        (b"\x1b[1;31mred\x1b[0m\x1b]0;title\x07\tx", ["red     x"], False),
        (b"a\x00b\x08\xffc", ["a\ufffdb\ufffd\ufffdc"], False),
        (b"".join(b"%d\n" % n for n in range(30)), [str(n) for n in range(10, 30)], True),
    ],
)
def test_it_shows_the_end_of_the_output(output: bytes, expected: list[str], is_cut: bool) -> None:
    assert last_lines(Run("", output=output)) == (expected, is_cut)


def test_it_shows_no_more_than_the_last_4_kilobytes() -> None:
    lines, is_cut = last_lines(Run("", output="ä".encode() * TAIL_BYTES))
    assert lines == ["ä" * (TAIL_BYTES // 2)]
    assert is_cut
    assert last_lines(Run("", output=b"end", omitted_bytes=1)) == (["end"], True)


@given(NOTICES)
def test_nothing_breaks_the_subject(notice: Notice) -> None:
    line = subject(notice)
    assert line.startswith("[radar] ")
    assert line.isprintable()
    assert len(line) < 200


@given(NOTICES)
def test_nothing_breaks_the_text(notice: Notice) -> None:
    assert text(notice).replace("\n", "").isprintable()


@given(NOTICES)
def test_nothing_breaks_out_of_the_html(notice: Notice) -> None:
    document = html(notice, subject(notice))
    outline = Outline(document)
    assert outline.open == []
    assert set(outline.seen) <= TAGS
    assert outline.attributes <= {"lang", "charset", "name", "content", "style", "role", "href"}
    assert all(link.startswith(("https://", "http://")) for link in outline.links)
    assert document.replace("\n", "").isprintable()


@given(NOTICES)
def test_nothing_breaks_the_json(notice: Notice) -> None:
    encoded = json.dumps(data(notice), allow_nan=False)
    assert json.loads(encoded) == data(notice)
    json.dumps(data(notice), ensure_ascii=False).encode()  # no lone surrogates


@given(NOTICES)
def test_nothing_breaks_the_mail(notice: Notice) -> None:
    words = Wording(subject(notice), text(notice))
    content = write_letter(notice, words, "radar@example.com", ["ops@example.com"]).as_bytes()
    letter = parse_letter(content)
    assert sorted(letter.keys()) == sorted(
        [
            *("Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted"),
            *("X-Auto-Response-Suppress", "X-Radar-Kind", "X-Radar-Monitor"),
            *("MIME-Version", "Content-Type"),
            *(name for name in ("In-Reply-To", "References") if name in letter),
        ]
    )
    assert letter["To"] == "ops@example.com"
    assert max(map(len, content.split(b"\r\n"))) <= 998  # RFC 5322, 2.1.1
    body = letter.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == text(notice)
