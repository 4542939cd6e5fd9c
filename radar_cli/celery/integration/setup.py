"""The way in: an app calls `setup_radar(app)`, or adds `CronRadarMiddleware` (workers only)."""

import time
from typing import TYPE_CHECKING, Any, Mapping

from celery import Celery, bootsteps, signals
from celery.utils.log import get_logger

from radar_cli import __version__
from radar_cli.celery.check.seen import STATS_KEY
from radar_cli.celery.integration.runs import RunReporter
from radar_cli.celery.integration.targets import SENT_HEADER, Targets
from radar_cli.delivery.courier import Courier

if TYPE_CHECKING:
    from radar_cli.delivery.destinations import Destination
    from radar_cli.outbox.spool import Outbox

_SETTING = "cronradar_monitors"
_ATTRIBUTE = "_radar_integration"
_KEEP = {"weak": False}
_logger = get_logger(__name__)


def _ingest(outbox: "Outbox", destination: "Destination") -> None:
    from radar_cli.service.intake import drain

    drain(outbox, destination)


class Integration:
    """The integration of one app."""

    def __init__(self, app: Celery) -> None:
        self.app = app
        self.courier = Courier(_ingest)
        self.monitors: dict[str, Any] = {}
        self.is_set_up = False
        self._reporter: RunReporter | None = None

    def read_targets(self) -> Targets:
        """The monitors that the app's settings and `setup_radar` name."""
        return Targets({**(self.app.conf.get(_SETTING) or {}), **self.monitors})

    def report_runs(self) -> None:
        """Be told of the tasks that this process runs; once, however often it is said."""
        if self._reporter is None:
            self._reporter = RunReporter(self.app, self.courier, self.read_targets)
            self._reporter.connect()


def integration_of(app: Celery) -> Integration:
    """The app's own, made at its first use."""
    found: Integration | None = getattr(app, _ATTRIBUTE, None)
    if found is None:
        found = Integration(app)
        setattr(app, _ATTRIBUTE, found)
    return found


class CronRadarMiddleware(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Tells of the runs of the tasks in `app.conf.cronradar_monitors`.

    `app.steps["worker"].add(CronRadarMiddleware)`: it begins with the worker, before the pool.
    """

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        integration_of(parent.app).report_runs()

    def info(self, _: Any) -> dict[str, str]:
        """Return what `inspect stats` has of it: by that others know who reports runs."""
        return {STATS_KEY: __version__}


def setup_radar(
    app: Celery,
    *,
    monitors: Mapping[str, str] | None = None,
    beat: str = "celery-beat",
    prefix: str = "",
) -> None:
    """Have workers and Beat of `app` tell radar of what they do: one call for both.

    Each entry of Beat's schedule has a monitor, whose key is `prefix` and its name; `beat` is the
    key of the monitor of Beat itself ("": none). `monitors` maps names of tasks, or of entries, to
    other monitors' keys, secret ping tokens or ping URLs, as `app.conf.cronradar_monitors` does.
    """
    integration = integration_of(app)
    integration.monitors.update(monitors or {})
    app.steps["worker"].add(CronRadarMiddleware)
    if integration.is_set_up:
        return
    integration.is_set_up = True

    def watch_beat(sender: Any, **_: Any) -> None:
        if sender.app is not app:
            return
        try:
            from radar_cli.celery.integration.beat import BeatWatch

            BeatWatch(
                app,
                sender.scheduler,
                integration.courier,
                integration.read_targets(),
                beat_monitor=beat,
                prefix=prefix,
            ).start()
        except Exception:
            _logger.exception("radar: Beat can't be watched")

    signals.before_task_publish.connect(_stamp_time, **_KEEP)
    signals.beat_init.connect(watch_beat, **_KEEP)
    signals.beat_embedded_init.connect(watch_beat, **_KEEP)


def _stamp_time(headers: Any = None, **_: Any) -> None:
    """Note when a task is sent: how long it waits in its queue is counted from there."""
    if isinstance(headers, dict):
        headers[SENT_HEADER] = time.time()
