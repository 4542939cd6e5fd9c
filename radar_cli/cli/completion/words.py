"""`radar completion words WORD...`: what may stand in the place of the last word.

It is no command for people: the scripts in completions/ call it. The words are those behind
`radar` up to the cursor. The first line of the answer is one of

    words        each line that follows is a word, perhaps with a tab and what it means
    files        the name of a file is wanted
    command N    the words from the N-th on (from 0) are another command's line

and a script offers those words that begin like the last one; behind `--option=`, those that
begin like what follows it.
"""

import _thread
import os
import sys
import time

from radar_cli.cli.completion.sources import FilesWantedError, Typed, offer
from radar_cli.cli.completion.syntax import RAW, Offer, Option, Syntax, Values

# Longer than that nobody waits: a state directory may be on a disk that doesn't answer.
_PATIENCE_S = 2.0


class Answer:
    """An answer to a shell: its first line, and words that may come next, with their meanings."""

    __slots__ = ("mode", "offers")

    def __init__(self, mode: str, offers: "list[Offer] | None" = None) -> None:
        self.mode = mode
        self.offers = offers or []

    def text(self) -> str:
        """The answer as scripts read it; a word that would break a line of it is left out."""
        lines = [self.mode]
        for word, meaning in self.offers:
            if word.isprintable():
                lines.append(f"{word}\t{' '.join(meaning.split())}".rstrip("\t"))
        return "\n".join(lines) + "\n"


def print_words(words: list[str]) -> int:
    """Print the answer for a script. It never fails, hangs or complains: a person is typing."""
    try:
        _thread.start_new_thread(_give_up, ())
        text = complete(words).text()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001  (^C, too: no word is better than a traceback)
        return 0
    return 0


def _give_up() -> None:
    time.sleep(_PATIENCE_S)
    os._exit(0)


def complete(words: list[str]) -> Answer:
    """Complete the last of `words`: return what may stand in its place."""
    before, current = words[:-1], words[-1] if words else ""
    line = _Line(_find_top(before, current))
    at = 0
    while at < len(before):
        word = before[at]
        at += 1
        if line.is_option(word):
            option = line.take_option(word)
            if option is None or option.is_switch:
                continue
            flag, equals, value = word.partition("=")
            if not equals:
                if at == len(before):
                    return _offer(option.values, current, line.typed)
                value = before[at]
                at += 1
            line.typed.chosen[flag] = value
        elif word == "--" and not line.are_options_over:
            line.are_options_over = True
            if line.has_command:
                return Answer(f"command {at}")
        elif line.has_command:
            return Answer(f"command {at - 1}")
        elif not line.take_word(word):
            return Answer("words")
    if current.startswith("-") and not line.are_options_over:
        return line.offer_options(current)
    if line.has_command:
        # With -c the command is there already.
        return line.offer_options("") if "-c" in line.given else Answer(f"command {at}")
    if line.syntax.commands:
        return Answer("words", list(line.syntax.commands))
    return _offer(line.syntax.values_at(len(line.typed.named)), current, line.typed)


class _Line:
    """The state of a command line after some of its words."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        self.given: set[str] = set()  # every spelling of the options that were given
        self.typed = Typed()
        self.are_options_over = False

    @property
    def has_command(self) -> bool:
        """Whether the next word that is no option begins the wrapped command."""
        return self.syntax.wraps and bool(self.typed.named)

    def is_option(self, word: str) -> bool:
        return not self.are_options_over and word.startswith("-") and word not in ("-", "--")

    def take_option(self, word: str) -> Option | None:
        """Note an option, and return it if it is known."""
        option = self.syntax.options.get(word.partition("=")[0])
        if option is not None:
            self.given.update(option.flags)
        return option

    def take_word(self, word: str) -> bool:
        """Go on behind a command or an argument; False if there is no such command."""
        if self.syntax.find is None:
            self.typed.named.append(word)
            # `radar run -- KEY` goes on with options, as its parser does.
            self.are_options_over &= not self.syntax.wraps
            return True
        found = self.syntax.find(word)
        if found is None:
            return False
        self.syntax = found
        self.given = set()
        return True

    def offer_options(self, current: str) -> Answer:
        """The options that may still be given, or the values of one behind its `=`."""
        flag, equals, value = current.partition("=")
        if equals:
            option = self.syntax.options.get(flag)
            return Answer("words") if option is None else _offer(option.values, value, self.typed)
        return Answer(
            "words",
            [
                (flag, option.help)
                for flag, option in self.syntax.options.items()
                if option.is_repeatable or flag not in self.given
            ],
        )


def _find_top(before: list[str], current: str) -> Syntax:
    """The syntax to begin with: without click's, as long as that isn't needed."""
    first = before[0] if before else current
    if before and first in RAW:
        return Syntax((), find=lambda name: RAW[name]())
    if not before and not first.startswith("-"):
        from radar_cli.cli.commands import COMMANDS

        return Syntax((), commands=tuple((n, line) for n, (_, _, line) in COMMANDS.items()))
    from radar_cli.cli.completion.tree import root_syntax

    return root_syntax()


def _offer(values: Values, current: str, typed: Typed) -> Answer:
    try:
        return Answer("words", offer(values, current, typed))
    except FilesWantedError:
        return Answer("files")
