import csv
import io
import json
import sys
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.cli.answers import Answer, check_fields, pick
from radar_cli.cli.render import Cell, Result, Table, clean, envelope, print_result
from radar_cli.core.errors import UsageError
from tests.support.radar import environment, radar_path
from tests.support.terminal import Terminal

TABLE = Table(("name", "state"), [("a", Cell("up", "green")), ("long name", None)])


def printed(
    result: Result, capsys: pytest.CaptureFixture[str], output: str = "table"
) -> tuple[int, str, str]:
    code = print_result(result, "c", output, is_color_wanted=False)
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


class Inner(TypedDict):
    c: int
    d: list[str]


class Row(TypedDict):
    a: str
    b: Inner | None
    ok: bool
    tags: dict[str, str]


ROWS: list[Row] = [
    {"a": 'q"uote, comma', "b": {"c": 5, "d": ["x", "y"]}, "ok": True, "tags": {"k": "v"}},
    {"a": "x\ny\x1b", "b": None, "ok": False, "tags": {}},
]


def listed(
    capsys: pytest.CaptureFixture[str], output: str, *fields: str, shape: object = list[Row]
) -> str:
    result = Result(ROWS, TABLE)
    code = print_result(
        result, "c", output, is_color_wanted=False, answer=Answer(shape, ""), fields=fields
    )
    assert code == 0
    return capsys.readouterr().out


def test_it_prints_csv_with_the_values_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(csv.reader(io.StringIO(listed(capsys, "csv")))) == [
        ["a", "b.c", "b.d", "ok", "tags"],
        ['q"uote, comma', "5", '["x", "y"]', "true", '{"k": "v"}'],
        ["x\\ny\\x1b", "", "", "false", "{}"],
    ]


def test_it_prints_a_line_of_json_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert [json.loads(line) for line in listed(capsys, "ndjson").splitlines()] == ROWS


def test_it_prints_the_fields_that_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    fields = ("b.d", "a", "tags.k")
    picked = [
        {"b": {"d": ["x", "y"]}, "a": 'q"uote, comma', "tags": {"k": "v"}},
        {"b": {"d": None}, "a": "x\ny\x1b", "tags": {"k": None}},
    ]
    assert json.loads(listed(capsys, "json", *fields))["data"] == picked
    assert [json.loads(line) for line in listed(capsys, "ndjson", *fields).splitlines()] == picked
    header, *_ = csv.reader(io.StringIO(listed(capsys, "csv", *fields)))
    assert tuple(header) == fields
    assert listed(capsys, "table", "ok", "b.c") == "ok     b.c\ntrue   5\nfalse\n"


def test_it_keeps_an_object_that_is_asked_for_beside_its_field() -> None:
    row = {"b": {"c": 1, "d": []}}
    assert pick(row, ["b", "b.c"]) == pick(row, ["b.c", "b"]) == row


def test_it_prints_the_names_of_fields_of_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    answer = Answer(list[Row], "")
    print_result(Result([], TABLE), "c", "csv", is_color_wanted=False, answer=answer)
    assert capsys.readouterr().out == "a,b.c,b.d,ok,tags\n"


def test_it_prints_a_list_inside_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    class Outer(TypedDict):
        rows: list[Row]
        other: int

    answer, result = Answer(Outer, "rows"), Result({"rows": ROWS, "other": 3}, TABLE)
    print_result(result, "c", "ndjson", is_color_wanted=False, answer=answer, fields=["ok"])
    assert capsys.readouterr().out == '{"ok": true}\n{"ok": false}\n'
    print_result(result, "c", "json", is_color_wanted=False, answer=answer, fields=["ok"])
    data = json.loads(capsys.readouterr().out)["data"]
    assert data == {"rows": [{"ok": True}, {"ok": False}], "other": 3}


@pytest.mark.parametrize("name", ["nope", "b.nope", "a.b", "ok.x", "", "tags.k.l"])
def test_it_knows_no_other_field(name: str) -> None:
    with pytest.raises(UsageError, match="no field"):
        check_fields([name], [Row])


def test_it_keeps_the_lines_of_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(Result("x", text="one\ntwo\x1b"), capsys)[1] == "one\ntwo\\x1b\n"


@given(st.text(), st.text())
def test_it_prints_json_as_one_line_of_ascii(message: str, value: str) -> None:
    for text in (
        envelope("c", 0, data=[value]),
        envelope("c", 2, error=UsageError(message)),
        envelope("c", 2, data=value, error=UsageError(message)),
    ):
        assert text.isascii()
        assert text.count("\n") == 1
        content = json.loads(text)
        assert content["data"] in ([value], value, None)
        assert content["error"] is None or content["error"]["message"] == message


def test_it_fixes_the_shape_of_the_envelope() -> None:
    assert json.loads(envelope("config list", 1, data=[1])) == {
        "version": 2,
        "command": "config list",
        "ok": False,
        "exit_code": 1,
        "error": None,
        "data": [1],
    }
    assert json.loads(envelope("", 2, error=UsageError("m", "h"))) == {
        "version": 2,
        "command": "",
        "ok": False,
        "exit_code": 2,
        "error": {"slug": "usage", "message": "m", "hint": "h"},
        "data": None,
    }


def test_it_writes_numbers_that_json_lacks_as_null() -> None:
    assert json.loads(envelope("c", 0, data={"a": [float("nan"), 1.5]}))["data"] == {
        "a": [None, 1.5]
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
    assert print_result(result, "c", "table", is_color_wanted=False) == 2


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
