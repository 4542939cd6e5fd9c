"""The one line in the user's app: `install_heartbeat(app)`, for `radar celery alive`.

A worker gives its signs of life from its consumer loop, not from a thread beside it, which would
live on when the loop is stuck. What rightly blocks that loop gives signs of its own: waiting for
a broker that is away, a task of the solo pool, the end of running tasks at a shutdown. Beat gives
them from its ticks.
"""

import os
import threading
import time
from typing import Any, Callable

from celery import Celery, bootsteps, signals
from celery.utils.log import get_logger

from radar_cli.celery.signs import (
    NO_LIMIT_NS,
    STARTED_SUFFIX,
    Sign,
    check_folder,
    compose,
    default_file,
    open_regular,
    parse,
    process_state,
)

_EVERY_S = 2.0
# Timers may fire a moment early: a sign that is nearly due is given, or the next would come late.
_SOON_S = _EVERY_S / 2
# How long a broker may keep a worker waiting while it connects: the client of Redis has no timeout
# for that, and a restart would but wait again.
_CONNECTING_S = 300.0
_logger = get_logger(__name__)
# Celery keeps weak references to receivers, if not told otherwise; these live with their app.
_KEEP = {"weak": False}


def install_heartbeat(app: Celery, *, file: str = "") -> None:
    """Have the workers and Beat of `app` give signs of life in a file, for `radar celery alive`.

    The file is `RADAR_ALIVE_FILE`, else one in a folder of the user's in TMPDIR; give each of
    several workers on one machine its own. What goes wrong with it is logged, once, and nothing
    else happens.
    """
    signs = Signs(file)
    app.steps["consumer"].add(_make_step(signs))
    signals.worker_ready.connect(lambda **_: signs.start(), **_KEEP)
    signals.worker_shutting_down.connect(lambda **_: signs.wind_up(), **_KEEP)
    signals.worker_shutdown.connect(lambda **_: signs.end(), **_KEEP)
    signals.task_prerun.connect(lambda task, **_: signs.enter(task), **_KEEP)
    signals.task_postrun.connect(lambda **_: signs.leave(), **_KEEP)
    signals.beat_init.connect(lambda sender, **_: _watch_beat(app, sender, file), **_KEEP)


class Signs:
    """The file of one process, which only the thread that began it writes to."""

    def __init__(
        self, file: str, role: str = "worker", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._started_ticks = 0
        self._file = file
        self._role = role
        self._owner: tuple[int, int] | None = None
        self._given_at = -_EVERY_S
        self._has_failed = False
        self._is_ending = False

    def begin(self) -> None:
        """Give the first sign, from this process and thread."""
        self._owner = _own()
        self._started_ticks = process_state(os.getpid())[1]
        self._file = self._file or default_file(os.environ, self._role)
        self._warn_of_others()
        self._remove(STARTED_SUFFIX)
        self.give()

    def start(self) -> None:
        """Note that tasks are taken from now on."""
        if self._owner == _own():
            self.give()
            self._write(STARTED_SUFFIX, b"")

    def tick(self) -> None:
        """Give a sign, unless the last one was just now."""
        if self._clock() - self._given_at >= _SOON_S:
            self.give()

    def connect(self) -> None:
        """Give a sign before something that waits for a broker, however long it lets us wait."""
        self.give(self._clock() + _CONNECTING_S, "waiting for its broker")

    def give(self, quiet_until: float | None = 0.0, why: str = "") -> None:
        """Give a sign; the next may stay away until then (monotonic seconds; None: for good)."""
        if self._owner != _own():
            return  # in a process of the pool, or beside the loop
        now = self._given_at = self._clock()
        is_excused = quiet_until is None or self._is_ending
        until_ns = NO_LIMIT_NS if is_excused else int((quiet_until or 0.0) * 1e9)
        if self._is_ending:
            why = why or "ending, after its running tasks,"
        sign = Sign(int(now * 1e9), until_ns, os.getpid(), self._started_ticks, why)
        self._write("", compose(sign))

    def enter(self, task: Any) -> None:
        """A task begins; in the loop's own thread (the solo pool) it blocks the loop to its end."""
        if self._owner == _own():
            limit_s = _time_limit(task)
            until = None if limit_s is None else self._clock() + limit_s
            self.give(until, f"busy with {task.name}")

    def leave(self) -> None:
        """A task has ended."""
        if self._owner == _own():
            self.give()

    def wind_up(self) -> None:
        """The loop ends, and what runs may run to its end: whoever ends the worker has patience."""
        if self._owner == _own():
            self._is_ending = True
            self.give()

    def end(self) -> None:
        """There will be no more signs."""
        if self._owner == _own():
            self._remove("")
            self._remove(STARTED_SUFFIX)

    def _write(self, suffix: str, content: bytes) -> None:
        path = self._file + suffix
        try:
            fd = self._open(path)
            try:
                os.write(fd, content)
            finally:
                os.close(fd)
        except OSError as error:
            if not self._has_failed:
                _logger.warning("radar: no sign of life can be given in %s: %s", path, error)
            self._has_failed = True

    def _open(self, path: str) -> int:
        folder = os.path.dirname(path)
        if not os.path.lexists(folder):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        check_folder(path)
        # No O_TRUNC: a probe that reads meanwhile must not find an empty file.
        return open_regular(path, os.O_WRONLY | os.O_CREAT)

    def _remove(self, suffix: str) -> None:
        try:
            os.unlink(self._file + suffix)
        except OSError:
            return

    def _warn_of_others(self) -> None:
        """Two that write to one file would hide each other's death."""
        try:
            fd = open_regular(self._file, os.O_RDONLY)
            try:
                found = parse(os.read(fd, 300))
            finally:
                os.close(fd)
        except OSError:
            return
        if found is None or found.pid == os.getpid() or found.refuse():
            return
        if self._clock() * 1e9 - found.given_ns < 4 * _EVERY_S * 1e9:
            _logger.warning(
                "radar: process %d gives its signs of life in %s, too: set RADAR_ALIVE_FILE "
                "to a file of its own for each worker",
                *(found.pid, self._file),
            )


def _own() -> tuple[int, int]:
    # The main thread keeps its ident in a forked child, so the pid belongs to it.
    return os.getpid(), threading.get_ident()


def _time_limit(task: Any) -> float | None:
    """The hard limit of the run of a task, if it has one, in seconds."""
    limits = getattr(task.request, "timelimit", None) or (None,)
    limit: float | None = limits[0] or task.time_limit or task.app.conf.task_time_limit
    return limit


def _make_step(signs: Signs) -> type:
    class HeartbeatStep(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
        """Gives signs of life from the consumer's loop."""

        requires = ("celery.worker.consumer.connection:Connection",)

        def __init__(self, consumer: Any, **kwargs: Any) -> None:
            super().__init__(consumer, **kwargs)
            self._timer: Any = None
            signs.begin()
            consumer.ensure_connected = _sign_while_connecting(consumer.ensure_connected, signs)
            # What it then gives back to the broker may wait for it, too.
            consumer.on_connection_error_after_connected = _sign_first(
                consumer.on_connection_error_after_connected, signs.connect
            )
            if consumer.hub is None:
                # Without an event loop (threads and green pools), timers run beside the loop.
                consumer.perform_pending_operations = _sign_first(
                    consumer.perform_pending_operations, signs.tick
                )

        def start(self, consumer: Any) -> None:
            """Begin to give signs, once a broker is there, and again with each new connection."""
            signs.connect()  # the steps that follow ask it, too
            if consumer.hub is not None:
                self._timer = consumer.timer.call_repeatedly(_EVERY_S, signs.tick)

        def stop(self, consumer: Any) -> None:
            """The connection is gone, or the worker ends."""
            if consumer.blueprint.state in (bootsteps.CLOSE, bootsteps.TERMINATE):
                signs.wind_up()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return HeartbeatStep


def _sign_first(function: Callable[..., Any], sign: Callable[[], None]) -> Callable[..., Any]:
    def signing(*arguments: Any, **options: Any) -> Any:
        sign()
        return function(*arguments, **options)

    return signing


def _sign_while_connecting(ensure: Callable[..., Any], signs: Signs) -> Callable[..., Any]:
    """`ensure_connected(connection)`, which gives signs for as long as the broker is away."""

    def ensure_connected(connection: Any) -> Any:
        _sign_at_retries(connection, signs)
        return ensure(connection)

    return ensure_connected


def _sign_at_retries(connection: Any, signs: Signs) -> None:
    ensure = connection.ensure_connection

    def ensure_connection(*arguments: Any, callback: Any = None, **options: Any) -> Any:
        def at_each_second() -> None:
            signs.connect()
            if callback is not None:
                callback()

        signs.connect()
        return ensure(*arguments, callback=at_each_second, **options)

    connection.ensure_connection = ensure_connection


def _watch_beat(app: Celery, service: Any, file: str) -> None:
    """Have Beat give signs of life whenever its scheduler has looked what is due."""
    if service.app is not app:
        return
    scheduler = service.scheduler
    signs = Signs(file, "beat")
    signs.begin()
    signs.start()
    tick = scheduler.tick

    def signing_tick(*arguments: Any, **options: Any) -> Any:
        signs.tick()
        pause_s = tick(*arguments, **options)
        signs.give(time.monotonic() + (pause_s or 0.0))
        return pause_s

    scheduler.tick = signing_tick
    if hasattr(scheduler, "_ensure_connected"):
        scheduler._ensure_connected = _sign_with_broker(scheduler, signs)


def _sign_with_broker(scheduler: Any, signs: Signs) -> Callable[[], Any]:
    ensure = scheduler._ensure_connected

    def ensure_connected() -> Any:
        _sign_at_retries(scheduler.connection, signs)
        return ensure()

    return ensure_connected
