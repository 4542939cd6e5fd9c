"""The reference of all commands and the man pages, made from the command table.

    python -m tests.manual [FOLDER]

What it makes is checked in, so that it can be read where the repository is, and packaged without a
step of its own; a test holds that it is current.
"""

import functools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

from radar_cli.cli.commands import COMMANDS
from radar_cli.cli.schema import EXIT_MEANINGS, CommandFields, describe_commands
from tests import reference
from tests.support.docs import CHECKOUT
from tests.support.radar import radar_path

_EVERYWHERE = {"--json", "--profile", "--server", "--verbose", "--color", "--no-color", "--help"}
_LISTS = {"--format", "--fields"}
_SECTION = "1"


@functools.cache
def read_help(name: str) -> tuple[str, str]:
    """Return the usage line and the description that `radar NAME --help` prints."""
    words = [str(radar_path()), *name.split(), "--help"]
    env = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=env)
    usage, _, rest = done.stdout.removeprefix("Usage: ").partition("\n\n")
    lines = rest.partition("\nOptions:")[0].splitlines()
    text = "\n".join(line.removeprefix("  ") for line in lines)
    return " ".join(usage.split()), text.strip()


def find_pages() -> dict[str, list[CommandFields]]:
    """Return the commands of each page: one for each word behind `radar`."""
    pages: dict[str, list[CommandFields]] = {}
    for each in describe_commands():
        pages.setdefault(each["command"].split()[0], []).append(each)
    return pages


def own_options(command: CommandFields) -> list[Any]:
    """Return the options of a command, without those that every command has."""
    is_own = command["command"].split()[0] in ("run", "ping")
    return [
        each
        for each in command["options"]
        if is_own or not (_EVERYWHERE | _LISTS) & set(each["flags"])
    ]


def describe_flags(option: Any) -> str:
    """Return an option with its value, as in `--every DURATION`."""
    value = option["metavar"] or ("|".join(option["choices"]) if option["choices"] else "")
    return f"{', '.join(option['flags'])} {value}".strip()


# The page of the reference.


def make_reference() -> str:
    """Return the page with every command and option."""
    parts = [
        "# Every command and option",
        "<!-- Made by tests/manual.py from the command table. -->",
        "All commands also take `--json`, `--profile`, `--server`, `-v`/`--verbose`, `--color`,"
        " `--no-color` and `--help`; lists take `--format` and `--fields` as well (see"
        " [Output for programs](output.md)).",
    ]
    for page, commands in find_pages().items():
        parts.append(f"## radar {page}")
        for command in commands:
            name = command["command"]
            if name != page:
                parts.append(f"### radar {name}")
            usage, text = read_help(name)
            parts += [f"```text\n{usage}\n```", _as_markdown(text)]
            if options := own_options(command):
                rows = [_row(each) for each in options]
                parts.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
    parts += ["## Exit codes", "| code | meaning |\n|---|---|\n" + "\n".join(_codes())]
    return "\n\n".join(parts) + "\n"


def _row(option: Any) -> str:
    flags = describe_flags(option).replace("|", r"\|")
    text = option["help"].replace("|", r"\|")
    text += f" Variable: `{option['variable']}`." if option["variable"] else ""
    return f"| `{flags}` | {text} |"


def _codes() -> Iterator[str]:
    for code, text in sorted(EXIT_MEANINGS.items()):
        yield f"| {code} | {text} |"


def _as_markdown(text: str) -> str:
    # A `<` would begin a tag; lines that are drawn as they are stay so.
    return re.sub(r"([<*_])", r"\\\1", text)


# The man pages.


def make_manual(page: str, commands: list[CommandFields]) -> str:
    """Return the man page of a command with those below it."""
    title = f"radar-{page}"
    usages = {each["command"]: read_help(each["command"]) for each in commands}
    lines = [_heading(title), ".SH NAME", f"{title} \\- {_roff(_summary(page))}", ".SH SYNOPSIS"]
    for usage, _ in usages.values():
        lines += [f".B {_roff(usage)}", ".br"]
    lines.append(".SH DESCRIPTION")
    for command in commands:
        name = command["command"]
        if name != page:
            lines.append(f".SS radar {name}")
        lines += _paragraphs(usages[name][1])
        for option in own_options(command):
            lines += [".TP", f".B {_roff(describe_flags(option))}", _roff(option["help"])]
            if option["variable"]:
                lines.append(f"Variable: {option['variable']}.")
    lines.append(".SH EXIT STATUS")
    known = {code for command in commands for code in command["exit_codes"]}
    for code in sorted(known):
        lines += [".TP", f".B {code}", _roff(EXIT_MEANINGS[code])]
    lines += [".SH SEE ALSO", ".BR radar (1)"]
    return "\n".join(lines) + "\n"


def make_overview(pages: dict[str, list[CommandFields]]) -> str:
    """Return the man page of radar itself."""
    lines = [
        _heading("radar"),
        ".SH NAME",
        "radar \\- a dead man's switch for cron jobs, CI scripts and Celery",
        ".SH SYNOPSIS",
        ".B radar COMMAND [ARG]...",
        ".SH DESCRIPTION",
        "radar runs a job exactly as it would have run, keeps what became of it, and reports when",
        "it fails, hangs, or doesn't run at all.",
        ".SH COMMANDS",
    ]
    for page in pages:
        lines += [".TP", f".BR radar-{page} (1)", _roff(_summary(page))]
    lines += [
        ".SH FILES",
        ".TP",
        ".I ~/.config/radar/config.toml",
        "The user's settings; those of the machine are in /etc/radar/config.toml.",
        ".TP",
        ".I ~/.local/state/radar",
        "Undelivered pings and the store; root's is /var/lib/radar.",
    ]
    return "\n".join(lines) + "\n"


def _summary(page: str) -> str:
    return COMMANDS[page][2].rstrip(".")


def _heading(title: str) -> str:
    return f'.TH {title.upper()} {_SECTION} "" "radar" "User Commands"'


def _roff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ".PP"
        yield from (_roff(line.strip()) for line in paragraph.splitlines())


def main(folder: Path) -> None:
    """Write all pages."""
    (folder / "man").mkdir(parents=True, exist_ok=True)
    (folder / "reference").mkdir(exist_ok=True)
    (folder / "reference/options.md").write_text(make_reference())
    (folder / "reference/variables.md").write_text(reference.make_variables())
    (folder / "reference/answers.md").write_text(reference.make_answers())
    (folder / "reference/api.md").write_text(reference.make_api())
    pages = find_pages()
    (folder / "man/radar.1").write_text(make_overview(pages))
    for page, commands in pages.items():
        (folder / f"man/radar-{page}.1").write_text(make_manual(page, commands))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else CHECKOUT / "docs")
