"""Each system call of a server that stores, judges and tells fails or is its last one, in turn.

A server goes on for all the faults that it survives; what it answers with 200 is in its store,
once, and whoever is down is told of, whatever failed in between.
"""

import contextlib
import http.client
import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Callable
from urllib.parse import quote

import pytest

from radar_cli.core.ids import new_id
from tests.support.depth import depth
from tests.support.faulty_calls import Fault, FaultyCalls, compile_library, faults, spread
from tests.support.radar_server import RadarServer, serving
from tests.support.server import Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

_ALL = 1_000_000
_DAILY_FAILED, _DAILY_KILLED, _DAILY_STARTS = 4, 1, 1
# A server that is started anew for each takes two seconds.
_STARTS_MAX = 120
_TOLD_S = 20.0
_ALL_TOLD_S = 90.0
_NO_ANSWER = (OSError, http.client.HTTPException)
_KINDS = ("start", "success", "fail")
# Of the server's log, or of a command that ends.
_LINE = re.compile(r"radar: |\d{4}-\d\d-\d\dT[\d:.]+Z \w+: ")


class Trial:
    """A server, who is told by it, and what it has acknowledged."""

    def __init__(self, server: RadarServer, receiver: Server, calls: FaultyCalls) -> None:
        self.server = server
        self.receiver = receiver
        self.calls = calls
        self.acknowledged: set[str] = set()
        self.sent: set[str] = set()
        self.down: list[str] = []  # monitors
        self.statuses: Counter[int] = Counter()
        self.reached: set[tuple[str, int]] = set()
        self.broken: list[str] = []

    def told(self) -> Counter[str]:
        """The monitors of which was told that they are down, each by so many keys."""
        notices = [json.loads(request.body) for request in self.receiver.requests]
        downs = {(each["monitor"], each["key"]) for each in notices if each["kind"] == "down"}
        return Counter(monitor for monitor, _ in downs)

    def disturb(self, fault: Fault) -> None:
        """Let one thing happen while a new monitor starts, succeeds and fails."""
        self.calls.arm(fault)
        what = str(fault)
        waiting = self.work(f"m{len(self.down)}")
        ends = time.monotonic() + 2 * self._patience_s
        # What the fault is about may be the judging, or the telling.
        while not self.calls.has_fired and time.monotonic() < ends and not self._is_told():
            time.sleep(0.05)
        if self.calls.has_fired:
            self.reached.add((fault.call, fault.number))
            what = f"{fault} ({self.calls.what})"
        self.calls.disarm()
        if fault.kills and self.calls.has_fired:
            self.server.wait()
            self.server.start()
        try:
            for ping in waiting:
                wait_until(lambda: self.send(*ping) == 200, 20, "it stores again")  # noqa: B023
            assert self.server.is_healthy()
        except AssertionError as error:
            self.broken.append(f"{what}: {error}")

    _patience_s = 0.5

    def _is_told(self) -> bool:
        return self.down[-1] in self.told()

    def work(self, monitor: str) -> list[tuple[str, str, str]]:
        """Ping as a run does; return what isn't acknowledged."""
        self.down.append(monitor)
        pings = [(monitor, kind, new_id(time.time_ns() // 1000)) for kind in _KINDS]
        return [ping for ping in pings if self.send(*ping) != 200]

    def send(self, monitor: str, kind: str, ping_id: str) -> int:
        """Send one ping; return its status, 0 if there was no answer."""
        path = f"/ping/{monitor}/{kind}?create=1&id={quote(ping_id)}"
        headers = {"Authorization": f"Bearer {self.server.key}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        self.sent.add(ping_id)
        status = 0
        with contextlib.closing(connection), contextlib.suppress(*_NO_ANSWER):
            connection.request("POST", path, b"some output\n" * 100, headers)
            with connection.getresponse() as answer:
                answer.read()
                status = answer.status
        self.statuses[status] += 1
        if status == 200:
            self.acknowledged.add(ping_id)
        return status

    def conclude(self) -> None:
        """See that all of it is there once, and is told, after a restart without any fault."""
        assert self.server.stop() == 0, self.server.said()
        with self.server.store() as store, store.database.change() as change:
            # What failed is due again in its time: that is now.
            for table in ("alert", "notice"):
                change.execute(f"UPDATE {table} SET next_try_us = 1 WHERE next_try_us IS NOT NULL")
        self.server.start()
        wait_until(
            lambda: self.told().keys() >= set(self.down), _ALL_TOLD_S, "all are told", every_s=0.5
        )
        assert set(self.told().values()) == {1}, self.told()
        assert self.server.stop() == 0
        with self.server.store() as store:
            read = store.database.read
            assert read("PRAGMA integrity_check") == [("ok",)]
            stored = Counter(ping_id for (ping_id,) in read("SELECT id FROM ping"))
            assert self.acknowledged == self.sent
            assert stored.keys() == self.sent
            assert set(stored.values()) == {1}
            flips = read("SELECT monitor FROM flip WHERE status = 'down'")
            assert sorted(monitor for (monitor,) in flips) == sorted(self.down)
        assert self.statuses.keys() <= {0, 200, 503}
        assert "Traceback" not in self.server.said()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_library(tmp_path_factory.mktemp("faulty_calls"))


@pytest.fixture
def trial(tmp_path: Path, library: Path) -> Iterator[Trial]:
    calls = FaultyCalls(library, tmp_path)
    with Server() as receiver:
        config = f"[notify.ops]\nwebhook = '{receiver.url}/hook'\ntogether = false\n"
        with serving(tmp_path / "server", config=config, env=calls.env()) as server:
            yield Trial(server, receiver, calls)
    calls.close()


@pytest.mark.nightly
@pytest.mark.parametrize("kills", [False, True], ids=["failed", "killed"])
def test_whichever_call_of_a_server_fails_it_keeps_and_tells_what_it_took(
    kills: bool, trial: Trial, record_property: Callable[[str, object], None]
) -> None:
    trial.calls.record()
    assert trial.work("first") == []
    wait_until(lambda: "first" in trial.told(), _TOLD_S, "it is told")
    counts = trial.calls.counts()
    trial.calls.disarm()
    possible = [fault for fault in faults(counts) if fault.kills == kills]
    most = depth(_DAILY_KILLED, _STARTS_MAX) if kills else depth(_DAILY_FAILED, _ALL)
    for fault in spread(possible, most, offset=0):
        trial.disturb(fault)
    trial.conclude()
    summary = f"server: {len(trial.reached)} of {sum(counts.values())} calls"
    print(summary, counts, dict(trial.statuses))
    print(trial.server.said()[-3000:])
    record_property("calls", len(trial.reached))
    assert not trial.broken, f"{summary}:\n" + "\n".join(trial.broken)
    assert trial.reached


def _answers(server: RadarServer) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    with contextlib.closing(connection), contextlib.suppress(*_NO_ANSWER):
        connection.request("GET", "/healthz")
        with connection.getresponse() as answer:
            return answer.status == 200
    return False


def _start_disturbed(folder: Path, calls: FaultyCalls) -> RadarServer:
    """Start a server for the first time and end it; what it has said is in its log."""
    server = RadarServer(folder / "server", env=calls.env())
    server.launch()
    wait_until(lambda: server.has_ended() or _answers(server), 30, "it serves or ends")
    calls.disarm()
    server.stop()
    return server


@pytest.mark.nightly
def test_whichever_call_of_a_first_start_fails_the_next_one_has_a_key_to_show(
    tmp_path: Path, library: Path, record_property: Callable[[str, object], None]
) -> None:
    calls = FaultyCalls(library, tmp_path)
    (tmp_path / "whole").mkdir()
    calls.record()
    _start_disturbed(tmp_path / "whole", calls)
    counts = calls.counts()
    reached = set()
    broken = []
    for number, fault in enumerate(
        spread(faults(counts), depth(_DAILY_STARTS, _STARTS_MAX), offset=0)
    ):
        folder = tmp_path / f"at-{number}"
        folder.mkdir()
        calls.arm(fault)
        disturbed = _start_disturbed(folder, calls)
        if not calls.has_fired:
            continue
        reached.add((fault.call, fault.number))
        try:
            said = disturbed.said()
            assert "Traceback" not in said, said
            assert all(map(_LINE.match, said.splitlines())), said
            with serving(folder / "server") as again:
                assert again.ping("job", create="1").status_code == 200, f"no key: {again.key}"
            assert again.stop() in (None, 0)
        except AssertionError as error:
            broken.append(f"{fault} ({calls.what}): {str(error)[:1500]}")
        shutil.rmtree(folder)
    calls.close()
    summary = f"server's start: {len(reached)} of {sum(counts.values())} calls"
    print(summary, counts)
    record_property("calls", len(reached))
    assert not broken, f"{summary}:\n" + "\n".join(broken)
    assert reached
