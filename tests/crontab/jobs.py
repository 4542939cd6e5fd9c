"""Running a job by the link, and what is to be seen of it whatever is broken."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.radar import Word, environment

# It proves that it ran once, that its stdin is whole and that its exit code is its own. By their
# paths, as there may be no PATH.
JOB = ("/bin/sh", "-c", "/bin/cat; echo ran; exit 7")
STDIN, STDOUT, CODE = b"in\n", b"in\nran\n", 7

Variables = Mapping[str, str] | Mapping[bytes, bytes]


def start(
    link: Path,
    *words: Word,
    sh: list[str] | None = None,
    env: Variables | None = None,
    cwd: Path | None = None,
) -> "subprocess.CompletedProcess[bytes]":
    """Run `radar WORDS` by the link; `env` is added to a clean environment.

    By env(1), as `sh` starts shells that aren't under test, and they read the environment, too.
    """
    added = [os.fsencode(n) + b"=" + os.fsencode(v) for n, v in (env or {}).items()]
    return subprocess.run(
        [*(sh or ()), "/usr/bin/env", *added, link, *words],
        input=STDIN,
        env=environment(measured=False),
        cwd=cwd,
        capture_output=True,
        timeout=60,
        check=False,
    )


def run_job(
    link: Path,
    *words: Word,
    sh: list[str] | None = None,
    env: Variables | None = None,
    cwd: Path | None = None,
) -> list[str]:
    """Run JOB by the link with these options, and return the lines on stderr.

    It has run as it would alone.
    """
    done = start(link, "run", "job", *words, "--", *JOB, sh=sh, env=env, cwd=cwd)
    assert (done.stdout, done.returncode) == (STDOUT, CODE), done.stderr
    return done.stderr.decode("utf-8", "replace").splitlines()
