"""A crontab line by line, as Vixie cron, cronie, Debian's cron and busybox read it (crontab(5)).

Each line keeps its own bytes: what is parsed is written back as it was. Only a newline ends a
line; a carriage return before it belongs to the command, as it does for cron.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from radar_cli.core.cron import ALIASES, find_fault

REBOOT = "@reboot"
_BLANKS = b" \t"
# What isspace(3) takes for space in the C locale.
_SPACES = b" \t\n\v\f\r"
_QUOTES = b"'\""

_NUMBER = r"\d{1,2}"
_MONTH = rf"(?:{_NUMBER}|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DAY = rf"(?:{_NUMBER}|sun|mon|tue|wed|thu|fri|sat)"


def _list_of(value: str) -> str:
    # cronie picks a minute of a range `0~30` when it reads the line.
    item = rf"(?:\*|{value}(?:-{value})?|{value}?~{value}?)(?:/\d+)?"
    return rf"{item}(?:,{item})*"


_TIMES = re.compile(
    r" ".join(map(_list_of, (_NUMBER, _NUMBER, _NUMBER, _MONTH, _DAY))), re.IGNORECASE
)
# cronie: a line that begins with a dash isn't logged.
_WHEN = re.compile(rb"[ \t]*-?(@[^ \t]+|(?:[^ \t]+[ \t]+){4}[^ \t]+)[ \t]+")
_USER = re.compile(rb"([^ \t]+)[ \t]+")
# OpenBSD and FreeBSD, and crons that took them over: mail only of failures, no log, no overlap.
_FLAGS = re.compile(rb"(?:-[nqs]+[ \t]+)*")


@dataclass(frozen=True)
class Line:
    """A line with its end; one that is no Variable and no Job is a comment, blank or invalid."""

    raw: bytes
    fault: str = ""  # why cron ignores it, if it means to be something


@dataclass(frozen=True)
class Variable(Line):
    """`NAME = value`: it holds for the jobs below it."""

    name: bytes = b""
    value: bytes = b""


@dataclass(frozen=True)
class Job(Line):
    """A line that cron runs. `command` is as it stands there, `%` and what follows included."""

    times: str = ""  # five fields, apart by one space each, or an @ form
    user: str = ""  # where there is a column for it
    flags: bytes = b""
    command: bytes = b""
    variables: Mapping[bytes, bytes] = field(default_factory=dict)

    @cached_property
    def head(self) -> bytes:
        """All that stands before the command."""
        return self.raw[: -len(self.command + self.end)]

    @property
    def end(self) -> bytes:
        """The newline, if there is one."""
        return self.raw[len(self.raw.rstrip(b"\n")) :]

    @property
    def is_at_boot(self) -> bool:
        """Whether it runs when cron starts, and at no time."""
        return self.times.lower() == REBOOT

    @property
    def schedule(self) -> str:
        """The times as a cron expression; "" if nobody can tell them beforehand."""
        return "" if find_fault(self.times) else self.times

    @property
    def delay_min(self) -> int:
        """By how many minutes cronie may start it later (RANDOM_DELAY)."""
        text = self.variables.get(b"RANDOM_DELAY", b"").strip()
        return int(text) if text.isdigit() and len(text) < 6 else 0

    @property
    def shell_line(self) -> bytes:
        r"""The line for the shell, up to the first `%` without a backslash; `\%` stays."""
        return self.command[: _find_percent(self.command)]

    @property
    def input(self) -> bytes:
        """From the `%` on: what the command reads on stdin, each further `%` a newline."""
        return self.command[_find_percent(self.command) :]

    def with_command(self, command: bytes) -> bytes:
        """Return the bytes of the line with another command."""
        return self.head + command + self.end


@dataclass(frozen=True)
class Crontab:
    """The lines of a crontab."""

    lines: tuple[Line, ...]

    @property
    def text(self) -> bytes:
        """The crontab as it is written."""
        return b"".join(line.raw for line in self.lines)

    @property
    def jobs(self) -> Iterator[tuple[int, Job]]:
        """The jobs with the numbers of their lines, from 1."""
        return ((n, line) for n, line in enumerate(self.lines, 1) if isinstance(line, Job))


def parse(text: bytes, *, has_users: bool) -> Crontab:
    """Read a crontab; `has_users` is for /etc/crontab and cron.d, where jobs name their user."""
    lines: list[Line] = []
    variables: dict[bytes, bytes] = {}
    for raw in _split(text):
        line = _read_line(raw, has_users=has_users)
        if isinstance(line, Variable):
            variables = {**variables, line.name: line.value}
        elif isinstance(line, Job):
            line = replace(line, variables=variables)
        lines.append(line)
    return Crontab(tuple(lines))


def _split(text: bytes) -> list[bytes]:
    rows = text.split(b"\n")
    last = rows.pop()
    return [row + b"\n" for row in rows] + ([last] if last else [])


def _read_line(raw: bytes, *, has_users: bool) -> Line:
    content = raw.removesuffix(b"\n")
    stripped = content.lstrip(_BLANKS)
    if not stripped or stripped.startswith(b"#"):
        return Line(raw)
    # Cron itself asks first whether a line sets a variable.
    variable = _read_variable(stripped)
    if variable is not None:
        return Variable(raw, name=variable[0], value=variable[1])
    return _read_job(raw, content, has_users=has_users)


def _read_job(raw: bytes, content: bytes, *, has_users: bool) -> Line:
    when = _WHEN.match(content)
    if when is None:
        return Line(raw, "it is no comment, no variable and no job")
    times = b" ".join(when[1].split()).decode("ascii", "replace")
    if fault := _find_fault(times):
        return Line(raw, fault)
    at, user = when.end(), b""
    if has_users:
        found = _USER.match(content, at)
        if found is None:
            return Line(raw, "it has no command behind its user")
        at, user = found.end(), found[1]
    flags = _FLAGS.match(content, at)
    assert flags is not None  # noqa: S101  (it may be empty)
    command = content[flags.end() :]
    if not command:
        return Line(raw, "it has no command")
    if (user or command).startswith(b"*"):
        return Line(raw, "it has a field too many")
    name = user.decode("utf-8", "surrogateescape")
    return Job(raw, times=times, user=name, flags=flags[0], command=command)


def _find_fault(times: str) -> str:
    if times.startswith("@"):
        is_known = times.lower() in ALIASES or times.lower() == REBOOT
        return "" if is_known else f"no such @ form: {times[:40]!r}"
    if _TIMES.fullmatch(times) is None:
        return f"{times[:60]!r} are no times"
    # What only some crons know is left to them.
    return "" if "~" in times else find_fault(times)


def _read_variable(text: bytes) -> tuple[bytes, bytes] | None:
    """Return name and value as load_env() of Vixie cron reads them, or None."""
    name, at = _read_word(text, 0, ends_at=b"=")
    while at < len(text) and text[at] in _SPACES:
        at += 1
    if not text.startswith(b"=", at):
        return None
    at += 1
    while at < len(text) and text[at] in _SPACES:
        at += 1
    if text[at : at + 1] and text[at] in _QUOTES:
        end = text.find(text[at], at + 1)
        # What follows a quoted value is ignored where it is space, and no variable else.
        if end < 0 or text[end + 1 :].strip(_SPACES):
            return None
        return name, text[at + 1 : end]
    return name, text[at:].rstrip(_SPACES)


def _read_word(text: bytes, at: int, *, ends_at: bytes) -> tuple[bytes, int]:
    """Return a variable's name, which may be quoted, and where it ends."""
    quote = text[at : at + 1] if text[at : at + 1] and text[at] in _QUOTES else b""
    begin = at = at + len(quote)
    while at < len(text) and text[at] != ends_at[0]:
        if quote and text[at] == quote[0]:
            return text[begin:at], at + 1
        if not quote and text[at] in _SPACES:
            break
        at += 1
    return text[begin:at], at


def _find_percent(command: bytes) -> int:
    r"""Return where the first `%` is that no backslash escapes, or the end.

    A backslash takes the character after it along, also another backslash (do_command.c).
    """
    at = 0
    while at < len(command):
        if command[at : at + 1] == b"%":
            return at
        at += 2 if command[at : at + 1] == b"\\" else 1
    return len(command)
