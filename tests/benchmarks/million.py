"""A million monitors: what a look costs when nothing is due, and when one is."""

import json
import statistics
import time
from pathlib import Path

from radar_cli.model.flip import Flip
from radar_cli.model.record import MonitorRecord, write_pauses
from radar_cli.store.opening import open_embedded
from radar_cli.store.store import Store
from tests.support.radar_server import serving
from tests.support.waiting import wait_until

_TICK_TO_HOLD_MS = 10.0
_NOTICED_TO_HOLD_S = 1.0
_US = 1_000_000


def judge_a_million(folder: Path, count: int) -> None:
    """Print what it costs to watch over `count` monitors in SQLite."""
    now_us = time.time_ns() // 1000
    with open_embedded(str(folder)) as store:
        began = time.monotonic()
        _fill(store, count, now_us)
        print(f"{count:,} monitors inserted in {time.monotonic() - began:.1f} s")
        ticks_ms = []
        for _ in range(50):
            began = time.perf_counter()
            at_us = time.time_ns() // 1000
            store.monitors.judge(at_us)
            store.alerts.enqueue_flips(at_us, lambda _known, _flip: [])
            ticks_ms.append((time.perf_counter() - began) * 1e3)
        median = statistics.median(ticks_ms)
        held = "held" if median <= _TICK_TO_HOLD_MS else "NOT HELD"
        print(f"a tick with nothing due: {median:.2f} ms {held}, at most {max(ticks_ms):.2f} ms")
    with serving(folder) as server:
        noticed_s = []
        for number in range(5):
            key = f"watched{number}"
            answer = server.ping(key, b"", every="3", gracePeriod="1", create="1")
            assert answer.status_code == 200, answer.text
            with server.store() as store:
                flip = _wait_for_down(store, key)
            noticed_s.append((flip.noticed_us - flip.time_us) / 1e6)
        worst = max(noticed_s)
        held = "held" if worst <= _NOTICED_TO_HOLD_S else "NOT HELD"
        print(f"a missed run noticed after: at most {worst:.2f} s {held}, of {len(noticed_s)}")


def _wait_for_down(store: Store, key: str) -> Flip:
    def find() -> Flip | None:
        return next((flip for flip in store.history.flips(key, 9) if flip.status == "down"), None)

    flip = wait_until(find, 15, f"{key} is missed")
    assert flip is not None
    return flip


def _fill(store: Store, count: int, now_us: int) -> None:
    """Monitors that are up, and due within the next days."""
    declared = json.dumps({"schedule": "0 0 1 1 *", "tz": "UTC"})
    known = MonitorRecord("a", json.loads(declared), now_us, "")
    known.advance_to(now_us)
    encoded, view = known.encode(), known.view
    assert view.next_look_us is not None
    for start in range(0, count, 50_000):
        with store.database.change() as change:
            change.execute_many(
                "INSERT INTO monitor (key, declared, created_us, judged, pauses, status, watched,"
                " next_look_us, version) VALUES (?, ?, ?, ?, ?, ?, 1, ?, 1)",
                (
                    (
                        *(f"m{number}", declared, now_us, encoded, write_pauses(())),
                        *(str(view.status), view.next_look_us + number * 1000),
                    )
                    for number in range(start, min(count, start + 50_000))
                ),
            )
