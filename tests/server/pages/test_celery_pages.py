"""The pages of Celery: what a watch has recorded is shown, found, and harmless."""

import itertools
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings

from radar_cli.model.ledger import Batch, Firing, Stage, TaskRecord, TaskState, WorkerRecord
from radar_cli.store.ledger import Ledger
from tests.server.pages.conftest import make_key
from tests.server.pages.test_escaping import TEXTS, harmless
from tests.server.pages.visitor import Visitor, elements, text_of
from tests.support.ledger import SECOND_US, plant_ledger
from tests.support.radar_server import RadarServer

_PAGES = ("/celery", "/celery/tasks", "/celery/failures", "/celery/schedule")
_numbers = itertools.count()


def _now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def ledger(server: RadarServer) -> Any:
    with server.store() as store:
        yield store.ledger


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"test{next(_numbers)}x{time.time_ns()}"


def task(name: str, number: int, **given: Any) -> TaskRecord:
    now_us = _now_us()
    fields = {"name": name, "state": TaskState.SUCCESS, "changed_us": now_us, "ended_us": now_us}
    return TaskRecord(**{"id": f"{name}-{number}", **fields, **given})


def write(ledger: Ledger, *tasks: TaskRecord) -> None:
    ledger.write(Batch(tasks=list(tasks)), _now_us())


def test_everything_is_seen_at_a_glance(ledger: Ledger, reader: Visitor, name: str) -> None:
    plant_ledger(ledger, _now_us(), prefix=name)
    page = reader.text("/celery")
    assert f"{name}celery@batch1 prefork gone 15 min ago, without a goodbye" in page
    assert f"{name}celery@web1 prefork there 2 of 4" in page
    assert f"{name}reports 465 waiting nobody consumes it +310 in 10 min" in page
    assert "The watch saw nothing for 2 min" in page
    assert "shop.pay" in page
    assert reader.get("/celery").text.count('class="curve"') >= 3
    assert "Celery" in reader.text("/")


def test_a_watch_that_is_silent_is_said_to_be(ledger: Ledger, reader: Visitor) -> None:
    ledger.write(Batch(), _now_us())
    assert "has written nothing" not in reader.text("/celery")
    ledger.write(Batch(), _now_us() - 200 * SECOND_US)
    for path in _PAGES:
        assert "The watch has written nothing since" in reader.text(path)


def test_tasks_are_found_by_each_field(ledger: Ledger, reader: Visitor, name: str) -> None:
    an_hour_ago = _now_us() - 3600 * SECOND_US
    write(
        ledger,
        task(name, 1, worker=f"{name}@a", queue=f"{name}-q"),
        task(name, 2, state=TaskState.FAILURE, exception="ValueError", message="no <b>"),
        task(name, 3, changed_us=an_hour_ago, ended_us=an_hour_ago, entry=f"{name}-entry"),
        task(f"{name}.other", 4, state=TaskState.LOST, stage=str(Stage.WORKER_GONE)),
    )
    minute_ago = time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() - 60))
    for query, found in (
        ({"q": name}, {1, 2, 3}),
        ({"q": f"{name}*"}, {1, 2, 3, 4}),
        ({"q": name, "state": "failure"}, {2}),
        ({"q": f"{name}*", "state": "broken"}, {4}),
        ({"worker": f"{name}@a"}, {1}),
        ({"queue": f"{name}-q"}, {1}),
        ({"entry": f"{name}-entry"}, {3}),
        ({"q": name, "from": minute_ago}, {1, 2}),
        ({"q": name, "until": minute_ago}, {3}),
    ):
        text = reader.text("/celery/tasks", **query)
        ids = {n for n in range(1, 5) for each in (name, f"{name}.other") if f"{each}-{n} " in text}
        assert ids == found, query
    answer = reader.get("/celery/tasks", q=f"{name}-2")
    assert answer.headers["location"] == f"/celery/tasks/{name}-2"
    assert "nonsense is no time" in reader.text("/celery/tasks", **{"from": "nonsense"})


def test_a_page_leads_to_the_next(ledger: Ledger, reader: Visitor, name: str) -> None:
    write(ledger, *(task(name, number, changed_us=_now_us() + number) for number in range(120)))
    query, seen = {"q": name}, []
    while query:
        page = reader.get("/celery/tasks", **query).text
        text = text_of(page)
        seen.append({number for number in range(120) if f"{name}-{number} " in text})
        links = [attrs["href"] or "" for _, attrs in elements(page) if attrs.get("rel") == "next"]
        query = dict(parse_qsl(urlsplit(links[0]).query)) if links else {}
    assert [len(each) for each in seen] == [50, 50, 20]
    assert set.union(*seen) == set(range(120))


def test_a_task_shows_its_way_and_why_it_broke(ledger: Ledger, reader: Visitor, name: str) -> None:
    sent_us = _now_us() - 20 * SECOND_US
    lost = task(
        *(name, 1),
        state=TaskState.LOST,
        stage=str(Stage.WORKER_GONE),
        worker="w@h",
        queue="celery",
        entry="nightly",
        sent_us=sent_us,
        started_us=sent_us + 2 * SECOND_US,
        ended_us=sent_us + 9 * SECOND_US,
        called="4711, notify=True",
        traceback="Traceback:\n  <here>",
    )
    write(ledger, lost, task(f"{name}.child", 2, parent=lost.id, root=lost.id))
    page = reader.text(f"/celery/tasks/{lost.id}")
    assert "worker gone: its worker is gone, or the process that ran it" in page
    for words in ("sent", "received not seen", "after 2 s", "after 7 s", "4711, notify=True"):
        assert words in page
    assert "Traceback: <here>" in " ".join(page.split())
    assert f"{name}.child" in page
    assert reader.get(f"/celery/tasks/{name}-99").status_code == 404


def test_failures_are_grouped_by_what_they_have_in_common(
    ledger: Ledger, reader: Visitor, name: str
) -> None:
    failed = {"state": TaskState.FAILURE, "exception": f"E{name}", "place": "shop.py:3 (pay)"}
    write(ledger, *(task(name, n, **failed, message=f"order {n}") for n in range(3)))
    page = reader.text("/celery/failures", task=name, since="1h")
    assert f"3 \u00d7 E{name} shop.py:3 (pay)" in page
    assert "No task" in reader.text("/celery/failures", task=f"{name}.none")


def test_the_schedule_shows_due_against_done(ledger: Ledger, reader: Visitor, name: str) -> None:
    due_us = _now_us() - 600 * SECOND_US
    went_well = Firing(
        *(name, due_us, "shop.pay", f"{name}-1", due_us + SECOND_US, due_us + SECOND_US),
        *(due_us + 2 * SECOND_US, due_us + 3 * SECOND_US, due_us + 64 * SECOND_US, "success"),
    )
    missed = Firing(name, due_us + 300 * SECOND_US, "shop.pay", stage=str(Stage.NOT_ATTEMPTED))
    ledger.write(Batch(firings=[went_well, missed]), _now_us())
    for page in (reader.text("/celery/schedule"), reader.text("/celery/schedule", entry=name)):
        assert "1 well, 1 not sent" in page
        assert "not attempted: Beat did not try to send it" in page
        assert "+1 min 4 s" in page


def test_a_key_for_some_monitors_sees_nothing_of_celery(
    server: RadarServer, ledger: Ledger
) -> None:
    ledger.write(Batch(), _now_us())
    visitor = Visitor(server.url, make_key(server, "admin", monitors="shop-*"))
    for path in (*_PAGES, "/celery/tasks/x"):
        answer = visitor.get(path)
        assert answer.status_code == 403
        assert "see Celery" in answer.text
    assert "/celery" not in visitor.get("/").text


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=TEXTS.filter(bool))
def test_what_tasks_say_is_harmless(ledger: Ledger, reader: Visitor, text: str) -> None:
    now_us, text = _now_us(), text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    words = {"exception": text, "message": text, "traceback": text, "called": text}
    some = task(text, 1, state=TaskState.FAILURE, worker=text, queue=text, entry=text, **words)
    worker = WorkerRecord(text, now_us, now_us, pool=text, queues=(text,))
    firing = Firing(text, now_us, text, some.id, stage=str(Stage.NOT_RECEIVED))
    ledger.write(Batch(tasks=[some], workers=[worker], firings=[firing]), now_us)
    for path in (*_PAGES, "/celery/tasks?state=failure"):
        harmless(reader.get(path).text)
    links = reader.get("/celery/tasks", q=text, state="failure")
    if links.status_code == 200:
        harmless(links.text)


@pytest.mark.parametrize(
    "query", ["before=x", "before=1.", "before=9.%00", "state=%00", "q=%00&worker=%00", "until=9"]
)
def test_nonsense_in_the_address_is_no_error(reader: Visitor, query: str) -> None:
    assert reader.get(f"/celery/tasks?{query}").status_code == 200
    assert reader.get(f"/celery/schedule?entry={query}").status_code == 200
