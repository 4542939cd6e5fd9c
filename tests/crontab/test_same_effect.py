"""A wrapped command does what it did: on stdout, on stderr, in files, by its exit code."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar_cli.crontab.calls import put_in_front
from tests.support.depth import depth
from tests.support.installation import Installation
from tests.support.pings import last_ping
from tests.support.radar import environment

_PROGRAMS = st.sampled_from(
    ["echo", "printf '%s '", "/bin/echo", "true", "false", "cat", "/bin/cat", "A='x y' env", "exit"]
)
_WORDS = st.sampled_from(
    [
        *("a", "'b  c'", '"d $V"', "e\\ f", "$V", "~", "*", "it\\'s", "\\\\", "'x'\\''y'", "3"),
        *(">out", ">>out", "2>&1", ">/dev/null", "2>/dev/null", ">&2", "<in"),
        *("$(echo s)", "`echo t`", "#c"),
    ]
)
# Of two that write into one file at a time, either may be the first.
_JOINS = st.sampled_from([" && ", " || ", "; ", " | cat; ", " >/dev/null 2>&1; "])
_COMMANDS = st.tuples(_PROGRAMS, st.lists(_WORDS, max_size=3)).map(
    lambda parts: " ".join([parts[0], *parts[1]])
)


@st.composite
def _lines(draw: st.DrawFn) -> str:
    line = draw(_COMMANDS)
    for _ in range(draw(st.integers(0, 2))):
        line += draw(_JOINS) + draw(_COMMANDS)
    if draw(st.booleans()):
        line = f"({line}\n)".replace("\n", " ") if "#" not in line else line
    return line + draw(st.sampled_from(["", " >/dev/null 2>&1", " >/dev/null", " >>out 2>&1"]))


def _run(command: bytes, folder: Path) -> tuple[int, bytes, bytes, dict[str, bytes]]:
    folder.mkdir(exist_ok=True)
    for each in folder.iterdir():
        each.unlink()
    (folder / "in").write_text("given\n")
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        input=b"stdin\n",
        env=environment(measured=False, V="v  w"),
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return done.returncode, done.stdout, done.stderr, files


def _check(line: str, link: Path, folder: Path) -> None:
    call = f"{link} run job --schedule '0 1 * * *'".encode()
    wrapped = put_in_front(line.encode(), call, b"")
    # env prints what radar adds to it.
    plain, watched = _run(line.encode(), folder), _run(wrapped, folder)
    assert _comparable(watched) == _comparable(plain), wrapped


def _comparable(ran: tuple[int, bytes, bytes, dict[str, bytes]]) -> object:
    def rows(text: bytes) -> list[bytes]:
        own = (b"RADAR_RUN_ID=", b"RADAR_MONITOR=", b"_=", b"SHLVL=", b"OLDPWD=")
        return sorted(row for row in text.split(b"\n") if not row.startswith(own))

    code, stdout, stderr, files = ran
    return code, rows(stdout), rows(stderr), {name: rows(text) for name, text in files.items()}


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(line=_lines())
def test_any_line_does_what_it_did(whole: Installation, tmp_path: Path, line: str) -> None:
    _check(line, whole.link, tmp_path / "cwd")


@pytest.mark.nightly
@settings(
    max_examples=depth(1, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(line=_lines())
def test_many_lines_do_what_they_did(whole: Installation, tmp_path: Path, line: str) -> None:
    _check(line, whole.link, tmp_path / "cwd")


@pytest.mark.parametrize(
    "line",
    ["./loud >/dev/null 2>&1", "cd . && ./loud >/dev/null 2>&1", "V=x ./loud >/dev/null 2>&1"],
)
def test_radar_sees_what_is_thrown_away(whole: Installation, tmp_path: Path, line: str) -> None:
    loud = tmp_path / "loud"
    loud.write_text("#!/bin/sh\necho loud; echo err >&2; exit 3\n")
    loud.chmod(0o755)
    call = f"{whole.link} run job --schedule '0 1 * * *'".encode()
    done = subprocess.run(
        ["/bin/sh", "-c", put_in_front(line.encode(), call, b"")],
        env=environment(measured=False),
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"")
    assert last_ping().body == b"loud\nerr\n"


def test_what_cd_complains_of_is_printed_and_the_run_is_missed(
    whole: Installation, tmp_path: Path
) -> None:
    call = f"{whole.link} run job --schedule '0 1 * * *'".encode()
    wrapped = put_in_front(b"cd nowhere && ./loud >/dev/null 2>&1", call, b"")
    code, stdout, stderr, _ = _run(wrapped, tmp_path / "cwd")
    assert (code != 0, stdout, b"nowhere" in stderr) == (True, b"", True)
