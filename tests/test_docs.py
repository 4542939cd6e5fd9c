"""What is written for users is so: every option, variable, exit code, slug, and each example."""

import importlib
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

import radar_cli
from radar_cli.cli.celery import group as celery_group
from radar_cli.cli.commands import COMMANDS
from radar_cli.cli.crontab import command as crontab
from radar_cli.cli.init import command as init
from radar_cli.cli.monitors.group import command as monitors
from radar_cli.cli.notify_add import command as notify_add
from radar_cli.cli.open import command as opener
from radar_cli.cli.schema import describe_commands
from radar_cli.cli.server import command as server
from radar_cli.cli.status import command as status
from radar_cli.cli.sync import command as sync
from radar_cli.core import exits
from radar_cli.core.cron import find_fault
from radar_cli.core.errors import RadarError
from radar_cli.notify.command import variables
from radar_cli.notify.webhook import RETRIABLE, sign
from radar_cli.notify.wording import Wording
from radar_cli.settings.channels import CHANNEL_KINDS, CHANNEL_SETTINGS, read_channels
from radar_cli.settings.profiles import load
from radar_cli.settings.table import SETTINGS
from radar_cli.wrap import options, ping_command
from tests.notify.notices import NOTICE
from tests.support import docs
from tests.support.radar import environment
from tests.support.radar_server import serving

_NEVER_A_VARIABLE = ("-c",)


def _rows() -> list[list[str]]:
    """The cells of every table row; an escaped | is a plain one."""
    lines = [line for line in docs.ALL.splitlines() if line.startswith("| ")]
    return [[c.strip().replace(r"\|", "|") for c in re.split(r"(?<!\\)\|", x)[1:-1]] for x in lines]


def _blocks(language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", docs.ALL, re.DOTALL | re.MULTILINE)
    return [block for name, block in fenced if name == language]


@pytest.mark.parametrize("row", options.TABLE, ids=lambda row: row[0])
def test_it_documents_every_option_of_run_with_its_variable(row: options.Row) -> None:
    flag, _, metavar, _ = row
    variable = "RADAR_" + flag.lstrip("-").replace("-", "_").upper()
    cell = f"`{flag} {metavar}`" if metavar else f"`{flag}`"
    expected = "" if flag in _NEVER_A_VARIABLE else f"`{variable}`"
    assert [cell, expected] in [cells[:2] for cells in _rows()]


def test_it_documents_no_option_that_is_not_there() -> None:
    known = {flag for each in describe_commands() for o in each["options"] for flag in o["flags"]}
    # The options of other programs stand on the page that compares them, and in calls of them.
    text = docs.ALL.replace(docs.page("guides/migration"), "")
    named = set(re.findall(r"`(?:radar [^`\n]*?)?(--[a-z][a-z-]+)", text))
    assert named <= known | {"--help", "--version"}


@pytest.mark.parametrize("row", ping_command.TABLE, ids=lambda row: row[0])
def test_it_documents_every_option_of_ping(row: options.Row) -> None:
    assert f"`{row[0]}" in docs.ALL


def test_it_documents_every_setting_with_its_variable() -> None:
    documented = [cells[:2] for cells in _rows()]
    for setting in SETTINGS.values():
        assert [f"`{setting.name}`", f"`{setting.variable}`"] in documented


def test_it_documents_every_exit_code() -> None:
    codes = {value for name, value in vars(exits).items() if name.isupper()}
    assert {int(cells[0]) for cells in _rows() if cells[0].isdigit()} == codes


def test_it_documents_every_error_slug() -> None:
    for module in pkgutil.walk_packages(radar_cli.__path__, "radar_cli."):
        if not module.name.endswith(("__main__", "launch.isolated", "launch.script")):
            importlib.import_module(module.name)
    slugs, todo = set(), [RadarError]
    while todo:
        kind = todo.pop()
        todo += kind.__subclasses__()
        slugs.add(kind.slug)
    slugs.discard(RadarError.slug)
    section = docs.page("reference/errors")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)) == slugs


_COMMON = {
    *("--json", "--profile", "--server", "--verbose", "--color", "--no-color"),
    *("--format", "--fields"),
}


def test_it_documents_every_command() -> None:
    for name in COMMANDS:
        assert f"`radar {name} " in docs.page("reference/commands")


def _commands_of_monitors() -> list[click.Command]:
    found = []
    for each in monitors.commands.values():
        found += [*each.commands.values()] if isinstance(each, click.Group) else [each]
    return found


def test_it_documents_every_option_of_monitors() -> None:
    section = docs.page("reference/monitors")
    for command in _commands_of_monitors():
        for param in command.params:
            flags = {flag for flag in param.opts if flag.startswith("--")} - _COMMON
            assert all(f"{flag} " in section or f"{flag}`" in section for flag in flags)


def test_it_documents_every_option_of_newer_commands() -> None:
    for command, name in (
        (status, "reference/commands"),
        (sync, "guides/monitors-as-code"),
        (opener, "reference/commands"),
        (init, "guides/crontab"),
        (notify_add, "guides/notices"),
    ):
        text = docs.page(name)
        for param in command.params:
            flags = {flag for flag in param.opts if flag.startswith("--")} - _COMMON
            assert all(f"{flag} " in text or f"{flag}`" in text for flag in flags), flags


def test_it_documents_every_option_and_command_of_crontab() -> None:
    section = docs.page("guides/crontab")
    for name, command in crontab.commands.items():
        if command.hidden:
            continue
        assert f"`radar crontab {name}" in section
        for param in command.params:
            flags = {flag for flag in param.opts if flag.startswith("--")} - _COMMON
            assert all(f"{flag} " in section or f"{flag}`" in section for flag in flags), flags


def _options_of_celery() -> list[tuple[str, str]]:
    """Each long option of the commands below `radar celery`, with its command's name."""
    found = []
    context = click.Context(celery_group.command)
    todo = [celery_group.command.get_command(context, name) for name in celery_group.COMMANDS]
    while todo:
        each = todo.pop()
        assert each is not None
        if isinstance(each, click.Group):
            todo += each.commands.values()
        flags = (flag for param in each.params for flag in param.opts if flag.startswith("--"))
        found += [(flag, str(each.name)) for flag in flags]
    return found


def test_it_documents_every_option_and_command_of_celery() -> None:
    section = docs.page("guides/celery") + docs.page("guides/celery-watch")
    for flag, name in _options_of_celery():
        assert flag in _COMMON or f"{flag} " in section or f"{flag}`" in section, flag
        assert re.search(rf"\b{name}\b", section), name


def test_it_documents_every_option_of_the_server() -> None:
    section = docs.page("guides/server")
    assert isinstance(server, click.Group)
    (keys,) = server.commands.values()
    assert isinstance(keys, click.Group)
    for command in (server, *keys.commands.values()):
        for param in command.params:
            flags = {flag for flag in param.opts if flag.startswith("--")} - _COMMON
            assert all(f"{flag} " in section or f"{flag}`" in section for flag in flags), flags
    assert all(f"`radar server keys {name}" in section for name in keys.commands)


def test_every_line_of_curl_is_taken(tmp_path: Path) -> None:
    (block,) = [block for block in _blocks("") if "curl" in block and "$KEY" in block]
    (tmp_path / "backup.log").write_text("no space\n")
    with serving(tmp_path / "server") as running:
        for line in block.splitlines():
            done = subprocess.run(
                ["/bin/sh", "-c", line.replace("https://radar.example.com", running.url)],
                env=environment(KEY=running.key),
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert '"monitor": "backup"' in done.stdout
        with running.store() as store:
            kinds = [(ping.kind, ping.body) for ping in store.pings.newest("backup", 9)]
    assert kinds == [("success", b""), ("fail", b"no space\n"), ("start", b"")]


def test_every_line_of_the_crontab_examples_is_understood() -> None:
    lines = [line for block in _blocks("") for line in block.splitlines()]
    lines = [line for line in lines if re.match(r"[\d*][^ ]* .* radar run ", line)]
    assert len(lines) > 5
    for line in lines:
        assert find_fault(" ".join(line.split()[:5])) == ""
        words = shlex.split(line.partition("radar run")[2])
        parsed = options.parse(words)
        assert (parsed.command, parsed.warnings) != ([], [])


def test_the_config_example_has_nothing_to_edit() -> None:
    (example,) = [each for each in _blocks("toml") if "profiles" in tomllib.loads(each)]
    Path(os.environ["RADAR_CONFIG"]).write_text(example)
    config = load(os.environ)
    assert config.warnings == []
    assert config.profile("work", explicit=True).protocol == "cronradar"


def test_the_examples_of_channels_have_nothing_to_edit() -> None:
    kinds: set[str] = set()
    for example in _blocks("toml"):
        if "notify" in tomllib.loads(example):
            Path(os.environ["RADAR_CONFIG"]).write_text(example)
            Path(os.environ["RADAR_CONFIG"]).chmod(0o600)
            config = load(os.environ)
            tables = read_channels(config)
            assert config.warnings == []
            assert not any(table.fault for table in tables)
            kinds.update(table.kind for table in tables)
    assert kinds == set(CHANNEL_KINDS)


def test_it_documents_every_setting_of_a_channel() -> None:
    section = (
        docs.page("guides/notices").partition("| setting of a channel |")[2].partition("\n\n")[0]
    )
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(CHANNEL_SETTINGS)


def test_it_documents_every_variable_of_a_notice() -> None:
    named = [cells[0].strip("`") for cells in _rows() if "RADAR_NOTICE_" in cells[0]]
    assert named == list(variables(NOTICE, Wording("", "")))


def test_it_documents_which_answers_are_tried_again() -> None:
    codes = ", ".join(map(str, sorted(RETRIABLE)))
    assert codes in " ".join(docs.page("guides/notices").split())


def test_its_example_checks_a_signature() -> None:
    [example] = [block for block in _blocks("python") if "def is_from_radar" in block]
    names: dict[str, Any] = {}
    exec(example, names)
    is_from_radar = names["is_from_radar"]
    now_s, body = int(time.time()), b'{"radar": 1}'
    assert is_from_radar(sign("key", now_s, body), body, "key")
    assert not is_from_radar(sign("other", now_s, body), body, "key")
    assert not is_from_radar(sign("key", now_s, body), body + b" ", "key")
    assert not is_from_radar(sign("key", now_s - 3600, body), body, "key")


@pytest.mark.parametrize("block", _blocks("python"))
def test_its_python_examples_run(block: str) -> None:
    # In a process of its own: some connect to Celery's signals.
    done = subprocess.run(
        [sys.executable, "-c", block], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("block", _blocks("bash"))
def test_its_tasks_are_done(block: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-e", "-c", block],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_first_line_installs_radar_and_shows_a_job(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache")
    shutil.copytree(docs.CHECKOUT, checkout, ignore=ignored)
    line = _blocks("sh")[0]
    assert line.count("\n") == 1
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=checkout,
        env={**kept, **environment(measured=False, PATH=os.environ["PATH"])},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    table = done.stdout.splitlines()
    assert table[0] == "hello from a job"
    assert table[-1].split()[:2] == ["hello", "up"]
    assert table[-1].endswith("hello from a job")
    # Nobody has to guess how a part is added that this line leaves out: not from an index.
    home = Path(environment()["HOME"])
    missed = subprocess.run(
        [home / ".radar/bin/radar", "server"],
        env=environment(measured=False),
        capture_output=True,
        text=True,
        check=False,
    )
    assert missed.returncode == 2
    command = f"{home}/.radar/bin/python3 -m pip install '{checkout}[server]'"
    assert missed.stderr == f"radar: the server needs uvicorn ({command})\n"


def test_the_second_line_is_what_ci_runs() -> None:
    assert _blocks("sh")[1] == "tests/run\n"
    assert "tests/run" in (docs.CHECKOUT / ".ci/run").read_text()
