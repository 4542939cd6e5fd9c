"""A run's pings on their way, in this process: what is sent, what waits, and what is said of it."""

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from radar_cli.delivery import dispatcher as module
from radar_cli.delivery.destinations import STORE, Destination
from radar_cli.delivery.dispatcher import (
    Dispatcher,
    keep_undelivered,
    keep_unresolved,
    report,
    settle,
    without_known,
)
from radar_cli.delivery.sender import (
    DELIVERED,
    DROPPED,
    REJECTED,
    UNSURE,
    WAITING,
    Outcome,
    Sender,
)
from radar_cli.model.ping import Ping, fingerprint
from radar_cli.outbox.claiming import is_free
from radar_cli.outbox.spool import REJECTED as REFUSED
from radar_cli.outbox.spool import UNRESOLVED, Entry, Outbox, Spool, folder_name
from tests.support import answers
from tests.support.server import Server
from tests.support.waiting import wait_until

_KEY = "key-of-the-tests"
_TO = {"server": "http://radar.example", "profile": "prod"}
_PROD = Destination("radar", server=_TO["server"], profile="prod", key=_KEY)


def _ping(kind: str = "success", monitor: str = "m") -> Ping:
    return Ping(kind, monitor, time_us=time.time_ns() // 1000)


def _idle(ingest: Callable[[Outbox, Destination], None] = lambda *_: None) -> Dispatcher:
    return Dispatcher([], None, None, lambda: None, ingest)


def _fail(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _waiting(dispatcher: Dispatcher) -> list[str]:
    return [n.split("-")[1] for spool in dispatcher.outbox.spools() for n in spool.names()]


class _Run:
    """A run that has something to tell, at its own pace."""

    def __init__(self, timeout_s: float | None = 20.0) -> None:
        self.nudges = 0
        self.taken_in: list[Destination] = []
        self.dispatcher = Dispatcher(
            [], None, timeout_s, self._nudge, lambda _, to: self.taken_in.append(to)
        )

    def _nudge(self) -> None:
        self.nudges += 1

    def tell(self, *kinds: str, patience_s: float = 20.0) -> Dispatcher:
        """Tell all of it at once, and wait until it is done or there is no more time."""
        self.dispatcher.start()
        for kind in kinds:
            self.dispatcher.post(_ping(kind))
        return self.end(patience_s)

    def end(self, patience_s: float = 20.0) -> Dispatcher:
        until = time.monotonic() + patience_s
        self.dispatcher.close(until)
        while not self.dispatcher.is_done() and time.monotonic() < until:
            time.sleep(0.005)
        if not self.dispatcher.is_done():
            self.dispatcher.abandon()
            wait_until(self.dispatcher.is_done, what="the end")
        return self.dispatcher


@pytest.fixture
def own(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server of all runs here."""
    monkeypatch.setenv("RADAR_SERVER", server.url)
    monkeypatch.setenv("RADAR_API_KEY", _KEY)
    return server


def _sent(server: Server) -> list[str]:
    return [ping.kind for ping in server.accepted]


class TestRunning:
    def test_pings_arrive_in_the_order_of_posting(self, own: Server) -> None:
        run = _Run()
        dispatcher = run.tell("start", "log", "success")
        assert _sent(own) == ["start", "log", "complete"]
        assert (_waiting(dispatcher), dispatcher.warnings, dispatcher.details) == ([], [], [])
        assert dispatcher.fates == set()
        assert run.nudges >= 2, "the run waits for that"

    def test_what_is_posted_later_is_sent_then(self, own: Server) -> None:
        run = _Run()
        run.dispatcher.start()
        run.dispatcher.post(_ping("start"))
        wait_until(lambda: _sent(own) == ["start"], what="the start")
        assert not run.dispatcher.is_done()
        run.dispatcher.post(_ping("fail"))
        wait_until(lambda: _sent(own) == ["start", "fail"], what="the end")
        run.end()

    def test_what_waited_goes_out_with_it(self, own: Server) -> None:
        outbox = _idle().outbox
        to = {"server": own.url, "key": fingerprint(_KEY.encode())}
        outbox.put(_ping("fail", "before"), to, durable=False)
        dispatcher = _Run().tell("success")
        assert [ping.monitor for ping in own.accepted] == ["m", "before"]
        assert _waiting(dispatcher) == []

    def test_what_a_server_refuses_stands_aside_and_is_said(self, own: Server) -> None:
        own.behave(answers.status(404))
        dispatcher = _Run().tell("success")
        assert dispatcher.fates == {"refused"}
        assert dispatcher.warnings[0].startswith("the success ping is refused: ")
        (spool,) = dispatcher.outbox.spools()
        assert (len(spool.names(REFUSED)), spool.names()) == (1, [])

    def test_a_server_that_doesnt_answer_costs_the_next_run_little(self, own: Server) -> None:
        own.stop()
        dispatcher = _Run(timeout_s=2.5).tell("success")
        (spool,) = dispatcher.outbox.spools()
        assert _waiting(dispatcher) == ["success"]
        assert spool.down_since() > time.time() - 60
        assert dispatcher.warnings == []
        assert dispatcher.details[0].startswith("the success ping is kept in the outbox: ")
        own.start()
        dispatcher = _Run().tell("start")
        assert spool.down_since() == 0.0
        assert sorted(_sent(own)) == ["complete", "start"]
        assert _waiting(dispatcher) == []

    def test_a_server_that_was_down_a_moment_ago_is_asked_once(self, own: Server) -> None:
        to = {"server": own.url, "key": fingerprint(_KEY.encode())}
        spool = _idle().outbox.spool(folder_name(to))
        os.makedirs(spool.folder)
        own.behave(answers.status(503), answers.ok())
        spool.mark_down()
        assert _waiting(_Run().tell("start")) == ["start"]
        assert len(own.requests) == 1
        # A minute later it is asked again.
        own.behave(answers.status(503), answers.ok())
        old_s = time.time() - 61
        os.utime(Path(spool.folder, ".down"), (old_s, old_s))
        assert _waiting(_Run().tell("success")) == []

    def test_where_nothing_is_configured_pings_are_kept_for_readers(self) -> None:
        run = _Run()
        dispatcher = run.tell("start", "success")
        assert _waiting(dispatcher) == ["start", "success"]
        assert os.listdir(dispatcher.outbox.folder) == ["store"]
        assert (dispatcher.warnings, dispatcher.details, run.taken_in) == ([], [], [])
        assert dispatcher.fates == set()

    def test_many_that_nobody_reads_are_taken_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MANY_WAIT", 3)
        monkeypatch.setattr("radar_cli.outbox.spool.MANY_WAIT", 3)
        run = _Run()
        run.tell("start", "success")
        assert run.taken_in == []
        run = _Run()
        run.tell("start")
        assert [each.protocol for each in run.taken_in] == [STORE]

    def test_what_a_killed_writer_left_is_cleared(self) -> None:
        spool = _idle().outbox.spool("store")
        os.makedirs(spool.folder)
        left = Path(spool.folder, ".1-start-x.ping.1.2")
        left.touch()
        os.utime(left, (1, 1))
        run = _Run()
        run.tell("success")
        assert (left.exists(), run.taken_in) == (False, [])

    def test_it_is_redacted_what_somebody_typed(self, own: Server) -> None:
        run = _Run()
        run.dispatcher.typed_fields = lambda: {"message": "typed", "host": "typed"}
        run.tell("start")
        (sent,) = own.accepted
        assert (sent.query["message"], sent.query["host"]) == ("typed", os.uname().nodename)

    @pytest.mark.usefixtures("own")
    def test_what_goes_wrong_inside_keeps_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("boom")

        monkeypatch.setattr(Sender, "deliver", fail)
        dispatcher = _Run().tell("start", "success")
        assert dispatcher.warnings[0] == "pings are kept: RuntimeError: boom"
        assert _waiting(dispatcher) == ["start", "success"]

    def test_the_outbox_is_trimmed_when_it_grew(
        self, own: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trimmed: list[str] = []

        def trim(spool: Spool, _: object) -> list[str]:
            trimmed.append(os.path.basename(spool.folder))
            return ["it was trimmed"]

        monkeypatch.setattr("radar_cli.outbox.trim.trim", trim)
        dispatcher = _Run().tell("start")
        assert (trimmed, dispatcher.warnings) == ([], [])
        own.behave(answers.status(503, {"Retry-After": "3600"}))
        dispatcher = _Run().tell("start")
        (spool,) = dispatcher.outbox.spools()
        assert trimmed == [os.path.basename(spool.folder)]
        assert "it was trimmed" in dispatcher.warnings

    def test_where_there_are_no_threads_the_run_does_it_itself(
        self, own: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise RuntimeError("can't start new thread")

        run = _Run()
        monkeypatch.setattr("_thread.start_new_thread", refuse)
        run.dispatcher.start()
        assert run.dispatcher.has_no_thread
        run.dispatcher.post(_ping("start"))
        run.dispatcher.close(time.monotonic() + 20)
        assert run.dispatcher.resolve()
        assert not run.dispatcher.is_done()
        run.dispatcher.work()
        assert run.dispatcher.is_done()
        assert _sent(own) == ["start"]

    def test_several_destinations_succeed_or_fail_alone(self, own: Server) -> None:
        config = Path(os.environ["RADAR_CONFIG"])
        good = f'server = "{own.url}"\napi_key = "{_KEY}"\n'
        config.write_text(
            f"[profiles.a]\n{good}[profiles.b]\n{good.replace(own.url, 'http://127.0.0.1:1')}"
        )
        config.chmod(0o600)
        dispatcher = Dispatcher(["a", "b"], None, 1.0, lambda: None, lambda *_: None)
        dispatcher.start()
        dispatcher.post(_ping("success"))
        dispatcher.close(time.monotonic() + 20)
        wait_until(dispatcher.is_done, what="the end")
        assert (_sent(own), _waiting(dispatcher)) == (["complete"], ["success"])


class TestGivingUp:
    def test_whose_answer_is_late_waits_in_the_outbox(self, own: Server) -> None:
        own.behave(answers.hang())
        dispatcher = _Run().tell("start", "success", patience_s=0.5)
        assert _waiting(dispatcher) == ["start", "success"]
        assert dispatcher.fates == {"kept in the outbox"}
        assert dispatcher.details == [
            f"the start and success pings are kept in the outbox: {own.url}: no answer in time"
        ]
        (spool,) = dispatcher.outbox.spools()
        assert all(is_free(spool, name) for name in spool.names())

    def test_where_pings_go_may_stay_unknown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        go_on = threading.Event()

        def wait(*_: object) -> None:
            go_on.wait(20)

        monkeypatch.setattr(module, "resolve", wait)
        dispatcher = _idle()
        dispatcher.start()
        dispatcher.post(_ping("start"))
        assert dispatcher.give_up()
        dispatcher.abandon()
        go_on.set()
        wait_until(dispatcher.is_done, what="the end")
        assert _waiting(dispatcher) == ["start"]
        assert dispatcher.warnings == [
            "the start ping is kept in the outbox: no time left to wait for the config"
        ]

    def test_where_it_is_known_nobody_gives_that_up(self, own: Server) -> None:
        run = _Run()
        run.dispatcher.start()
        wait_until(lambda: run.dispatcher.resolved is not None, what="the destinations")
        assert not run.dispatcher.give_up()
        run.dispatcher.post(_ping("start"))
        run.end()
        assert _sent(own) == ["start"]


class TestSettling:
    def _settle(
        self, outcome: Outcome, *, has_entry: bool = True, to: dict[str, str] | None = None
    ) -> tuple[Dispatcher, Entry | None]:
        dispatcher, ping, entry = _idle(), _ping(), None
        if has_entry:
            entry = dispatcher.outbox.put(ping, to or _TO, durable=False, hold=True)
        settle(dispatcher, _PROD, ping, entry, outcome, "" if has_entry else "the disk is full")
        for spool in dispatcher.outbox.spools():
            assert all(is_free(spool, name) for name in spool.names())
        return dispatcher, entry

    def test_a_delivered_one_is_gone(self) -> None:
        for has_entry in (True, False):
            dispatcher, _ = self._settle(Outcome(DELIVERED), has_entry=has_entry)
            assert (_waiting(dispatcher), dispatcher.fates) == ([], set())

    @pytest.mark.parametrize(
        ("result", "fate", "is_loud"),
        [(DROPPED, "not sent", False), (UNSURE, "not sent again", True)],
    )
    def test_one_that_isnt_to_be_sent_is_gone_and_said(
        self, result: str, fate: str, is_loud: bool
    ) -> None:
        for has_entry in (True, False):
            dispatcher, _ = self._settle(Outcome(result, "why"), has_entry=has_entry)
            assert (_waiting(dispatcher), dispatcher.fates) == ([], {fate})
            line = f"the success ping is {fate}: why"
            assert (dispatcher.warnings, dispatcher.details) == (
                ([line], []) if is_loud else ([], [line])
            )

    def test_a_refused_one_stands_aside(self) -> None:
        dispatcher, _ = self._settle(Outcome(REJECTED, "no such monitor"))
        (spool,) = dispatcher.outbox.spools()
        assert (len(spool.names(REFUSED)), spool.names()) == (1, [])
        assert dispatcher.warnings == ["the success ping is refused: no such monitor"]

    @pytest.mark.parametrize("needs_person", [True, False])
    def test_one_that_waits_survives_a_power_failure(
        self, needs_person: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced: list[int] = []
        fsync = os.fsync

        def sync(fd: int) -> None:
            synced.append(fd)
            fsync(fd)

        monkeypatch.setattr(os, "fsync", sync)
        dispatcher, _ = self._settle(Outcome(WAITING, "why", needs_person=needs_person))
        line = "the success ping is kept in the outbox: why"
        assert (dispatcher.warnings, dispatcher.details) == (
            ([line], []) if needs_person else ([], [line])
        )
        assert _waiting(dispatcher) == ["success"]
        assert len(synced) >= 2
        assert dispatcher._grown == {folder_name(_TO)}

    @pytest.mark.parametrize("status", [401, 403])
    def test_one_of_a_wrong_key_waits_for_any(self, status: int) -> None:
        to = {"server": _TO["server"], "key": "0123abcd"}
        dispatcher, _ = self._settle(Outcome(WAITING, "why", status=status), to=to)
        (name,) = [
            each
            for each in dispatcher.outbox.folder_names()
            if dispatcher.outbox.spool(each).names()
        ]
        assert name == folder_name({"server": _TO["server"]} if status == 401 else to)
        dispatcher, _ = self._settle(Outcome(WAITING, "why", status=401))
        assert dispatcher.outbox.spool(folder_name(_TO)).names() != []

    def test_one_that_could_not_be_kept_is_lost_and_said(self) -> None:
        dispatcher, _ = self._settle(Outcome(WAITING, "why"), has_entry=False)
        assert dispatcher.fates == {"not delivered", "lost"}
        assert dispatcher.details == ["the success ping is not delivered: why"]
        assert dispatcher.warnings == ["the success ping is lost: the disk is full"]
        dispatcher, _ = self._settle(Outcome(REJECTED, "no such monitor"), has_entry=False)
        assert dispatcher.details == []
        assert dispatcher.warnings == [
            "the success ping is lost: no such monitor; the disk is full"
        ]


class TestKeeping:
    def test_what_cant_be_kept_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        dispatcher = _idle()
        assert dispatcher.keep(_ping("start"), _TO)
        assert dispatcher._grown == {folder_name(_TO)}
        assert dispatcher.keep(_ping("start"), {})
        assert len(dispatcher._grown) == 1
        monkeypatch.setattr(os, "write", _fail)
        assert not dispatcher.keep(_ping("start"), _TO)
        assert dispatcher.warnings[0].startswith("the start ping is lost: ")
        assert dispatcher.fates == {"lost"}

    def test_those_of_unknown_profiles_wait_for_each(self) -> None:
        dispatcher = _idle()
        dispatcher.pings += [_ping("start"), _ping("success")]
        keep_unresolved(dispatcher, ["a", "b"], "the key of b")
        assert len(_waiting(dispatcher)) == 4
        assert dispatcher.outbox.folder_names() == sorted(
            folder_name({UNRESOLVED: name}) for name in "ab"
        )
        assert dispatcher.warnings == [
            "the start and success pings are kept in the outbox:"
            " no time left to wait for the key of b"
        ]
        assert "host" in dispatcher.pings[0].fields

    def test_what_one_has_not_got_is_kept_once(self) -> None:
        dispatcher = _idle()
        pings = [_ping("start"), _ping("success")]
        entry = dispatcher.outbox.put(pings[0], _TO, durable=False, hold=True)
        keep_undelivered(dispatcher, _PROD, None, entry, pings)
        assert _waiting(dispatcher) == ["start", "success"]
        assert dispatcher.details == [
            "the start and success pings are kept in the outbox:"
            " http://radar.example: no answer in time"
        ]
        assert dispatcher._grown == {folder_name(_TO)}
        entry.release()

    def test_one_whose_file_is_gone_is_kept_again(self) -> None:
        dispatcher, ping = _idle(), _ping()
        entry = dispatcher.outbox.put(ping, _TO, durable=False)
        os.unlink(entry.path)
        keep_undelivered(dispatcher, _PROD, None, entry, [ping])
        assert _waiting(dispatcher) == ["success"]

    def test_nothing_is_said_of_what_the_store_keeps(self) -> None:
        dispatcher = _idle()
        here = Destination(STORE, profile="default")
        keep_undelivered(dispatcher, here, None, None, [_ping()])
        assert (_waiting(dispatcher), dispatcher.details) == (["success"], [])

    def _asked(self, entry: Entry | None) -> Sender:
        """A sender whose server takes all for news, and is being asked to take a success."""
        sender = Sender(Destination("cronradar", server="http://h", key="k"), lambda _: False)
        sender._is_success = sender._is_unanswered = True
        sender.late = entry
        return sender

    def test_one_that_may_have_arrived_is_not_news_again(self) -> None:
        dispatcher, ping = _idle(), _ping()
        entry = dispatcher.outbox.put(ping, _TO, durable=False, hold=True)
        keep_undelivered(dispatcher, _PROD, self._asked(None), entry, [ping, _ping("fail")])
        assert _waiting(dispatcher) == ["fail"]
        assert dispatcher.warnings == [
            "the success ping is not sent again:"
            " http://radar.example: no answer in time, and it may have arrived"
        ]

    def test_nor_is_a_waiting_one_that_was_on_its_way(self) -> None:
        dispatcher, ping = _idle(), _ping("fail")
        late = dispatcher.outbox.put(_ping(monitor="late"), _TO, durable=False, hold=True)
        entry = dispatcher.outbox.put(ping, _TO, durable=False, hold=True)
        keep_undelivered(dispatcher, _PROD, self._asked(late), entry, [ping])
        assert _waiting(dispatcher) == ["fail"]
        assert dispatcher.warnings == [
            "late: its success is not sent again:"
            " http://radar.example: no answer in time, and it may have arrived"
        ]
        entry.release()


class TestSaying:
    def test_what_befell_several_is_said_in_one_line(self) -> None:
        lines: list[str] = []
        for kind in ("success", "start", "success"):
            report(lines, kind, "refused", "no such monitor")
        report(lines, "fail", "refused", "another reason")
        report(lines, "log", "lost", "no such monitor")
        assert lines == [
            "the start and success pings are refused: no such monitor",
            "the fail ping is refused: another reason",
            "the log ping is lost: no such monitor",
        ]
        report(lines, "fail", "refused", "no such monitor")
        assert lines[0] == "the start and success and fail pings are refused: no such monitor"

    def test_one_fault_of_a_variable_is_said_once(self) -> None:
        known = ["RADAR_GRACE 'x' is ignored: bad duration", "schedule 'y' is ignored"]
        warnings = [
            "in RADAR_GRACE: bad duration",
            "in RADAR_EVERY: bad duration",
            "a schedule is ignored",
            "single",
        ]
        assert without_known(warnings, known) == warnings[1:]
        assert without_known(warnings, []) == warnings
