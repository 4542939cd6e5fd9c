"""What people are told when a worker, Beat or the broker goes: what is missed, and its end."""

from pathlib import Path
from typing import Any

import pytest

from tests.celery.watched import Told, Watched, key_of
from tests.support import rabbitmq, redis
from tests.support.depth import depth
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(depth(1, 0) == 1, reason="waits for what is missed: nightly"),
]

# The period of an entry of which the tests wait for what is missed; its grace is half of that.
_EVERY_S = 8
_WELL, _NAPS = f"well every {_EVERY_S}", f"naps every {_EVERY_S}"
_BEAT_S = 200.0  # until Beat's own monitor is missed, and more


def test_a_worker_that_is_killed_leaves_runs_that_hang_and_runs_that_are_missed(
    told_of: Watched, told: Told
) -> None:
    worker = told_of.worker(monitors={}, slots=4, WATCHED_SETUP="1")
    told_of.beat(_WELL, _NAPS)
    told_of.wait_for(key_of(_WELL))
    wait_until(lambda: told_of.pings(key_of(_NAPS)), 40, "the nap has begun")
    assert not told.notices(), told.notices()[0]["happened"]
    worker.process.kill()
    told.wait_for(key_of(_WELL), key_of(_NAPS))
    reasons = {each["monitor"]: each["reason"] for each in told.notices(kind="down")}
    assert reasons == {key_of(_WELL): "missed", key_of(_NAPS): "hung"}
    told_of.worker(monitors={}, slots=4, WATCHED_SETUP="1")
    told.wait_for(key_of(_WELL), kind="up")
    kinds = [each["kind"] for each in told.notices(key_of(_WELL))]
    assert kinds == ["down", "up"]
    assert not told.notices("celery-beat")


def test_a_beat_that_is_killed_is_missed_and_so_are_its_entries(
    told_of: Watched, told: Told
) -> None:
    told_of.worker(monitors={}, WATCHED_SETUP="1")
    beat = told_of.beat(_WELL)
    told_of.wait_for(key_of(_WELL), "celery-beat")
    assert not told.notices(), told.notices()[0]["happened"]
    beat.kill()
    told.wait_for(key_of(_WELL), "celery-beat", within_s=_BEAT_S)
    reasons = [(each["monitor"], each["reason"]) for each in told.notices()]
    assert reasons == [(key_of(_WELL), "missed"), ("celery-beat", "missed")]
    told_of.beat(_WELL, number=2)
    told.wait_for(key_of(_WELL), "celery-beat", kind="up")
    assert len(told.notices()) == 4


@pytest.mark.parametrize("kind", [redis, rabbitmq])
def test_a_broker_that_restarts_is_a_gap_and_no_more(kind: Any, told: Told, tmp_path: Path) -> None:
    with kind.running() as broker:
        watched = Watched(broker.url(), told.server, tmp_path)
        watched.worker(monitors={}, WATCHED_SETUP="1")
        watched.beat(_WELL)
        watched.wait_for(key_of(_WELL), "celery-beat")
        assert not told.notices(), told.notices()[0]["happened"]
        broker.stop()
        told.wait_for(key_of(_WELL))
        broker.start()
        told.wait_for(key_of(_WELL), kind="up")
        reasons = [(each["monitor"], each["reason"]) for each in told.notices()]
        assert reasons == [(key_of(_WELL), "missed"), (key_of(_WELL), None)]
        watched.app.close()
