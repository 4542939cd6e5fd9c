"""Tables in a width, for any names: what fits, what is cut, and what never is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.cli.layout import break_text, cut, width_of, wrap
from radar_cli.cli.render import Cell, Table, draw

_TEXTS = st.one_of(
    st.text(st.sampled_from("abc xyz-.0189"), max_size=60),
    st.text(st.sampled_from("日本語한글e\u0301\u0e31ü✓"), max_size=40),
)
_KEYS = st.text(st.sampled_from("abcxyz-.0189"), min_size=1, max_size=60)


def _table(rows: list[tuple[str, str, str, str]]) -> Table:
    return Table(
        ("key", "status", "said", "more"),
        rows,
        least=("more", "said"),
        whole=("key", "status"),
    )


@given(
    st.lists(
        st.tuples(_KEYS, st.sampled_from(["up", "down (missed)"]), _TEXTS, _TEXTS), min_size=1
    ),
    st.integers(40, 200),
)
def test_it_prints_a_line_for_each_row_with_its_key_and_status_whole(
    rows: list[tuple[str, str, str, str]], width: int
) -> None:
    _, *lines = draw(_table(rows), width, is_color_wanted=False)
    assert len(lines) == len(rows)
    for line, (key, status, _, _) in zip(lines, rows, strict=True):
        assert line.split("  ")[0] == key
        assert status in line
        assert width_of(line) <= max(width, len(key) + 2 + len(status))


def test_it_cuts_the_least_important_column_and_then_leaves_it_out() -> None:
    table = _table([("backup", "up", "all is well", "and some words more")])
    assert draw(table, None, is_color_wanted=False)[1] == (
        "backup  up      all is well  and some words more"
    )
    assert draw(table, 40, is_color_wanted=False)[1] == "backup  up      all is well  and some w…"
    assert draw(table, 30, is_color_wanted=False)[1] == "backup  up      all is well"
    assert draw(table, 25, is_color_wanted=False)[1] == "backup  up      all is w…"
    assert draw(table, 22, is_color_wanted=False)[1] == "backup  up"


def test_it_lets_one_long_key_reach_out_of_its_column() -> None:
    long = "k" * 50
    table = _table([("a", "up", "fine", ""), (long, "down (missed)", "x" * 30, "")])
    header, short, row = draw(table, 70, is_color_wanted=False)
    assert header == "key  status         said"[: len(header)] or header.startswith("key  status")
    assert short.startswith("a    up")
    assert row.startswith(f"{long}  down (missed)")
    assert width_of(row) <= 70
    # On a screen that is drawn again and again, a row is one line in any case.
    assert all(
        width_of(line) <= 40 for line in draw(table, 40, is_color_wanted=False, is_bound=True)
    )


def test_it_puts_hints_on_lines_of_their_own_and_breaks_words_only_between_them() -> None:
    rows = [
        ("mail", Cell("bad", "red"), "mail to you stays on this machine", "'radar notify test'")
    ]
    table = Table(("what", "state", "found", "hint"), rows, wrapped=("found",), hint="hint")
    assert draw(table, 36, is_color_wanted=False) == [
        "what  state  found",
        "mail  bad    mail to you stays on",
        "             this machine",
        "    'radar notify test'",
    ]
    wide = draw(table, 100, is_color_wanted=False)
    assert wide[1].endswith("mail to you stays on this machine  'radar notify test'")
    painted = draw(table, 36, is_color_wanted=True)
    assert "\x1b[31mbad\x1b[0m" in painted[1]


def test_it_never_breaks_a_quoted_command() -> None:
    text = "(see 'radar notify test', it isn't hard), or leave it"
    assert break_text(text, 30) == ["(see 'radar notify test', it", "isn't hard), or leave it"]
    assert break_text("see 'radar notify test'", 12) == ["see", "'radar notify test'"]
    assert break_text(text, 80) == [text]


@given(_TEXTS, st.integers(2, 30))
def test_it_cuts_by_what_a_terminal_shows(text: str, width: int) -> None:
    shown = "".join(part for part, _ in cut([(text, "")], width))
    assert width_of(shown) <= width
    assert shown == text if width_of(text) <= width else shown.endswith("…")


@given(_TEXTS, st.integers(4, 30))
def test_it_loses_no_word_when_it_wraps(text: str, width: int) -> None:
    lines = ["".join(part for part, _ in line) for line in wrap([(text, "red")], width)]
    assert " ".join(lines).split() == text.split()
    assert all(width_of(line) <= width or " " not in line.strip() for line in lines)


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("日本", 4), ("e\u0301", 1), ("ก\u0e31", 1), ("한", 2), ("✓", 1)],
)
def test_it_knows_how_wide_characters_are(text: str, width: int) -> None:
    assert width_of(text) == width
