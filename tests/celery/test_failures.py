"""Why tasks failed: grouped, counted once from whichever source tells, and judged by `check`."""

import json
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from radar_cli.celery.failures import Ended, group_failures, judge_tasks, read_reason
from radar_cli.celery.results import own_line
from tests.celery.checking import Verdict
from tests.cli.envelopes import read_envelope
from tests.support.celery_app import Worker
from tests.support.radar import run_radar
from tests.support.waiting import wait_until

_TRACEBACK = """Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/srv/shop/tasks.py", line 12, in backup
    load(path)
  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode
    raise JSONDecodeError("Expecting value", s, err.value) from None
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)
"""


def _failure(number: int, **changes: Any) -> Ended:
    values: dict[str, Any] = {
        "task": "shop.backup",
        "run_id": f"run-{number}",
        "ended_us": number * 1_000_000,
        "is_failure": True,
        "kind": "OSError",
        "place": "shop/tasks.py:12 (backup)",
    }
    return Ended(**(values | changes))


def test_a_reason_is_taken_apart() -> None:
    assert read_reason("json.decoder.JSONDecodeError at shop/tasks.py:12 (load): a: b") == (
        *("json.decoder.JSONDecodeError", "shop/tasks.py:12 (load)"),
        "a: b",
    )
    assert read_reason("billiard.exceptions.WorkerLostError: exited: signal 9") == (
        *("billiard.exceptions.WorkerLostError", ""),
        "exited: signal 9",
    )
    assert read_reason("revoked before it began")[0] == "revoked"
    assert read_reason("expired at 2026-12-01: no worker was free before")[0] == "expired"
    assert read_reason("")[0] == "failed"
    assert own_line(_TRACEBACK) == "shop/tasks.py:12 (backup)"
    assert own_line("no traceback") == ""


def test_failures_are_grouped_by_exception_and_line_and_each_run_counts_once() -> None:
    both = [
        _failure(1, source="result backend", place="tasks.py:12 (backup)", traceback="tb"),
        _failure(1),
        _failure(3, task="shop.other"),
        _failure(2, place="shop/tasks.py:40 (restore)"),
        _failure(4, is_failure=False),
    ]
    first, second = group_failures(both)
    assert (first.count, first.first_us, first.last_us) == (2, 1_000_000, 3_000_000)
    assert first.tasks == {"shop.backup": 1, "shop.other": 1}
    assert second.place.endswith("(restore)")


def test_a_task_that_mostly_fails_is_bad() -> None:
    def judge(failed: int, well: int) -> str:
        ended = [_failure(n) for n in range(failed)]
        ended += [_failure(100 + n, is_failure=False) for n in range(well)]
        [finding] = judge_tasks(ended, 3600.0)
        assert finding.layer == "tasks"
        return finding.state

    assert judge(60, 0) == "bad"
    assert judge(3, 0) == "bad"
    assert judge(2, 0) == "ok"  # a person may have sent it wrongly
    assert judge(5, 5) == "bad"
    assert judge(2, 2) == "ok"
    assert judge(4, 60) == "ok"
    assert judge_tasks([], 3600.0) == []


@pytest.mark.slow
def test_they_are_read_from_reports_and_from_the_result_backend(
    redis_url: str, tmp_path: Path
) -> None:
    conf = {"result_backend": redis_url, "task_ignore_result": False, "result_extended": True}
    monitors = {"watched.fails": "fails"}  # what else fails, only the backend knows
    Worker(
        *(redis_url, tmp_path),
        app="watched",
        WATCHED_CONF=json.dumps(conf),
        WATCHED_MONITORS=json.dumps(monitors),
    ).wait()
    app = Celery("watched", broker=redis_url, backend=redis_url, set_as_current=False)
    with app.connection_for_write() as connection:
        for _ in range(3):
            options = {"kwargs": {"password": "hunter2"}, "connection": connection}
            app.send_task("watched.fails", (7,), **options)
            app.send_task("watched.soft_fails", ("s3cret-not",), **options)
        app.send_task("watched.well", (), connection=connection)
    app.close()

    def groups(*words: str) -> list[dict[str, Any]]:
        done = run_radar("celery", "failures", *words, "--json", text=True)
        assert "hunter2" not in done.stdout
        found: list[dict[str, Any]] = read_envelope(done)["data"]
        return found

    def count(*words: str) -> int:
        return sum(group["failed"] for group in groups(*words))

    wait_until(lambda: count() == 3, 40, "the reports")
    wait_until(lambda: count("-b", redis_url) == 6, 40, "both sources")
    by_kind = {group["exception"]: group for group in groups("-b", redis_url)}
    reported = by_kind["json.decoder.JSONDecodeError"]
    assert reported["failed"] == 3  # each once, though both sources have them
    assert reported["line"].startswith("watched.py:")
    assert "password=[redacted]" in reported["example"]["called"]
    assert "json.loads(password)" in reported["example"]["traceback"]
    stored = by_kind["ZeroDivisionError"]
    assert stored["tasks"] == {"watched.soft_fails": 3}
    assert stored["example"]["source"] == "result backend"
    assert "password=[redacted]" in stored["example"]["called"]
    assert [g["exception"] for g in groups("--task", "watched.fails", "-b", redis_url)] == [
        "json.decoder.JSONDecodeError"
    ]
    assert groups("--since", "0.001s", "-b", redis_url) == []

    text = run_radar("celery", "failures", "-b", redis_url, text=True).stdout
    assert "3 x json.decoder.JSONDecodeError at watched.py:" in text
    assert "json.loads(password)" in text

    verdict = Verdict(redis_url)
    assert verdict.code == 1
    bad = verdict["tasks", "watched.fails"]
    assert (bad["state"], bad["data"]["failed"]) == ("bad", 3)
    assert "JSONDecodeError at watched.py:" in bad["cause"]
    assert verdict["tasks", "watched.soft_fails"]["state"] == "bad"
    assert verdict["tasks", "watched.well"]["state"] == "ok"


def test_with_nothing_to_read_it_says_so() -> None:
    done = run_radar("celery", "failures", text=True)
    assert done.returncode == 0
    assert "no failed run of any task is known of the last 24h" in done.stdout + done.stderr
    assert "setup_radar(app)" in done.stderr


_SENTRY = """
import json, os
import sentry_sdk
from sentry_sdk.integrations.celery import CeleryIntegration


def keep(event, hint):
    with open(os.environ["SENTRY_EVENTS"], "a") as file:
        file.write(json.dumps(event["exception"]["values"][-1]["type"]) + "\\n")


sentry_sdk.init("http://key@127.0.0.1:9/1", integrations=[CeleryIntegration()], before_send=keep)
from watched import *
"""


@pytest.mark.slow
def test_sentry_beside_it_is_told_as_well(redis_url: str, tmp_path: Path) -> None:
    pytest.importorskip("sentry_sdk", reason="sentry-sdk is not installed")
    (tmp_path / "sentried.py").write_text(_SENTRY)
    events = tmp_path / "events"
    Worker(
        *(redis_url, tmp_path),
        app="sentried",
        WATCHED_MONITORS=json.dumps({"watched.fails": "fails"}),
        SENTRY_EVENTS=str(events),
        PYTHONPATH=str(tmp_path),
    ).wait()
    app = Celery("watched", broker=redis_url, set_as_current=False)
    with app.connection_for_write() as connection:
        app.send_task("watched.fails", (7,), connection=connection)
    app.close()
    wait_until(events.exists, 40, "Sentry hears of it")
    assert events.read_text() == '"JSONDecodeError"\n'

    def count() -> int:
        done = run_radar("celery", "failures", "--json", text=True)
        return sum(group["failed"] for group in read_envelope(done)["data"])

    wait_until(lambda: count() == 1, 20, "radar hears of it", every_s=0.2)
