import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from radar_cli import __version__
from radar_cli.cli import app, commands
from radar_cli.cli.render import Result
from radar_cli.core import exits
from radar_cli.core.errors import DeliveryError
from tests.cli.envelopes import read_envelope
from tests.support.radar import environment, radar_path, run_radar, start_radar


def plant(monkeypatch: pytest.MonkeyPatch, function: "click.decorators.FC") -> None:
    """Put a command called `planted` into the table."""
    command = click.command(name="planted")(function)
    monkeypatch.setitem(commands.COMMANDS, "planted", (__name__, "planted", "Planted by a test."))
    monkeypatch.setattr(sys.modules[__name__], "planted", command, raising=False)


def test_it_prints_its_version() -> None:
    done = run_radar("--version", text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"radar {__version__}\n", "")


def test_it_lists_every_command_in_its_help() -> None:
    done = run_radar("--help", text=True)
    assert done.returncode == 0
    for name, (_, _, line) in commands.COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert line in done.stdout


def test_it_imports_no_command_for_its_help() -> None:
    program = (
        "import sys\n"
        "from radar_cli.cli.app import main\n"
        "code = main(['--help'])\n"
        "print(sorted(m for m in sys.modules if m.startswith('radar_cli.')), file=sys.stderr)\n"
        "print([m for m in ('rich', 'httpx', 'tomllib', 'json') if m in sys.modules and\n"
        "       m != 'json'], file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(measured=False),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    modules, heavy = done.stderr.splitlines()
    assert set(json.loads(modules.replace("'", '"'))) == {
        "radar_cli.cli",
        "radar_cli.cli.answers",
        "radar_cli.cli.app",
        "radar_cli.cli.commands",
        "radar_cli.cli.groups",
        "radar_cli.cli.layout",
        "radar_cli.cli.options",
        "radar_cli.cli.render",
        "radar_cli.core",
        "radar_cli.core.errors",
        "radar_cli.core.exits",
    }
    assert heavy == "[]"


def test_it_can_import_every_command_of_its_table() -> None:
    context = click.Context(app.root)
    for name in commands.COMMANDS:
        command = app.root.get_command(context, name)
        assert command is not None
        assert command.name in (name, "command")
    assert app.root.get_command(context, "nonsense") is None


@pytest.mark.parametrize("words", [(), ("config",)])
def test_it_shows_help_on_stderr_when_nothing_is_asked(words: tuple[str, ...]) -> None:
    done = run_radar(*words, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: radar")
    assert "Commands:" in done.stderr


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["confg"], "radar: no command 'confg' (did you mean 'config'?)"),
        (["config", "lst"], "radar: no command 'lst' (did you mean 'list'?)"),
        (["xyzzy"], "radar: no command 'xyzzy' (see 'radar --help')"),
        (["conf\x1b[2Jg\n"], "radar: no command 'conf\\x1b[2Jg\\n' (did you mean 'config'?)"),
        (["config", "get"], "radar: missing argument 'KEY' (see 'radar config get --help')"),
    ],
)
def test_it_says_in_one_line_what_is_wrong(words: list[str], line: str) -> None:
    done = run_radar(*words, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == line + "\n"


def test_it_survives_words_that_are_not_utf8() -> None:
    done = run_radar("config", "get", b"\xff\x1b", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["slug"] == "unknown-key"
    assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["--json", "confg"], ""),
        (["confg", "--json"], ""),
        (["config", "list", "--nonsense", "--json"], "config list"),
        (["--json", "config", "get", "servr"], "config get"),
        (["config", "--json", "get", "servr"], "config get"),
        (["config", "get", "servr", "--json"], "config get"),
        (["config", "list", "--json", "--profile", "nobody"], "config list"),
    ],
)
def test_it_prints_failures_as_json_wherever_json_is_asked(words: list[str], command: str) -> None:
    done = run_radar(*words, text=True)
    envelope = read_envelope(done)
    assert (envelope["ok"], envelope["command"]) == (False, command)
    assert done.returncode == 2
    # And for the person who reads the log, in words.
    assert envelope["error"]["message"] in done.stderr
    assert envelope["error"]["hint"] in done.stderr


def test_it_takes_options_before_and_behind_the_command(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[profiles.work]\nserver = 'https://w.example'\n")
    for words in (
        ["--profile", "work", "config", "get", "server"],
        ["config", "--profile", "work", "get", "server"],
        ["config", "get", "server", "--profile", "work"],
        ["--profile", "nobody", "config", "get", "server", "--profile", "work"],
    ):
        assert run_radar(*words, text=True).stdout == "https://w.example\n"
    done = run_radar("--server", "https://s.example", "config", "get", "server", text=True)
    assert done.stdout == "https://s.example\n"


def test_it_leaves_quietly_when_its_reader_goes() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    for words in (["config", "list"], ["config", "list", "--json"], ["--help"], ["--version"]):
        done = subprocess.run(
            [radar_path(), *words],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
            timeout=30,
        )
        assert (done.returncode, done.stderr) == (141, b"")
    os.close(writing)


@pytest.mark.parametrize("words", [["config", "list"], ["--help"], ["--version"]])
def test_it_says_that_stdout_is_full(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [radar_path(), *words],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
            timeout=30,
        )
    assert done.returncode == 2
    assert b"radar: can't write" in done.stderr
    assert b"No space left on device" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_it_works_with_closed_streams(closed: str) -> None:
    line = f'exec "$0" config list {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", line, radar_path()],
        env=environment(),
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_it_prints_in_a_locale_that_lacks_the_characters() -> None:
    env = environment(LANG="C", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    env["RADAR_API_KEY"] = "ck_app_0123456789"
    done = run_radar("config", "list", env=env)
    assert done.returncode == 0
    assert b"ck_a\\u202689" in done.stdout


def test_it_stops_at_an_interrupt(tmp_path: Path) -> None:
    # `cmd:` makes the command wait at a known place.
    script = tmp_path / "wait.sh"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/waiting\nexec sleep 60\n")
    script.chmod(0o755)
    env = environment(RADAR_API_KEY=f"cmd:{script}")
    process = start_radar("config", "check", env=env)
    while not (tmp_path / "waiting").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out.strip(), err.strip()) == (130, b"", b"")


def test_it_reports_a_bug_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def planted() -> None:
        raise KeyError("hostile\x1b[2J\nname")

    plant(monkeypatch, planted)
    assert app.main(["planted"]) == exits.BUG
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("radar: internal error: KeyError: ")
    assert "please report it" in err
    assert err.count("\n") == 1
    assert "\x1b" not in err
    monkeypatch.setenv("RADAR_DEBUG", "1")
    assert app.main(["planted"]) == exits.BUG
    assert "Traceback (most recent call last)" in capfd.readouterr().err


@pytest.mark.parametrize("code", [errno.EPIPE, errno.ECONNRESET, errno.EACCES])
def test_it_takes_a_servers_broken_pipe_for_none_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], code: int
) -> None:
    def planted() -> None:
        raise OSError(code, os.strerror(code))

    plant(monkeypatch, planted)
    assert app.main(["planted"]) == exits.BUG
    assert os.strerror(code) in capfd.readouterr().err


def test_it_uses_the_exit_code_of_an_error_and_of_a_result(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    outcomes: list[object] = [Result([], exit_code=1), 7, None]

    def planted() -> object:
        if outcomes:
            return outcomes.pop(0)
        raise DeliveryError("no answer", "is it running?")

    plant(monkeypatch, planted)
    assert [app.main(["planted"]) for _ in range(4)] == [1, 7, 0, exits.UNREACHABLE]
    assert capfd.readouterr().err == "radar: no answer (is it running?)\n"


def test_it_does_not_read_the_words_of_a_wrapped_command() -> None:
    done = run_radar("--profile", "nobody", "run", "Bad Key", "--", "x", "--json", text=True)
    assert done.returncode == 125
    assert done.stdout == ""


@pytest.mark.slow
def test_it_says_more_wherever_verbose_stands() -> None:
    env = environment(RADAR_SERVER="http://127.0.0.1:1", RADAR_API_KEY="k")
    before = run_radar("-v", "run", "job", "--", "true", env=env, text=True)
    behind = run_radar("run", "job", "-v", "--", "true", env=env, text=True)
    assert "kept in the outbox" in before.stderr
    assert before.stderr == behind.stderr
