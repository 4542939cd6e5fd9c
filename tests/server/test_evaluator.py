"""The thread that judges: an outage is noted before anything is judged that fell into it."""

import itertools
import tempfile

import pytest

from radar_cli.model.ping import Ping
from radar_cli.server.runtime.evaluator import Evaluator
from radar_cli.server.runtime.now import Clock
from radar_cli.service.composing import Composer
from radar_cli.store.opening import open_embedded
from tests.support.waiting import wait_until

_SECOND = 1_000_000
_BEGIN = 1_795_000_000 * _SECOND
_HOUR = 3600 * _SECOND


@pytest.mark.parametrize("reading", range(1, 8))
def test_a_clock_that_jumps_between_any_two_readings_costs_no_false_alarm(reading: int) -> None:
    """As that of a machine that sleeps for an hour: nothing could arrive meanwhile."""
    count = itertools.count(1)

    def read() -> int:
        return 1000 * (_BEGIN + (_HOUR if next(count) >= reading else 0))

    with tempfile.TemporaryDirectory() as folder, open_embedded(folder) as store:
        declared = {"every": "1800", "grace": "60"}
        store.add([Ping("success", "m", time_us=_BEGIN, fields=declared)], _BEGIN)
        store.keep_watch(_BEGIN)
        evaluator = Evaluator(
            store,
            [],
            Composer(store, [], "here"),
            clock=Clock(read),
            ingest=lambda: None,
            note_fault=lambda _: None,
            note_outage=lambda _: None,
        )
        evaluator.start()
        wait_until(lambda: store.last_outage() is not None, what="a noted outage")
        ticked = evaluator.last_tick
        wait_until(lambda: evaluator.last_tick > ticked, what="a look after it")
        evaluator.stop()
        assert [flip.status for flip in store.flips("m", 10)] == ["up"]
