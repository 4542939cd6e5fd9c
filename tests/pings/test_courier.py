"""Telling from inside a program: what `post` leaves in the outbox, and what the thread does."""

import errno
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar_cli.delivery import courier as module
from radar_cli.delivery.courier import Courier
from radar_cli.delivery.destinations import Destination
from radar_cli.delivery.replay import Flushed
from radar_cli.model.ping import Ping, fingerprint
from radar_cli.outbox.spool import Outbox
from tests.support import answers
from tests.support.server import Server
from tests.support.waiting import wait_until

_KEY = "key-of-the-tests"


def _ping(kind: str = "success", monitor: str = "m") -> Ping:
    return Ping(kind, monitor, time_us=time.time_ns() // 1000)


def _waiting(courier: Courier) -> list[str]:
    return [n.split("-")[1] for spool in courier.outbox.spools() for n in spool.names()]


def _addresses(courier: Courier) -> list[dict[str, str]]:
    from radar_cli.outbox.claiming import peek

    entries = [peek(spool, n) for spool in courier.outbox.spools() for n in spool.names()]
    return [entry.to for entry in entries if entry is not None]


@pytest.fixture
def courier(monkeypatch: pytest.MonkeyPatch) -> Iterator[Courier]:
    monkeypatch.setattr(module, "_LOOK_S", 0.02)
    made = Courier()
    yield made
    made.close(20.0)
    assert "radar" not in [thread.name for thread in threading.enumerate()]


@pytest.fixture
def own(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server that plain variables name."""
    monkeypatch.setenv("RADAR_SERVER", server.url)
    monkeypatch.setenv("RADAR_API_KEY", _KEY)
    return server


class TestPosting:
    def test_with_nothing_configured_it_is_for_the_store(self, courier: Courier) -> None:
        courier.post(_ping())
        assert (_waiting(courier), _addresses(courier)) == (["success"], [{}])

    def test_plain_variables_are_enough(self, courier: Courier, own: Server) -> None:
        courier.post(_ping())
        assert _addresses(courier) == [{"server": own.url, "key": fingerprint(_KEY.encode())}]

    @pytest.mark.parametrize(("to", "waits_for"), [("prod", "prod"), ("", "default")])
    def test_what_only_the_config_knows_is_left_to_the_thread(
        self, courier: Courier, to: str, waits_for: str
    ) -> None:
        Path(os.environ["RADAR_CONFIG"]).write_text("")
        courier.post(_ping(), to=to)
        assert _addresses(courier) == [{"unresolved": waits_for}]

    def test_a_server_that_no_profile_names_may_be_given(self, courier: Courier) -> None:
        extra = Destination(
            "cronradar", server="http://h", key="k", is_from_environment=True, profile="x"
        )
        courier.post(_ping(), extra=extra)
        assert _addresses(courier) == [{"server": "http://h", "key": fingerprint(b"k")}]

    def test_it_says_where_and_when(
        self, courier: Courier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RADAR_HOST", "box")
        monkeypatch.setenv("RADAR_TZ", "Asia/Kolkata")
        ping = Ping("start", "m", time_us=1, fields={"schedule": "@daily"})
        courier.post(ping)
        assert (ping.fields["host"], ping.fields["tz"]) == ("box", "Asia/Kolkata")

    def test_what_goes_wrong_is_logged_once_and_never_raised(
        self,
        courier: Courier,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def fail(*_: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        monkeypatch.setattr(os, "write", fail)
        for _ in range(2):
            courier.post(_ping("fail"))
        assert caplog.text.count("a fail ping of m is lost: StateError: ") == 1

    def test_few_complaints_are_remembered(
        self, courier: Courier, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.WARNING, "radar")
        for number in range(1001):
            courier.complain(f"trouble {number}")
        assert "radar: trouble 999" in caplog.text
        assert "trouble 1000" not in caplog.text

    def test_a_forked_child_begins_afresh(self, courier: Courier, own: Server) -> None:
        courier.start()
        courier.post(_ping("start"))
        wait_until(lambda: len(own.accepted) == 1, what="a ping")
        pid = os.fork()
        if pid == 0:
            try:
                courier.close()  # of the parent's it waits for nothing
                courier.post(_ping("success"))
                os._exit(0 if _waiting(courier) == ["success"] else 1)
            finally:
                os._exit(2)
        assert os.waitpid(pid, 0)[1] == 0
        wait_until(lambda: len(own.accepted) == 2, what="the child's ping")


class TestCleaning:
    def test_secrets_go(self, courier: Courier, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RADAR_API_KEY", _KEY)
        monkeypatch.setenv("DB_PASSWORD", "hunter2-hunter2")
        extra = Destination("radar", server="http://h", key="extra-key-1")
        courier.serve(extra)
        raw = f"of {_KEY} and hunter2-hunter2 and extra-key-1".encode()
        assert courier.clean(raw) == b"of [redacted] and [redacted] and [redacted]"
        assert courier.clean_line(f"a  {_KEY}\n b", 14) == "a [redacted] b"
        assert courier.clean_line("a  b", 3) == "a b"
        assert courier.clean_line("abcd", 3) == "abc"

    def test_the_end_is_kept(self, courier: Courier) -> None:
        courier.own()
        assert courier.clean(b"x" * 9_999 + b"y") == b"x" * 9_999 + b"y"
        assert courier.clean(b"z" + b"x" * 9_999 + b"y") == b"x" * 9_999 + b"y"
        assert courier.clean(b"\xff" + b"x") == "\ufffdx".encode()

    def test_half_a_secret_where_it_is_cut_doesnt_show(
        self, courier: Courier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        secret = "s3cr3t-" + "p" * 60_000
        monkeypatch.setenv("DB_PASSWORD", secret)
        monkeypatch.setattr(module, "OUTPUT_BYTES", 100_000)
        raw = secret.encode() + b"\n" + b"x" * 10_000
        assert b"ppppp" not in courier.clean(raw)


class TestTrying:
    """One look at a destination, by the thread that makes it, with a flush that is only noted."""

    @pytest.mark.parametrize(
        ("setting_s", "is_down", "is_closing", "patience_s"),
        [
            (None, False, False, 10.0),
            (None, False, True, 10.0),
            (None, True, False, 10.0),
            (None, True, True, 1.0),
            (4.0, False, False, 4.0),
            (0.2, False, False, 1.0),
            (0.2, True, True, 1.0),
        ],
    )
    def test_a_server_has_the_time_that_the_config_gives_it_but_not_at_the_end_of_an_outage(
        self,
        courier: Courier,
        own: Server,
        monkeypatch: pytest.MonkeyPatch,
        setting_s: float | None,
        is_down: bool,
        is_closing: bool,
        patience_s: float,
    ) -> None:
        seen = []

        def note(_spools: object, _sender: object, *, deadline: float, fresh_s: float) -> Flushed:
            seen.append((deadline, fresh_s))
            return Flushed()

        if setting_s is not None:
            config = Path(os.environ["RADAR_CONFIG"])
            config.write_text(f'[profiles.default]\nping_timeout = "{setting_s}s"\n')
            config.chmod(0o600)
        courier.post(_ping())
        ((destination, *_), _) = courier._resolve()
        (spool,) = destination.spools(courier.outbox)
        if is_down:
            spool.mark_down()
        courier._is_closing = is_closing
        with monkeypatch.context() as stopped:
            stopped.setattr(module, "flush", note)
            stopped.setattr(time, "monotonic", lambda: 1000.0)
            assert courier._deliver(destination) is False
        assert seen == [(1000.0 + patience_s, 60.0)]
        assert own.requests == []

    @pytest.mark.parametrize(("delivered", "works"), [(0, False), (1, True)])
    def test_a_server_that_took_one_works_though_others_wait(
        self,
        courier: Courier,
        own: Server,
        monkeypatch: pytest.MonkeyPatch,
        delivered: int,
        works: bool,
    ) -> None:
        def flush(*_: object, **__: object) -> Flushed:
            flushed = Flushed()
            flushed.delivered = delivered
            return flushed

        courier.post(_ping())
        ((destination, *_), _) = courier._resolve()
        (spool,) = destination.spools(courier.outbox)
        spool.mark_down()
        monkeypatch.setattr(module, "flush", flush)
        assert courier._deliver(destination) is works
        assert (spool.down_since() == 0.0) is works
        assert own.requests == []

    def test_what_only_its_config_names_is_settled_once_that_can_be_read(
        self, courier: Courier, server: Server
    ) -> None:
        config = Path(os.environ["RADAR_CONFIG"])
        config.write_text("broken = \n")
        config.chmod(0o600)
        courier.post(_ping(), to="prod")
        assert courier._resolve()[1] is False
        config.write_text(f'[profiles.prod]\nserver = "{server.url}"\napi_key = "{_KEY}"\n')
        (destination,), is_settled = courier._resolve()
        assert (destination.server, is_settled) == (server.url, True)


class TestDelivering:
    def test_what_is_posted_arrives(self, courier: Courier, own: Server) -> None:
        courier.post(_ping("start"))
        courier.start()
        courier.start()
        thread = next(each for each in threading.enumerate() if each.name == "radar")
        assert thread.daemon
        courier.post(_ping("success"))
        wait_until(lambda: len(own.accepted) == 2, what="two pings")
        assert [ping.kind for ping in own.accepted] == ["start", "complete"]
        courier.close(20.0)
        courier.start()
        assert "radar" not in [each.name for each in threading.enumerate()]

    def test_the_end_waits_for_what_was_posted(self, courier: Courier, own: Server) -> None:
        own.behave(answers.delayed(0.3))
        courier.start()
        for _ in range(3):
            courier.post(_ping())
        courier.close(20.0)
        assert (len(own.accepted), _waiting(courier)) == (3, [])

    def test_the_end_waits_not_for_long(self, courier: Courier, own: Server) -> None:
        may_answer = threading.Event()

        def wait(_: object) -> answers.Answer:
            may_answer.wait(20)
            return answers.ok()

        own.behave(wait)
        courier.start()
        courier.post(_ping())
        courier.close(0.1)
        assert _waiting(courier) == ["success"]
        may_answer.set()

    def test_a_server_that_is_down_is_asked_again(
        self, courier: Courier, own: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        own.stop()
        courier.post(_ping())
        courier.start()
        wait_until(lambda: f"m: {own.url}" in caplog.text, what="a complaint")
        own.start()
        wait_until(lambda: len(own.accepted) == 1, 20, what="the ping")
        wait_until(lambda: _waiting(courier) == [], what="an empty outbox")

    def test_what_the_config_names_is_found_by_the_thread(
        self,
        courier: Courier,
        server: Server,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr(module, "_RESOLVE_AGAIN_S", 0.05)
        config = Path(os.environ["RADAR_CONFIG"])
        config.write_text("broken = \n")
        config.chmod(0o600)
        courier.start()
        courier.post(_ping("fail"), to="prod")
        wait_until(lambda: "radar: " in caplog.text, what="a complaint")
        config.write_text(f'[profiles.prod]\nserver = "{server.url}"\napi_key = "{_KEY}"\n')
        wait_until(lambda: len(server.accepted) == 1, what="the ping")

    def test_several_servers_get_what_is_theirs(self, courier: Courier, own: Server) -> None:
        with Server() as other:
            extra = Destination("radar", server=other.url, key="k", is_from_environment=True)
            courier.start()
            courier.post(_ping("start"))
            courier.post(_ping("fail"), extra=extra)
            wait_until(lambda: own.accepted and other.accepted, what="two pings")
            assert [ping.kind for ping in other.accepted] == ["fail"]
            courier.close(20.0)

    def test_where_there_are_no_threads_pings_wait(
        self, courier: Courier, own: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: object) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            courier.start()
        courier.post(_ping())
        courier.close(20.0)
        assert _waiting(courier) == ["success"]
        courier.start()
        wait_until(lambda: len(own.accepted) == 1, what="the ping")

    def test_whatever_goes_wrong_it_looks_again(
        self,
        courier: Courier,
        own: Server,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("boom")

        with monkeypatch.context() as patch:
            patch.setattr(module, "flush", fail)
            courier.start()
            courier.post(_ping())
            wait_until(lambda: "pings are kept: RuntimeError: boom" in caplog.text, what="it")
        wait_until(lambda: len(own.accepted) == 1, what="the ping")

    @pytest.mark.parametrize("count", [2, 3])
    def test_many_that_nobody_reads_are_taken_in(
        self, monkeypatch: pytest.MonkeyPatch, count: int
    ) -> None:
        monkeypatch.setattr(module, "MANY_WAIT", 3)
        monkeypatch.setattr(module, "_LOOK_S", 0.02)
        taken: list[str] = []

        def ingest(outbox: Outbox, destination: Destination) -> None:
            for spool in destination.spools(outbox):
                for name in spool.names():
                    os.unlink(os.path.join(spool.folder, name))
                    taken.append(name)

        courier = Courier(ingest)
        for _ in range(count):
            courier.post(_ping())
        courier.start()
        courier.close(20.0)
        assert len(taken) == (3 if count == 3 else 0)

    def test_much_that_is_posted_is_not_remembered_for_ever(
        self, courier: Courier, own: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_POSTED_MAX", 3)
        courier.start()
        for _ in range(20):
            courier.post(_ping())
        wait_until(lambda: len(own.accepted) == 20, what="all of them")
        wait_until(lambda: len(courier._posted) <= 3, what="what is forgotten")
