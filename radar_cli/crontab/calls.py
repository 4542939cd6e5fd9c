"""Calls of radar in commands: found, put in front, and taken out again."""

import os
import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from radar_cli.crontab.shell import COMMENT, OPERATOR, REDIRECTION, WORD, Token, quote, tokenize

# By what the shells with the quoting of sh are called.
_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "ksh93", "mksh", "zsh")
_DEFAULT_SHELL = b"/bin/sh"
_WITHIN = re.compile(rb"\bradar['\"]?[ \t]+run[ \t]")


@dataclass(frozen=True, slots=True)
class Call:
    """A `radar run` in a command: from `start` to `end`, where what it runs begins.

    Without a key it can't be told what it runs. With `-c`, `body` is the shell line, and `end` is
    behind it.
    """

    verb: str  # run, ping, check, ...
    start: int
    end: int
    key: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


def find_call(command: bytes, valued: Collection[str]) -> Call | None:
    """Return how a command calls radar, whatever its path; `valued` are options with a value."""
    tokens, _ = tokenize(command)
    is_first = True
    for index, token in enumerate(tokens):
        if token.kind == OPERATOR:
            is_first = True
        elif token.kind == WORD:
            if is_first and _is_radar(token):
                return _read_call(tokens[index:], valued)
            # A variable or a wrapper (nice, timeout 60, ...) may stand in front.
            if token.raw == b"radar_cli" and tokens[index - 1].raw == b"-m":
                return _read_call(tokens[index:], valued)
            is_assigned = is_first and token.is_assignment
            is_first = is_assigned or _is_radar_behind(tokens, index)
    # In the words of another shell, say, where it can't be told what is run.
    within = _WITHIN.search(command)
    return None if within is None else Call("run", within.start(), within.end())


def _is_radar_behind(tokens: list[Token], index: int) -> bool:
    following = tokens[index + 1 : index + 3]
    verbs = (b"run", b"check", b"ping")
    return len(following) == 2 and _is_radar(following[0]) and following[1].raw in verbs


def _is_radar(token: Token) -> bool:
    return token.kind == WORD and os.path.basename(_unquote(token.raw)) == b"radar"


def _read_call(tokens: list[Token], valued: Collection[str]) -> Call:
    words = [token for token in tokens if token.kind == WORD]
    start = words[0].start
    if len(words) < 2:
        return Call("", start, words[0].end)
    at = 1
    while at < len(words) - 1 and words[at].raw.startswith(b"-"):
        at += 2 if words[at].raw in (b"--profile", b"--server") else 1
    verb = words[min(at, len(words) - 1)].raw.decode("ascii", "replace")
    key, options, body, at = "", dict[str, str](), None, at + 1
    while at < len(words):
        text = _unquote(words[at].raw)
        if text == b"--":
            at += 1
            if key:
                # A redirection may come first.
                begin = words[at - 1].end
                following = (token.start for token in tokens if token.start >= begin)
                return Call(verb, start, next(following, begin), key, options)
            continue
        if not text.startswith(b"-") or text == b"-":
            if key:
                break
            key = text.decode("utf-8", "replace")
        else:
            flag, equals, value = text.decode("utf-8", "surrogateescape").partition("=")
            if not equals and flag in valued and at + 1 < len(words):
                at += 1
                value = _unquote(words[at].raw).decode("utf-8", "surrogateescape")
            options[flag] = value
            if flag == "-c":
                body = value.encode("utf-8", "surrogateescape")
        at += 1
    end = words[at].start if at < len(words) and body is None else words[at - 1].end
    return Call(verb, start, end, key, options, body)


def _unquote(word: bytes) -> bytes:
    try:
        parts = shlex.split(word.decode("latin-1"))
    except ValueError:
        return word
    return parts[0].encode("latin-1") if len(parts) == 1 else word


def put_in_front(command: bytes, call: bytes, shell: bytes, *, can_miss: bool = True) -> bytes:
    """Return a command that does the same under radar; `call` is `LINK run KEY OPTIONS`.

    What throws output away stays outside, so that radar sees it and cron doesn't. `can_miss`:
    radar notices if the command doesn't even come to run. ValueError says why it can't be done.
    """
    tokens, is_whole = tokenize(command)
    _check_shell(shell)
    if not command.strip():
        raise ValueError("there is no command to run")
    if is_whole and _is_simple(tokens) and _starts_program(tokens):
        return call + b" -- " + command
    if is_whole and can_miss and (at := _find_behind_cd(tokens)):
        return command[:at] + call + b" -- " + command[at:]
    end = _find_end_of_body(tokens) if is_whole else len(command)
    body = quote(command[:end])
    if (shell or _DEFAULT_SHELL) == _DEFAULT_SHELL:
        return call + b" -c " + body + command[end:]
    return call + b" -- " + shell + b" -c " + body + command[end:]


def _check_shell(shell: bytes) -> None:
    if not shell:
        return
    name = os.path.basename(shell).decode("utf-8", "replace")
    if name not in _SHELLS or not Token(WORD, shell, 0).is_program:
        raise ValueError(f"its SHELL is {shell.decode('utf-8', 'replace')}, which quotes otherwise")


def take_away(command: bytes, call: Call, shell: bytes) -> bytes:
    """Return the command without its call of radar."""
    before, behind = command[: call.start], command[call.end :]
    if call.body is not None:
        return before + call.body + behind
    if shell and shell != _DEFAULT_SHELL:
        words = [token for token in tokenize(behind)[0] if token.kind == WORD]
        if len(words) == 3 and words[0].raw == shell and words[1].raw == b"-c":
            return before + _unquote(words[2].raw) + behind[words[2].end :]
    return before + behind


def _is_simple(tokens: list[Token]) -> bool:
    return all(token.kind != OPERATOR for token in tokens)


def _starts_program(tokens: list[Token]) -> bool:
    words = [token for token in tokens if token.kind == WORD]
    return bool(words) and words[0].is_program


def _find_behind_cd(tokens: list[Token]) -> int:
    """Return where the program begins in `cd DIR && PROGRAM >/dev/null`, or 0.

    With radar in front of it all, what `cd` complains of wouldn't be mailed any more.
    """
    begins = len(tokens) > 3 and tokens[0].raw == b"cd" and tokens[1].kind == WORD
    if not begins or tokens[2].raw != b"&&":
        return 0
    rest = tokens[3:]
    is_silenced = any(token.is_to_nowhere for token in rest)
    return rest[0].start if _is_simple(rest) and _starts_program(rest) and is_silenced else 0


def _find_end_of_body(tokens: list[Token]) -> int:
    """Return where what belongs between the quotes ends: before what throws output away."""
    end = tokens[-1].end
    kept = list(tokens)
    while kept and kept[-1].is_to_nowhere:
        kept.pop()
    if len(kept) == len(tokens) or not kept:
        return end
    is_bare = all(token.reads for token in kept if token.kind == REDIRECTION)
    is_simple = _is_simple(kept) and not any(token.kind == COMMENT for token in kept)
    return kept[-1].end if (is_simple and is_bare) or _is_group(kept) else end


def _is_group(tokens: list[Token]) -> bool:
    """Whether it is all within one pair of parentheses."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += {b"(": 1, b")": -1}.get(token.raw, 0) if token.kind == OPERATOR else 0
        if depth <= 0:
            return index == len(tokens) - 1 and index > 0
    return False
