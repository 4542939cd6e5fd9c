"""Firings of Beat's entries, from a schedule and the tasks that are heard of. No broker."""

from datetime import UTC, datetime, timedelta

from radar_cli.celery.schedule.crontab import Crontab
from radar_cli.celery.schedule.entry import Beat, Entry
from radar_cli.celery.schedule.timing import Interval, Timing
from radar_cli.celery.watch.firings import Firings
from radar_cli.celery.watch.reporting import EntryReports, Problems, declare_entries
from radar_cli.model.ledger import Firing, Stage, TaskRecord, TaskState

_SECOND = 1_000_000
_NOW = 1_795_003_200 * _SECOND  # on a full hour
_HOURLY = Crontab.read(0, "*", "*", "*", "*", UTC)


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(_NOW / 1e6, UTC) + timedelta(seconds=second)


def entry(name: str = "hourly", timing: Timing = _HOURLY, **more: object) -> Entry:
    given: dict[str, object] = {"task": "shop.pay", "last_run_at": moment(-3600), "due": 0.0}
    given |= {"queue": "", "count": 1, "enabled": True, **more}
    due = given["due"]
    return Entry(
        *(name, str(given["task"]), timing.words, given["last_run_at"], given["count"]),  # type: ignore[arg-type]  # of the dict above
        enabled=bool(given["enabled"]),
        next_due=moment(float(due)) if isinstance(due, (int, float)) else None,
        overdue_s=0.0,
        queue=str(given["queue"]),
        source="test",
        timing=timing,
    )


def task(number: int, second: float, **more: object) -> TaskRecord:
    found = TaskRecord(f"task-{number}", "shop.pay", sent_us=_NOW + round(second * _SECOND))
    for name, value in more.items():
        setattr(found, name, value)
    return found


def begin(*entries: Entry, at: float = -10.0) -> Firings:
    firings = Firings(_NOW + round(at * _SECOND))
    firings.update(entries, (), _NOW + round(at * _SECOND))
    return firings


def at(firings: Firings, second: float) -> dict[tuple[str, float], Firing]:
    firings.advance(_NOW + round(second * _SECOND))
    return {(f.entry, (f.due_us - _NOW) / 1e6): f for f in firings.take_changes()}


def test_a_firing_goes_through_its_stages() -> None:
    firings = begin(entry())
    assert at(firings, -5) == {}
    sent = task(1, 1.0)
    firings.note("task-sent", sent)
    firing = at(firings, 2)["hourly", 0]
    assert (firing.task_id, firing.published_us, firing.state) == ("task-1", sent.sent_us, "sent")
    assert (sent.entry, firings.claimed) == ("hourly", [sent])
    sent.state, sent.received_us, sent.started_us = TaskState.STARTED, _NOW + 2, _NOW + 3
    firings.note("task-started", sent)
    assert at(firings, 3)["hourly", 0].started_us == _NOW + 3
    sent.state, sent.ended_us = TaskState.SUCCESS, _NOW + 9
    firings.note("task-succeeded", sent)
    firing = at(firings, 4)["hourly", 0]
    assert (firing.ended_us, firing.state, firing.stage) == (_NOW + 9, "success", "")
    assert at(firings, 100) == {}
    assert firings.overdue(_NOW + 100 * _SECOND)[0].overdue_us == 0


def test_a_task_that_somebody_else_sent_is_no_firing() -> None:
    firings = begin(entry(queue="reports"))
    firings.note("task-sent", task(1, -8.0))  # long before
    firings.note("task-sent", task(2, 1.0, queue="other"))
    firings.note("task-sent", TaskRecord("task-3", "shop.ship", sent_us=_NOW))
    assert at(firings, 10) == {}
    assert at(firings, 21)["hourly", 0].stage == Stage.NOT_ATTEMPTED


def test_each_task_is_one_entrys_alone() -> None:
    firings = begin(entry("one"), entry("two"))
    for number in (1, 2):
        firings.note("task-sent", task(number, 0.5))
    found = at(firings, 1)
    assert {firing.task_id for firing in found.values()} == {"task-1", "task-2"}
    assert set(found) == {("one", 0), ("two", 0)}


def test_what_beat_did_not_try_is_told_from_what_it_did_not_publish() -> None:
    firings = begin(entry())
    missing = at(firings, 21)["hourly", 0]
    assert (missing.stage, missing.attempted_us) == (Stage.NOT_ATTEMPTED, None)
    assert firings.overdue(_NOW + 30 * _SECOND)[0].overdue_us == 30 * _SECOND
    # Beat's file, written minutes later, tells that it tried.
    firings.update([entry(last_run_at=moment(0.2), due=3600)], (), _NOW + 180 * _SECOND)
    found = at(firings, 181)["hourly", 0]
    assert (found.stage, found.attempted_us) == (Stage.NOT_PUBLISHED, _NOW + 200_000)
    assert at(firings, 200) == {}
    # It isn't overdue any more once the next one has come.
    firings.note("task-sent", task(2, 3600.1))
    assert at(firings, 3601)["hourly", 3600].task_id == "task-2"
    assert firings.overdue(_NOW + 3602 * _SECOND)[0].overdue_us == 0


def test_an_interval_counts_from_when_it_was_sent() -> None:
    every = Interval(timedelta(seconds=30))
    firings = begin(entry("often", every, due=0))
    due = 0.0
    for number in range(5):
        sent = due + 0.7
        firings.note("task-sent", task(number, sent))
        assert at(firings, sent + 1)["often", due].task_id == f"task-{number}"
        due = sent + 30


def test_what_was_due_before_the_watch_is_not_its_to_judge() -> None:
    firings = begin(entry(due=-7200), at=-1.0)
    assert at(firings, 30) == {("hourly", 0): at_missing()}
    silent = Beat("beat", moment(-900), 480.0, "file")
    firings.update([entry(), entry("off", enabled=False)], [silent], _NOW)
    assert [each.name for each in firings.entries()] == ["hourly"]
    assert firings.silent_beats == ["beat"]


def at_missing() -> Firing:
    return Firing("hourly", _NOW, "shop.pay", stage=str(Stage.NOT_ATTEMPTED))


def test_a_watch_that_was_started_again_goes_on() -> None:
    firings = begin(entry(due=3600))
    firings.restore([Firing("hourly", _NOW, "shop.pay", "task-1", published_us=_NOW)])
    ended = task(1, 0.0, state=TaskState.FAILURE, ended_us=_NOW + 5, exception="ValueError")
    firings.note("task-failed", ended)
    assert at(firings, 6)["hourly", 0].state == "failure"


def test_reports_of_firings_are_pings_of_their_monitors() -> None:
    monitors = declare_entries([entry("Hourly Pay"), entry("own", task="celery.backend_cleanup")])
    assert monitors == {
        "hourly-pay": {
            "name": "Hourly Pay",
            "task": "shop.pay",
            "schedule": "0 * * * *",
            "tz": "UTC",
        }
    }
    reports = EntryReports()
    run = "6ae9ca96-0230-48b1-88bf-31c81c98dd52"
    firing = Firing("Hourly Pay", _NOW, "shop.pay", run, _NOW, _NOW, _NOW + 1, _NOW + 2)
    [start] = reports.report(firing, None, monitors, _NOW)
    assert (start.kind, start.monitor, start.run_id, start.time_us) == (
        *("start", "hourly-pay", run),
        _NOW + 2,
    )
    assert reports.report(firing, None, monitors, _NOW) == []
    firing = Firing(
        *("Hourly Pay", _NOW, "shop.pay", run, _NOW, _NOW, _NOW + 1, _NOW + 2),
        *(_NOW + 3_000_002, "failure"),
    )
    failed = TaskRecord(run, "shop.pay", exception="ValueError", message="no", traceback="tb")
    failed.place, failed.worker, failed.called = "shop.py:3 (pay)", "w@h", "1"
    [fail] = reports.report(firing, failed, monitors, _NOW)
    assert (fail.kind, fail.body) == ("fail", b"tb")
    assert fail.fields["reason"] == "ValueError at shop.py:3 (pay): no"
    assert fail.fields["message"] == "shop.pay(1) on w@h"
    assert fail.fields["duration"] == "3.000000"
    missing = Firing("Hourly Pay", _NOW + 9, "shop.pay", stage=str(Stage.NOT_ATTEMPTED))
    [fail] = reports.report(missing, None, monitors, _NOW)
    assert fail.fields["reason"] == "not attempted: Beat did not try to send it"
    assert reports.report(Firing("other", _NOW), None, monitors, _NOW) == []


def test_problems_name_the_stage() -> None:
    problems = Problems()
    lost = task(1, 0, queue="q", state=TaskState.LOST, stage=str(Stage.NOT_RECEIVED))
    lost.ended_us = _NOW
    stuck = task(2, 0, queue="q", stage=str(Stage.NOT_RECEIVED))
    problems.note("task-lost", lost, _NOW)
    problems.note("task-stuck", stuck, _NOW)
    line = "shop.pay in queue q: not received: it was sent, and no worker has received it"
    assert problems.find(_NOW) == [f"2 x {line}"]
    problems.note("task-unstuck", stuck, _NOW)
    assert problems.find(_NOW + 299 * _SECOND) == [line]
    assert problems.find(_NOW + 301 * _SECOND) == []
    problems.blind, problems.gone = "no broker", {"w@h": _NOW}
    assert problems.find(_NOW)[:1] == ["the watch sees nothing: no broker"]
    assert "worker w@h is gone without a goodbye" in problems.find(_NOW)
    assert len(problems.find(_NOW + 400 * _SECOND)) == 1
