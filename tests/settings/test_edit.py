import copy
import re
import tomllib
from typing import Any, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radar_cli.settings.editing import (
    NotFoundError,
    find_line,
    is_same,
    prune,
    set_value,
    unset_value,
)
from tests.settings.documents import documents

PATHS = st.sampled_from(
    [
        ("server",),
        ("tail",),
        ("new",),
        ("headers", "X-Team"),
        ("headers", "a"),
        ("dotted", "server"),
        ("dotted", "new"),
        ("profiles", "work", "server"),
        ("profiles", "work", "headers", "b-c"),
        ("profiles", "my home", "tail"),
        ("profiles", "other one", "api_key"),
    ]
)
NEW_VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.integers(0, 10**9),
    st.lists(st.text("a\\d'\"#", max_size=5), max_size=3),
)


def comments(text: str) -> list[str]:
    return re.findall(r"# c\d+ ", text)


def other_values(text: str, *, without: tuple[str, ...]) -> set[str]:
    """The lines of values as they are written, but for those that name a path's last key."""
    return {
        line.strip()
        for line in text.splitlines()
        if "=" in line.partition("#")[0]
        and line.strip() != "line = [1"  # in a string of several lines
        and not any(name in line for name in without)
    }


def leaves(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all values but those in arrays of tables."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from leaves(value, (*path, name))
        if not values and path:
            yield path
    elif not (isinstance(values, list) and any(isinstance(each, dict) for each in values)):
        yield path


def put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    result = copy.deepcopy(values)
    table = result
    for name in path[:-1]:
        table = table.setdefault(name, {})
    table[path[-1]] = value
    return result


@settings(max_examples=200)
@given(text=documents(), path=PATHS, value=NEW_VALUES)
def test_it_sets_one_value_and_touches_nothing_else(
    text: str, path: tuple[str, ...], value: Any
) -> None:
    edit = set_value(text, path, value)
    assert is_same(tomllib.loads(edit.text), put(tomllib.loads(text), path, value))
    assert not edit.is_rewritten
    assert set(comments(edit.text)) == set(comments(text))
    assert other_values(edit.text, without=path) == other_values(text, without=path)
    newline = "\r\n" if "\r\n" in text else "\n"
    assert edit.text.count("\n") == edit.text.count(newline)


@settings(max_examples=200)
@given(text=documents(), data=st.data())
def test_it_removes_one_value_and_touches_nothing_else(text: str, data: st.DataObject) -> None:
    values = tomllib.loads(text)
    present = list(leaves(values))
    if not present:
        return
    path = data.draw(st.sampled_from(present))
    edit = unset_value(text, path)
    assert not edit.is_rewritten
    found: Any = tomllib.loads(edit.text)
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    assert found is None
    # Putting it back gives the old values, so nothing else has gone.
    value: Any = values
    for name in path:
        value = value[name]
    assert is_same(put(tomllib.loads(edit.text), path, value), values)
    # Those that stood in it, or behind it, have gone with it.
    gone = [each for each in comments(text) if each not in comments(edit.text)]
    assert comments(text) == sorted(comments(edit.text) + gone, key=comments(text).index)
    if not isinstance(value, dict):
        assert len(gone) <= 2  # its own, and its table's
    assert other_values(edit.text, without=path) == other_values(text, without=path)


def test_a_table_in_parts_keeps_the_comments_of_the_part_that_is_left_empty() -> None:
    text = '[profiles.a]\n# a note\nserver="x"\n[profiles.b]\n[profiles.a.headers]\nx = "1"\n'
    edit = unset_value(text, ("profiles", "a", "server"))
    assert edit.text == text.replace('server="x"\n', "")
    assert not edit.is_rewritten


@settings(max_examples=100)
@given(text=documents(), value=NEW_VALUES)
def test_it_undoes_what_it_did(text: str, value: Any) -> None:
    path = ("brand", "new")
    edit = unset_value(set_value(text, path, value).text, path)
    values = tomllib.loads(edit.text)
    values.pop("brand", None)
    assert is_same(values, tomllib.loads(text))
    assert comments(edit.text) == comments(text)


@given(text=documents(), data=st.data())
def test_it_finds_the_line_of_a_setting(text: str, data: st.DataObject) -> None:
    present = list(leaves(tomllib.loads(text)))
    if not present:
        return
    path = data.draw(st.sampled_from(present))
    lines = text.splitlines(keepends=True)
    line = find_line(text, path)
    assert path[-1] in lines[line - 1].replace("\\", "")
    assert path not in leaves(tomllib.loads("".join(lines[: line - 1])))


def test_it_replaces_a_value_and_keeps_its_comment() -> None:
    text = '# mine\nserver="https://a.example"   # the old one\n\n[headers]\n'
    edit = set_value(text, ("server",), "https://b.example")
    assert edit.text == text.replace("a.example", "b.example")


def test_it_puts_a_first_setting_above_the_first_table_and_its_comment() -> None:
    text = "# radar on db-1\n\n# at work\n[profiles.work]\ntail = 1\n"
    edit = set_value(text, ("host",), "db-1")
    assert edit.text == ('# radar on db-1\nhost = "db-1"\n\n# at work\n[profiles.work]\ntail = 1\n')


def test_it_puts_a_setting_behind_the_others_of_its_table() -> None:
    text = "tail = 1\n\n[profiles.work]\ntail = 2\n  server = 'x' # s\n\n[headers]\n"
    edit = set_value(text, ("profiles", "work", "api_key"), "k")
    assert edit.text == text.replace("# s\n", '# s\napi_key = "k"\n')


def test_it_starts_a_table_at_the_end() -> None:
    edit = set_value("tail = 1", ("profiles", "work", "server"), "x")
    assert edit.text == 'tail = 1\n\n[profiles.work]\nserver = "x"\n'
    assert set_value("", ("server",), "x").text == 'server = "x"\n'
    assert set_value("# only words", ("tail",), 1).text == "# only words\ntail = 1\n"


def test_it_edits_inside_an_inline_table() -> None:
    text = "headers = { A = '1' } # two\n"
    edit = set_value(text, ("headers", "B"), "2")
    assert edit.text == "headers = { A = '1', B = \"2\"} # two\n"
    assert unset_value(edit.text, ("headers", "A")).text == 'headers = {  B = "2"} # two\n'


def test_it_removes_a_whole_profile() -> None:
    text = "[profiles.work]\ntail = 1\n# why\n[profiles.work.headers]\nA = '1'\n[profiles.b]\n"
    edit = unset_value(text, ("profiles", "work"))
    assert edit.text == "[profiles.b]\n"


def test_it_rewrites_what_cannot_be_edited_in_place() -> None:
    # tomlkit can't take a dotted key out of a table in braces.
    text = "# lost\na = { b = { c = 1 }, d.c = 1 }\n"
    edit = unset_value(text, ("a", "d", "c"))
    assert edit.is_rewritten
    assert prune(tomllib.loads(edit.text)) == {"a": {"b": {"c": 1}}}


@pytest.mark.parametrize("path", [("tail", "x"), ("headers", "A", "x")])
def test_it_refuses_to_set_something_below_a_value(path: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="is not a table"):
        set_value("tail = 1\nheaders.A = '1'\n", path, "v")


@pytest.mark.parametrize("path", [("host",), ("headers", "B"), ("tail", "x"), ("profiles", "w")])
def test_it_says_that_there_is_nothing_to_remove(path: tuple[str, ...]) -> None:
    with pytest.raises(NotFoundError):
        unset_value("tail = 1\n[headers]\nA = '1'\n", path)
