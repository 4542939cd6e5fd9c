import csv
import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.cli.render import Cell, Result, Table, clean, envelope, print_result
from radar_cli.core.errors import UsageError
from tests.support.radar import environment, radar_path
from tests.support.terminal import Terminal

TABLE = Table(("name", "state"), [("a", Cell("up", "green")), ("long name", None)])


def printed(
    result: Result, capsys: pytest.CaptureFixture[str], output: str = "table"
) -> tuple[int, str, str]:
    code = print_result(result, "c", output, is_color_wanted=True)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@given(st.text())
def test_it_leaves_nothing_in_a_text_that_a_terminal_would_obey(text: str) -> None:
    shown = clean(text)
    assert all(character.isprintable() or character == "\u00a0" for character in shown)
    assert shown.isprintable() or "\u00a0" in shown
    shown.encode()  # no surrogates


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünï 日本", "plain ünï 日本"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("evil\u202egnp.exe", "evil\\u202egnp.exe"),
        ("\udcff", "\\udcff"),
        ("1\u00a0000", "1\u00a0000"),
    ],
)
def test_it_writes_control_characters_as_escapes(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_it_aligns_plain_text_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = printed(Result([], TABLE), capsys)
    assert (code, err) == (0, "")
    assert out == "name       state\na          up\nlong name\n"


def test_it_aligns_wide_and_combining_characters(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(("a", "b"), [("日本", "x"), ("e\u0301", "y"), ("abcd", "z")])
    _, out, _ = printed(Result([], table), capsys)
    assert out == "a     b\n日本  x\ne\u0301     y\nabcd  z\n"


def test_it_puts_what_is_no_data_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    empty = Table(("a",), [], empty="nothing here")
    assert printed(Result([], empty, notes=("mind\x1b",)), capsys) == (
        0,
        "",
        "radar: mind\\x1b\nradar: nothing here\n",
    )


def test_it_prints_csv_that_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(("a", "b"), [('q"uote, comma', Cell(5, "red")), ("", None), ("x\ny", "\x1b")])
    _, out, _ = printed(Result([], table), capsys, "csv")
    assert list(csv.reader(io.StringIO(out))) == [
        ["a", "b"],
        ['q"uote, comma', "5"],
        ["", ""],
        ["x\\ny", "\\x1b"],
    ]


def test_it_keeps_the_lines_of_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(Result("x", text="one\ntwo\x1b"), capsys)[1] == "one\ntwo\\x1b\n"


@given(st.text(), st.text())
def test_it_prints_json_as_one_line_of_ascii(message: str, value: str) -> None:
    for text in (
        envelope("c", data=[value]),
        envelope("c", error=UsageError(message)),
        envelope("c", data=value, error=UsageError(message)),
    ):
        assert text.isascii()
        assert text.count("\n") == 1
        content = json.loads(text)
        assert content.get("data", value) in ([value], value)
        assert "error" not in content or content["error"]["message"] == message


def test_it_fixes_the_shape_of_the_envelope() -> None:
    assert json.loads(envelope("config list", data=None)) == {
        "radar": 1,
        "command": "config list",
        "ok": True,
        "data": None,
    }
    assert json.loads(envelope("", error=UsageError("m", "h"))) == {
        "radar": 1,
        "command": "",
        "ok": False,
        "error": {"slug": "usage", "message": "m", "hint": "h"},
    }


def test_it_reports_a_failure_that_has_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result({"n": 1}, text="found", failure=UsageError("two problems"))
    assert printed(result, capsys) == (2, "found\n", "radar: two problems\n")
    code, out, _ = printed(result, capsys, "json")
    assert (code, json.loads(out)["ok"], json.loads(out)["data"]) == (2, False, {"n": 1})


def test_it_says_nothing_into_closed_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    result = Result([], TABLE, notes=("n",), failure=UsageError("m"))
    assert print_result(result, "c", "table", is_color_wanted=True) == 2


def screen(*words: str, **variables: str) -> bytes:
    env = environment(TERM="xterm-256color") | variables
    with Terminal([str(radar_path()), *words], env=env) as terminal:
        assert terminal.wait() == 0
        return terminal.screen


def test_it_shows_colours_to_a_person() -> None:
    assert b"\x1b[" in screen("config", "list")


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        (("config", "list"), {"NO_COLOR": "1"}),
        (("config", "list", "--no-color"), {}),
        (("--no-color", "config", "list"), {}),
        (("config", "list", "--json"), {}),
        (("config", "list", "--format", "csv"), {}),
    ],
)
def test_it_shows_no_colours_when_told_so(
    words: tuple[str, ...], variables: dict[str, str]
) -> None:
    assert b"\x1b" not in screen(*words, **variables)


def test_it_takes_an_empty_no_color_for_none() -> None:
    assert b"\x1b[" in screen("config", "list", NO_COLOR="")


def test_it_takes_no_markup_from_data() -> None:
    shown = screen("config", "list", RADAR_HOST="[red]db[/red]")
    assert b"[red]db[/red]" in shown
