"""The lists of `radar celery top`, of what a ledger and looks hold: no broker is asked."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from radar_cli.celery.check.seen import Look, SeenQueue, SeenTask, SeenWorker, Unacked
from radar_cli.celery.findings import Finding
from radar_cli.celery.project import Project
from radar_cli.celery.schedule.entry import Entry
from radar_cli.celery.schedule.timing import Foreign, Interval, Timing
from radar_cli.cli.celery.actions import Actions
from radar_cli.cli.celery.panes import Feeds, Panes
from radar_cli.cli.celery.snapshots import Access, LedgerSight, SeenBroker, SeenLedger, SeenSchedule
from radar_cli.cli.top.feed import Feed
from radar_cli.cli.top.pane import Page, Pane, text_of
from radar_cli.model.ledger import Batch, Blindness, Firing, Stage, TaskRecord
from radar_cli.store.opening import open_embedded
from tests.support.ledger import SECOND_US, plant_ledger


@pytest.fixture
def access(tmp_path: Path) -> Access:
    """A broker that nobody can reach, and the ledger of two hours of a shop."""
    now_us = time.time_ns() // 1000
    with open_embedded(str(tmp_path)) as store:
        plant_ledger(store.ledger, now_us)
        stuck = TaskRecord("stuck", "shop.stuck", stage=str(Stage.NOT_RECEIVED), changed_us=now_us)
        blind = Blindness(now_us - 9 * SECOND_US, now_us, "connection refused")
        store.ledger.write(Batch(tasks=[stuck], blind=[blind]), now_us)
    return Access(Project("redis://127.0.0.1:1"), 1.0, f"sqlite://{tmp_path}/radar.db")


def _make(
    access: Access,
    broker: SeenBroker | None = None,
    ledger: SeenLedger | None = None,
    schedule: SeenSchedule | None = None,
) -> tuple[Panes, dict[str, Pane]]:
    feeds = Feeds(
        Feed("broker", lambda: broker or _look()),
        Feed("ledger", lambda: ledger or SeenLedger()),
        Feed("schedule", lambda: schedule or SeenSchedule()),
    )
    feeds.broker.value, feeds.ledger.value = broker, ledger
    feeds.schedule.value = schedule or SeenSchedule()
    panes = Panes(feeds, Actions(access))
    return panes, {pane.name: pane for pane in panes.all()}


def _texts(pane: Pane) -> dict[str, tuple[str, ...]]:
    return {row.key: tuple(map(text_of, row.cells)) for row in pane.rows()}


def _look(at: float = 0.0, depth: int = 0, done: int = 0, *, consumed: bool = True) -> SeenBroker:
    worker = SeenWorker(
        "w@here", done, "prefork", 2, 8, (SeenTask("shop.pay", "1", 1.0),), 3, 1, ("mail",)
    )
    queue = SeenQueue("mail", depth, {0: depth, 3: 1})
    unacked = Unacked(4, 1.0, {"mail": 4})
    workers = {"w@here": worker} if consumed else {}
    look = Look(time.monotonic() + at, {"mail": queue}, workers, 2 * consumed, unacked)
    return SeenBroker((look,), [], {"w@here": {"rusage": {"maxrss": 2000}, "uptime": 61}})


def test_the_ledger_tells_what_the_broker_cant(access: Access) -> None:
    panes, by_name = _make(access, ledger=LedgerSight(access).look())
    assert panes.notes() == ["ledger: the watch is blind: connection refused, last just now"]
    workers = _texts(by_name["workers"])
    assert workers["celery@batch1"][1] == "gone 15 min ago"
    assert workers["celery@web1"][1] == "doesn't answer"
    reports = _texts(by_name["queues"])["reports"]
    assert reports[1] == "465"
    assert reports[4].endswith("█")
    failures = by_name["failures"].rows()
    assert failures[0].cells[1] == "shop.stuck", "the newest is the first"
    whys = {text_of(row.cells[2]) for row in failures}
    assert failures[0].cells[3] == "it was sent, and no worker has received it"
    assert whys == {"not received", "worker gone", "shop.errors.CardDeclined"}
    schedule = _texts(by_name["schedule"])
    assert schedule["cleanup"][5:7] == ("not attempted", "Beat did not try to send it")
    assert schedule["invoices"][2:6:3] == ("ok", "success")


def test_pages_tell_the_reason(access: Access) -> None:
    _, by_name = _make(access, ledger=LedgerSight(access).look())
    opens, rows = by_name["failures"].open, by_name["failures"].rows()
    assert opens is not None
    declined = next(row for row in rows if text_of(row.cells[2]) == "shop.errors.CardDeclined")
    page = opens(declined)
    assert isinstance(page, Page)
    lines = page.look()
    assert lines[-1] == "shop.errors.CardDeclined: card declined for order 4711"
    assert [key.key for key in page.actions] == ["r"]
    page = opens(rows[0])
    assert isinstance(page, Page)
    broke = next(text_of(line[1]) for line in page.look() if line[0] == "broke")
    assert broke == "not received: it was sent, and no worker has received it"
    opens = by_name["schedule"].open
    assert opens is not None
    page = opens(by_name["schedule"].rows()[1])
    assert isinstance(page, Page)
    assert any("success in 3 s" in text_of(line[1]) for line in page.look())
    opens = by_name["workers"].open
    assert opens is not None
    page = opens(by_name["workers"].rows()[0])
    assert isinstance(page, Page)
    assert ("gone", "gone 15 min ago") in page.look()


@pytest.mark.parametrize(
    ("looks", "forecast"),
    [
        ([_look(depth=0)], "empty"),
        ([_look(depth=5)], ""),
        ([_look(-10, 100, 0), _look(0, 50, 50)], "empty in 10 s"),
        ([_look(-10, 50, 0), _look(0, 100, 20)], "grows 5.0/s, wait 50 s"),
        ([_look(-10, 50, 0), _look(0, 50, 0)], "stays"),
        ([_look(depth=5, consumed=False)], "nobody consumes it"),
    ],
)
def test_a_queue_is_foreseen(access: Access, looks: list[SeenBroker], forecast: str) -> None:
    seen = SeenBroker(tuple(each.look for each in looks), [], looks[-1].stats)
    panes, by_name = _make(access, seen, SeenLedger())
    [row] = _texts(by_name["queues"]).values()
    assert (row[5], row[2], row[6]) == (forecast, "4", "3: 1")
    assert "1 more heard" in panes.notes()[0] or not seen.look.workers
    assert "no ledger here" in panes.notes()[-1]


def test_a_worker_is_in_a_line(access: Access) -> None:
    panes, by_name = _make(access, _look(done=7))
    [row] = _texts(by_name["workers"]).values()
    assert row == ("w@here", "up", "1/2", "4", "7", "mail", "prefork", "2.05 MB", "1 min 1 s")
    assert panes.headline() == "1 worker, 0 waiting, 0 running"
    assert by_name["failures"].empty() == "looking ..."


@pytest.mark.parametrize(
    ("timing", "due"),
    [(Interval(timedelta(seconds=60)), r"in \d+ s"), (Foreign("x"), "[1-9].* ago")],
)
def test_beats_file_is_behind_and_the_ledger_is_not(
    access: Access, timing: Timing, due: str
) -> None:
    now = datetime.now(UTC)
    entry = Entry(
        *("often", "shop.pay", "every 60 s", now - timedelta(seconds=120), 3, True),
        *(now - timedelta(seconds=60), 0.0, "", "a file"),
        timing=timing,
    )
    attempted_us = int((now - timedelta(seconds=10)).timestamp() * 1e6)
    firing = Firing("often", attempted_us, "shop.pay", attempted_us=attempted_us, state="success")
    finding = Finding("schedule", "often", "bad", "overdue", data={"task": "shop.pay"})
    schedule = SeenSchedule([entry], {"often": finding}, ["Beat: silent"])
    ledger = SeenLedger(time.time_ns() // 1000, firings={"often": firing})
    panes, by_name = _make(access, None, ledger, schedule)
    [row] = _texts(by_name["schedule"]).values()
    assert re.fullmatch(due, row[1])
    assert row[2:4] == ("bad", "every 60 s")
    assert row[5:] == ("success", "overdue", "shop.pay")
    assert "Beat: silent" in panes.notes()


def test_an_entry_whose_task_is_lost_is_bad_though_beat_sent_it(access: Access) -> None:
    now = datetime.now(UTC)
    entry = Entry("often", "shop.pay", "", now, 3, True, now, 0.0, "", "a file")
    finding = Finding("schedule", "often", "ok", "due in 1 s", data={"task": "shop.pay"})
    schedule = SeenSchedule([entry], {"often": finding})
    firing = Firing("often", 1, "shop.pay", state="lost", stage=str(Stage.WORKER_GONE))
    ledger = SeenLedger(time.time_ns() // 1000, firings={"often": firing})
    _, by_name = _make(access, None, ledger, schedule)
    [row] = _texts(by_name["schedule"]).values()
    assert row[2] == "bad"
    assert row[5:7] == ("worker gone", "its worker is gone, or the process that ran it")
