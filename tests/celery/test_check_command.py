"""What else `radar celery check` takes: an app, formats, a monitor, and its errors."""

import json
import os
import time

import pytest

from tests.support.celery_app import APP_FOLDER
from tests.support.radar import environment, run_radar, start_radar


def test_an_app_tells_its_broker(redis_url: str) -> None:
    env = environment(SHOP_BROKER=redis_url)
    done = run_radar("celery", "check", "-A", "shop", "-v", env=env, cwd=APP_FOLDER, text=True)
    assert done.returncode == 1
    assert f"{redis_url}  ok" in done.stdout
    assert "no worker is connected" in done.stdout


def test_without_a_broker_or_with_a_bad_one_it_says_what_to_edit() -> None:
    for words, said in (
        ((), "which broker? (give -b URL, or -A APP as to celery)"),
        (("-b", "localhost"), "bad broker 'localhost'"),
        (("-b", "foo://x"), "bad broker with scheme 'foo'"),
        (("-A", "nowhere"), "can't import the app 'nowhere'"),
        (("-b", "redis://x", "--timeout", "soon"), "--timeout: bad duration 'soon'"),
        (("-b", "redis://x", "--monitor", "No Key"), "--monitor: "),
    ):
        done = run_radar("celery", "check", *words, text=True)
        assert done.returncode == 2, words
        assert said in done.stderr


def test_the_variable_names_the_broker(redis_url: str) -> None:
    done = run_radar("celery", "check", env=environment(RADAR_CELERY_BROKER=redis_url), text=True)
    assert done.returncode == 1
    assert "no worker is connected" in done.stdout


def test_nagios_and_prometheus_read_it(redis_url: str) -> None:
    words = ("celery", "check", "-b", redis_url, "--queue", "mail", "--format")
    nagios = run_radar(*words, "nagios", text=True)
    assert nagios.returncode == 2
    assert nagios.stdout.startswith("RADAR CELERY CRITICAL - workers all: no worker is connected")
    assert nagios.stdout.endswith(" | mail=0\n")
    prometheus = run_radar(*words, "prometheus", text=True)
    assert prometheus.returncode == 1
    assert "\nradar_celery_ok 0\n" in prometheus.stdout
    assert '\nradar_celery_queue_depth{queue="mail"} 0\n' in prometheus.stdout


def test_a_monitor_gets_the_verdict(redis_url: str) -> None:
    done = run_radar("celery", "check", "-b", redis_url, "--monitor", "celery")
    assert done.returncode == 1
    (monitor,) = json.loads(run_radar("status", "--json").stdout)["data"]
    assert (monitor["key"], monitor["reason"]) == ("celery", "failed")
    assert monitor["last_run"]["message"].startswith("workers all: no worker is connected")


@pytest.mark.slow
def test_it_watches_until_it_is_interrupted(redis_url: str) -> None:
    watching = start_radar("celery", "check", "-b", redis_url, "--watch", "--interval", "0.1s")
    assert watching.stdout is not None
    seen = b""
    deadline = time.monotonic() + 30
    while seen.count(b" bad\n") < 2 and time.monotonic() < deadline:
        seen += os.read(watching.stdout.fileno(), 4096)
    watching.send_signal(2)
    assert watching.wait(10) == 130
    assert seen.count(b"no worker is connected") >= 2
