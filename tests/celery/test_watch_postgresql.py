"""The standing watch with its ledger in PostgreSQL: the tests that it passes with SQLite."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.celery import test_watch, test_watch_causes, test_watch_stages
from tests.support.depth import at_night
from tests.support.postgresql import Postgresql

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def database(postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the watch write there."""
    monkeypatch.setenv("RADAR_DATABASE", postgresql.url())


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "test",
    [
        test_watch.test_failures_and_the_check_read_the_ledger,
        at_night(test_watch.test_the_ledger_has_each_task_from_being_sent_to_its_end),
        at_night(test_watch_stages.test_sent_to_a_queue_that_nobody_consumes),
        at_night(test_watch_stages.test_a_worker_that_is_killed_while_it_works),
        at_night(test_watch_stages.test_a_task_that_a_flush_of_the_broker_lost),
        at_night(test_watch_stages.test_beat_that_is_dead),
        at_night(test_watch_stages.test_each_end_that_no_success_is_has_its_cause),
        at_night(test_watch_stages.test_events_that_are_off_are_said_and_turned_on),
        at_night(test_watch_causes.test_a_worker_that_is_killed_with_unacknowledged_tasks),
    ],
)
def test_it_is_the_same(redis_url: str, tmp_path: Path, test: Callable[[str, Path], None]) -> None:
    test(redis_url, tmp_path)


@pytest.mark.nightly(daily="tests/celery/test_watch_stages.py")
def test_it_goes_on_after_the_broker_and_after_its_own_death(tmp_path: Path) -> None:
    test_watch_stages.test_it_goes_on_after_the_broker_and_after_its_own_death(tmp_path)
