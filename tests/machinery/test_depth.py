"""What is left to the night has a sibling of every day."""

import ast
from pathlib import Path

_TESTS = Path(__file__).parent.parent


def _names_of_siblings() -> list[tuple[str, str]]:
    """Files, and what their marks `nightly(daily=...)` name."""
    return [
        (path.name, str(keyword.value.value))
        for path in sorted(_TESTS.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.nightly"
        for keyword in node.keywords
        if keyword.arg == "daily" and isinstance(keyword.value, ast.Constant)
    ]


def test_what_runs_at_night_alone_names_what_runs_each_day() -> None:
    named = _names_of_siblings()
    assert len(named) > 3
    assert [each for each in named if not (_TESTS.parent / each[1]).exists()] == []
