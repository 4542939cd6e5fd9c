"""The words of a shell line, as far as they can be told apart without being a shell."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

WORD, OPERATOR, REDIRECTION, COMMENT = "word", "operator", "redirection", "comment"
_BLANKS = b" \t"
_ENDS_OF_WORDS = b" \t\n;&|()<>"
_OPERATOR = re.compile(rb"&&|\|\||;;|\|&|[;&|()\n]")
_REDIRECTION = re.compile(rb"(\d*)(>>|>\||>&|<&|<>|>|<)")
_VARIABLE = re.compile(rb"\$\{\w+\}")
_SINGLE = re.compile(rb"'[^']*'")
# Here-documents, process substitutions, and `&>`, which dash and bash read differently.
_BEYOND = re.compile(rb"\d*<<|[<>]\(|&>")
_TO_NOWHERE = re.compile(rb"[12]?>>?[ \t]*/dev/null|[12]>&[12]|>&2")
_PLAIN = re.compile(rb"(?:[\w./~+@:,-]|\\%)+")
_ASSIGNMENT = re.compile(rb"[A-Za-z_]\w*\+?=")
# Builtins and keywords, which only a shell can run; some are programs too, with other options.
_OF_SHELLS = frozenset(
    b". : [ [[ alias bg bind break builtin case cd command continue coproc declare dirs do done"
    b" echo elif else enable esac eval exec exit export false fc fg fi for function getopts hash"
    b" help history if in jobs kill let local logout mapfile popd printf pushd pwd read readonly"
    b" return select set shift shopt source suspend test then time times trap true type typeset"
    b" ulimit umask unalias unset until wait while".split()
)


class BeyondError(Exception):
    """From here on it takes a shell to tell the words apart."""


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a line: a redirection has its descriptor and its target in it."""

    kind: str
    raw: bytes
    start: int

    @property
    def end(self) -> int:
        """Its end in the line."""
        return self.start + len(self.raw)

    @property
    def is_to_nowhere(self) -> bool:
        """Whether it throws output away, or joins stdout and stderr."""
        return self.kind == REDIRECTION and _TO_NOWHERE.fullmatch(self.raw) is not None

    @property
    def reads(self) -> bool:
        """Whether it is a redirection of stdin."""
        return self.kind == REDIRECTION and self.raw.startswith((b"<", b"0<"))

    @property
    def is_program(self) -> bool:
        """Whether it is the plain name of a program, which starts without a shell."""
        is_plain = self.kind == WORD and _PLAIN.fullmatch(self.raw) is not None
        return is_plain and self.raw not in _OF_SHELLS

    @property
    def is_assignment(self) -> bool:
        """Whether it sets a variable, if it stands in front."""
        return self.kind == WORD and _ASSIGNMENT.match(self.raw) is not None


def read_tokens(line: bytes) -> Iterator[Token]:
    """Yield the parts of a line. BeyondError: what follows is a substitution, say."""
    at = 0
    while at < len(line):
        if line[at] in _BLANKS:
            at += 1
            continue
        token = _read_token(line, at)
        yield token
        at = token.end


def tokenize(line: bytes) -> tuple[list[Token], bool]:
    """Return the parts that can be told apart, and whether that is all of them."""
    tokens: list[Token] = []
    try:
        tokens.extend(read_tokens(line))
    except BeyondError:
        # list.extend keeps what came before.
        return tokens, False
    return tokens, True


def quote(text: bytes) -> bytes:
    """Return `text` as one word of a shell line; what cron reads in it stays."""
    return b"'" + text.replace(b"'", rb"'\''") + b"'"


def _read_token(line: bytes, at: int) -> Token:
    if line[at : at + 1] == b"#":
        return Token(COMMENT, line[at:], at)
    if _BEYOND.match(line, at):
        raise BeyondError
    if redirection := _REDIRECTION.match(line, at):
        begin = redirection.end()
        while begin < len(line) and line[begin] in _BLANKS:
            begin += 1
        end = _find_end_of_word(line, begin)
        if end == begin:
            raise BeyondError
        return Token(REDIRECTION, line[at:end], at)
    if operator := _OPERATOR.match(line, at):
        return Token(OPERATOR, operator[0], at)
    return Token(WORD, line[at : _find_end_of_word(line, at)], at)


def _find_end_of_word(line: bytes, at: int) -> int:
    while at < len(line) and line[at] not in _ENDS_OF_WORDS:
        character = line[at : at + 1]
        if character == b"\\":
            at = min(at + 2, len(line))
        elif character == b"'":
            at = _match(_SINGLE, line, at)
        elif character == b'"':
            at = _find_end_of_quotes(line, at + 1)
        else:
            at = _skip(line, at)
    return at


def _find_end_of_quotes(line: bytes, at: int) -> int:
    while at < len(line):
        character = line[at : at + 1]
        if character == b'"':
            return at + 1
        at = min(at + 2, len(line)) if character == b"\\" else _skip(line, at)
    raise BeyondError


def _skip(line: bytes, at: int) -> int:
    """Return what follows a character, or a variable in braces; substitutions are beyond us."""
    if line.startswith(b"`", at) or line.startswith(b"$(", at) or line.startswith(b"$'", at):
        raise BeyondError
    return _match(_VARIABLE, line, at) if line.startswith(b"${", at) else at + 1


def _match(pattern: "re.Pattern[bytes]", line: bytes, at: int) -> int:
    found = pattern.match(line, at)
    if found is None:
        raise BeyondError
    return found.end()
