"""radar in a program: `job` tells of a function's runs, as `radar run` does of a command's.

    from radar_cli.sdk import job

    @job("nightly", schedule="0 2 * * *", tz="Europe/London")
    def nightly(): ...

    with job("import", every="15m") as run:
        run.log("half of it")

What is to be told is a file in the outbox, which a thread delivers: a server that is slow, dead or
absent costs the function nothing, and nothing of radar's is ever raised in it.
"""

import atexit
import functools
import inspect
import os
import time
from contextvars import ContextVar
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Sequence, TypeVar, cast

from radar_cli.core.blame import describe_exception, format_traceback
from radar_cli.core.grammar import parse_hosts
from radar_cli.core.ids import check_key, expand_host, new_id
from radar_cli.delivery.courier import Courier
from radar_cli.model.declaration import Declaration
from radar_cli.model.ping import Ping

if TYPE_CHECKING:
    from radar_cli.delivery.destinations import Destination
    from radar_cli.outbox.spool import Outbox

__all__ = ["job"]

_F = TypeVar("_F", bound=Callable[..., Any])
_Duration = str | float | timedelta | None
_MESSAGE_CHARACTERS = 2000
_REASON_CHARACTERS = 500


def _ingest(outbox: "Outbox", destination: "Destination") -> None:
    from radar_cli.service.intake import drain

    drain(outbox, destination)


_courier = Courier(_ingest)
_pid_at_exit: list[int] = []


class Run:
    """One run of a job, while it goes on."""

    def __init__(self, job: "job") -> None:
        self._job = job
        self._clock_us = time.time_ns() // 1000
        self._started = time.monotonic()
        self.id = new_id(self._clock_us)
        job._post("start", self.id, self._clock_us, {})

    def log(self, message: str) -> None:
        """Tell that the run goes on, and what it does."""
        fields = {"message": _courier.clean_line(message, _MESSAGE_CHARACTERS)}
        self._job._post("log", self.id, self._now_us(), fields)

    def end(self, error: BaseException | None, where: TracebackType | None) -> None:
        """Tell how it ended: by an exception, or well."""
        fields = {"duration": f"{time.monotonic() - self._started:.6f}"}
        code = error.code if isinstance(error, SystemExit) else None
        if error is None or (isinstance(error, SystemExit) and code in (None, 0)):
            fields["exit"] = "0"
            self._job._post("success", self.id, self._now_us(), fields)
            return
        reason = describe_exception(error, where)
        fields["reason"] = _courier.clean_line(reason, _REASON_CHARACTERS)
        # As Python's own exit code would be.
        fields["exit"] = str(code & 255) if isinstance(code, int) else "1"
        body = b""
        if self._job.output:
            printed = format_traceback(error, where)
            body = _courier.clean(printed)
            fields["output"] = str(len(printed))
            if len(printed) > len(body):
                fields["omitted"] = str(len(printed) - len(body))
        self._job._post("fail", self.id, self._now_us(), fields, body)

    def _now_us(self) -> int:
        # By the wall's clock at the start: one that was set since would end it before it began.
        return self._clock_us + int((time.monotonic() - self._started) * 1e6)


class job:  # noqa: N801  (it reads as a decorator)
    """Tell of the runs of a function, or of a block: start, success or failure.

    `schedule` (cron) or `every`, `tz`, `grace`, `max_runtime`, `name`, `tags` and `hosts` are what
    an unknown monitor is created with on its first ping; durations are texts (`15m`), seconds or
    timedeltas. `to` is a profile of the config. Without `output` no traceback is sent. What can't
    be read becomes a fault of the monitor; a key that can't be one is logged, and nothing is told.
    Under a `radar run` of the same monitor the wrapper tells of the run, and this doesn't.
    """

    def __init__(
        self,
        monitor: str,
        *,
        schedule: str = "",
        every: _Duration = None,
        tz: str = "",
        grace: _Duration = None,
        max_runtime: _Duration = None,
        name: str = "",
        tags: Sequence[str] = (),
        hosts: str | int = "",
        to: str = "",
        output: bool = True,
    ) -> None:
        self.output = output
        self._to = to
        self._monitor = ""
        self._fields: dict[str, str] = {}
        # Several threads and asyncio tasks may be in the same block at once.
        self._runs: ContextVar[tuple[Run | None, ...]] = ContextVar("radar_runs", default=())
        try:
            self._monitor = check_key(expand_host(str(monitor)))
            declaration = Declaration(schedule=str(schedule), tz=tz, name=name, tag=list(tags))
            declaration.set_period("--every", every)
            declaration.set_period("--grace", grace)
            declaration.set_period("--max-runtime", max_runtime)
            if hosts:
                declaration.set("--hosts", str(hosts), parse_hosts)
            self._fields = declaration.fields()
            for words in declaration.warnings:
                _courier.complain(f"{self._monitor}: {words}")
        except Exception as fault:  # noqa: BLE001 (a decorator must not keep an app from starting)
            _courier.complain(f"job({str(monitor)[:60]!r}): {fault}")

    def __call__(self, function: _F) -> _F:
        """Return the function, sync or async, whose every call is a run."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*arguments: Any, **options: Any) -> Any:
                with self:
                    return await function(*arguments, **options)

            return cast("_F", run_async)
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def run_generator(*arguments: Any, **options: Any) -> Any:
                run = self._begin()
                try:
                    result = yield from function(*arguments, **options)
                except BaseException as error:
                    self._end(run, error, error.__traceback__)
                    raise
                self._end(run, None, None)
                return result

            return cast("_F", run_generator)

        @functools.wraps(function)
        def run(*arguments: Any, **options: Any) -> Any:
            with self:
                return function(*arguments, **options)

        return cast("_F", run)

    def __enter__(self) -> "Run | _Silent":
        run = self._begin()
        self._runs.set((*self._runs.get(), run))
        return run or _Silent()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        runs = self._runs.get()
        if runs:
            self._runs.set(runs[:-1])
            self._end(runs[-1], error, where)

    async def __aenter__(self) -> "Run | _Silent":
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, where)

    def _begin(self) -> Run | None:
        if not self._monitor or os.environ.get("RADAR_MONITOR") == self._monitor:
            return None
        try:
            return Run(self)
        except Exception as fault:  # noqa: BLE001 (the function runs all the same)
            _courier.complain(f"{self._monitor}: {type(fault).__name__}: {fault}")
            return None

    def _end(
        self, run: Run | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if run is None:
            return
        try:
            run.end(error, where)
        except Exception as fault:  # noqa: BLE001 (as above)
            _courier.complain(f"{self._monitor}: {type(fault).__name__}: {fault}")

    def _post(
        self, kind: str, run_id: str, time_us: int, fields: dict[str, str], body: bytes = b""
    ) -> None:
        ping = Ping(
            kind,
            self._monitor,
            run_id=run_id,
            time_us=time_us,
            fields={**fields, **self._fields},
            body=body,
        )
        _courier.start()
        _courier.post(ping, to=self._to)
        if os.getpid() not in _pid_at_exit:
            _pid_at_exit[:] = [os.getpid()]
            atexit.register(_courier.close)


class _Silent:
    """The run that isn't told of."""

    id = ""

    def log(self, message: str) -> None:
        """Tell nothing."""
