"""Real workers and a real Beat of the tests' app, and sending it tasks."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from celery import Celery

from tests.support import processes
from tests.support.radar import environment
from tests.support.waiting import wait_until

APP_FOLDER = Path(__file__).parent.parent / "celery/app"


class Worker:
    """A worker, started in the background; `wait()` returns when it is ready."""

    def __init__(
        self,
        url: str,
        folder: Path,
        *words: str,
        name: str = "w",
        pool: str = "threads",
        slots: int = 2,
        queues: str = "celery",
        app: str = "shop",
        **env: str,
    ) -> None:
        self.node = f"{name}@test"
        self._log = folder / f"{name}.log"
        options = ["-n", self.node, "-P", pool, "-c", str(slots), "-Q", queues, "-l", "INFO"]
        self.process = start(url, self._log, "worker", *options, *words, app=app, **env)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait(self) -> "Worker":
        wait_until(lambda: " ready." in self._log.read_text(), 40, f"worker {self.node} is ready")
        return self


def start(
    url: str, log: Path, *words: str, app: str = "shop", **env: str
) -> "subprocess.Popen[bytes]":
    """Start `celery -A shop WORDS`; it is killed when the test ends."""
    celery = Path(sys.executable).parent / "celery"
    with open(log, "wb") as output:
        return processes.remember(
            subprocess.Popen(
                [celery, "-A", app, *words],
                cwd=APP_FOLDER,
                env=environment(measured=False, SHOP_BROKER=url, C_FORCE_ROOT="1", **env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        )


def send(url: str, task: str, *args: Any, count: int = 1, **options: Any) -> None:
    """Send the task so many times; `transport` are broker_transport_options."""
    app = Celery("shop", broker=url, set_as_current=False)
    app.conf.broker_transport_options = options.pop("transport", {})
    with app.connection_for_write() as connection:
        for _ in range(count):
            app.send_task(task, args, connection=connection, **options)
    app.close()
