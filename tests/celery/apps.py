"""A small app in a folder, and real workers and Beats of it that give signs of life."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support import processes
from tests.support.radar import environment, run_radar
from tests.support.waiting import wait_until

_APP = '''
import ctypes, os, time
from celery import Celery
from celery.schedules import crontab
from celery.worker.control import control_command
from radar_cli.celery import install_heartbeat

app = Celery("shop", broker=os.environ["BROKER"])
app.conf.broker_connection_retry_on_startup = True
app.conf.worker_hijack_root_logger = False
app.conf.timezone = "Europe/London"
app.conf.beat_schedule = {
    "often": {"task": "shop.add", "schedule": 1.0, "args": (1, 2)},
    "nightly": {"task": "shop.add", "schedule": crontab(minute=5, hour=2), "args": (1, 2)},
}
install_heartbeat(app)


@app.task(name="shop.add")
def add(x, y):
    return x + y


@app.task(name="shop.nap")
def nap(seconds):
    time.sleep(seconds)


@control_command()
def wedge(state):
    """Block the consumer's loop; gevent knows nothing of this sleep."""
    ctypes.CDLL(None).sleep(3600)
'''


class Project:
    """The app; what is started of it ends with the test."""

    def __init__(self, folder: Path, broker: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "shop.py").write_text(_APP)
        self.folder = folder
        self.env = environment(measured=False, BROKER=broker, C_FORCE_ROOT="1", TMPDIR=str(folder))

    def celery(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """Start `celery -A shop WORDS`; its output goes to a file of the folder."""
        with open(self.folder / f"{words[0]}.log", "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "shop", *words],
                cwd=self.folder,
                env={**self.env, **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return processes.remember(process)

    def worker(self, pool: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a worker and wait until it takes tasks."""
        process = self.celery(
            "worker", "-P", pool, "-c", "2", "-n", f"{pool}@here", "-l", "INFO", *words
        )
        wait_until(lambda: self.is_alive("--started"), 40, self.log("worker"), every_s=0.2)
        return process

    def beat(self, *words: str) -> subprocess.Popen[bytes]:
        """Start Beat and wait until it ticks."""
        process = self.celery("beat", "-s", "schedule", "--max-interval", "2", *words)
        wait_until(lambda: self.is_alive("--beat"), 40, self.log("beat"), every_s=0.2)
        return process

    def send(self, task: str, *arguments: object, **options: object) -> None:
        """Publish a task."""
        code = f"import shop; shop.app.send_task({task!r}, {arguments!r}, **{options!r})"
        subprocess.run([sys.executable, "-c", code], cwd=self.folder, env=self.env, check=True)

    def wedge(self) -> None:
        """Block the loop of all workers."""
        code = "import shop; shop.app.control.broadcast('wedge')"
        subprocess.run([sys.executable, "-c", code], cwd=self.folder, env=self.env, check=True)

    def is_alive(self, *words: str) -> bool:
        """What `radar celery alive` says."""
        return self.probe(*words).returncode == 0

    def probe(self, *words: str) -> "subprocess.CompletedProcess[bytes]":
        return run_radar("celery", "alive", *words, env=self.env)

    def log(self, of: str) -> str:
        path = self.folder / f"{of}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else of

    @property
    def signs(self) -> Path:
        return self.folder / f"radar-celery-{os.geteuid()}"
