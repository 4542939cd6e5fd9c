"""The words that people type lead to the right place, and the help says it in one style."""

import json

import click
import pytest

from radar_cli.cli import app
from radar_cli.cli.commands import AS_OPTIONS, COMMANDS, SYNONYMS
from radar_cli.cli.groups import describe
from radar_cli.wrap import options, ping_command


def call(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = app.main([*words])
    out, err = capfd.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("list", "monitors list"),
        ("ls", "monitors list"),
        ("history x", "monitors history"),
        ("show x", "monitors show"),
        ("logs x", "monitors output"),
        ("output x", "monitors output"),
        ("pause x", "monitors pause"),
        ("resume x", "monitors resume"),
        ("rm x --yes", "monitors delete"),
        ("monitors rm x --yes", "monitors delete"),
        ("monitors ls", "monitors list"),
        ("notify ls", "notify list"),
        ("config ls", "config list"),
    ],
)
def test_words_that_people_type_lead_to_the_right_place(
    capfd: pytest.CaptureFixture[str], words: str, command: str
) -> None:
    _, out, _ = call(capfd, *words.split(), "--json")
    assert json.loads(out)["command"] == command


def test_help_and_version_are_words_too(capfd: pytest.CaptureFixture[str]) -> None:
    assert call(capfd, "version") == call(capfd, "--version")
    assert call(capfd, "help") == call(capfd, "--help")
    assert call(capfd, "help", "monitors", "pause") == call(capfd, "monitors", "pause", "--help")
    assert call(capfd, "help", "pause")[1].startswith("Usage: radar pause")
    code, _, err = call(capfd, "lsit")
    assert (code, "did you mean 'list'?" in err) == (2, True)
    code, _, err = call(capfd, "puase", "x")
    assert (code, "did you mean 'pause'?" in err) == (2, True)
    assert not {*SYNONYMS, *AS_OPTIONS} & COMMANDS.keys()


def _walk(
    command: click.Command, path: str, context: click.Context
) -> list[tuple[str, click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            each = command.get_command(context, name)
            assert each is not None
            found += _walk(each, f"{path} {name}", context)
    return found


def test_the_help_of_every_command_is_whole_and_in_one_style() -> None:
    context = click.Context(app.root)
    for path, command in _walk(app.root, "radar", context):
        if path.split()[1:2] in (["run"], ["ping"]):
            continue
        line = describe(command)
        assert line.endswith("."), path
        assert line[0].isupper(), path
        for param in command.params:
            if isinstance(param, click.Option):
                text = param.help or ""
                assert text[:1].isupper(), (path, param.name)
                assert text.endswith("."), (path, param.name)
    for flag, _, _, text in (*options.TABLE, *ping_command.TABLE):
        assert text[0].isupper(), flag
        assert text.endswith("."), flag


def test_no_line_of_a_list_of_commands_is_cut(capfd: pytest.CaptureFixture[str]) -> None:
    for words in ((), ("monitors",), ("crontab",), ("config",), ("notify",)):
        _, out, _ = call(capfd, *words, "--help")
        listed = out.partition("Commands:")[2]
        assert listed
        assert "..." not in listed
        assert all(len(line) <= 80 for line in listed.splitlines())
