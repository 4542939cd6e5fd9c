import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.children import Report, read_report
from tests.support.pings import last_ping
from tests.support.radar import environment, radar_path, run_radar

# glibc's posix_spawn leaves 32 and 33, which it keeps for its threads, ignored.
_LIBRARYS_OWN = 0b11 << 31


def reports(
    children: Path, tmp_path: Path, *launch: str, words: tuple[str, ...] = ()
) -> tuple[Report, Report]:
    """The state that a job has from radar, and the one that it has without it."""
    found: list[Report] = []
    for through in ([str(radar_path()), "run", "job", *words, "--"], []):
        to = tmp_path / f"report-{len(found)}"
        subprocess.run(
            [children / "launch", *launch, "--", *through, children / "report"],
            env=environment(REPORT_TO=str(to)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        found.append(read_report(to))
    return found[0], found[1]


def test_it_passes_on_umask_folder_and_niceness(
    children: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job, plain = reports(children, tmp_path, "-u", "027", "-n", "3")

    assert job.umask == plain.umask == 0o27
    assert job.nice == plain.nice
    assert job.cwd == plain.cwd == os.fsencode(tmp_path)
    assert job.cpus == plain.cpus
    assert job.limits == plain.limits


def test_it_passes_on_limits(children: Path, tmp_path: Path) -> None:
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    to = tmp_path / "report"
    limit = ["prlimit", "--nofile=100:200", "--core=0:4096", "--fsize=1000000:2000000"]
    env = environment(REPORT_TO=str(to))
    run_radar("run", "job", "--", children / "report", prefix=limit, env=env)
    limits = read_report(to).limits

    assert (limits["nofile"], limits["core"]) == ((100, 200), (0, 4096))
    assert limits["fsize"] == (1_000_000, 2_000_000)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == old


def test_the_job_stays_in_group_and_session(children: Path, tmp_path: Path) -> None:
    job, plain = reports(children, tmp_path)

    assert (job.pgid, job.sid) == (plain.pgid, plain.sid) == (os.getpgid(0), os.getsid(0))


def test_the_job_has_a_group_of_its_own_with_a_timeout(children: Path, tmp_path: Path) -> None:
    job, _ = reports(children, tmp_path, words=("--timeout", "1h"))

    assert (job.pgid, job.sid) == (job.pid, os.getsid(0))


def test_a_timeout_of_0_is_none(children: Path, tmp_path: Path) -> None:
    job, _ = reports(children, tmp_path, words=("--timeout", "0"))

    assert job.pgid == os.getpgid(0)


def test_it_runs_in_a_folder_that_is_gone(children: Path, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    line = f'cd {tmp_path}/gone && rmdir {tmp_path}/gone && exec "$@"'
    env = environment(REPORT_TO=str(tmp_path / "report"), REPORT_EXIT="7")
    prefix = ["sh", "-c", line, "sh"]
    done = run_radar("run", "job", "--", children / "report", prefix=prefix, env=env)

    assert done.returncode == 7
    assert done.stderr == b""
    assert read_report(tmp_path / "report").cwd == b""


@pytest.mark.parametrize("words", [(), ("--no-output",), ("--quiet",), ("--lock", "skip")])
def test_the_job_has_the_inherited_descriptors_and_no_other(
    children: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    job, plain = reports(children, tmp_path, "-o", "5", "-o", "9", words=words)

    assert sorted(job.fds) == sorted(plain.fds) == [0, 1, 2, 5, 9]
    assert job.fds[0].target == plain.fds[0].target == b"/dev/null"
    if "--no-output" in words:
        assert [job.fds[fd].target for fd in job.fds] == [plain.fds[fd].target for fd in plain.fds]


def test_signals_are_as_they_came(children: Path, tmp_path: Path) -> None:
    job, plain = reports(children, tmp_path)

    assert job.signals["blocked"] == plain.signals["blocked"]
    assert job.signals["ignored"] & ~_LIBRARYS_OWN == plain.signals["ignored"] & ~_LIBRARYS_OWN
    assert job.signals["caught"] == job.signals["pending"] == 0
    assert not job.is_ignored(signal.SIGPIPE)
    assert not job.is_ignored(signal.SIGXFSZ)


def test_blocked_and_ignored_signals_stay_so(children: Path, tmp_path: Path) -> None:
    ignored = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD, 40)
    blocked = (signal.SIGUSR1, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD, 41)
    options = [word for number in ignored for word in ("-i", str(int(number)))]
    options += [word for number in blocked for word in ("-b", str(int(number)))]
    job, plain = reports(children, tmp_path, *options)

    assert job.signals["blocked"] == plain.signals["blocked"]
    assert job.signals["ignored"] & ~_LIBRARYS_OWN == plain.signals["ignored"] & ~_LIBRARYS_OWN
    assert all(job.is_ignored(number) for number in ignored)
    assert all(job.is_blocked(number) for number in blocked)


@pytest.mark.parametrize("code", [0, 7])
@pytest.mark.parametrize("words", [(), ("--timeout", "1h"), ("--retries", "1")])
def test_an_ignored_sigchld_costs_no_exit_code(
    children: Path, code: int, words: tuple[str, ...]
) -> None:
    ignoring = (children / "launch", "-i", str(int(signal.SIGCHLD)), "--")
    done = run_radar("run", "job", *words, "-c", f"echo hello; exit {code}", prefix=ignoring)

    assert done.returncode == code
    assert done.stdout.count(b"hello\n") == (2 if "--retries" in words and code else 1)
    assert last_ping().fields["exit"] == str(code)


@pytest.mark.parametrize("program", ["no-such-program", "/etc", "/etc/passwd"])
def test_an_ignored_sigchld_hides_no_missing_program(children: Path, program: str) -> None:
    ignoring = (children / "launch", "-i", str(int(signal.SIGCHLD)), "--")
    done = run_radar("run", "job", "--", program, prefix=ignoring)

    assert done.returncode == (127 if program.startswith("no") else 126)


def test_an_ignored_sigchld_lets_scripts_without_an_interpreter_run(
    children: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("exit 6\n")
    script.chmod(0o755)
    ignoring = (children / "launch", "-i", str(int(signal.SIGCHLD)), "--")

    assert run_radar("run", "job", "--", script, prefix=ignoring).returncode == 6
