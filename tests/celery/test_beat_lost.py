"""A Beat that was killed, and one whose broker is gone, told apart by its schedule's file."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.celery.checking import Verdict
from tests.support.celery_app import start
from tests.support.radar import run_radar
from tests.support.redis import Redis
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.celery_versions]


def _runs(path: Path) -> int:
    """How often Beat has tried to send `report`, as `radar celery beat` tells."""
    done = run_radar("celery", "beat", path, "--json")
    entries = (json.loads(done.stdout).get("data") or {}).get("entries", ())
    return sum(each["total_run_count"] for each in entries if each["name"] == "report")


def test_a_beat_that_was_killed_is_silent(redis_url: str, tmp_path: Path) -> None:
    path = tmp_path / "beat" / "schedule"
    path.parent.mkdir()
    beat = start(redis_url, tmp_path / "beat.log", "beat", "-s", str(path))
    wait_until(lambda: _runs(path) > 1, 40, "Beat sends", every_s=0.2)
    living = Verdict(redis_url, "--beat", str(path))
    assert living["schedule", f"the Beat of {path}"]["state"] == "ok"
    beat.kill()
    beat.wait(10)
    hour_ago = time.time() - 3600
    for each in path.parent.iterdir():
        os.utime(each, (hour_ago, hour_ago))

    killed = Verdict(redis_url, "--beat", str(path))

    finding = killed["schedule", f"the Beat of {path}"]
    assert (killed.code, finding["state"]) == (1, "bad")
    assert finding["message"].startswith("silent for 1 h")
    assert killed["broker", redis_url]["state"] == "ok"
    assert run_radar("celery", "beat", path).returncode == 1


def test_a_beat_whose_broker_is_gone_is_alive_and_the_broker_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "schedule"
    with Redis() as own:
        url = own.url()
        start(url, tmp_path / "beat.log", "beat", "-s", str(path))
        wait_until(lambda: _runs(path) > 1, 40, "Beat sends", every_s=0.2)
        own.stop()
        before = _runs(path)
        wait_until(lambda: _runs(path) > before + 1, 40, "Beat tries", every_s=0.2)
        verdict = Verdict(url, "--beat", str(path))
    assert verdict.code == 1
    assert verdict["broker", url]["data"]["cause"] == "refused"
    finding = verdict["schedule", f"the Beat of {path}"]
    assert finding["state"] == "ok"
    assert finding["cause"] == "it is alive; what it sends is lost while the broker is away"
