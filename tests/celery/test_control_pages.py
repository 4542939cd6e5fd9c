"""The pages that control workers and tasks: a real worker does what an admin asks for."""

from pathlib import Path

import pytest

from radar_cli.model.ledger import Batch, TaskRecord, TaskState
from tests.cli.envelopes import read_envelope
from tests.server.pages.conftest import make_key
from tests.server.pages.visitor import Visitor, close_all, text_of
from tests.support.celery_app import Worker
from tests.support.radar import run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def _slots(url: str) -> list[int]:
    done = run_radar("celery", "workers", "-b", url, "--json", text=True)
    return [each["slots"] for each in read_envelope(done, (0,))["data"]]


def _write(server: RadarServer, *tasks: TaskRecord) -> None:
    with server.store() as store:
        store.ledger.write(Batch(tasks=list(tasks)), 1_795_000_000_000_000)


def test_an_admin_controls_workers_and_tasks(redis_url: str, tmp_path: Path) -> None:
    worker = Worker(redis_url, tmp_path, pool="prefork", slots=1).wait()
    wait_until(lambda: _slots(redis_url) == [1], 30, "it answers")
    with serving(tmp_path / "server", "--celery-broker", redis_url) as server:
        known, secret = (
            TaskRecord(each, "shop.quick", TaskState.FAILURE, queue="celery")
            for each in ("known", "secret")
        )
        secret.called = "password='[redacted]'"
        _write(server, known, secret)
        admin = Visitor(server.url, server.key)
        asked = admin.text("/celery/control/grow", target=worker.node)
        assert f"Add slots to the pool of {worker.node}?" in asked
        done = admin.post("/celery/control/grow", {"target": worker.node, "value": "2"})
        assert "done" in text_of(done.text)
        wait_until(lambda: _slots(redis_url) == [3], 30, "the pool has grown")

        assert "Send again" in admin.text("/celery/tasks/known")
        question = admin.text("/celery/control/retry", target="known")
        assert "As a new task, to the queue celery: shop.quick()" in question
        sent = text_of(admin.post("/celery/control/retry", {"target": "known"}).text)
        assert "sent again as " in sent
        wait_until(lambda: "succeeded in" in worker.log, 30, "the task has run again")
        refused = text_of(admin.post("/celery/control/retry", {"target": "secret"}).text)
        assert "a secret among them isn't kept" in refused

        silent = admin.post("/celery/control/shrink", {"target": "w@nowhere", "value": "1"})
        assert "unknown" in text_of(silent.text)
        assert admin.post("/celery/control/grow", {"target": "w", "value": "x"}).status_code == 400
        assert admin.get("/celery/control/nothing").status_code == 404
        reader = Visitor(server.url, make_key(server, "read"))
        assert reader.get("/celery/control/grow", target=worker.node).status_code == 403
        assert "Send again" not in reader.text("/celery/tasks/known")
        close_all()


def test_without_a_broker_it_says_how_to_name_one(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        admin = Visitor(server.url, server.key)
        answer = admin.get("/celery/control/shutdown", target="w@h")
        assert answer.status_code == 409
        assert "--celery-broker" in answer.text
        close_all()


def test_a_broker_that_is_away_is_said(tmp_path: Path) -> None:
    with serving(tmp_path / "server", "--celery-broker", "redis://:secret@127.0.0.1:9/0") as server:
        admin = Visitor(server.url, server.key)
        answer = admin.post("/celery/control/shutdown", {"target": "w@h"})
        assert "127.0.0.1:9" in answer.text
        assert "secret" not in answer.text
        assert "Shut down" in text_of(answer.text)
        close_all()
