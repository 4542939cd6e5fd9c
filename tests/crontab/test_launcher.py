"""The link where nothing is broken: radar runs, whatever the environment holds."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crontab.jobs import run_job, start
from tests.support.installation import SHELLS, Installation, as_sh
from tests.support.pings import kinds, last_ping, read_pings


def test_it_is_a_script_of_at_most_40_lines(whole: Installation) -> None:
    script = whole.link.read_text()
    assert script.startswith("#!/bin/sh\n")
    assert len(script.splitlines()) <= 40
    assert whole.link.stat().st_mode & 0o7777 == 0o755


def test_it_runs_the_job_under_radar(sh: list[str], whole: Installation) -> None:
    assert run_job(whole.link, sh=sh) == []
    assert [(ping.kind, ping.monitor) for ping in read_pings()] == [
        ("start", "job"),
        ("fail", "job"),
    ]
    assert last_ping().fields["exit"] == "7"


def _variables_of_python() -> list[str]:
    """Each variable that this Python says it reads, and those of which it doesn't say so."""
    words = [sys.executable, "--help-env"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    named = {line.split()[0] for line in said.splitlines() if line.startswith("PYTHON")}
    names = {word.partition("=")[0].rstrip(":") for word in named}
    assert {"PYTHONHOME", "PYTHONMALLOC", "PYTHONINSPECT"} <= names
    other_versions = """
        PYTHON_BASIC_REPL PYTHON_COLORS PYTHON_CPU_COUNT PYTHON_FROZEN_MODULES PYTHON_GIL
        PYTHON_HISTORY PYTHON_PERF_JIT_SUPPORT PYTHON_PRESITE PYTHONDUMPREFS PYTHONDUMPREFSFILE
        PYTHONEXECUTABLE PYTHONINTMAXSTRDIGITS PYTHONNODEBUGRANGES PYTHONPERFSUPPORT
        PYTHONSAFEPATH PYTHONTHREADDEBUG PYTHONUSERBASE PYTHONWARNDEFAULTENCODING
    """
    return sorted(names | set(other_versions.split()))


@pytest.mark.parametrize("value", ["1", "garbage", "/nowhere"])
def test_no_variable_of_python_reaches_radar(whole: Installation, value: str) -> None:
    names = _variables_of_python()
    for name in names:
        assert run_job(whole.link, env={name: value}) == [], name
    assert kinds().count("fail") == len(names)


def test_all_variables_of_python_reach_the_job(sh: list[str], whole: Installation) -> None:
    env = dict.fromkeys(_variables_of_python(), "garbage")
    done = start(whole.link, "run", "job", "-c", "env | grep -c =garbage", sh=sh, env=env)
    assert (int(done.stdout), done.stderr) == (len(env), b"")
    assert kinds() == ["start", "success"]


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("sitecustomize", "raise SystemExit(9)"),
        ("sitecustomize", "import os; os._exit(9)"),
        ("usercustomize", "raise SystemExit(9)"),
        ("encodings", "raise SystemExit(9)"),
        ("json", "raise SystemExit(9)"),
        ("socket", "raise SystemExit(9)"),
        ("os", "raise SystemExit(9)"),
        ("radar_cli", "raise SystemExit(9)"),
    ],
)
def test_no_module_of_the_job_reaches_radar(
    whole: Installation, tmp_path: Path, module: str, code: str
) -> None:
    (tmp_path / f"{module}.py").write_text(code + "\n")
    assert run_job(whole.link, env={"PYTHONPATH": str(tmp_path)}, cwd=tmp_path) == []
    assert run_job(whole.link, env={"PYTHONPATH": ""}, cwd=tmp_path) == []
    assert kinds() == ["start", "fail"] * 2


def test_no_module_of_its_own_environment_is_run_first(installation: Installation) -> None:
    site = installation.library / "site-packages"
    site.unlink(missing_ok=True)
    site.mkdir()
    (site / "sitecustomize.py").write_text("import os; os._exit(9)\n")
    assert run_job(installation.link) == []


# OPTIND=foo in dash and SHELLOPTS=noexec in bash stop every shell, cron's own included.
SHELL_VARIABLES = (
    {"ENV": "{exits}", "BASH_ENV": "{exits}"},
    {"IFS": "/radoncx-"},
    {"CDPATH": "/tmp:/usr", "FPATH": "/tmp", "PS4": "$(exit 9)"},
    {"PATH": ""},
    {"HOME": "", "PWD": "/nowhere", "OLDPWD": "/nowhere", "TMPDIR": "/nowhere"},
    {"OPTIND": "7", "PPID": "1", "LINENO": "5", "RANDOM": "1", "UID": "7", "EUID": "7"},
    {"POSIXLY_CORRECT": "1", "BASH_VERSION": "5", "KSH_VERSION": "5", "SHELL": "/nowhere"},
    {"BASHOPTS": "extglob:nullglob:failglob", "BASH_COMPAT": "3.1"},
    {"SHELLOPTS": "errexit:nounset:noglob:allexport:noclobber"},
    {"LC_ALL": "C"},
    {"LANG": "", "LC_CTYPE": "POSIX"},
    {"_radar_why": "x", "_radar_line": "exit 9", "_radar_lock": "fail"},
    {
        f"BASH_FUNC_{name}%%": "() {  echo hijacked; exit 9\n}"
        for name in (
            *("[", "command", "exec", "printf", "set", "shift", "shopt", "test", "trap", "unset"),
            *("say", "umask", "mkdir", "id", "flock", "eval"),
        )
    },
)


@pytest.mark.parametrize("variables", SHELL_VARIABLES, ids=lambda env: "-".join(env)[:40])
def test_no_variable_of_sh_stops_the_job(
    whole: Installation, gone: Installation, tmp_path: Path, variables: dict[str, str]
) -> None:
    (tmp_path / "exits").write_text("exit 9\n")
    env = {
        name: value.replace("{exits}", str(tmp_path / "exits")) for name, value in variables.items()
    }
    for shell in SHELLS:
        sh = as_sh(shell)
        assert run_job(whole.link, sh=sh, env=env) == [], shell
        (line,) = run_job(gone.link, sh=sh, env=env)
        assert line == f"radar: not started by {gone.python}; job runs unwatched", shell
    assert kinds() == ["start", "fail"] * len(SHELLS)
