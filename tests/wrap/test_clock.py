"""A clock that is set while the job runs changes nothing about the run."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.pings import read_pings
from tests.support.radar import environment, run_radar, start_radar
from tests.support.requirements import require_program
from tests.support.server import Server
from tests.support.waiting import wait_for_file

# The wall's clock, off by as many seconds as a file says.
SOURCE = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = syscall(SYS_clock_gettime, clock, now);
    FILE *file = clock == CLOCK_REALTIME ? fopen(getenv("CLOCK_OFF_BY"), "r") : NULL;
    long seconds = 0;
    if (file) {
        if (fscanf(file, "%ld", &seconds) == 1)
            now->tv_sec += seconds;
        fclose(file);
    }
    return result;
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clock") / "clock.so"
    cc = require_program("cc")
    words = [cc, "-shared", "-fPIC", "-x", "c", "-o", str(path), "-"]
    subprocess.run(words, input=SOURCE, text=True, check=True)
    return path


@pytest.mark.parametrize("off_by", [-7200, -1, 7200])
@pytest.mark.parametrize("where", ["store", "server"])
def test_a_run_ends_after_its_start_though_the_clock_was_set(
    off_by: int, where: str, library: Path, server: Server, tmp_path: Path
) -> None:
    offset = tmp_path / "off-by"
    offset.write_text("0\n")
    env = environment(
        measured=False, LD_PRELOAD=str(library), CLOCK_OFF_BY=str(offset), RADAR_API_KEY="key"
    )
    if where == "server":
        env["RADAR_SERVER"] = server.url
    job = "echo up >up; read line <go"
    os.mkfifo(tmp_path / "go")
    words = ("--every", "1d", "--max-runtime", "10m")
    radar = start_radar("run", "job", *words, "-c", job, env=env)
    wait_for_file(tmp_path / "up")
    offset.write_text(f"{off_by}\n")
    (tmp_path / "go").write_text("go\n")
    assert radar.wait(10) == 0
    if where == "server":
        start, end = (float(ping.query["ts"]) for ping in server.accepted)
        duration_s = float(server.accepted[-1].query["duration"])
    else:
        first, last = read_pings()
        start, end = first.time_us / 1e6, last.time_us / 1e6
        duration_s = float(last.fields["duration"])
        told = json.loads(run_radar("status", "--json", env=env).stdout)["data"][0]
        assert (told["status"], told["running"]) == ("up", False)
    assert start <= end
    assert abs(end - start - duration_s) < 0.5
