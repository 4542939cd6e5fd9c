import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.children import Report, read_report
from tests.support.pings import last_ping, read_pings
from tests.support.radar import environment, radar_path, run_radar
from tests.support.requirements import require

ADDED = {b"RADAR_RUN_ID", b"RADAR_MONITOR"}


def reported(
    children: Path, tmp_path: Path, env: dict[bytes, bytes], *words: bytes, through: str = "radar"
) -> Report:
    """What a job sees that is started with `env`, by radar or directly."""
    to = tmp_path / f"report-{through}"
    own = {b"RADAR_STATE_DIR": os.fsencode(tmp_path / "state"), b"REPORT_TO": os.fsencode(to)}
    program = os.fsencode(children / "report")
    start = [os.fsencode(radar_path()), b"run", b"job", b"--"] if through == "radar" else []
    # By env(1), because Python 3.13 starts nothing with a variable that has no name.
    variables = [name + b"=" + value for name, value in {**own, **env}.items()]
    subprocess.run([b"env", b"-i", *variables, *start, program, *words], check=True)
    return read_report(to)


def difference(children: Path, tmp_path: Path, env: dict[bytes, bytes]) -> set[bytes]:
    """How the environment that the job has from radar differs from what it has without it."""
    mine = set(reported(children, tmp_path, env).environ)
    plain = set(reported(children, tmp_path, env, through="sh").environ)
    return {e for e in mine ^ plain if not e.startswith(b"REPORT_TO=")}


def names(entries: set[bytes]) -> set[bytes]:
    return {entry.partition(b"=")[0] for entry in entries}


@pytest.mark.parametrize(
    "env",
    [
        {},
        {b"LC_CTYPE": b"C.UTF-8"},
        {b"LC_CTYPE": b"C"},
        {b"LC_CTYPE": b"POSIX"},
        {b"LC_CTYPE": b""},
        {b"LC_CTYPE": b"no_SUCH"},
        {b"LC_ALL": b"C"},
        {b"LC_ALL": b"C", b"LC_CTYPE": b"C.UTF-8"},
        {b"LANG": b"C.UTF-8"},
        {b"LANG": b"C", b"PYTHONCOERCECLOCALE": b"0"},
        {b"ODD": bytes(range(1, 256)), b"\xff\xfe\x01": b"\x80"},
        {b"EMPTY": b"", b"EQUALS": b"=a=b=", b"LINES": b"a\nb"},
        {b"": b"without a name"},
        {b"": b"", b"LC_CTYPE": b"C", b"A": b"\xff"},
        {b"RADAR_RUN_ID": b"of an outer run", b"RADAR_MONITOR": b"outer"},
        {b"LONG": b"x" * 100_000},
    ],
)
def test_it_passes_the_environment_on_as_it_came(
    children: Path, tmp_path: Path, env: dict[bytes, bytes]
) -> None:
    assert names(difference(children, tmp_path, env)) == ADDED


def test_it_adds_the_run_and_the_monitor(children: Path, tmp_path: Path) -> None:
    env = reported(children, tmp_path, {}).env()

    assert env[b"RADAR_MONITOR"] == b"job"
    assert env[b"RADAR_RUN_ID"].decode() == last_ping().run_id
    assert len({ping.run_id for ping in read_pings()}) == 1


def test_a_nested_run_has_an_id_of_its_own() -> None:
    radar = str(radar_path())
    run_radar("run", "outer", "--", radar, "run", "inner", "--", radar, "run", "outer", "true")
    outer, inner, again = (ping for ping in read_pings() if ping.kind == "start")

    assert [outer.monitor, inner.monitor, again.monitor] == ["outer", "inner", "outer"]
    assert len({outer.run_id, inner.run_id, again.run_id}) == 3


def test_a_ping_inside_a_job_joins_its_run() -> None:
    radar = radar_path()
    run_radar("run", "job", "-c", f"{radar} ping job log; {radar} ping other log")
    own, other = (ping for ping in read_pings() if ping.kind == "log")

    assert own.run_id == last_ping().run_id
    assert (other.monitor, other.run_id) == ("other", "")


def test_it_works_with_no_environment_at_all(home: Path) -> None:
    env = ["env", "-i", f"RADAR_STATE_DIR={home}/state"]
    done = run_radar("run", "job", "--", "env", prefix=env)

    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert {line.partition(b"=")[0] for line in lines} == {*ADDED, b"RADAR_STATE_DIR"}


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX", "ISO-8859-1"])
def test_it_passes_200_arguments_of_any_bytes_on(
    children: Path, tmp_path: Path, locale: str
) -> None:
    env = {b"LC_ALL": locale.encode()}
    if locale == "ISO-8859-1":
        env = {b"LC_ALL": b"en_US", b"LOCPATH": os.fsencode(tmp_path)}
        words = ["localedef", "-i", "en_US", "-f", locale, str(tmp_path / "en_US")]
        done = subprocess.run(words, capture_output=True, check=False)
        require(done.returncode == 0, "localedef can't make an 8-bit locale")
    every_byte = bytes(range(1, 256))
    words_given = [every_byte[i:] + every_byte[:i] for i in range(198)] + [b"", b"--"]

    assert reported(children, tmp_path, env, *words_given).argv[1:] == words_given


@pytest.mark.parametrize("word", ["--timeout", "-c", "--help", "-h", "--", "-v", "--tag=x", "-"])
def test_it_leaves_the_options_of_the_command_alone(
    children: Path, tmp_path: Path, word: str
) -> None:
    to = tmp_path / "report"
    env = environment(REPORT_TO=str(to))
    for dashes in ((), ("--",)):
        run_radar("run", "job", "--tag", "a", *dashes, children / "report", word, "1", env=env)
        assert read_report(to).argv[1:] == [word.encode(), b"1"]


@pytest.mark.parametrize("content", ["exit 5", "# nothing\nexit 5", 'echo "$0|$1|$#"; exit 5'])
def test_it_runs_a_script_without_an_interpreter_by_sh(tmp_path: Path, content: str) -> None:
    script = tmp_path / "scripts" / "script"
    script.parent.mkdir()
    script.write_text(content + "\n")
    script.chmod(0o755)
    env = environment(PATH=f"/nowhere:{script.parent}:/bin:/usr/bin")
    for name in (str(script), "script"):
        done = run_radar("run", "job", "--", name, "a b", "*", env=env, text=True)
        assert done.returncode == 5
        assert done.stdout == (f"{script}|a b|2\n" if "echo" in content else "")
        assert done.stderr == ""


def test_a_path_without_the_directory_of_a_program_finds_none(tmp_path: Path) -> None:
    env = environment(PATH=str(tmp_path))

    assert run_radar("run", "job", "--", "true", env=env).returncode == 127


def test_without_a_path_it_looks_where_the_system_does() -> None:
    assert run_radar("run", "job", "--", "true", env=environment(PATH=None)).returncode == 0


@pytest.mark.parametrize("line", ["echo $0 $1; exit 4", "exit 4; 'x"])
def test_it_runs_a_shell_line(line: str) -> None:
    done = run_radar("run", "job", "-c", line)
    plain = subprocess.run(["sh", "-c", line], capture_output=True, check=False)

    assert done.returncode == plain.returncode
    assert done.stdout.replace(b"/bin/sh", b"sh") == plain.stdout


def test_python_variables_of_the_job_do_not_stop_radar() -> None:
    env = environment(
        measured=False, PYTHONWARNINGS="error", PYTHONDONTWRITEBYTECODE="1", PYTHONDEVMODE="1"
    )
    done = run_radar("run", "job", "--", sys.executable, "-c", "print(1)", env=env)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"1\n", b"")
