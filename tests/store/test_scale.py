"""A hundred thousand monitors: what isn't due costs nothing."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import pytest

from radar_cli.model.ping import Ping
from radar_cli.service.look import look_at_alarming
from radar_cli.store.opening import open_embedded
from radar_cli.store.searching import Cursor, Wanted, search
from radar_cli.store.store import Store
from tests.support.radar import environment, radar_path

_SECOND = 1_000_000
_HOUR = 3600 * _SECOND
_EVERY_HOUR = {"every": "3600", "gracePeriod": "60"}
_FEW, _MANY = 1_000, 100_000
# What wait4 says of a child begins with what its parent has used: here that is next to nothing.
_MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
sys.stderr.write(f"\\npeak {usage.ru_maxrss}\\n")
sys.exit(os.waitstatus_to_exitcode(status))
"""


def _build(state_dir: Path, count: int, due: int) -> None:
    """So many monitors that have just run, and a few that should have run since.

    The rows of each sort are those of one that the store itself has judged.
    """
    now_us = time.time_ns() // 1000
    with open_embedded(str(state_dir)) as store:
        for key, age_us in (("due", 3 * _HOUR), ("fine", 0)):
            ping = Ping("success", key, time_us=now_us - age_us, fields=dict(_EVERY_HOUR))
            store.pings.add([ping], ping.time_us)
    columns = "declared, created_us, judged, pauses, settled, status, watched, next_look_us"
    with sqlite3.connect(state_dir / "radar.db") as connection:
        for key, more in (("due", due - 1), ("fine", count - due - 1)):
            connection.execute(
                "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number"
                " WHERE n < ?)"
                f" INSERT INTO monitor (key, version, {columns})"
                f" SELECT printf('%s%06d', key, n), 1, {columns} FROM monitor, number"
                " WHERE key = ?",
                (more, key),
            )
    connection.close()


def _versions(state_dir: Path) -> dict[str, int]:
    connection = sqlite3.connect(state_dir / "radar.db")
    found = dict(connection.execute("SELECT key, version FROM monitor").fetchall())
    connection.close()
    return found


def _run(state_dir: Path, *words: str) -> tuple[int, str, int]:
    """Run radar on this state directory: its exit code, its output, its peak memory in kB."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", _MEASURE, radar_path(), *words],
        env=environment(measured=False, RADAR_STATE_DIR=str(state_dir)),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    said, _, peak = done.stderr.rpartition("\npeak ")
    assert said == ""
    return done.returncode, done.stdout, int(peak)


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """State directories of few monitors and of many, each with ten that are due."""
    folders = {}
    for count in (_FEW, _MANY):
        folders[count] = tmp_path_factory.mktemp(f"of{count}")
        _build(folders[count], count, 10)
    return folders


@pytest.mark.slow
def test_check_touches_only_what_is_due(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    _build(folder, _MANY, 10)
    before = _versions(folder)
    assert len(before) == _MANY
    code, said, _ = _run(folder, "check", "--format", "nagios")
    assert code == 2
    assert f"10 of {_MANY}: " in said
    after = _versions(folder)
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"due", *(f"due{number:06d}" for number in range(1, 10))}
    # And whoever looks again, judges nobody.
    code, said, _ = _run(folder, "check")
    assert (code, said.count("down (missed)")) == (1, 10)
    assert _versions(folder) == after


@pytest.mark.slow
def test_check_reads_only_what_alarms(crowds: dict[int, Path]) -> None:
    now_us = time.time_ns() // 1000

    def look(store: Store) -> int:
        return len(list(look_at_alarming(store, now_us)))

    steps = _steps(crowds, look, 10)
    assert steps[_MANY] <= steps[_FEW] * 1.5 + 10, steps


@pytest.mark.parametrize("place", [Cursor(), Cursor(2, "fine000400")])
def test_a_page_of_the_list_reads_no_more_than_a_page(
    crowds: dict[int, Path], place: Cursor
) -> None:
    def look(store: Store) -> int:
        return len(search(store.database, Wanted(), 100, after=place).monitors)

    steps = _steps(crowds, look, 100)
    assert steps[_MANY] <= steps[_FEW] * 1.5 + 10, steps


def _steps(crowds: dict[int, Path], look: Callable[[Store], int], found: int) -> dict[int, int]:
    """What a look costs in steps of SQLite's machine, the same however busy this one is."""
    steps = {}
    for count, folder in crowds.items():
        with open_embedded(str(folder)) as store:
            assert look(store) == found
            taken = 0

            def step() -> int:
                nonlocal taken
                taken += 1
                return 0

            connection = store.database._connect()  # type: ignore[attr-defined]
            connection.set_progress_handler(step, 10)
            assert look(store) == found
            steps[count] = taken
    assert steps[_FEW] > 0
    return steps


@pytest.mark.slow
@pytest.mark.parametrize("words", [("check",), ("check", "--format", "nagios")])
def test_the_memory_of_check_does_not_grow_with_the_monitors(
    crowds: dict[int, Path], words: tuple[str, ...]
) -> None:
    peaks = {count: _run(folder, *words)[2] for count, folder in crowds.items()}
    assert peaks[_MANY] <= peaks[_FEW] * 1.3, peaks


@pytest.mark.nightly(daily="tests/store/test_scale.py")
@pytest.mark.slow
def test_telling_a_program_of_all_costs_what_it_says(crowds: dict[int, Path]) -> None:
    """The metrics of each monitor are all in memory, and little else."""
    code, said, peak = _run(crowds[_MANY], "check", "--format", "prometheus")
    assert code == 1
    assert said.count("\nradar_monitor_up{") == _MANY
    few = _run(crowds[_FEW], "check", "--format", "prometheus")
    grown = (peak - few[2]) * 1024
    assert grown < 8 * (len(said) - len(few[1])), (grown, len(said))
