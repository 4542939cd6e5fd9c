"""Counts of very many monitors: made now and then, and of few monitors each time."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from radar_cli.server.pages.tally import Tally
from radar_cli.store.database import Change, Database, Rows
from radar_cli.store.opening import open_embedded
from radar_cli.store.store import Store


class _SlowDatabase:
    """A database that takes its time, as one with a million monitors does."""

    def __init__(self, behind: Database, takes_s: float) -> None:
        self.place = behind.place
        self.asked = 0
        self._behind = behind
        self._takes_s = takes_s

    def read(self, query: str, values: Sequence[Any] = ()) -> Rows:
        self.asked += 1
        time.sleep(self._takes_s)
        return self._behind.read(query, values)

    @contextmanager
    def change(self) -> Iterator[Change]:
        with self._behind.change() as change:
            yield change

    def is_in_place(self) -> bool:
        return self._behind.is_in_place()

    def compact(self) -> None:
        self._behind.compact()

    def close(self) -> None:
        self._behind.close()


def _create(store: Store, *keys: str) -> None:
    for key in keys:
        assert store.monitors.create(key, {}, time.time_ns() // 1000)


def test_what_is_counted_quickly_is_told_as_it_is(state_dir: Path) -> None:
    with open_embedded(str(state_dir)) as store:
        tally = Tally(store.database)
        for number in range(5):
            _create(store, f"job-{number}")
            assert tally.count("*")["new"] == number + 1


def test_what_takes_long_is_counted_once_for_all_who_look(state_dir: Path) -> None:
    with open_embedded(str(state_dir)) as store:
        _create(store, "a-1", "a-2", "b-1")
        slow = _SlowDatabase(store.database, 0.5)
        tally, found = Tally(slow), []
        viewers = [
            threading.Thread(target=lambda: found.append(tally.count("*")["new"])) for _ in range(5)
        ]
        for viewer in viewers:
            viewer.start()
        for viewer in viewers:
            viewer.join(60)
        assert (found, slow.asked) == ([3] * 5, 1)
        # Each pattern of keys has counts of its own.
        assert (tally.count("a-*")["new"], slow.asked) == (2, 2)
