import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from radar_cli.core.credentials import secrets_of
from radar_cli.core.cron import find_fault
from radar_cli.core.errors import UsageError
from radar_cli.core.matching import Matcher
from radar_cli.core.redaction import redact
from radar_cli.wrap.options import TABLE, parse
from radar_cli.wrap.output import MARGIN_BYTES, Tail

FLAGS = [row[0] for row in TABLE] + ["-h", "--help", "-v", "--no-such"]
WORDS = st.one_of(
    st.text(),
    st.sampled_from([*FLAGS, "--", "-", "", "job", "1", "5m", "0,24", "skip", "--tag=x"]),
    st.builds("{}={}".format, st.sampled_from(FLAGS), st.text()),
)


@given(st.lists(WORDS))
def test_the_parser_understands_or_says_why_not(words: list[str]) -> None:
    try:
        options = parse(words)
    except UsageError:
        return
    assert options.help or (options.monitor and options.command)


@given(st.lists(WORDS, min_size=1).filter(lambda words: words[0] != ""))
def test_the_command_after_two_dashes_is_unchanged(command: list[str]) -> None:
    for before in (["job"], ["--quiet", "job", "--tag", "a"], ["job", "--timeout=5", "-v"]):
        assert parse([*before, "--", *command]).command == command


@given(
    st.sampled_from(["prog", "./x", "/bin/true", "a=b"]),
    st.lists(WORDS),
)
def test_the_command_after_its_name_is_unchanged(program: str, rest: list[str]) -> None:
    assert parse(["job", "--quiet", program, *rest]).command == [program, *rest]


@given(st.lists(st.binary(max_size=40)), st.integers(min_value=0, max_value=50))
def test_the_tail_keeps_the_newest_bytes(chunks: list[bytes], keep: int) -> None:
    tail = Tail(keep)
    everything = b""
    for chunk in chunks:
        tail.add(memoryview(chunk))
        everything += chunk
        kept = everything[-keep:] if keep else b""
        assert tail.snapshot() == (kept, len(everything) - len(kept))
        assert tail.total_bytes == len(everything)


@given(
    st.lists(st.text("ab\n", max_size=8).map(str.encode)),
    st.sampled_from([b"a", b"^a", b"b$", b"^$", b"^ab*a$", b"aa|bb", b"\\A.\\Z"]),
)
def test_a_matcher_matches_line_by_line_however_it_is_fed(
    chunks: list[bytes], pattern: bytes
) -> None:
    matcher = Matcher([re.compile(pattern)])
    for chunk in chunks:
        matcher.feed(memoryview(chunk))
    lines = b"".join(chunks).split(b"\n")
    if not lines[-1]:
        lines.pop()
    matching = [line for line in lines if re.search(pattern, line)]

    assert bool(matcher.finish()) == bool(matching)
    assert matcher.found == ((matching[0] or b" ") if matching else b"")


@pytest.mark.parametrize("before", [0, 40_000, 65_530, 65_536, 200_000, 299_995])
@pytest.mark.parametrize("chunk_bytes", [1_000, 65_536, 262_144])
def test_a_matcher_finds_a_word_in_a_line_without_end(before: int, chunk_bytes: int) -> None:
    line = b"x" * before + b"ERROR" + b"y" * (300_000 - before)
    matcher = Matcher([re.compile(b"ERROR")])
    for at in range(0, len(line), chunk_bytes):
        matcher.feed(memoryview(line[at : at + chunk_bytes]))

    assert matcher.finish()


@given(st.integers(0, 40_000), st.integers(0, 20_000), st.integers(1, 30_000))
@example(15_904, 4_096, 20_000)
@example(16_384, 1, 16_389)
def test_no_piece_of_a_long_line_is_taken_for_a_line(
    before: int, after: int, chunk_bytes: int
) -> None:
    line = b"x" * before + b"ERROR" + b"x" * after
    for pattern in (rb"^ERROR", rb"ERROR$", rb"\bERROR", rb"ERROR\b", rb"(?<!x)ERROR", rb"ERROR.*"):
        matcher = Matcher([re.compile(pattern)])
        for data in (line, b"\n", line):
            for at in range(0, len(data), chunk_bytes):
                matcher.feed(memoryview(data[at : at + chunk_bytes]))
        assert bool(matcher.finish()) == bool(re.search(pattern, line)), pattern


@pytest.mark.parametrize("pattern", [b"x$", b"^x", b"x(?!x)", b"ax{3000}b", b"x{9000}"])
@pytest.mark.parametrize("line", [b"x" * 15_999 + b"b", b"b" + b"x" * 15_999])
def test_the_pieces_of_a_long_line_have_no_ends_of_their_own(pattern: bytes, line: bytes) -> None:
    matcher = Matcher([re.compile(pattern)])
    matcher.feed(line + b"\n")

    # It may only miss what is longer than a piece.
    is_short = pattern != b"x{9000}"
    assert bool(matcher.finish()) == (is_short and bool(re.search(pattern, line)))


SECRETS = st.lists(st.text("abc", min_size=6, max_size=12).map(str.encode), min_size=1, max_size=4)


@given(SECRETS, st.data())
def test_no_secret_is_left(secrets: list[bytes], data: st.DataObject) -> None:
    parts = st.one_of(st.sampled_from(secrets), st.text("abcd \n", max_size=5).map(str.encode))
    raw = b"".join(data.draw(st.lists(parts)))
    environ = {b"TOKEN_%d" % number: secret for number, secret in enumerate(secrets)}
    clean, gone = redact(raw, secrets_of(environ, []), [])

    assert gone == 0
    assert not any(secret in clean for secret in secrets)


@given(SECRETS, st.data())
def test_no_part_of_a_secret_is_left_at_the_cut(secrets: list[bytes], data: st.DataObject) -> None:
    secret = data.draw(st.sampled_from(secrets))
    # Where the margin ends, a secret stands in any position.
    at = data.draw(st.integers(min_value=MARGIN_BYTES - 20, max_value=MARGIN_BYTES + 5))
    raw = b"-" * at + secret + b"+" * 30
    clean, gone = redact(raw, secrets_of({b"A_TOKEN": secret}, []), [], margin_bytes=MARGIN_BYTES)

    assert set(clean.replace(b"[redacted]", b"")) <= set(b"-+")
    assert gone >= MARGIN_BYTES


@pytest.mark.parametrize("cut", [1, 3000, 5000])
def test_a_secret_longer_than_the_margin_is_left_out_whole(cut: int) -> None:
    secret = b"".join(b"%06d" % number for number in range(4000))
    raw = secret[cut:] + b"+" * 30

    assert redact(raw, [secret], [], margin_bytes=MARGIN_BYTES)[0] == b"+" * 30


@given(st.text())
def test_any_text_is_a_schedule_or_not(text: str) -> None:
    assert isinstance(find_fault(text), str)


NUMBERS = st.tuples(st.integers(1, 7), st.integers(1, 7)).map(sorted)
ITEMS = st.one_of(
    st.just("*"),
    st.integers(1, 7).map(str),
    NUMBERS.map(lambda pair: f"{pair[0]}-{pair[1]}"),
    NUMBERS.map(lambda pair: f"{pair[0]}-{pair[1]}/2"),
    st.integers(1, 7).map(lambda step: f"*/{step}"),
)
FIELDS = st.lists(ITEMS, min_size=1, max_size=3).map(",".join)


@given(st.lists(FIELDS, min_size=5, max_size=5))
def test_a_schedule_of_good_fields_is_good(fields: list[str]) -> None:
    assert find_fault(" ".join(fields)) == ""


@pytest.mark.parametrize(
    "schedule",
    ["@daily", "@Hourly", "0 5 * jan-mar mon,WED", "*/15 0-23/2 1,15 * 5-7", "0 0 * * sun-sat"],
)
def test_these_schedules_are_good(schedule: str) -> None:
    assert find_fault(schedule) == ""


@pytest.mark.parametrize(
    "schedule",
    ["", "@", "@no", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *"],
)
def test_these_schedules_are_not(schedule: str) -> None:
    assert find_fault(schedule) != ""


@pytest.mark.parametrize(
    "minute", ["*/0", "5-1", "a", "1,", "²", "1-2-3", "*/", "1.5", "-1", "1-", "-", "/5", "001"]
)
def test_these_minutes_are_not(minute: str) -> None:
    assert find_fault(f"{minute} * * * *") == f"bad minute {minute!r}"
