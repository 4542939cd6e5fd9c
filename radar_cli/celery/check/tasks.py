"""The tasks layer of a check: how the runs of the last hour ended, where anything tells."""

from collections.abc import Callable
from typing import Any

from radar_cli.celery.addresses import without_password
from radar_cli.celery.broker import Broker
from radar_cli.celery.broker_causes import explain
from radar_cli.celery.failures import Ended, judge_tasks
from radar_cli.celery.findings import Finding
from radar_cli.celery.project import Project
from radar_cli.celery.results import PREFIX, read_results
from radar_cli.core.errors import RadarError

# Since a time in microseconds; None: no monitor was ever told of a task's run.
Reported = Callable[[int], list[Ended] | None]

WINDOW_S = 3600.0
_REDIS = ("redis://", "rediss://")


def judge_ended(
    project: Project, broker: Broker | None, reported: Reported | None, now_us: int
) -> list[Finding]:
    """Return a finding on each task that ran in the last hour, as far as anything tells of it.

    Sources are what workers have reported to monitors, and the result backend: that of the app,
    else the broker's own Redis, where many keep it.
    """
    since_us = now_us - int(WINDOW_S * 1e6)
    ended: list[Ended] = []
    findings: list[Finding] = []
    if reported is not None:
        try:
            ended += reported(since_us) or []
        except RadarError as error:
            words = f"what workers reported can't be read: {error.message}"
            findings.append(Finding("tasks", "reported", "unknown", words, hint=error.hint))
    client, shown = _open_results(project, broker)
    if client is not None:
        try:
            ended += read_results(client, project.results_prefix + PREFIX, since_us)[0]
        except Exception as error:  # noqa: BLE001  (a client's, and then told by its class)
            found = explain(error, shown, None, url=project.results)
            message = f"can't be read: {found.message.partition(': ')[2]}"
            cause = "tasks whose results can't be stored fail"
            findings.append(Finding("tasks", shown, "bad", message, cause, found.hint))
    return findings + judge_tasks(ended, WINDOW_S)


def _open_results(project: Project, broker: Broker | None) -> tuple[Any, str]:
    """A client of the result backend's Redis, and how it is shown; (None, ""): it is none."""
    if project.results.startswith(_REDIS):
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client = redis.Redis.from_url(
            project.results,
            socket_timeout=2.0,
            socket_connect_timeout=1.0,
            retry=Retry(NoBackoff(), 0),
        )
        return client, f"result backend {without_password(project.results)}"
    if project.results or broker is None or broker.kind != "redis":
        return None, ""
    import redis

    pool = broker.connection.default_channel.pool
    return redis.Redis(connection_pool=pool), "result backend"
