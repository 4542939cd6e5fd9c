"""`radar monitors history|output`, as people and programs see them."""

import csv
import io
import os
import re
import signal
from pathlib import Path

import pytest

from tests.cli.monitors import data, remember, show
from tests.support.radar import Word, environment, radar_path, run_radar
from tests.support.terminal import Terminal


def test_it_lists_the_runs_newest_first() -> None:
    run_radar("run", "job", "--", "true")
    run_radar("run", "job", "--", "sh", "-c", "exit 7")
    run_radar("run", "job", "--retries", "1", "--", "sh", "-c", "kill -9 $$")
    head, *lines = show("history", "job").splitlines()
    assert head.split()[:5] == ["started", "took", "outcome", "exit", "reason"]
    assert [line.split("  ")[0][-4:] for line in lines] == [" UTC"] * 3
    exits = [re.split(r"  +", line)[2:4] for line in lines]
    assert exits == [["fail", "SIGKILL"], ["fail", "7"], ["success", "0"]]
    killed, *_ = runs = data("history", "job")
    assert (killed["signal"], killed["tries"]) == (signal.SIGKILL, 2)
    assert [run["exit_code"] for run in runs[1:]] == [7, 0]
    assert len(data("history", "job", "--limit", "2")) == 2
    rows = list(csv.DictReader(io.StringIO(show("history", "job", "--format", "csv"))))
    assert [row["run_id"] for row in rows] == [run["run_id"] for run in runs]
    assert [row["started_at"] for row in rows] == [run["started_at"] for run in runs]
    assert rows[0]["host"] == os.uname().nodename


def test_it_tells_a_hung_run_from_one_that_runs(state_dir: Path) -> None:
    remember(
        state_dir,
        ("start", 5.0, {"max_runtime": "3600", "rid": "a"}),
        ("start", 0.5, {"rid": "b"}),
    )
    assert [run["outcome"] for run in data("history", "job")] == ["running", "hung"]
    assert data("show", "job")["strip"] == ["hung", "running"]


@pytest.mark.parametrize("limit", ["0", "-3", "x", "9" * 30])
def test_it_takes_only_a_sensible_number_of_runs(limit: str) -> None:
    run_radar("run", "job", "--", "true")
    done = run_radar("monitors", "history", "job", "--limit", limit, text=True)
    if limit.startswith("9"):
        assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    else:
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1


def test_it_prints_the_output_byte_for_byte_into_a_pipe() -> None:
    said = r"caf\303\251\t\033[31mred\033[0m\r\nno end"
    run_radar("run", "job", "--", "printf", said)
    done = run_radar("monitors", "output", "job")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"caf\xc3\xa9\t\x1b[31mred\x1b[0m\r\nno end"
    with Terminal([radar_path(), "monitors", "output", "job"], environment()) as terminal:
        assert terminal.wait(30) == 0
        assert terminal.screen == "caf\u00e9    \\x1b[31mred\\x1b[0m\r\nno end\r\n".encode()
    assert data("output", "job")["output"].endswith("no end")


def test_it_prints_the_output_of_a_named_run() -> None:
    for word in ("first", "second"):
        run_radar("run", "job", "--", "echo", word)
    second, first = (run["run_id"] for run in data("history", "job"))
    assert show("output", "job") == "second\n"
    assert show("output", "job", "--run", first) == "first\n"
    assert show("output", "job", "--run", first[-8:].upper()) == "first\n"
    assert show("output", "job", "--run", second[-8:]) == "second\n"


def test_it_says_which_run_is_not_there_or_not_clear() -> None:
    for _ in range(2):
        run_radar("run", "job", "--", "true")
    done = run_radar("monitors", "output", "job", "--run", "f" * 36, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"radar: job has no run '{'f' * 36}' (see 'radar history job')\n"
    done = run_radar("monitors", "output", "job", "--run", "", text=True)
    assert done.returncode == 2
    assert "several runs end in" in done.stderr
    run_radar("monitors", "create", "new")
    done = run_radar("monitors", "output", "new", text=True)
    assert (done.returncode, done.stderr) == (1, "radar: no run of new has ended yet\n")


def test_it_says_what_is_missing_of_an_output() -> None:
    run_radar("run", "job", "--tail", "10", "--", "seq", "100")
    done = run_radar("monitors", "output", "job", text=True)
    assert done.stdout.endswith("99\n100\n")
    assert re.fullmatch(r"radar: \d+ bytes before this were not kept\n", done.stderr)
    run_radar("run", "job", "--", "true")
    done = run_radar("monitors", "output", "job", text=True)
    assert (done.stdout, done.stderr) == ("", "radar: it has no output\n")


def test_pings_by_hand_have_outputs_of_their_own() -> None:
    for word in (b"one\n", b"two\n"):
        run_radar("ping", "job", "success", "-", stdin=word)
    assert show("output", "job") == "two\n"
    assert [run["outcome"] for run in data("history", "job")] == ["success", "success"]


def test_it_ends_as_others_do_when_nobody_reads_on() -> None:
    run_radar("run", "job", "--tail", "1M", "--", "seq", "100000")
    pipe = 'set -o pipefail; "$0" "$@" | head -1'
    words: tuple[Word, ...] = ("monitors", "output", "job")
    done = run_radar(*words, prefix=("bash", "-c", pipe), text=True)
    assert (done.returncode, done.stderr) == (141, "")
    assert done.stdout.count("\n") == 1
