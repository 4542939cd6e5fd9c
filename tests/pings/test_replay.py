"""What a flush sends, in which order, and what becomes of each: with a real server, no command."""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar_cli.delivery import replay as module
from radar_cli.delivery.destinations import Destination
from radar_cli.delivery.dispatcher import Dispatcher
from radar_cli.delivery.replay import (
    Cleaner,
    Flushed,
    describe_unsure,
    flush,
    flush_beside,
    in_turn,
)
from radar_cli.delivery.sender import Sender
from radar_cli.model.ping import Ping
from radar_cli.outbox.claiming import is_free, lock_for_flush, unlock
from radar_cli.outbox.spool import REJECTED, Outbox
from tests.pings.test_keeping import hold_elsewhere
from tests.support import answers
from tests.support.processes import children_of
from tests.support.server import Server


@pytest.fixture
def outbox(state_dir: Path) -> Iterator[Outbox]:
    """An outbox; the test leaves nothing of it locked."""
    made = Outbox(str(state_dir))
    yield made
    for spool in made.spools():
        assert all(is_free(spool, name) for name in spool.names())
        lock = lock_for_flush(spool)
        assert lock is not None
        unlock(spool, lock)


class _Place:
    """A server that one profile names, and what waits for it."""

    def __init__(self, server: Server, outbox: Outbox, protocol: str = "radar") -> None:
        self.server = server
        self.outbox = outbox
        self.destination = Destination(
            protocol, server=server.url, profile="prod", key="k", redact=["patient [0-9]+"]
        )
        self.sender = Sender(self.destination, lambda _: False)

    def put(
        self,
        kind: str,
        monitor: str = "m",
        *,
        age_s: float = 10.0,
        to: dict[str, str] | None = None,
        body: bytes = b"",
        **fields: str,
    ) -> Ping:
        time_us = time.time_ns() // 1000 - round(age_s * 1e6)
        ping = Ping(kind, monitor, time_us=time_us, fields=fields, body=body)
        address = self.destination.address() if to is None else to
        self.outbox.put(ping, address, durable=False)
        return ping

    def flush(self, patience_s: float = 20.0, **more: object) -> Flushed:
        spools = self.destination.spools(self.outbox)
        try:
            return flush(spools, self.sender, deadline=time.monotonic() + patience_s, **more)  # type: ignore[arg-type]  # as they are there
        finally:
            self.sender.close()

    def sent(self) -> list[tuple[str, str]]:
        return [(ping.monitor, ping.kind) for ping in self.server.pings]

    def waiting(self) -> list[str]:
        return [name.split("-")[1] for spool in self.outbox.spools() for name in spool.names()]


@pytest.fixture
def place(server: Server, outbox: Outbox) -> _Place:
    return _Place(server, outbox)


@pytest.fixture
def cronradar(server: Server, outbox: Outbox) -> _Place:
    """A server that takes every ping for news."""
    return _Place(server, outbox, "cronradar")


class TestTaking:
    def test_all_go_out_oldest_first_from_wherever_they_wait(self, place: _Place) -> None:
        place.put("fail", age_s=5)
        place.put("start", age_s=9, to={"unresolved": "prod"})
        place.put("log", age_s=7, to={"server": place.server.url})
        done = place.flush()
        assert place.sent() == [("m", "start"), ("m", "log"), ("m", "fail")]
        assert (done.delivered, done.notes, done.losses) == (3, [], [])
        assert place.waiting() == []

    def test_what_is_somebody_elses_stays(self, place: _Place) -> None:
        other = Destination("radar", server=place.server.url, profile="other", key="k2")
        assert place.destination.spools(place.outbox) == []
        place.put("success")
        (spool,) = place.destination.spools(place.outbox)
        spool.put(Ping("fail", "m", time_us=1), other.address(), durable=False)
        done = place.flush()
        assert (place.sent(), done.delivered) == ([("m", "complete")], 1)
        assert done.losses == [
            "undelivered pings for " + place.server.url + " were dropped"
            " (older than 30 days): 1 fail"
        ]

    def test_what_is_too_old_is_lost_and_said(self, place: _Place) -> None:
        place.put("fail", age_s=31 * 86_400)
        place.put("fail")
        done = place.flush()
        assert done.delivered == 1
        assert done.notes == done.losses
        assert "older than 30 days" in done.losses[0]

    def test_one_flushes_at_a_time(self, place: _Place) -> None:
        place.put("success")
        (spool,) = place.destination.spools(place.outbox)
        lock = lock_for_flush(spool)
        assert lock is not None
        assert place.flush().delivered == 0
        unlock(spool, lock)
        assert place.flush().delivered == 1

    def test_refused_ones_go_again_when_they_are_asked_for(self, place: _Place) -> None:
        place.put("fail")
        place.server.behave(answers.status(404), answers.ok())
        done = place.flush()
        assert done.delivered == 0
        assert done.losses == []
        assert done.notes[0].startswith(f"m: {place.server.url} answered 404")
        (spool,) = place.outbox.spools()
        (name,) = spool.names(REJECTED)
        assert place.flush().delivered == 0
        assert place.flush(suffix=REJECTED).delivered == 1
        assert spool.names(REJECTED) == []
        assert name.endswith(REJECTED)

    def test_what_waited_for_the_config_is_redacted_as_it_says(self, place: _Place) -> None:
        before = children_of(os.getpid())
        for to in ({"unresolved": "prod"}, place.destination.address()):
            place.put("fail", to=to, body=b"of patient 4711\n", reason="k of patient 4711")
        place.flush()
        assert children_of(os.getpid()) == before, "what has searched for it is gone"
        bodies = [ping.body for ping in place.server.pings]
        assert bodies == [b"of [redacted]\n", b"of patient 4711\n"]


class TestTrying:
    def test_a_server_that_does_not_answer_ends_it(self, place: _Place) -> None:
        for monitor in "abc":
            place.put("success", monitor)
        place.server.stop()
        done = place.flush()
        assert (done.delivered, len(done.notes), place.waiting()) == (0, 1, ["success"] * 3)

    def test_a_ping_that_it_chokes_on_stops_no_other(self, place: _Place) -> None:
        for number in range(4):
            place.put("success", f"m{number}", age_s=9 - number)
        place.server.behave(*[answers.status(500)] * 3, answers.ok())
        assert place.flush().delivered == 1
        assert place.waiting() == ["success"] * 3

    def test_one_that_chokes_on_many_is_left_alone(self, place: _Place) -> None:
        for number in range(12):
            place.put("success", f"m{number:02}", age_s=50 - number)
        bad, good = answers.status(500), answers.ok()
        # One that it takes makes good for those before.
        place.server.behave(*[bad] * 4, good, *[bad] * 5, good)
        assert place.flush().delivered == 1
        assert len(place.server.pings) == 10
        assert len(place.waiting()) == 11

    def test_each_is_tried_once_or_for_as_long_as_is_asked(self, place: _Place) -> None:
        place.put("success")
        place.server.behave(answers.status(503), answers.ok())
        assert place.flush().delivered == 0
        place.server.behave(answers.status(503), answers.ok())
        assert place.flush(ping_timeout_s=10.0).delivered == 1

    def test_each_has_no_longer_than_is_asked(self, place: _Place) -> None:
        place.put("success")
        place.server.behave(answers.hang())
        assert place.flush(patience_s=300.0, ping_timeout_s=0.3).delivered == 0
        assert place.waiting() == ["success"]

    def test_when_the_time_is_over_the_rest_waits(self, place: _Place) -> None:
        place.put("success")
        assert place.flush(patience_s=-1.0).delivered == 0
        assert (place.sent(), place.waiting()) == ([], ["success"])
        asked = []

        def is_stopped() -> bool:
            asked.append(1)
            return True

        assert place.flush(is_stopped=is_stopped).delivered == 0
        assert (place.sent(), bool(asked)) == ([], True)

    def test_a_ping_that_is_on_its_way_is_known(self, place: _Place) -> None:
        ping = place.put("success")
        seen = []

        def look(_: object) -> answers.Answer:
            seen.append(place.sender.late and place.sender.late.ping.id)
            return answers.ok()

        place.server.behave(look)
        place.flush()
        assert (seen, place.sender.late) == ([ping.id], None)


class TestNews:
    """CronRadar knows no event time: it is told what is still news, and once."""

    def test_the_newest_outcome_of_each_monitor_goes_out(self, cronradar: _Place) -> None:
        for age_s, kind in ((60, "start"), (50, "fail"), (40, "start"), (30, "success")):
            cronradar.put(kind, "a", age_s=age_s)
        cronradar.put("start", "a", age_s=20)
        cronradar.put("fail", "b", age_s=25)
        done = cronradar.flush()
        assert sorted(cronradar.sent()) == [("a", "complete"), ("b", "fail")]
        assert (done.delivered, cronradar.waiting()) == (2, [])
        server = cronradar.server.url
        assert done.losses == [f"a: an older outcome was not sent: {server} would take it for news"]

    def test_of_many_older_ones_the_number_is_said(self, cronradar: _Place) -> None:
        for age_s in (50, 40, 30):
            cronradar.put("success", age_s=age_s)
        (words,) = cronradar.flush().losses
        assert words.startswith("m: 2 older outcomes were not sent")

    def test_what_has_begun_is_no_news(self, cronradar: _Place) -> None:
        cronradar.put("start")
        done = cronradar.flush()
        assert (cronradar.sent(), done.losses, cronradar.waiting()) == ([], [], [])

    @pytest.mark.parametrize(
        ("grace", "age_s", "is_news"),
        [("", 280, True), ("", 320, False), ("60", 80, False), ("600", 500, True)],
    )
    def test_what_is_older_than_its_grace_is_none(
        self, cronradar: _Place, grace: str, age_s: float, is_news: bool
    ) -> None:
        cronradar.put("fail", age_s=age_s, gracePeriod=grace)
        done = cronradar.flush()
        assert (done.delivered, cronradar.waiting()) == (int(is_news), [])
        assert len(done.losses) == (not is_news)
        if not is_news:
            assert done.losses[0].startswith("m: its fail is ")
            assert " old and was not sent" in done.losses[0]

    def test_of_whom_it_has_just_heard_it_hears_no_more(self, cronradar: _Place) -> None:
        cronradar.put("success", "a")
        cronradar.put("fail", "b")
        cronradar.flush(current=Ping("success", "a", time_us=1))
        assert cronradar.sent() == [("b", "fail")]
        assert cronradar.waiting() == ["success"]

    def test_what_is_fresh_is_news_to_any_server(self, cronradar: _Place) -> None:
        cronradar.put("start", age_s=40)
        cronradar.put("success", age_s=30)
        cronradar.put("start", age_s=2)
        cronradar.put("log", age_s=1)
        done = cronradar.flush(fresh_s=10.0)
        assert cronradar.sent() == [("m", "start"), ("m", "complete")]
        assert cronradar.waiting() == []
        assert any("no log pings" in words for words in done.notes)

    def test_a_server_without_time_to_answer_isnt_asked(self, cronradar: _Place) -> None:
        cronradar.put("success")
        cronradar.sender.last_try_s = 5.0
        assert cronradar.flush(patience_s=14.0).delivered == 0
        assert (cronradar.sent(), cronradar.waiting()) == ([], ["success"])
        cronradar.sender.last_try_s = 0.0
        assert cronradar.flush(patience_s=14.0).delivered == 1

    def test_a_success_that_may_have_arrived_is_not_told_twice(self, cronradar: _Place) -> None:
        cronradar.put("success", "a", age_s=20)
        cronradar.put("success", "b", age_s=10)
        cronradar.server.behave(answers.hang())
        done = cronradar.flush(patience_s=1.5)
        assert done.delivered == 0
        assert len(cronradar.sent()) == 1, "that ends it"
        assert len(done.losses) == 1
        assert done.losses[0].startswith("a: its success is not sent again: ")
        assert cronradar.waiting() == ["success"]

    def test_after_one_that_may_have_arrived_no_other_is_tried(self, cronradar: _Place) -> None:
        cronradar.put("success", "a", age_s=20)
        cronradar.put("success", "b", age_s=10)
        cronradar.server.behave(answers.hang(), answers.ok())
        (words,) = cronradar.flush(ping_timeout_s=0.3).losses
        assert words.startswith("a: its success is not sent again: ")
        assert (len(cronradar.sent()), cronradar.waiting()) == (1, ["success"])

    def test_what_cant_be_read_at_first_goes_out_all_the_same(
        self, cronradar: _Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cronradar.put("success")
        open_file = os.open

        def refuse(path: str, flags: int, *more: int) -> int:
            if path.endswith(".ping") and flags & os.O_ACCMODE == os.O_RDONLY:
                raise OSError(errno.EMFILE, "Too many open files")
            return open_file(path, flags, *more)

        with monkeypatch.context() as full:
            full.setattr(os, "open", refuse)
            assert cronradar.flush().delivered == 1

    def test_what_somebody_delivers_right_now_is_newer_than_the_rest(
        self, cronradar: _Place
    ) -> None:
        for age_s, kind in ((60, "fail"), (50, "success")):
            cronradar.put(kind, age_s=age_s)
        (spool,) = cronradar.outbox.spools()
        with hold_elsewhere(os.path.join(spool.folder, spool.names()[-1])) as holder:
            assert cronradar.flush().delivered == 0
            holder.communicate(b"")
        assert cronradar.waiting() == ["fail", "success"]

    def test_it_has_time_for_an_answer_at_least(self, place: _Place, cronradar: _Place) -> None:
        """A server that knows event times is asked as long as there is any."""
        for each, patience_s, least_s in (
            (place, 100, 0),
            (cronradar, 100, 1),
            (cronradar, 1, 0.5),
        ):
            deadline = time.monotonic() + patience_s
            turn = module.Turn(each.sender, deadline, None, Flushed(), lambda: False)
            assert least_s * 0.9 <= turn._enough_s <= least_s
            assert turn._enough_tries == (1 if each is place else 3)
            assert not turn.is_over()


class TestBeside:
    """What a run that has just been heard of does with what waits."""

    def _dispatcher(self, place: _Place) -> Dispatcher:
        dispatcher = Dispatcher([], None, 20.0, lambda: None, lambda *_: None)
        dispatcher.outbox = place.outbox
        return dispatcher

    @pytest.mark.parametrize("is_delivered", [True, False])
    @pytest.mark.parametrize("count", [1, 2])
    def test_nothing_older_comes_after_it(
        self, cronradar: _Place, is_delivered: bool, count: int
    ) -> None:
        dispatcher, ping = self._dispatcher(cronradar), Ping("success", "m", time_us=_us(-5))
        for number in range(count):
            cronradar.put("fail", age_s=30 - number)
        unresolved = cronradar.put("start", age_s=40, to={"unresolved": "prod"})
        cronradar.put("fail", "other", age_s=30)
        cronradar.put("log", age_s=1)
        newer = Ping("fail", "m", time_us=ping.time_us)
        cronradar.outbox.put(newer, cronradar.destination.address(), durable=False)
        seen = []

        def carry(sender: Sender, carried: Ping) -> bool:  # noqa: ARG001
            seen.append(carried)
            spools = cronradar.destination.spools(cronradar.outbox)
            held = [n for spool in spools for n in spool.names() if spool.is_held(n)]
            assert len(held) == 1, "the newest of those that are older"
            return is_delivered

        carry_in_turn = in_turn(dispatcher, cronradar.destination, carry)
        assert carry_in_turn(cronradar.sender, ping) is is_delivered
        assert seen == [ping]
        left = ["fail", "fail", "log"] if is_delivered else ["fail", "fail", "fail", "log"]
        assert sorted(cronradar.waiting()) == left
        assert unresolved.kind not in left, "it has begun, which is no news any more"
        lost = count if is_delivered else count - 1
        server = cronradar.server.url
        what = "an older outcome was" if lost == 1 else f"{lost} older outcomes were"
        expected = [f"{what} not sent: {server} would take it for news"] if lost else []
        assert dispatcher.warnings == expected

    @pytest.mark.parametrize("is_older_unresolved", [True, False])
    def test_the_newest_is_kept_wherever_it_waits(
        self, cronradar: _Place, is_older_unresolved: bool
    ) -> None:
        unresolved = {"unresolved": "prod"}
        cronradar.put("fail", age_s=30, to=unresolved if is_older_unresolved else None)
        cronradar.put("success", age_s=20, to=None if is_older_unresolved else unresolved)
        dispatcher, ping = self._dispatcher(cronradar), Ping("success", "m", time_us=_us(-5))
        carry = in_turn(dispatcher, cronradar.destination, lambda *_: False)
        assert not carry(cronradar.sender, ping)
        assert cronradar.waiting() == ["success"]

    def test_what_is_lost_is_said_to_all_and_the_rest_to_who_asks(self, place: _Place) -> None:
        dispatcher = self._dispatcher(place)
        place.put("fail", "old", age_s=31 * 86_400)
        place.put("fail", "bad")
        place.server.behave(answers.status(404))
        spools = place.destination.spools(place.outbox)
        ping = Ping("success", "m", time_us=1)
        assert flush_beside(dispatcher, place.sender, spools, ping, lambda: False) is True
        place.sender.close()
        assert len(dispatcher.warnings) == len(dispatcher.details) == 1
        assert "older than 30 days" in dispatcher.warnings[0]
        assert dispatcher.details[0].startswith("bad: ")

    def test_where_others_work_on_all_there_is_nothing_to_do(self, place: _Place) -> None:
        place.put("fail")
        spools = place.destination.spools(place.outbox)
        with hold_elsewhere(os.path.join(spools[0].folder, spools[0].names()[0])) as holder:
            ping = Ping("success", "m", time_us=1)
            done = flush_beside(self._dispatcher(place), place.sender, spools, ping, lambda: False)
            assert done is False
            holder.communicate(b"")

    @pytest.mark.parametrize("is_runs", [True, False])
    def test_it_has_the_time_that_the_run_has(self, place: _Place, is_runs: bool) -> None:
        dispatcher = self._dispatcher(place)
        if is_runs:
            dispatcher.deadline = time.monotonic() + 0.3
        else:
            dispatcher.timeout_s = 0.3
        place.put("fail")
        place.server.behave(answers.hang())
        spools = place.destination.spools(place.outbox)
        flush_beside(dispatcher, place.sender, spools, Ping("log", "m", time_us=1), lambda: False)
        place.sender.close()
        assert place.waiting() == ["fail"]


def _us(seconds: float) -> int:
    """The Unix time of so many seconds from now, in microseconds."""
    return time.time_ns() // 1000 + round(seconds * 1e6)


class TestCleaning:
    def _clean(self, fields: dict[str, str], body: bytes = b"", **more: object) -> Ping:
        place = Destination("radar", server="http://h", key="secret-key-1", **more)  # type: ignore[arg-type]  # as they are there
        notes: list[str] = []
        cleaner = Cleaner(place, notes)
        try:
            ping = Ping("fail", "m", run_id="r", time_us=7, fields=fields, body=body)
            clean = cleaner.clean(ping)
            again = cleaner.clean(ping)
        finally:
            cleaner.close()
        assert (clean.kind, clean.monitor, clean.run_id, clean.time_us, clean.id) == (
            "fail",
            "m",
            "r",
            7,
            ping.id,
        )
        assert (again.fields, again.body) == (clean.fields, clean.body)
        assert ping.fields == fields
        return clean

    def test_what_a_person_reads_has_no_secrets(self) -> None:
        fields = dict.fromkeys(("reason", "message", "command", "name"), "of secret-key-1")
        clean = self._clean(fields, b"key=secret-key-1\n")
        assert clean.fields == {
            **dict.fromkeys(("reason", "message", "command"), "of [redacted]"),
            "name": "of secret-key-1",
        }
        assert clean.body == b"key=[redacted]\n"

    @pytest.mark.parametrize(
        ("said", "left"),
        [
            ("of secret-key-", "of "),
            ("of secr", "of "),
            ("of sec", "of sec"),
            ("of secret-key-1", "of [redacted]"),
            ("of x", "of x"),
        ],
    )
    def test_half_a_secret_at_the_end_goes_too(self, said: str, left: str) -> None:
        assert self._clean({"message": said}).fields["message"] == left

    def test_no_more_goes_than_the_half_of_one(self) -> None:
        place = Destination("radar", server="http://h", key="abcdeabcd-rest")
        cleaner = Cleaner(place, [])
        said = {"message": "abcd" + "abcdeabcd"}
        assert cleaner.clean(Ping("fail", "m", time_us=1, fields=said)).fields["message"] == "abcd"

    def test_where_output_is_missing_its_first_line_goes(self) -> None:
        clean = self._clean({"omitted": "100"}, b"key-1\nfine\n")
        assert (clean.body, clean.fields["omitted"]) == (b"fine\n", "106")
        whole = self._clean({}, b"first\nfine\n")
        assert (whole.body, whole.fields) == (b"first\nfine\n", {})
        empty = self._clean({"omitted": "100"})
        assert (empty.body, empty.fields["omitted"]) == (b"", "100")

    def test_secrets_in_headers_count(self) -> None:
        headers = {"Authorization": "Bearer token-of-mine", "X-Team": "billing"}
        clean = self._clean({}, b"token-of-mine billing", headers=headers)
        assert clean.body == b"[redacted] billing"

    def test_what_cant_be_searched_is_left_out_and_the_next_is_another(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("radar_cli.core.matching.PATIENCE_S", 1.0)
        notes: list[str] = []
        place = Destination("radar", server="http://h", redact=["(a+)+$"])
        cleaner = Cleaner(place, notes)
        try:
            slow = cleaner.clean(Ping("fail", "m", time_us=1, body=b"a" * 40 + b"b"))
            assert slow.body.startswith(b"[left out, as it can't be redacted")
            assert slow.fields["omitted"] == "41"
            quick = cleaner.clean(Ping("fail", "m", time_us=1, body=b"fine"))
            assert (quick.body, quick.fields) == (b"fine", {})
        finally:
            cleaner.close()
        assert len(notes) == 1


def test_what_is_no_ping_is_set_aside_and_stops_no_other(cronradar: _Place) -> None:
    cronradar.put("success", "a")
    (spool,) = cronradar.outbox.spools()
    for name in ("1-success-x.ping", "odd-success-x.ping"):
        Path(spool.folder, name).write_text("garbage")
    assert cronradar.flush().delivered == 1
    assert spool.names() == []
    assert len(os.listdir(f"{spool.folder}/aside")) == 2


def test_a_success_that_is_unsure_is_said() -> None:
    ping = Ping("success", "m", time_us=1)
    assert describe_unsure(ping, "why") == "m: its success is not sent again: why"
    assert module._time_of("00012-x") == 12
    assert module._time_of("\u0661-x") == module._time_of("x-1") == 1 << 63
