"""Secrets as programs print them: quoted, encoded, in lines with something before each."""

import base64
import html
import json
import shlex
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.core.credentials import secrets_of
from radar_cli.core.redaction import redact
from radar_cli.wrap.output import MARGIN_BYTES, Tail

VALUE = 'it\'s a "p/w"+1 & ä€𝄞\\end%'
KEY_LINES = "".join(f"b3BlbnNza{n}ArdG9w/{n}+Q\n" for n in range(20))
PEM = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{KEY_LINES}AA3Nz==\n-----END OPENSSH PRIVATE KEY-----"
PARTS = ["s3cr3t/v4lue", "s3cr3t%2Fv4lue", "x", "\n", "c2VjcmV0"]

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda value: value,
    "%20": lambda value: urllib.parse.quote(value, safe=""),
    "%20, with /": urllib.parse.quote,
    "+": urllib.parse.quote_plus,
    "lower hex": lambda value: "".join(f"%{byte:02x}" for byte in value.encode()),
    "mixed hex": lambda value: urllib.parse.quote(value, safe="/").replace("%E", "%e"),
    "JSON": lambda value: json.dumps(value)[1:-1],
    "JSON in UTF-8": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    r"JSON with \/": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "JSON, all escaped": lambda value: "".join(
        f"\\u{unit:04X}" for unit in memoryview(value.encode("utf-16-le")).cast("H").tolist()
    ),
    "Python": lambda value: repr(value)[1:-1],
    "bytes": lambda value: repr(value.encode())[2:-1],
    "octal": lambda value: "".join(f"\\{byte:03o}" for byte in value.encode()),
    "shlex": lambda value: shlex.quote(f"{value} ")[1:-2],
    "shell": lambda value: value.replace("'", "'\\''"),
    "shell, double": lambda value: value.replace("\\", "\\\\").replace('"', '\\"'),
    "printf %q": lambda value: "".join(c if c.isalnum() else f"\\{c}" for c in value),
    "HTML": html.escape,
    "XML": lambda value: value.replace("&", "&#38;").replace("'", "&apos;"),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64url": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "Basic": lambda value: base64.b64encode(f"ann:{value}".encode()).decode(),
    "Basic, shorter": lambda value: base64.b64encode(f"a:{value}".encode()).decode(),
    "Basic, no user": lambda value: base64.b64encode(f":{value}".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [VALUE, "two words", "a/b+c=d&e", "x'y'z w", "plain0Word"])
def test_it_finds_a_secret_in_this_form(form: str, value: str) -> None:
    secrets = secrets_of({b"MY_TOKEN": value.encode()}, [])
    printed = FORMS[form](value)
    clean, gone = redact(f"<{printed}>".encode(), secrets)

    assert (clean, gone) == (b"<[redacted]>", 0)


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"], include_characters=" "),
        min_size=12,
        max_size=20,
    ),
    st.sampled_from(sorted(FORMS)),
)
def test_it_finds_any_secret_in_any_form(value: str, form: str) -> None:
    secrets = secrets_of({b"MY_TOKEN": value.encode()}, [])
    if value.strip() != value or secrets != [value.encode()]:
        return  # the path of a file, or of spaces
    clean, _ = redact(f"<{FORMS[form](value)}>".encode(), secrets)

    assert value.encode() not in clean
    assert b"[redacted]" in clean


@pytest.mark.parametrize("prefix", ["", "    ", "> ", "debug1: ", "2026-11-05 12:00:00 | ", "#\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\\n"])
def test_it_finds_a_key_with_something_before_each_line(prefix: str, end: str) -> None:
    secrets = secrets_of({b"SSH_PRIVATE_KEY": PEM.encode()}, [])
    printed = end.join(prefix + line for line in PEM.split("\n"))
    clean = redact(printed.encode(), secrets)[0].decode()

    assert not any(line in clean for line in PEM.split("\n") if not line.startswith("---"))
    if prefix:
        assert "-----BEGIN OPENSSH PRIVATE KEY-----" in clean


def test_it_finds_the_lines_of_a_key_that_is_kept_in_one() -> None:
    secrets = secrets_of({b"PRIVATE_KEY": PEM.replace("\n", "\\n").encode()}, [])

    assert b"b3Blb" not in redact(PEM.encode(), secrets)[0]


@pytest.mark.parametrize(
    "text",
    [
        "100%", "50% of 7+8", "a\\b \\u12 \\x \\", "it's '\\''", "&amp; &#0; &#x110000; &nope; &",
        "%zz %1 %", "\\ud83d \\udc00", "&#-1;", "\\777",
    ],
)  # fmt: skip
def test_it_leaves_alone_what_only_looks_quoted(text: str) -> None:
    secrets = secrets_of({b"MY_TOKEN": VALUE.encode()}, [])

    assert redact(text.encode(), secrets) == (text.encode(), 0)


@pytest.mark.parametrize("form", ["as it is", "lower hex", "JSON, all escaped", "base64"])
@pytest.mark.parametrize("cut", [1, 3000, 20_000])
def test_it_leaves_no_half_of_a_long_secret_at_the_cut(form: str, cut: int) -> None:
    secret = "/".join(f"{number:05}" for number in range(5000))
    printed = FORMS[form](secret)[cut:]
    raw = (printed + "-" * (MARGIN_BYTES - len(printed)) + "|" + "+" * 30).encode()
    clean, gone = redact(raw, [secret.encode()], margin_bytes=MARGIN_BYTES)

    assert clean.endswith(b"|" + b"+" * 30)
    assert len(clean) < 60
    assert gone >= MARGIN_BYTES


@given(
    st.lists(st.sampled_from(PARTS), max_size=9),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_it_gives_the_same_text_however_the_output_is_cut(
    parts: list[str], cuts: list[int]
) -> None:
    raw = "".join(parts).encode()
    tail, at = Tail(1000), 0
    for cut in sorted(min(cut, len(raw)) for cut in cuts):
        tail.add(memoryview(raw[at:cut]))
        at = cut
    tail.add(memoryview(raw[at:]))
    secrets = secrets_of({b"A_TOKEN": b"s3cr3t/v4lue"}, [])
    clean, _ = redact(tail.snapshot()[0], secrets)

    assert clean == redact(raw, secrets)[0]
    assert b"v4lue" not in clean
