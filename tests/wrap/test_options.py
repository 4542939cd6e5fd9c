import pytest

from radar_cli.core.errors import UsageError
from radar_cli.wrap.options import TABLE, Options, parse
from tests.support.pings import kinds, last_ping, read_pings
from tests.support.radar import environment, run_radar

RID = "018f4e9a-7b1c-4c3d-8e2f-5a6b7c8d9e0f"
# For each flag a value, and what it becomes in Options.
VALUES: dict[str, tuple[str, object]] = {
    "--schedule": ("*/5 * * * *", "*/5 * * * *"),
    "--every": ("90s", 90.0),
    "--tz": ("Europe/London", "Europe/London"),
    "--grace": ("10m", 600.0),
    "--max-runtime": ("2h", 7200.0),
    "--name": ("A name", "A name"),
    "--tag": ("a,b c", ["a", "b", "c"]),
    "--timeout": ("1.5", 1.5),
    "--kill-after": ("0", 0.0),
    "--ok-codes": ("0,24", (0, 24)),
    "--fail-on": ("E, R", ["E, R"]),
    "--fail-on-stderr": ("1", True),
    "--fail-if-empty": ("yes", True),
    "--retries": ("3", 3),
    "--retry-delay": ("1d", 86400.0),
    "--lock": ("wait", "wait"),
    "--tail-of": ("stderr", "stderr"),
    "--lock-timeout": ("1h", 3600.0),
    "--message": ("from CI", "from CI"),
    "--url": ("https://ci.example/1", "https://ci.example/1"),
    "--quiet": ("true", True),
    "--no-output": ("on", True),
    "--output-on-fail": ("1", True),
    "--no-start": ("1", True),
    "--capture": ("1", True),
    "--send-command": ("1", True),
    "--to": ("one,two", ["one", "two"]),
    "--profile": ("one", ["one"]),
    "--server": ("http://x", "http://x"),
    "--ping-timeout": ("3", 3.0),
    "--rid": (RID, RID),
    "--redact": ("a b", ["a b"]),
    "--tail": ("20k", 20_000),
}
# A shell line on the command line only; the others are the settings of all commands.
WITHOUT_VARIABLE = {"-c", "--profile", "--server"}
FLAGS = [row[0] for row in TABLE]


def attribute(flag: str) -> str:
    return "to" if flag == "--profile" else flag.strip("-").replace("-", "_")


def variable(flag: str) -> str:
    return "RADAR_" + flag.strip("-").replace("-", "_").upper()


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag != "-c"])
def test_every_option_is_read_before_and_after_the_monitor(flag: str) -> None:
    text, value = VALUES[flag]
    for words in (
        [f"{flag}={text}", "job", "--", "true"],
        ["job", f"{flag}={text}", "--", "true"],
        ["job", f"{flag}={text}", "true"],
        ["--quiet", "job", f"{flag}={text}", "--quiet", "--", "true"],
    ):
        options = parse(words)
        assert getattr(options, attribute(flag)) == value
        assert (options.monitor, options.command, options.warnings) == ("job", ["true"], [])
    kind = next(row[1] for row in TABLE if row[0] == flag)
    apart = [flag] if kind == "switch" else [flag, text]
    assert getattr(parse([*apart, "job", "true"]), attribute(flag)) == value
    assert getattr(parse(["job", *apart, "true"]), attribute(flag)) == value


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag not in WITHOUT_VARIABLE])
def test_every_option_has_a_variable(flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, value = VALUES[flag]
    default = getattr(Options(), attribute(flag))
    assert default != value
    monkeypatch.setenv(variable(flag), text)
    assert getattr(parse(["job", "true"]), attribute(flag)) == value
    monkeypatch.setenv(variable(flag), "")
    assert getattr(parse(["job", "true"]), attribute(flag)) == default


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag not in WITHOUT_VARIABLE])
def test_a_bad_variable_is_at_most_a_warning(flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable(flag), "\udcff!")
    options = parse(["job", "true"])

    assert all(each.startswith(f"{variable(flag)} is ignored: ") for each in options.warnings)
    kind = next(row[1] for row in TABLE if row[0] == flag)
    assert len(options.warnings) == (kind not in ("text", "name", "words", "regexes"))


def test_a_flag_stands_over_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADAR_TIMEOUT", "not read")
    monkeypatch.setenv("RADAR_QUIET", "1")
    monkeypatch.setenv("RADAR_TAG", "x")
    options = parse(["job", "--timeout", "5", "--quiet=0", "--tag", "a", "true"])

    assert (options.timeout, options.quiet, options.tag) == (5.0, False, ["a"])
    assert options.warnings == []


@pytest.mark.parametrize(("flag", "other"), [("--every", "schedule"), ("--schedule", "every")])
def test_a_kind_of_schedule_stands_over_the_other_ones_variable(
    flag: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_EVERY", "1h")
    monkeypatch.setenv("RADAR_SCHEDULE", "@daily")

    assert getattr(parse(["job", flag, VALUES[flag][0], "true"]), other) is None


def test_lists_grow_and_variables_hold_one_regex_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    options = parse(["job", "--tag", "a", "--fail-on", "x y", "--tag", "b", "--fail-on=z", "true"])
    assert (options.tag, options.fail_on) == (["a", "b"], ["x y", "z"])
    monkeypatch.setenv("RADAR_FAIL_ON", "one, two\nthree\n")
    assert parse(["job", "true"]).fail_on == ["one, two", "three"]
    monkeypatch.setenv("RADAR_TO", "a")
    assert parse(["job", "--profile", "b", "true"]).to in (["b"], ["b", "a"])


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("job -- --weird -x", ["--weird", "-x"]),
        ("job --tag a prog --tag b -- c", ["prog", "--tag", "b", "--", "c"]),
        ("job prog -c x", ["prog", "-c", "x"]),
        ("job -- -- x", ["--", "x"]),
        ("-- job -- prog --timeout 5", ["prog", "--timeout", "5"]),
        ("job -v --no-color --verbose prog", ["prog"]),
        ("job - x", ["-", "x"]),
        ("job -- run other -- x", ["run", "other", "--", "x"]),
    ],
)
def test_the_command_is_taken_as_it_stands(words: str, command: list[str]) -> None:
    assert parse(words.split()).command == command


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_needs_neither_monitor_nor_command(word: str) -> None:
    assert parse([word]).help
    assert parse(["job", word]).help
    assert not parse(["job", "true", word]).help


def test_each_word_of_a_shell_line_is_sh_s() -> None:
    assert parse(["job", "-c", "--a 'b'"]).command == ["/bin/sh", "-c", "--a 'b'"]
    with pytest.raises(UsageError, match="both -c and a command"):
        parse(["-c", "x", "job", "y"])


def test_a_crontab_can_say_it_once_at_its_top() -> None:
    top = {"GRACE": "10m", "TAG": "nightly", "NO_START": "1", "TAIL": "5", "RETRIES": "1"}
    env = environment() | {f"RADAR_{name}": value for name, value in top.items()}
    done = run_radar("run", "job", "-c", "echo hello world; exit 5", env=env)
    ping = last_ping()

    assert (done.returncode, kinds()) == (5, ["fail"])
    assert (ping.fields["gracePeriod"], ping.fields["tags"]) == ("600", "nightly")
    assert (ping.fields["tries"], ping.body) == ("2", b"orld\n")


def test_the_job_sees_the_variables_as_they_are() -> None:
    env = environment(RADAR_TAG="a", RADAR_TIMEOUT="soon")
    done = run_radar("run", "job", "-c", "echo $RADAR_TAG $RADAR_TIMEOUT", env=env)

    assert done.stdout == b"a soon\n"
    assert read_pings()[0].fields["tags"] == "a"


@pytest.mark.parametrize(
    "words", [("--every", "0"), ("--max-runtime", "0s"), ("--schedule", ""), ("--tz", " ")]
)
def test_it_refuses_what_would_silently_mean_nothing(words: tuple[str, ...]) -> None:
    done = run_radar("run", "m", *words, "--", "true", text=True)
    assert (done.returncode, len(done.stderr.splitlines())) == (125, 1)


def test_options_of_every_command_are_taken() -> None:
    done = run_radar("run", "m", "--json", "--no-color", "-v", "--", "echo", "out", text=True)
    assert (done.returncode, done.stdout) == (0, "out\n")
