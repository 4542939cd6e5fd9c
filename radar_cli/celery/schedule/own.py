"""An app's own schedule, as its configuration has it, beside what Beat keeps of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from radar_cli.celery.findings import Finding
from radar_cli.celery.schedule.crontab import Crontab
from radar_cli.celery.schedule.entry import Entry
from radar_cli.celery.schedule.timing import Interval, Timing

_OWN_TASKS = "celery."


@dataclass(frozen=True, slots=True)
class Own:
    """An entry of the app's `beat_schedule`; `words` are empty for what radar can't evaluate."""

    task: str
    words: str


def read_own(app: Any) -> dict[str, Own]:
    """Return the app's entries by name, with those that `add_periodic_task` adds."""
    app.loader.import_default_modules()
    app.finalize()
    entries = dict(app.conf.beat_schedule or {})
    return {str(name): _read(entry, app) for name, entry in entries.items()}


def compare_own(
    own: Mapping[str, Own], entries: Iterable[Entry], *, is_copy: bool
) -> list[Finding]:
    """Return a finding on each entry of which the app and Beat say different things.

    `is_copy`: Beat keeps the app's entries and no others (its own file); a person may add and
    change those in a database.
    """
    kept = {each.name: each for each in entries}
    findings = [
        Finding(
            *("schedule", name, "bad", "the app's schedule has it, and Beat doesn't keep it"),
            cause="Beat runs an older version of the app, or another app",
            hint="deploy and restart Beat",
            data={"task": each.task, "app_schedule": each.words or None},
        )
        for name, each in own.items()
        if name not in kept
    ]
    if not is_copy:
        return findings
    for name, entry in kept.items():
        mine = own.get(name)
        if mine is None:
            if entry.task.startswith(_OWN_TASKS):
                continue  # Celery adds its own
            message, cause = "Beat keeps it, and the app's schedule doesn't have it", ""
        elif mine.task != entry.task:
            message, cause = (
                "Beat sends another task than the app says",
                f"{entry.task}, {mine.task}",
            )
        elif mine.words and entry.schedule_words and mine.words != entry.schedule_words:
            message = "Beat keeps another schedule of it than the app"
            cause = f"Beat: {entry.schedule_words}; the app: {mine.words}"
        else:
            continue
        findings.append(
            Finding(
                *("schedule", name, "bad", message),
                cause=cause or "Beat runs an older version of the app, or another app",
                hint="restart Beat, or see that -A names its app",
                data={"task": entry.task, "app_schedule": mine.words if mine else None},
            )
        )
    return findings


def _read(entry: Any, app: Any) -> Own:
    fields = entry if isinstance(entry, Mapping) else vars(entry)
    return Own(str(fields.get("task") or ""), _words(fields.get("schedule"), app))


def _words(schedule: Any, app: Any) -> str:
    timing: Timing | None = None
    zone = getattr(app, "timezone", UTC)
    try:
        if isinstance(schedule, (int, float)):
            timing = Interval(timedelta(seconds=schedule))
        elif isinstance(schedule, timedelta):
            timing = Interval(schedule)
        elif all(hasattr(schedule, name) for name in ("day_of_week", "day_of_month", "hour")):
            timing = Crontab.read(
                schedule.minute,
                schedule.hour,
                schedule.day_of_week,
                schedule.day_of_month,
                schedule.month_of_year,
                getattr(schedule, "tz", None) or zone,
            )
        elif type(schedule).__name__ == "schedule":
            timing = Interval(schedule.run_every, bool(schedule.relative), zone)
    except Exception:  # noqa: BLE001  (a schedule may be anybody's code)
        return ""
    return timing.words if timing is not None else ""
