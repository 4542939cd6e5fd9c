"""`radar celery top` in a real terminal, beside real workers and a real watch."""

import signal
from pathlib import Path

import pytest

from radar_cli.cli.layout import width_of
from tests.celery.test_watch import send_watched
from tests.celery.watching import Watching
from tests.support import redis
from tests.support.celery_app import Worker, send, start
from tests.support.radar import environment, radar_path
from tests.support.screen import Screen
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

_BEAT = '["well every 3600", "fails every 1"]'


def _top(url: str, *words: str, columns: int = 80, rows: int = 24, **env: str) -> Screen:
    command = [str(radar_path()), "celery", "top", "-b", url, "--interval", "1s", *words]
    return Screen(command, environment() | env, columns=columns, rows=rows)


def test_it_shows_a_celery_and_acts_on_it(redis_url: str, tmp_path: Path) -> None:
    worker = Worker(redis_url, tmp_path, "-E", app="watched", WATCHED_MONITORS="{}").wait()
    schedule = str(tmp_path / "schedule")
    beat = start(
        *(redis_url, tmp_path / "beat.log", "beat", "-s", schedule),
        app="watched",
        WATCHED_BEAT=_BEAT,
        WATCHED_MONITORS="{}",
        WATCHED_CONF='{"task_send_sent_event": true}',
    )
    watch = Watching(redis_url, tmp_path, "--no-monitors", "--beat", schedule).wait()
    secret = {"password": "hunter2"}
    [failed] = send_watched(redis_url, "watched.soft_fails", "it's", [1, "x"], kwargs=secret)
    [again] = send_watched(redis_url, "watched.soft_fails", "it's", [1, "x"], kwargs={"more": None})
    send_watched(redis_url, "watched.naps", 300)
    send_watched(redis_url, "watched.well", "secret", queue="mail", count=2, kwargs=secret)
    watch.until(lambda: len(watch.tasks(name="watched.soft_fails", states=("failure",))) == 2)
    watch.until(lambda: [f for f in watch.ledger.firings(0) if f.state == "failure"])
    beat.terminate()
    with _top(redis_url, "--beat", schedule, RADAR_STATE_DIR=str(watch.state)) as screen:
        screen.until(r"^1 worker, 2 waiting, 1 running", r"^w@test +up +1/2 ")
        # It is asked first, and no is no.
        screen.keys("+")
        screen.until("How many slots")
        screen.keys("Enter")
        screen.until(r"Add a slot to w@test\? +\(y yes")
        screen.keys("n")
        screen.until("nothing was done")
        assert screen.colours()
        screen.keys("3")
        screen.until(r"^watched\.naps +running +\d")
        screen.keys("Enter")
        screen.until(r"^arguments +300$", r"^started ")
        screen.keys("Escape")
        screen.until(r"\[3 tasks 1\]")
        screen.keys("5")
        screen.until(r"^fails every 1 .* ago", r"^well every 3600 +in ")
        screen.keys("Enter")
        screen.until(r"^due .* failure in ")
        screen.keys("Escape")
        screen.until(r"\[5 schedule")
        screen.keys("4", "/")
        screen.write("soft")
        screen.until(r"2 have 'soft'$")
        screen.keys("Enter", "s", "s")
        shown = screen.until(r"^\S+.* task \+ ", r"^.* ago +watched\.soft_fails +ZeroDivisionError")
        assert "hunter2" not in shown
        screen.keys("Enter")
        page = screen.until("^Traceback", r"^why +ZeroDivisionError: by zero", "^arguments ")
        screen.keys("r")
        # Of the two the one has a secret among its arguments, which the ledger doesn't keep.
        if failed in page:
            screen.until("can't be sent again: its arguments aren't known: a secret")
            screen.keys("Escape")
            screen.until(r"\[4 failures")
            screen.keys("Down", "Enter")
            screen.until(again)
            screen.keys("r")
        screen.until(r"""watched\.soft_fails\("it's", \[1, 'x'\], more=None\)""")
        shown = screen.text()
        assert "to 'celery' again?" in " ".join(shown.split())
        screen.keys("y")
        screen.until("sent watched.soft_fails again, as ")
        watch.until(lambda: len(watch.tasks(name="watched.soft_fails", states=("failure",))) == 3)
        ours = watch.tasks(name="watched.soft_fails")[0]
        assert ours.called == "\"it's\", [1, 'x'], more=None"
        screen.keys("Escape")
        screen.until(r"\[4 failures")
        screen.keys("2")
        screen.until(r"^mail +2 .* nobody consumes it", r"^celery +0 ")
        screen.keys("Enter")
        screen.until(r"^1 +watched\.well +\d.* password=\[redacted\]", r"^2 +watched\.well")
        screen.keys("d")
        screen.until("^Take watched.well .* out of")
        screen.keys("y")
        shown = screen.until("is out of 'mail'", r"^1 +watched\.well")
        screen.until(r"(?s)^1 +watched\.well(?!.*^2 )")
        assert all(width_of(line) <= 80 for line in shown.splitlines())
        screen.keys("?")
        screen.until(r"^d +take the message out")
        screen.keys("q")
        assert screen.exit_code() == 0
    assert worker.process.poll() is None


def test_it_needs_no_ledger_and_survives_a_broker_that_hangs(tmp_path: Path) -> None:
    with redis.running() as server:
        Worker(server.url(), tmp_path).wait()
        send(server.url(), "shop.quick", 1, 2, queue="mail")
        with _top(server.url(), columns=200, rows=50, NO_COLOR="1") as screen:
            shown = screen.until("no ledger here: 'radar celery watch' keeps one", "^w@test +up ")
            assert all(width_of(line) <= 200 for line in shown.splitlines())
            screen.keys("2")
            screen.until(r"^mail +1 .* nobody consumes it")
            screen.keys("4")
            screen.until("without a ledger no failure is known")
            assert screen.colours() == set()
            server.signal(signal.SIGSTOP)
            screen.keys("1")
            screen.until("^broker: .*answer", "^w@test +not seen now")
            screen.keys("3")
            screen.until(r"\[3 tasks 0\]")
            server.signal(signal.SIGCONT)
            screen.keys("1")
            screen.until("^w@test +up ")
            wait_until(lambda: "broker: " not in screen.text(), 20, "the broker is back")
            screen.keys("q")
            assert screen.exit_code() == 0
