"""The watch under load: every event of a truth that is counted, in bounded memory."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.benchmarks.celery_peers import compare
from tests.celery.test_watch_metrics import read
from tests.celery.watching import Watching
from tests.support import processes
from tests.support.depth import depth
from tests.support.ports import free_port

pytestmark = pytest.mark.slow

_EVENTS_PER_S = 2000


@pytest.mark.nightly
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


@pytest.mark.nightly(daily="tests/celery/test_watch_load.py")
@pytest.mark.timeout(1800)
def test_it_counts_all_beside_its_peers_and_still_knows_it_afterwards(tmp_path: Path) -> None:
    """TESTS_CELERY_EXPORTER names a checkout of celery-exporter; Flower comes from PyPI."""
    python = tmp_path / "peers/bin/python"
    of_exporter = ("loguru", "pretty-errors", "prometheus-client", "flask", "waitress", "timy")
    packages = ("flower", "arrow", *of_exporter)
    for words in (
        (sys.executable, "-m", "venv", tmp_path / "peers"),
        (python, "-m", "pip", "install", "-q", "celery[redis]", *packages),
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"Flower can't be installed here: {done.stderr[-200:]}")
    figures = compare(600, str(python), os.environ.get("TESTS_CELERY_EXPORTER", ""))
    assert set(figures) >= {"radar", "Flower"}
    assert figures["radar"]["share"] == 1
    assert figures["radar"]["known_after_restart"] == 1
