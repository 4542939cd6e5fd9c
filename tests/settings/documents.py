"""Config files as people write them: comments anywhere, every way to spell a key or a value."""

from hypothesis import strategies as st

# Each with the value after it is set anew; comments inside brackets come on lines of their own.
VALUES = st.sampled_from(
    [
        '"plain"',
        '"with # no comment and a \\" quote"',
        "'lit\\eral # x'",
        '""',
        "''",
        '"""multi # not a comment\nline = [1\n"""',
        "'''\nit's\n[not.a.table]\n'''",
        '"""two quotes at the end"""""',
        '"""one quote at the end""""',
        "'''one # quote at the end''''",
        "10",
        "1_000",
        "-2.5e3",
        "true",
        "nan",
        "2026-01-01T00:00:00Z",
        "2026-01-01",
        "[]",
        '["a", "b"]',
        '[\n  "a#b",\n  "]",\n  [1, 2],\n]',
        "{}",
        '{ a = 1, "b.c" = "}" }',
        "{ list = [1, 2], inner = { x = 'y' } }",
    ]
)
NAMES = st.sampled_from(["server", "tail", "host", "a", "b-c", '"quoted key"', "'x.y'", "d1"])
SPACES = st.sampled_from(["", " ", "  ", "\t"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Return a valid TOML text whose comments are `# c1`, `# c2` and so on."""
    count = 0
    lines: list[str] = []

    def comment() -> str:
        nonlocal count
        count += 1
        return f"# c{count} = [\"'"

    def noise() -> None:
        lines.extend(
            draw(SPACES) + (comment() if draw(st.booleans()) else "")
            for _ in range(draw(st.integers(0, 2)))
        )

    def pairs(prefix: str = "") -> None:
        for name in draw(st.lists(NAMES, max_size=4, unique=True)):
            indent, space = draw(SPACES), draw(SPACES)
            behind = draw(SPACES) + comment() if draw(st.booleans()) else draw(SPACES)
            lines.append(f"{indent}{prefix}{name}{space}={space}{draw(VALUES)}{behind}")
            noise()

    noise()
    pairs()
    if draw(st.booleans()):
        pairs("dotted.")
    headers = [
        "[headers]",
        "[profiles.work]",
        '[ profiles . "my home" ]',
        "[profiles.work.headers]",
    ]
    headers += ["[[jobs]]", "[jobs.deep]", "[[jobs]]"] if draw(st.booleans()) else []
    for header in headers:
        if not header.startswith("[[") and header != "[jobs.deep]" and draw(st.booleans()):
            continue
        lines.append(draw(SPACES) + header + (f" {comment()}" if draw(st.booleans()) else ""))
        noise()
        pairs()
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    end = draw(st.sampled_from(["", newline]))
    return newline.join("\n".join(lines).split("\n")) + end
