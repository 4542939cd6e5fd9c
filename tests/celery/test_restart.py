"""What fell due while Beat was stopped, and what differs between an app and its Beat."""

import dataclasses
from datetime import UTC, datetime, timedelta

from celery import Celery
from celery.schedules import crontab

from radar_cli.celery.processes import BeatProcess
from radar_cli.celery.schedule.entry import Beat, Entry
from radar_cli.celery.schedule.judging import judge_processes, judge_schedule, judge_vanished
from radar_cli.celery.schedule.own import compare_own, read_own
from radar_cli.celery.schedule.restart import excuse_restart, started_at

_NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def entry(name: str, ran_s: float, every_s: float, *, seen_s: float = 20.0) -> Entry:
    """An entry that ran so long ago, in a file that was written `seen_s` ago."""
    ran, due = _NOW - timedelta(seconds=ran_s), _NOW - timedelta(seconds=ran_s - every_s)
    overdue_s = max(0.0, ran_s - every_s - seen_s)
    return Entry(name, "shop.add", "", ran, 3, True, due, overdue_s, "", "schedule")


def beat(seen_s: float = 20.0) -> Beat:
    return Beat("the Beat", _NOW - timedelta(seconds=seen_s), 480.0, "the file's last change")


def states(entries: list[Entry], beats: list[Beat]) -> dict[str, str]:
    return {each.subject: each.state for each in judge_schedule(entries, beats, _NOW)}


# Beat was away for an hour; it has just sent the first of three.
_AWAY = [entry("first", 21, 60), entry("second", 3660, 60), entry("third", 4000, 600)]


def test_what_fell_due_while_beat_was_stopped_is_not_overdue_before_its_next_sync() -> None:
    assert states(_AWAY, [beat()])["second"] == "bad"
    started = _NOW - timedelta(seconds=25)
    known = excuse_restart(_AWAY, [beat()], _NOW, started_at=started)
    assert set(states(known, [beat()]).values()) == {"ok"}
    # Watched from elsewhere: the file wasn't written for longer than a living Beat ever takes.
    before = _NOW - timedelta(hours=1)
    seen = excuse_restart(_AWAY, [beat()], _NOW, changed_before=before)
    assert set(states(seen, [beat()]).values()) == {"ok"}
    # Nothing proves it, and all looks like it: that can't be told.
    alone = excuse_restart(_AWAY, [beat()], _NOW)
    assert states(alone, [beat()]) == {
        "the Beat": "ok",
        "first": "ok",
        "second": "unknown",
        "third": "unknown",
    }
    assert "look again after 12:02:40 UTC" in alone[1].fault


def test_an_entry_that_a_living_beat_leaves_out_is_overdue() -> None:
    long_ago = _NOW - timedelta(days=2)
    assert excuse_restart(_AWAY, [beat()], _NOW, started_at=long_ago) == _AWAY
    # Others were sent all along.
    lost = [entry("often", 21, 60), entry("other", 50, 60), *_AWAY[1:]]
    assert excuse_restart(lost, [beat()], _NOW) == lost
    # Beat is silent: nothing is to come.
    silent = beat(3000)
    assert excuse_restart(_AWAY, [silent], _NOW, started_at=_NOW) == _AWAY
    # What is written at once, as RedBeat does, knows no such gap.
    quick = dataclasses.replace(beat(), lag_s=0.0, seen_at=_NOW)
    assert excuse_restart(_AWAY, [quick], _NOW, started_at=_NOW) == _AWAY


def process(pid: int, **changes: object) -> BeatProcess:
    made = BeatProcess(pid, "shop", "/srv/schedule", "", 1_000.0, ("/srv",))
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]  # of whatever field


def test_a_beat_is_known_by_the_file_that_it_keeps() -> None:
    some = [process(7), process(8, schedule="/srv/other", started_at=2_000.0)]
    for path in ("/srv/other", "file:/srv/other", "/srv/other.db"):
        assert started_at(path, some) == datetime.fromtimestamp(2_000, UTC)
    assert started_at("/srv/none", some) is None


def test_two_beats_of_one_app_are_two_and_of_another_place_are_not() -> None:
    [found] = judge_processes([process(7), process(8, schedule="/srv/other")])
    assert (found.state, found.data["pids"]) == ("bad", [7, 8])
    assert not judge_processes([process(7), process(8, world=("/srv/staging",))])
    assert not judge_processes([process(7), process(8, app="other")])
    # Of RedBeats one waits for the other's lock.
    standby = {"scheduler": "redbeat.RedBeatScheduler"}
    assert not judge_processes([process(7, **standby), process(8, **standby)])


def test_an_entry_that_vanished_is_missed() -> None:
    [found] = judge_vanished(["nightly"])
    assert (found.subject, found.state) == ("nightly", "bad")
    assert "--forget" in found.hint


def test_an_app_and_its_beat_are_compared_by_names_tasks_and_times() -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.timezone = "Europe/London"
    app.conf.beat_schedule = {
        "nightly": {"task": "shop.add", "schedule": crontab(hour=2, minute=0)},
        "often": {"task": "shop.add", "schedule": 30.0},
        "new": {"task": "shop.add", "schedule": timedelta(hours=1)},
    }

    @app.on_after_finalize.connect  # type: ignore[untyped-decorator]  # Celery has no types
    def add_more(sender: Celery, **_: object) -> None:
        sender.add_periodic_task(60.0, sender.signature("shop.add"), name="added")

    own = read_own(app)
    assert set(own) == {"nightly", "often", "new", "added"}
    words = {name: each.words for name, each in own.items()}
    assert words["often"] == "every 30 s"

    def kept(name: str, task: str = "shop.add", when: str = "") -> Entry:
        at = words.get(name, "")
        return Entry(name, task, when or at, _NOW, 1, True, _NOW, 0.0, "", "schedule")

    same = [kept(name) for name in own]
    assert compare_own(own, same, is_copy=True) == []
    # Celery adds its own.
    assert not compare_own(own, [*same, kept("clean", "celery.backend_cleanup")], is_copy=True)
    beats = [
        *(kept("nightly", when="at 03:00 every day"), kept("often", "shop.sub")),
        *(kept("added"), kept("old")),
    ]
    found = {each.subject: each.message for each in compare_own(own, beats, is_copy=True)}
    assert found == {
        "new": "the app's schedule has it, and Beat doesn't keep it",
        "nightly": "Beat keeps another schedule of it than the app",
        "often": "Beat sends another task than the app says",
        "old": "Beat keeps it, and the app's schedule doesn't have it",
    }
    # In a database, a person may have changed and added what they like.
    assert [each.subject for each in compare_own(own, beats, is_copy=False)] == ["new"]
