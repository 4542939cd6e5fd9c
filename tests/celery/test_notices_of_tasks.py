"""What people are told when tasks fail: once, with the cause."""

import pytest

from tests.celery.watched import Told, Watched, key_of
from tests.support.waiting import wait_until

_CAUSES = {
    "fails": "json.decoder.JSONDecodeError at watched.py:",
    "retries": "OSError at watched.py:",
    "leaves": "SystemExit at watched.py:",
    "killed": "billiard.exceptions.WorkerLostError",
    "hard": "billiard.exceptions.TimeLimitExceeded",
}


@pytest.mark.celery_versions
def test_each_way_to_fail_is_told_once_with_its_cause(told_of: Watched, told: Told) -> None:
    entries = [f"{task} every 3600" for task in (*_CAUSES, "naps", "well")]
    told_of.have_slept(*entries)
    told_of.worker(monitors={}, slots=3, WATCHED_SETUP="1")
    told_of.beat(*entries)
    naps = key_of("naps every 3600")
    [begun] = wait_until(lambda: told_of.pings(naps), 40, "the nap has begun")
    told_of.app.control.revoke(begun["run_id"], terminate=True)
    causes = {key_of(f"{task} every 3600"): cause for task, cause in _CAUSES.items()}
    causes[naps] = "terminated while it ran (SIGTERM)"
    told.wait_for(*causes)
    found = {
        each["monitor"]: (each["reason"], each["happened"]) for each in told.notices(kind="down")
    }
    assert found.keys() == causes.keys()
    for monitor, cause in causes.items():
        assert found[monitor][0] == "failed"
        assert found[monitor][1].startswith(f"a run failed: {cause}")
    assert len(told.notices(kind="down")) == len(causes)
