"""What `radar celery top` does, without a screen: a hand that says yes, and a real worker."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from radar_cli.celery.project import Project
from radar_cli.celery.resending import UnknownCallError
from radar_cli.cli.celery.actions import Actions
from radar_cli.cli.celery.snapshots import Access
from radar_cli.cli.top.pane import Action, Page, Row, T
from radar_cli.model.ledger import TaskRecord
from tests.support.celery_app import Worker, send
from tests.support.waiting import wait_until


class Hand:
    """A `Desk` whose person types these texts and says yes, and what was shown on it."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked: list[str] = []
        self.shown = ""

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        self.asked.append(question)
        then()

    def ask(self, question: str, then: Callable[[str], None], text: str = "") -> None:
        self.asked.append(question)
        then(self.texts.pop(0) if self.texts else text)

    def work(self, what: str, function: Callable[[], str]) -> None:
        self.shown = function()
        assert what

    def fetch(self, what: str, function: Callable[[], T], then: Callable[[T], None]) -> None:
        assert what
        then(function())

    def remark(self, line: str) -> None:
        self.shown = line


def _do(actions: tuple[Action, ...], key: str, row: Row | None, *texts: str) -> Hand:
    hand = Hand(*texts)
    [action] = [each for each in actions if each.key == key]
    action.run(hand, row)
    return hand


def test_workers_do_what_they_are_told(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_STATE_DIR", str(tmp_path / "state"))
    worker = Worker(redis_url, tmp_path, pool="prefork").wait()
    actions = Actions(Access(Project(redis_url), 5.0, ""))
    node, queue = Row("w@test", (), ()), Row("mail", (), ())
    task = Row("an-id", (), (), TaskRecord("an-id", "shop.quick"))
    workers, queues, tasks = actions.for_workers(), actions.for_queues(), actions.for_tasks()
    assert _do(workers, "+", node, "2").shown == "w@test says: pool will grow"
    assert _do(workers, "-", node).asked[-1] == "Take a slot from w@test?"
    assert "no number of slots" in _do(workers, "+", node, "many").shown
    assert "w@test refused" in _do(workers, "A", node, "8 2").shown
    assert "two numbers are needed" in _do(workers, "A", node, "8").shown
    assert "w@test refused" in _do(workers, "R", node).shown
    assert "add consumer mail" in _do(workers, "c", node, "mail").shown
    assert "no longer consuming from mail" in _do(workers, "x", node, "mail").shown
    assert "add consumer mail" in _do(queues, "c", queue).shown
    assert "no longer consuming from mail" in _do(queues, "x", queue).shown
    assert "an-id" in _do(tasks, "r", task).shown
    assert "w@test says" in _do(tasks, "K", task).shown
    assert "new rate limit" in _do(tasks, "l", task, "10/m").shown
    assert "time limits set" in _do(tasks, "t", task, "30s 1m").shown
    assert "two durations are needed" in _do(tasks, "t", task, "soon").shown
    unnamed = _do(actions.for_failures(), "r", task)
    assert unnamed.asked == [
        "Its queue isn't known. Which one?",
        "Send shop.quick() to 'celery' again?",
    ]
    assert _do(workers, "D", node).shown == "w@test says: asked to shut down"
    wait_until(lambda: worker.process.poll() is not None, 20, "the worker ends")
    assert _do(queues, "c", queue).shown == "no worker answers"


def test_the_result_backend_knows_what_the_ledger_doesnt_keep(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_STATE_DIR", str(tmp_path))
    failed = TaskRecord("an-id", "shop.pay", queue="mail", called="7, password=[redacted]")
    row = Row("an-id", (), (), failed)
    unknown = _do(Actions(Access(Project(redis_url), 5.0, "")).for_failures(), "r", row)
    assert "a secret among them isn't kept; with -A the result backend may" in unknown.shown
    with redis.Redis.from_url(redis_url) as client:
        kept = {"name": "shop.pay", "args": [7], "kwargs": {"password": "hunter2"}}
        client.set("celery-task-meta-an-id", json.dumps({"status": "FAILURE", **kept}))
    access = Access(Project(redis_url, results=redis_url), 5.0, "")
    hand = _do(Actions(access).for_failures(), "r", row)
    assert hand.asked == ["Send shop.pay(7, password=[redacted]) to 'mail' again?"]
    assert hand.shown.startswith("sent shop.pay again, as ")
    with redis.Redis.from_url(redis_url) as client:
        [message] = client.lrange("mail", 0, -1)
        body = base64.b64decode(json.loads(message)["body"])
        assert json.loads(body)[:2] == [[7], {"password": "hunter2"}]
        client.set("celery-task-meta-an-id", json.dumps({"status": "FAILURE"}))
    with pytest.raises(UnknownCallError, match="result_extended"):
        _do(Actions(access).for_failures(), "r", row)


def test_a_queue_of_rabbitmq_is_looked_into_once_and_after_a_question(
    rabbitmq_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_STATE_DIR", str(tmp_path))
    send(rabbitmq_url, "shop.quick", 1, 2, queue="mail", count=2)
    pane = Actions(Access(Project(rabbitmq_url), 5.0, "")).look_into("mail")
    assert (pane.look, list(pane.rows())) == (None, [])
    hand = _do(pane.actions, "g", None)
    assert "marked as delivered before" in hand.asked[0]
    first, second = pane.rows()
    assert first.cells[1:4] == ("shop.quick", "", "1, 2")
    assert "is out of 'mail'" in _do(pane.actions, "d", second).shown
    assert "isn't in 'mail' any more" in _do(pane.actions, "d", second).shown
    _do(pane.actions, "g", None)
    assert [row.key for row in pane.rows()] == [first.key]
    assert pane.open is not None
    page = pane.open(first)
    assert isinstance(page, Page)
    assert ("arguments", "1, 2") in page.look()
