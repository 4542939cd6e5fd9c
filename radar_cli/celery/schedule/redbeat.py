"""RedBeat's schedule in Redis: a hash an entry, a sorted set of what is due, and a lock."""

import json
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from urllib.parse import urldefrag

from radar_cli.celery.addresses import without_password
from radar_cli.celery.broker_causes import explain
from radar_cli.celery.schedule.crontab import Crontab
from radar_cli.celery.schedule.due import Stored, judge_stored
from radar_cli.celery.schedule.entry import Beat, Entry, UnreadableScheduleError
from radar_cli.celery.schedule.timing import Foreign, Interval, Timing
from radar_cli.core.errors import NotInstalledError, RadarError
from radar_cli.model.schedule import load_timezone

PREFIX = "redbeat:"
_TIMEOUT_S = 3.0


class RedBeat:
    """The schedule in the Redis at a URL; the key prefix stands behind its #, if it is another."""

    def __init__(self, url: str) -> None:
        self._url, prefix = urldefrag(url)
        self._prefix = prefix or PREFIX
        self._shown = without_password(self._url)
        self.text = f"redbeat:{self._shown}"

    def entries(self, now: datetime) -> list[Entry]:
        """All entries, by name."""
        with _Reading(self._url, self._shown) as client:
            scores = client.zrange(self._prefix + ":schedule", 0, -1, withscores=True)
            pipeline = client.pipeline(transaction=False)
            for key, _ in scores:
                pipeline.hmget(key, "definition", "meta")
            kept = pipeline.execute()
        found = [
            self._stored(key, score, definition, meta)
            for (key, score), (definition, meta) in zip(scores, kept, strict=True)
        ]
        return [
            # RedBeat writes each attempt at once: nothing lags.
            judge_stored(each, now, as_of=now, lag_s=0.0, source=self.text)
            for each in sorted(found, key=lambda each: each.name)
        ]

    def beats(self, now: datetime) -> list[Beat]:
        """The RedBeat that holds the lock; it prolongs it with each tick."""
        with _Reading(self._url, self._shown) as client:
            left_ms = client.pttl(self._prefix + ":lock")
        name = f"the RedBeat of {self._shown}"
        if left_ms <= 0:
            fault = "nobody holds its lock: it has ended or hangs, or redbeat_lock_key is None"
            return [Beat(name, None, 0.0, "its lock", fault)]
        return [Beat(name, now, 0.0, f"its lock, held for {left_ms / 1000:.0f} s more")]

    def _stored(self, key: str, score: float, definition: str | None, meta: str | None) -> Stored:
        due = datetime.fromtimestamp(score, UTC) if score >= 0 else None
        name = key.removeprefix(self._prefix)
        try:
            kept, state = json.loads(definition or ""), json.loads(meta or "{}")
            last_run_at = _moment(state.get("last_run_at"))
            timing, fault = _timing(kept.get("schedule"), last_run_at), ""
            options = kept.get("options") or {}
            return Stored(
                str(kept.get("name", name)),
                str(kept.get("task", "")),
                timing,
                last_run_at,
                int(state.get("total_run_count") or 0),
                enabled=bool(kept.get("enabled", True)),
                queue=str(options.get("queue") or ""),
                due=due,
                is_over=due is None,
                words=_words(timing, last_run_at),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RadarError) as error:
            fault = f"an entry that can't be understood: {error}"
        return Stored(name, due=due, fault=fault)


class _Reading:
    """A client of Redis that waits for nothing for long; a context manager."""

    def __init__(self, url: str, shown: str) -> None:
        self._url = url
        self._shown = shown

    def __enter__(self) -> Any:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ModuleNotFoundError:
            raise NotInstalledError("that schedule needs redis", "pip install redis") from None
        try:
            self._client = redis.Redis.from_url(
                self._url,
                socket_timeout=_TIMEOUT_S,
                socket_connect_timeout=1.0,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
            )
        except ValueError as error:
            raise UnreadableScheduleError(f"no URL of a Redis: {error}") from None
        return self._client

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        self._client.close()
        if isinstance(error, Exception) and not isinstance(error, RadarError):
            raise explain(error, self._shown, None, url=self._url) from error


def _moment(kept: Any) -> datetime | None:
    """A datetime as RedBeat's encoder writes it."""
    if not kept:
        return None
    fields = {name: kept[name] for name in ("year", "month", "day", "hour", "minute", "second")}
    zone = kept.get("timezone", "UTC")
    tz: tzinfo = (
        load_timezone(zone) if isinstance(zone, str) else timezone(timedelta(seconds=float(zone)))
    )
    return datetime(**fields, microsecond=kept.get("microsecond", 0), tzinfo=tz)


def _words(timing: Timing, last_run_at: datetime | None) -> str:
    """Find the app's timezone in the moments that Beat wrote: it stands nowhere else."""
    when, clock, _ = timing.words.partition(", by the clock of ")
    return f"{when}, by the app's clock" if clock and last_run_at is None else ""


def _timing(kept: Any, last_run_at: datetime | None) -> Timing:
    kind = kept.get("__type__")
    zone = (last_run_at and last_run_at.tzinfo) or UTC
    if kind == "interval":
        return Interval(timedelta(seconds=float(kept["every"])), bool(kept.get("relative")), zone)
    if kind == "crontab":
        days, months = kept.get("day_of_month"), kept.get("month_of_year")
        fields = (kept.get("minute"), kept.get("hour"), kept.get("day_of_week"), days, months)
        return Crontab.read(*fields, zone)
    return Foreign(f"a {kind} of RedBeat's")
