"""`radar schema`, and that what radar prints for programs is what it says."""

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import click
import jsonschema
import pytest
from jsonschema import Draft202012Validator

from radar_cli.cli.answers import Answer, answer_of
from radar_cli.cli.groups import LazyGroup
from radar_cli.cli.schema import describe_commands
from radar_cli.cli.shape_schema import convert, make_schema
from radar_cli.core import exits
from radar_cli.core.shapes import Moment, one_of
from tests.cli.envelopes import read_envelope
from tests.cli.worlds import two_worlds
from tests.support.depth import depth
from tests.support.radar import environment, run_radar
from tests.support.schemas import check_answer, close

# They have option tables of their own or go on until they are stopped, and print no answer.
_WITHOUT_AN_ANSWER = {"run", "ping", "celery watch", "celery exporter", "celery top", "top"}
_COMMANDS = {each["command"]: each for each in describe_commands()}


class Part(TypedDict):
    """A part."""

    name: str
    parts: "list[Part]"


class Whole(TypedDict):
    """A whole
    of some parts."""

    at: Moment | None
    state: Annotated[str, one_of(["a", "b"])]
    level: Literal["x", "y"]
    counts: dict[str, int]
    share: float
    any: Any
    is_so: bool
    part: Part | None


def test_it_makes_a_schema_of_a_declaration() -> None:
    defs: dict[str, Any] = {}
    assert convert(list[Whole], defs) == {"type": "array", "items": {"$ref": "#/$defs/Whole"}}
    whole = defs["Whole"]
    assert whole["description"] == "A whole of some parts."
    assert whole["required"] == [*whole["properties"]]
    assert whole["properties"] == {
        "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        "state": {"type": "string", "enum": ["a", "b"]},
        "level": {"enum": ["x", "y"]},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "share": {"type": "number"},
        "any": {},
        "is_so": {"type": "boolean"},
        "part": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]},
    }
    assert defs["Part"]["properties"]["parts"]["items"] == {"$ref": "#/$defs/Part"}


def test_a_field_that_is_not_declared_fails_the_check_of_this_suite() -> None:
    schema = make_schema(Answer(Part), "x")
    part = {"name": "n", "parts": []}
    envelope = {"version": 2, "command": "x", "ok": True, "exit_code": 0, "error": None}
    validator = Draft202012Validator(close(schema))
    validator.validate({**envelope, "data": part})
    validator.validate({**envelope, "data": None})
    for wrong in ({**part, "new": 1}, {"name": "n"}, {"name": 1, "parts": []}, {"parts": [part]}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({**envelope, "data": wrong})
    # A program that was written for an older radar doesn't mind.
    Draft202012Validator(schema).validate({**envelope, "data": {**part, "new": 1}, "more": 2})


def _leaves(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        below = click.Context(found, context, info_name=name)
        full = below.command_path.removeprefix("radar ")
        if isinstance(found, click.Group):
            yield from _leaves(found, below)
        if not isinstance(found, click.Group) or found.invoke_without_command:
            yield full, found


def test_every_command_declares_what_it_prints() -> None:
    root = LazyGroup("radar")
    leaves = dict(_leaves(root, click.Context(root, info_name="radar")))
    missing = {name for name, each in leaves.items() if answer_of(each.callback) is None}
    assert missing == _WITHOUT_AN_ANSWER
    assert set(_COMMANDS) == {name for name, each in leaves.items() if not each.hidden}
    for name, each in _COMMANDS.items():
        is_list = any("--fields" in option["flags"] for option in each["options"])
        assert is_list == ("ndjson" in each["formats"]) == (each["line"] is not None), name
        for schema in filter(None, (each["answer"], each["line"])):
            Draft202012Validator.check_schema(schema)


def test_it_prints_all_of_it_as_json() -> None:
    done = run_radar("schema", text=True)
    assert (done.returncode, done.stderr) == (0, "")
    printed = json.loads(done.stdout)
    data = read_envelope(run_radar("schema", "--json", text=True))["data"]
    assert printed == data
    assert [each["command"] for each in data["commands"]] == list(_COMMANDS)
    codes = {value for name, value in vars(exits).items() if name.isupper()}
    assert {each["code"] for each in data["exit_codes"]} == codes
    slugs = {each["slug"]: each["exit_code"] for each in data["errors"]}
    assert (slugs["usage"], slugs["unreachable"], slugs["bug"]) == (2, 3, 70)
    assert all(each["meaning"] for each in data["errors"])


def test_it_prints_one_command_or_a_group() -> None:
    def names(*words: str) -> list[str]:
        data = read_envelope(run_radar("schema", *words, "--json", text=True))["data"]
        return [each["command"] for each in data["commands"]]

    assert names("monitors", "list") == ["monitors list"]
    assert names("schedule") == ["schedule explain", "schedule next"]
    assert names("server")[:2] == ["server", "server keys create"]
    envelope = read_envelope(run_radar("schema", "monitors", "lst", "--json", text=True))
    assert envelope["error"]["message"] == "no command 'monitors lst'"


def test_it_knows_options_arguments_and_variables() -> None:
    def option(command: str, flag: str) -> dict[str, Any]:
        (found,) = [each for each in _COMMANDS[command]["options"] if flag in each["flags"]]
        return dict(found)

    assert option("run", "--grace")["variable"] == "RADAR_GRACE"
    assert option("run", "--lock")["choices"] == ["skip", "wait", "fail"]
    assert option("run", "-c")["variable"] is None
    assert option("ping", "--message")["variable"] is None
    assert option("monitors list", "--json")["type"] == "switch"
    assert option("monitors list", "--server")["variable"] == "RADAR_SERVER"
    assert option("monitors history", "--limit") == {
        "flags": ["--limit"],
        "type": "integer",
        "metavar": "N",
        "choices": None,
        "default": None,
        "repeatable": False,
        "variable": None,
        "help": "How many of each monitor (20).",
    }
    (what, shell) = (_COMMANDS[name]["arguments"][0] for name in ("notify test", "completion"))
    assert (what["required"], what["repeatable"]) == (False, True)
    assert (shell["required"], shell["choices"]) == (True, ["bash", "zsh", "fish"])


def test_no_default_tells_of_the_environment() -> None:
    env = environment(RADAR_DATABASE="postgresql://u:hunter2@db/x", RADAR_CELERY_BROKER="redis://s")
    done = run_radar("schema", env=env, text=True)
    assert done.returncode == 0
    assert not [word for word in ("hunter2", "redis://s") if word in done.stdout]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A store with monitors of every kind: well, failed, killed, going on, declared wrongly."""
    folder = tmp_path_factory.mktemp("world")
    with two_worlds(folder):
        yield {"RADAR_STATE_DIR": str(folder / "here"), "RADAR_CONFIG": str(folder / "c.toml")}


_TABS = "5 2 * * * backup.sh\n* * * * 8 never.sh\n"
# What commands may print, good and bad, as (words, exit code). `{dir}` is a folder of the test.
# Most commands are called with --json by their own tests, and each such output is checked.
_CALLS = [
    ("schedule next @daily", 0),
    ("schedule next '0 0 30 2 *'", 1),
    ("notify log", 0),
    ("outbox drop --all", 1),
    ("backup {dir}/b.db", 0),
    ("restore {dir}/b.db --yes", 0),
    ("backup x --database postgresql://h/d", 2),
    ("server --print-unit", 0),
    ("server keys create --scope read", 0),
    ("server keys revoke none", 2),
    ("crontab lint {dir}/tab", 1),
    ("crontab wrap {dir}/tab --diff", 0),
    ("crontab unwrap {dir}/tab --diff", 0),
    ("sync --export", 0),
    ("init --here --yes --no-wrap --no-notify", 0),
    ("open", 2),
    ("notify add chat --command true --no-test", 0),
    ("celery probes docker", 0),
    ("recipe systemd", 0),
    ("celery audit --explain task_acks_late", 0),
    ("config path", 0),
    ("completion bash", 0),
]
_MORE_CALLS = [
    ("status", 0),
    ("status nobody", 2),
    ("check", 1),
    ("check plain", 0),
    ("monitors list", 0),
    ("monitors show backup", 0),
    ("monitors show backup failed", 0),
    ("monitors show nobody", 2),
    ("monitors history backup", 0),
    ("monitors history failed --flips", 0),
    ("monitors history '*' --search a", 0),
    ("monitors history '*' --flips", 0),
    ("monitors output failed", 0),
    ("monitors output failed quick", 0),
    ("monitors output going-on --run 000000000007", 0),
    ("monitors output going-on", 1),
    ("monitors create new --every 6h", 0),
    ("monitors create new --every 6h", 2),
    ("monitors update new --every 5h", 0),
    ("monitors pause new", 0),
    ("monitors resume new", 0),
    ("monitors ack failed", 0),
    ("monitors snooze failed", 0),
    ("monitors delete new --yes", 0),
    ("schedule explain '5 2 * * *'", 0),
    ("notify list", 0),
    ("notify test", 2),
    ("outbox list", 0),
    ("outbox flush", 0),
    ("restore {dir}/none --yes", 2),
    ("server keys list", 0),
    ("login http://127.0.0.1:9 --key -", 3),
    ("crontab scan {dir}/tab", 0),
    ("link {dir}/link", 0),
    ("doctor", None),
    ("celery alive --file {dir}/none", 1),
    ("celery ready -b redis://127.0.0.1:9 --timeout 1", 1),
    ("celery check -b redis://127.0.0.1:9 --timeout 1", 1),
    ("celery beat {dir}/none", 2),
    ("celery queues -b redis://127.0.0.1:9 --timeout 1", 3),
    ("config set server http://127.0.0.1:9", 0),
    ("config get server", 0),
    ("config list", 0),
    ("config check", 0),
    ("config unset server", 0),
    ("config unset server", 1),
    ("schema config", 0),
]


@pytest.mark.nightly
def test_what_commands_print_is_as_the_schema_says(world: dict[str, str], tmp_path: Path) -> None:
    # `run_radar` holds every line to the schema, with no field besides.
    (tmp_path / "tab").write_text(_TABS)
    for text, code in [*_CALLS, *_MORE_CALLS[: depth(0, 99)]]:
        words = [word.replace("{dir}", str(tmp_path)) for word in shlex.split(text)]
        env = environment() | world
        done = run_radar(*words, "--json", env=env, stdin=b"key\n", text=True, timeout=120)
        envelope = read_envelope(done, codes=(0, 1, 2, 3))
        assert code in (None, done.returncode), (text, done.stdout, done.stderr)
        assert text.startswith(envelope["command"])
        check_answer(envelope)


def test_every_list_has_lines_and_csv_of_the_same_values(world: dict[str, str]) -> None:
    env = environment() | world
    for text in ("status", "monitors list", "monitors history backup", "config list"):
        words = text.split()
        data = read_envelope(run_radar(*words, "--json", env=env, text=True))["data"]
        assert data
        lines = run_radar(*words, "--format", "ndjson", env=env, text=True).stdout.splitlines()
        assert [list(json.loads(line)) for line in lines] == [list(row) for row in data]
        table = run_radar(*words, "--format", "csv", env=env, text=True).stdout
        rows = list(csv.DictReader(io.StringIO(table)))
        assert len(rows) == len(data)
        for row, entry in zip(rows, data, strict=True):
            assert {name.partition(".")[0] for name in row} == set(entry)
            for name, value in entry.items():
                if isinstance(value, (bool, int, float)):
                    assert json.loads(row[name]) == value


def test_fields_are_chosen_in_every_format(world: dict[str, str]) -> None:
    env = environment() | world
    words = ("status", "failed", "--fields", "last_run.exit_code,key")
    shown = run_radar(*words, env=env, text=True)
    assert shown.stdout.splitlines() == ["last_run.exit_code  key", "3                   failed"]
    assert run_radar(*words, "--format=csv", env=env, text=True).stdout == (
        "last_run.exit_code,key\n3,failed\n"
    )
    line = subprocess.run(
        [sys.executable, "-m", "radar_cli", *words, "--format=ndjson"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert line == '{"last_run": {"exit_code": 3}, "key": "failed"}\n'


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["status", "--fields", "kei"], "--fields: no field 'kei' (did you mean 'key'?)"),
        (["status", "--fields", "last_run.exit"], "(did you mean 'last_run.exit_code'?)"),
        (["status", "--fields", ","], "--fields: no field is named (as in --fields key,status)"),
        (["schedule", "next", "@daily", "--fields", "xyzzy"], "(there is at)"),
        # Of another of its answers.
        (["monitors", "history", "job", "--fields", "lasted_s"], "no field 'lasted_s'"),
    ],
)
def test_a_field_that_is_not_there_is_an_error(words: list[str], message: str) -> None:
    run_radar("run", "job", "--", "true")
    done = run_radar(*words, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        (["--json", "outbox"], "usage"),
        (["outbox", "--json"], "usage"),
        (["--json"], "usage"),
        (["config", "list", "--nonsense", "--format", "json"], "usage"),
        (["config", "list", "--nonsense", "-o", "json"], "usage"),
        (["config", "list", "--format=json", "--profile", "nobody"], "unknown-profile"),
        (["monitors", "delete", "job", "--json"], "interrupted"),
    ],
)
def test_every_error_is_an_envelope(words: list[str], slug: str) -> None:
    run_radar("run", "job", "--", "true")
    done = run_radar(*words, stdin=b"n\n", text=True)
    envelope = read_envelope(done)
    assert (envelope["error"]["slug"], envelope["data"]) == (slug, None)
    assert done.returncode == envelope["exit_code"] == (130 if slug == "interrupted" else 2)


def test_a_bug_is_an_envelope() -> None:
    program = (
        "import sys\n"
        "from radar_cli.cli import app, completion\n"
        "from radar_cli.cli.completion import command\n"
        "command._SCRIPTS.clear()\n"
        "sys.exit(app.main(['completion', 'bash', '--json']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    envelope = read_envelope(done)
    assert (done.returncode, envelope["error"]["slug"], envelope["ok"]) == (70, "bug", False)
    assert "KeyError" in envelope["error"]["message"]


@pytest.mark.parametrize("output", ["json", "csv", "ndjson"])
def test_half_an_answer_is_no_success(output: str) -> None:
    words = [sys.executable, "-m", "radar_cli", "config", "list", "--format", output]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            words, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert done.returncode == 2
    assert b"can't write to stdout: No space left on device" in done.stderr
    closed = subprocess.run(
        ["/bin/sh", "-c", '"$@" >&-', "sh", *words],
        env=environment(),
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    assert closed.returncode == 2
    assert b"can't write to stdout: Bad file descriptor" in closed.stderr
    reading, writing = os.pipe()
    os.close(reading)
    broken = subprocess.run(
        words, env=environment(), stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writing)
    assert (broken.returncode, broken.stderr) == (141, b"")
