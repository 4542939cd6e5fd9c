"""A real `radar celery watch` beside a test, and its ledger."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from radar_cli.model.ledger import TaskRecord
from radar_cli.store.ledger import Ledger, TaskSearch
from radar_cli.store.opening import open_store
from radar_cli.store.store import Store
from tests.support import processes
from tests.support.radar import environment, radar_path
from tests.support.waiting import wait_until


class Watching:
    """A watch on a broker, with a state directory of its own; `wait()` until it hears.

    Where RADAR_DATABASE is set, its ledger is there. `env` is for commands that read it.
    """

    def __init__(self, url: str, folder: Path, *words: str, **env: str) -> None:
        self.state = folder / "state"
        self._database = os.environ.get("RADAR_DATABASE")
        self.env = environment(RADAR_STATE_DIR=str(self.state), RADAR_DATABASE=self._database)
        self._env = {**self.env, **env}
        self._log = folder / "watch.log"
        self._command = ["celery", "watch", "-b", url, "--interval", "1s", *words]
        self._store: Store | None = None
        self.start()

    def start(self) -> None:
        with open(self._log, "ab") as log:
            self.process = processes.remember(
                subprocess.Popen(
                    [radar_path(), *self._command],
                    env=self._env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )

    def wait(self, times: int = 1) -> "Watching":
        """Wait until it hears, for so many times since its first start."""
        wait_until(lambda: self.log.count("watching ") >= times, 40, "the watch hears")
        return self

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def store(self) -> Store:
        if self._store is None:
            self._store = open_store(self._database or "", str(self.state))
        return self._store

    @property
    def ledger(self) -> Ledger:
        return self.store.ledger

    def counts(self) -> dict[str, int]:
        return self.ledger.count_tasks(TaskSearch())

    def tasks(self, **search: Any) -> list[TaskRecord]:
        return self.ledger.tasks(TaskSearch(**search), 1000)

    def until(self, predicate: Callable[[], Any], timeout_s: float = 60) -> Any:
        """Wait; what fails tells what the watch said and what the ledger holds."""
        try:
            return wait_until(predicate, timeout_s, "the ledger has it", every_s=0.2)
        except AssertionError as error:
            tasks = "\n".join(map(repr, self.tasks()[:10]))
            raise AssertionError(f"{error}\n{self.log}\n{tasks}") from None
