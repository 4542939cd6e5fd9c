"""The watch under load: every event of a truth that is counted, in bounded memory."""

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.celery.test_watch_metrics import read
from tests.celery.watching import Watching
from tests.support import processes
from tests.support.depth import depth
from tests.support.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

_EVENTS_PER_S = 2000


def test_nothing_is_lost_under_load(broker_url: str, tmp_path: Path) -> None:
    tasks = depth(1_000, 300_000)  # four events each
    port = free_port()
    watch = Watching(broker_url, tmp_path, "--metrics", f"127.0.0.1:{port}", "--no-monitors").wait()
    command = [sys.executable, "-m", "tests.support.event_load", broker_url, str(tasks)]
    checkout = Path(__file__).parents[2]
    sending = processes.remember(subprocess.Popen([*command, str(_EVENTS_PER_S)], cwd=checkout))
    assert sending.wait(depth(60, 1200)) == 0
    watch.until(lambda: watch.counts().get("success") == tasks, 120)
    assert watch.counts() == {"success": tasks}
    assert watch.ledger.missed_events() == 0

    def told() -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            page = read(response.read().decode())
        return sum(n for (name, _), n in page.items() if name == "celery_task_succeeded_total")

    watch.until(lambda: told() == tasks, 20)
    status = Path(f"/proc/{watch.process.pid}/status").read_text()
    peak_kb = int(status.partition("VmHWM:")[2].split()[0])
    assert peak_kb < 250_000  # it keeps what goes on, not what has ended
