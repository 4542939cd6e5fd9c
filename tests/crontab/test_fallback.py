"""The link where radar can't be started: the job runs, and one line says what is wrong."""

import os
import shlex
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crontab.jobs import CODE, STDOUT, run_job, start
from tests.support.children import Report, read_report, received_signals
from tests.support.installation import SHELLS, Installation, as_sh
from tests.support.pings import kinds
from tests.support.processes import remember
from tests.support.radar import Word, environment
from tests.support.waiting import wait_for_file

ADDED = {b"RADAR_RUN_ID", b"RADAR_MONITOR"}


def _remove(installation: Installation) -> None:
    installation.python.unlink()


def _leave_a_dangling_link(installation: Installation) -> None:
    installation.python.unlink()
    installation.python.symlink_to("/nowhere/python3")


def _take_the_x_bit(installation: Installation) -> None:
    installation.python.chmod(0o644)


def _empty(installation: Installation) -> None:
    installation.python.write_bytes(b"")


def _put_a_folder(installation: Installation) -> None:
    installation.python.unlink()
    installation.python.mkdir()


def _remove_encodings(installation: Installation) -> None:
    (installation.library / "encodings").unlink()


def _remove_the_folder(installation: Installation) -> None:
    installation.package.parent.rename(installation.package.parent.with_name("elsewhere"))


BREAKAGES = (
    _remove,
    _leave_a_dangling_link,
    _take_the_x_bit,
    _empty,
    _put_a_folder,
    _remove_encodings,
    _remove_the_folder,
)


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_the_job_runs_without_radar(
    installation: Installation, breakage: Callable[[Installation], None]
) -> None:
    breakage(installation)
    for shell in SHELLS:
        (line,) = run_job(installation.link, sh=as_sh(shell))
        assert line.startswith(f"radar: not started by {installation.python}"), shell
        assert line.endswith("; job runs unwatched"), shell
    assert kinds() == []


def _change_the_machine(python: Path) -> None:
    """Have the interpreter be for another processor (e_machine in the header, elf(5))."""
    program = bytearray(python.read_bytes())
    assert program[:4] == b"\x7fELF"
    program[18:20] = bytes(reversed(program[18:20]))
    python.write_bytes(program)


def test_the_job_runs_though_python_is_for_another_processor(installation: Installation) -> None:
    _change_the_machine(installation.python)
    for shell in ("dash", "bash", "mksh"):  # busybox runs it as a script
        *of_sh, line = run_job(installation.link, sh=as_sh(shell))
        assert line == f"radar: not started by {installation.python}; job runs unwatched", shell
        # What the shell says of a failed exec can't be held back, as stderr is the job's.
        assert of_sh, shell
        assert all(str(installation.python) in said for said in of_sh), shell


def test_another_command_does_nothing(sh: list[str], gone: Installation) -> None:
    for words in (["ping", "job"], ["check"], ["--version"], [], ["-v", "status", "run"]):
        done = start(gone.link, *words, sh=sh)
        assert (done.returncode, done.stdout) == (70, b""), words
        assert done.stderr.endswith(b"; nothing done\n")


@pytest.mark.parametrize(
    "words",
    [
        "run job -- {job}",
        "run job {job}",
        "run -- job {job}",
        "run --grace 5m --quiet job {job}",
        "run --grace=5m job --name '--' --tag -c -- {job}",
        "run job --fail-on ERROR --no-output {job}",
        "run job -v --json --quiet=no {job}",
        "--profile x -v --no-color run job {job}",
        "run job --every 1h -c {line}",
        "run -c={line} job",
        "run -c {line} --name '' job --",
    ],
)
def test_it_reads_the_words_as_radar_does(
    sh: list[str], whole: Installation, gone: Installation, words: str
) -> None:
    job = "sh -c 'cat; echo ran; exit 7'"
    split = shlex.split(words.format(job=job, line=shlex.quote("cat; echo ran; exit 7")))
    for installation in (whole, gone):
        done = start(installation.link, *split, sh=sh)
        assert (done.stdout, done.returncode) == (STDOUT, CODE), (words, done.stderr)


@pytest.mark.parametrize(
    "words",
    [
        "run",
        "run job",
        "run job --",
        "run job -c",
        "run job -c 'touch ran' touch ran",
        "run job --no-such-option touch ran",
        "run --no-such-option x job touch ran",
        "run job --grace",
    ],
)
def test_it_runs_nothing_where_radar_would_not(
    sh: list[str], whole: Installation, gone: Installation, words: str, tmp_path: Path
) -> None:
    for installation in (whole, gone):
        done = start(installation.link, *shlex.split(words), sh=sh, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (125, b""), words
        assert len(done.stderr.splitlines()) == 1
        assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 255"], 255),
        (["bash", "-c", "kill -9 $$"], -9),
        (["bash", "-c", "kill -TERM $$"], -15),
        (["/nowhere/program"], 127),
        (["no-such-program"], 127),
        (["/etc/passwd"], 126),
    ],
)
def test_the_exit_is_the_jobs(sh: list[str], gone: Installation, job: list[str], code: int) -> None:
    assert start(gone.link, "run", "job", "--", *job, sh=sh).returncode == code


def test_a_script_without_an_interpreter_runs_by_sh(
    sh: list[str], gone: Installation, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("echo $1; exit 7\n")
    script.chmod(0o755)
    done = start(gone.link, "run", "job", "--", script, "an argument", sh=sh)
    assert (done.returncode, done.stdout) == (7, b"an argument\n")


def _report(children: Path, to: Path, sh: list[str], link: Path | None, *words: bytes) -> Report:
    """What a job sees that this shell starts: by the link or, without one, by itself."""
    by_sh: list[Word] = ["/bin/sh", "-c", 'exec "$@"', "sh"]
    own = [link, "run", "job", "--"] if link else by_sh
    odd: list[Word] = [
        "--ignore-signal=CHLD",
        "--block-signal=USR2",
        b"ODD=" + bytes(range(1, 256)),
    ]
    subprocess.run(
        [*sh, "/usr/bin/env", *odd, *own, children / "report", *words],
        env=environment(measured=False, REPORT_TO=str(to), LC_CTYPE="", LANG="C"),
        check=True,
    )
    return read_report(to)


def _signals(report: Report) -> dict[str, int]:
    """The masks without the two signals that are the C library's own (32 and 33)."""
    return {name: mask & 0x7FFF_FFFF for name, mask in report.signals.items()}


ODD_WORDS = (b"", b" a  b ", b"\xff\x80\x81\x88", b"*", b"$HOME `x` \\n", b"new\nline", b"'\"")


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "broken"])
def test_the_job_has_what_sh_gives_it(
    sh: list[str],
    whole: Installation,
    gone: Installation,
    children: Path,
    tmp_path: Path,
    is_whole: bool,
) -> None:
    link = whole.link if is_whole else gone.link
    plain = _report(children, tmp_path / "report", sh, None, *ODD_WORDS)
    linked = _report(children, tmp_path / "report", sh, link, *ODD_WORDS)
    different = set(linked.environ) ^ set(plain.environ)
    names = {entry.partition(b"=")[0] for entry in different}
    # bash names the program there (`_`), and counts shells (SHLVL).
    assert names - {b"_", b"SHLVL"} == (ADDED if is_whole else set())
    assert linked.argv[1:] == list(ODD_WORDS)
    assert (linked.cwd, linked.umask, linked.nice) == (plain.cwd, plain.umask, plain.nice)
    assert _signals(linked) == _signals(plain)
    assert sorted(linked.fds) == sorted(plain.fds)


def test_it_is_as_it_was_when_python_has_started_and_radar_has_not(
    sh: list[str], installation: Installation, children: Path, tmp_path: Path
) -> None:
    plain = _report(children, tmp_path / "report", sh, None, *ODD_WORDS)
    (installation.package / "launch/command.py").write_text(
        "import _signal, sys\n"
        "def main():\n"
        "    sys.argv[:] = ['nothing is left']\n"
        "    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)\n"
        "    _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGTERM, _signal.SIGCHLD])\n"
        "    _signal.signal(_signal.SIGUSR1, print)\n"
        "    raise ValueError('a line\\n and another \\x00\\udcff\\'')\n"
    )
    linked = _report(children, tmp_path / "report", sh, installation.link, *ODD_WORDS)
    different = {e.partition(b"=")[0] for e in set(linked.environ) ^ set(plain.environ)}
    assert different <= {b"_", b"SHLVL"}
    assert linked.argv == [os.fsencode(children / "report"), *ODD_WORDS]
    assert _signals(linked) == _signals(plain)
    assert sorted(linked.fds) == sorted(plain.fds)


def test_nothing_of_its_own_reaches_the_job(installation: Installation) -> None:
    (installation.package / "launch/command.py").unlink()
    env = {"SHELLOPTS": "allexport", "_radar_why": "x", "_radar_line": "x"}
    words = ("--lock", "skip", "-c", "env | grep -c _radar_")
    for shell in SHELLS:
        done = start(installation.link, "run", "job", *words, sh=as_sh(shell), env=env)
        assert (done.returncode, done.stdout) == (1, b"0\n"), shell


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_the_job(
    sh: list[str], gone: Installation, children: Path, tmp_path: Path, number: signal.Signals
) -> None:
    log = tmp_path / "log"
    words: list[Word] = [*sh, gone.link, "run", "job", "--", children / "on_signal", log]
    run = remember(
        subprocess.Popen([*words, str(int(number)), "7"], env=environment(measured=False))
    )
    assert int(wait_for_file(log).split()[1]) == run.pid
    run.send_signal(number)
    assert run.wait(10) == 7
    assert [received.number for received in received_signals(log)] == [number]


@pytest.mark.parametrize("where", ["closed", "full", "nobody reads"])
def test_it_runs_where_stderr_takes_nothing(sh: list[str], gone: Installation, where: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    redirection = {"closed": "2>&-", "full": "2>/dev/full", "nobody reads": ""}[where]
    job: list[Word] = [gone.link, "run", "job", "-c", "echo ran; exit 7"]
    done = subprocess.run(
        [*sh, "bash", "-c", f'exec "$@" {redirection}', "bash", *job],
        env=environment(measured=False),
        stdout=subprocess.PIPE,
        stderr=write_end,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stdout) == (7, b"ran\n")
