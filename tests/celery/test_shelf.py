"""PersistentScheduler's files: every kind, from any machine, whole or not, never changed."""

import contextlib
import hashlib
import os
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab, schedule

from radar_cli.celery.schedule.entry import UnreadableScheduleError
from radar_cli.celery.schedule.sources import open_source
from tests.celery.shelves import NOW, contents, entry, write

KINDS = ("dumb", "gnu", "ndbm", "sqlite3")
ENTRIES = (
    entry("often", schedule(timedelta(seconds=30)), queue="fast"),
    entry("nightly", crontab(minute=5, hour=2), count=0),
)


def look(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        each.name: (hashlib.sha256(each.read_bytes()).hexdigest(), each.stat().st_mtime_ns)
        for each in folder.iterdir()
    }


def set_age(folder: Path, age_s: float, now: datetime = NOW) -> None:
    moment = now.timestamp() - age_s
    for each in folder.iterdir():
        os.utime(each, (moment, moment))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "beat"
    path.mkdir()
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_it_reads_every_kind_and_changes_nothing(kind: str, folder: Path) -> None:
    write(kind, folder / "schedule", contents(*ENTRIES, tz="Europe/London"))
    set_age(folder, 5)
    before = look(folder)
    folder.chmod(0o500)

    source = open_source(str(folder / "schedule"))
    nightly, often = source.entries(NOW)
    (beat,) = source.beats(NOW)

    assert look(folder) == before
    assert (often.name, often.task, often.queue) == ("often", "shop.tasks.work", "fast")
    assert (often.total_run_count, often.schedule_words) == (5, "every 30 s")
    assert often.next_due == NOW - timedelta(minutes=9, seconds=30)
    assert nightly.schedule_words == "at 02:05 every day, by the clock of Europe/London"
    assert not nightly.has_run
    assert nightly.next_due == datetime(2026, 11, 26, 2, 5, tzinfo=UTC)
    assert beat.silent_s(NOW) == pytest.approx(5)
    assert beat.is_alive(NOW)


@pytest.mark.parametrize("kind", KINDS)
def test_it_reads_a_large_one(kind: str, folder: Path) -> None:
    many = [entry(f"entry-{n}", crontab(minute=n % 60), n_=n) for n in range(500)]
    padding = {b"padding-%d" % n: b"x" * n for n in range(300)}
    write(kind, folder / "schedule", contents(*many) | padding)
    assert len(open_source(str(folder / "schedule")).entries(NOW)) == 500


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.9])
def test_a_truncated_one_is_an_answer_or_a_clear_error(
    kind: str, part: float, folder: Path
) -> None:
    write(kind, folder / "schedule", contents(*ENTRIES))
    for each in folder.iterdir():
        os.truncate(each, int(each.stat().st_size * part))
    source = open_source(str(folder / "schedule"))
    with contextlib.suppress(UnreadableScheduleError):
        assert {each.name for each in source.entries(NOW)} <= {"often", "nightly"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_corrupt_one_is_an_answer_or_a_clear_error(kind: str, folder: Path) -> None:
    write(kind, folder / "schedule", contents(*ENTRIES))
    whole = {each: each.read_bytes() for each in folder.iterdir()}
    for at in range(0, 4000, 7):
        for path, data in whole.items():
            path.write_bytes(
                data[:at] + bytes((data[at] ^ 0xFF,)) + data[at + 1 :] if at < len(data) else data
            )
        source = open_source(str(folder / "schedule"))
        with contextlib.suppress(UnreadableScheduleError):
            source.entries(NOW)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "an empty file"), (b"no dbm", "no kind of dbm file"), (b"\xcf\x9a\x57\x13", "none")],
)
def test_it_says_what_is_wrong_with_what_is_no_schedule(
    content: bytes, said: str, folder: Path
) -> None:
    (folder / "schedule").write_bytes(content)
    with pytest.raises(UnreadableScheduleError, match=said):
        open_source(str(folder / "schedule")).entries(NOW)


def test_it_does_not_wait_for_a_fifo_and_says_that_a_file_is_missing(folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    for name in ("fifo", "missing"):
        with pytest.raises(UnreadableScheduleError):
            open_source(str(folder / name)).entries(NOW)
        with pytest.raises(UnreadableScheduleError):
            open_source(str(folder / name)).beats(NOW)


class Touch:
    """Where it is unpickled, a file appears."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._path),)


class Own:
    """An object of the user's app."""

    def __init__(self) -> None:
        self.value = 1


@pytest.mark.parametrize("place", ["entries", "entry", "schedule", "tz", "args"])
def test_it_never_runs_a_hostile_pickle(place: str, folder: Path) -> None:
    target = folder / "touched"
    hostile = Touch(target)
    pickle.loads(pickle.dumps(hostile))
    target.rmdir()  # so it would have worked
    each = entry("bad", hostile if place == "schedule" else schedule(timedelta(seconds=30)))
    each.args = (hostile, Own()) if place == "args" else ()
    values = contents(each)
    if place == "entries":
        values[b"entries"] = pickle.dumps(hostile, 4)
    if place == "entry":
        values[b"entries"] = pickle.dumps({"bad": hostile}, 4)
    if place == "tz":
        values[b"tz"] = pickle.dumps(hostile, 4)
    write("dumb", folder / "schedule", values)

    source = open_source(str(folder / "schedule"))
    if place == "entries":
        with pytest.raises(UnreadableScheduleError):
            source.entries(NOW)
    else:
        (found,) = source.entries(NOW)
        assert found.name == "bad"
        assert bool(found.fault) == (place in ("entry", "schedule"))
    assert not target.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04r\xff\xff\xff\x7f",  # a memo of gigabytes
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",  # bytes that aren't there
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93\x8c\x02os\x8c\x06system\x86R.",
        b"(" * 100_000,
        b"",
    ],
)
def test_a_pickle_that_is_an_attack_ends_at_once(data: bytes, folder: Path) -> None:
    write("dumb", folder / "schedule", {b"entries": data})
    with pytest.raises(UnreadableScheduleError):
        open_source(str(folder / "schedule")).entries(NOW)


def test_an_entry_that_it_cannot_evaluate_stands_there_with_the_reason(folder: Path) -> None:
    class Weekly(schedule):  # type: ignore[misc]
        """A schedule of the user's."""

    Weekly.__qualname__ = "Weekly"
    globals()["Weekly"] = Weekly
    write("dumb", folder / "schedule", contents(entry("own", Weekly(timedelta(days=7)))))
    (found,) = open_source(str(folder / "schedule")).entries(NOW)
    assert found.next_due is None
    assert "test_shelf.Weekly" in found.fault
    assert found.last_run_at == NOW - timedelta(minutes=10)


def test_a_fresh_file_says_what_was_overdue_when_it_was_written(folder: Path) -> None:
    every_s = schedule(timedelta(seconds=1))
    ran_at = NOW - timedelta(seconds=200)
    late_at = NOW - timedelta(seconds=900)
    values = contents(entry("quick", every_s, ran_at), entry("stuck", every_s, late_at))
    write("dumb", folder / "schedule", values)
    source = open_source(f"file:{folder / 'schedule'}")

    set_age(folder, 200)  # Beat writes every 180 s, and what it did since stands nowhere
    assert [each.overdue_s for each in source.entries(NOW)] == [0.0, 699.0]
    set_age(folder, 500)  # longer than it can be
    assert [each.overdue_s for each in source.entries(NOW)] == [199.0, 899.0]
    assert not source.beats(NOW)[0].is_alive(NOW)


def test_it_reads_moments_in_any_timezone(folder: Path) -> None:
    last = datetime(2026, 11, 25, 20, 50, tzinfo=ZoneInfo("Asia/Tokyo"))
    cron = crontab(minute=0, hour=12)
    naive = entry("naive", cron, last.astimezone(UTC).replace(tzinfo=None))
    write("dumb", folder / "schedule", contents(entry("aware", cron, last), naive))
    for found in open_source(str(folder / "schedule")).entries(NOW):
        assert found.last_run_at == last
        assert found.next_due == NOW
