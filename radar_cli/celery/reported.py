"""Reports of the integration on tasks' runs, wherever their monitors are kept."""

from typing import TYPE_CHECKING

from radar_cli.celery.failures import Ended, read_reason
from radar_cli.model.run import Run

if TYPE_CHECKING:
    from radar_cli.model.port import MonitorStore

# So many of the newest runs of each monitor are looked at.
MOST = 1000
NOTHING_REPORTED = "no task has reported a run: setup_radar(app) in the app does it"


def read_reported(
    store: "MonitorStore", now_us: int, since_us: int
) -> tuple[list[Ended], list[str]]:
    """Return the runs of tasks that ended since then, and remarks on what is older or unknown."""
    found: list[Ended] = []
    monitors, cut = 0, list[str]()
    for seen in store.overviews(now_us, output_of=()):
        if not any(run.task for run in seen.runs):
            continue
        monitors += 1
        key = seen.known.monitor.key
        runs = store.history.runs(key, MOST)
        if len(runs) >= MOST and runs[0].first_us > since_us:
            cut.append(key)
        found += [
            _describe(run, key)
            for run in runs
            if run.outcome and run.ended_us is not None and run.ended_us >= since_us
        ]
    notes = []
    if not monitors:
        notes.append(NOTHING_REPORTED)
    if cut:
        notes.append(f"of {', '.join(cut[:5])} only the newest {MOST} runs were looked at")
    return found, notes


def read_traceback(store: "MonitorStore", ended: Ended) -> str:
    """Return the end of the traceback of a reported failure, as far as it is kept."""
    if not ended.run_id or not ended.monitor:
        return ""
    found = store.history.find_runs(ended.monitor, ended.run_id)
    return found[-1].output.decode("utf-8", "replace") if found else ""


def _describe(run: Run, monitor: str) -> Ended:
    is_failure = run.outcome == "fail"
    kind, place, text = read_reason(run.reason) if is_failure else ("", "", "")
    return Ended(
        run.task,
        run.run_id,
        run.ended_us or 0,
        is_failure,
        kind,
        place,
        text,
        run.message,
        monitor=monitor,
    )
