"""A plot of how long runs took: geometry, which the template draws."""

from dataclasses import dataclass
from typing import Mapping, Sequence

from radar_cli.core.grammar import format_duration
from radar_cli.model.run import Run
from radar_cli.model.sentences import local_time
from radar_cli.server.pages.showing import began_us, how, ref_of

# Of the drawing, which is stretched to the page's width.
WIDTH, HEIGHT = 600, 100
_LEAST = 1.5
_FULL_HOUSE = 30  # fewer bars don't get wider


@dataclass(frozen=True, slots=True)
class Bar:
    """One run."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str
    ref: str


@dataclass(frozen=True, slots=True)
class Plot:
    """All of it, with what its axes say. `limit_y` is the height of the longest that is allowed."""

    bars: list[Bar]
    top: str
    longest: str
    median: str
    median_y: float
    shortest: str
    first_us: int
    last_us: int
    limit: str = ""
    limit_y: float = 0.0


def draw(
    runs: Sequence[Run], running: Mapping[str, int], now_us: int, max_runtime_s: float | None
) -> Plot | None:
    """A plot of the runs whose duration is known, and of those that go on; None of fewer than two.

    The limit is drawn where it doesn't make everything else look like nothing.
    """
    took: list[tuple[Run, str, float]] = []
    for run in runs:
        if run.duration_s is not None:
            took.append((run, run.outcome, run.duration_s))
        elif run.is_running and run.run_id in running:
            took.append((run, "running", max(0.0, (now_us - running[run.run_id]) / 1e6)))
    ended = sorted(seconds for _, kind, seconds in took if kind != "running")
    if len(ended) < 2:
        return None
    top = max(seconds for _, _, seconds in took)
    shows_limit = max_runtime_s is not None and max_runtime_s <= 2 * top
    if shows_limit and max_runtime_s is not None:
        top = max(top, max_runtime_s)
    scale = HEIGHT / top if top > 0 else 0.0
    step = WIDTH / max(len(took), _FULL_HOUSE)
    bars = []
    for number, (run, kind, seconds) in enumerate(took, max(0, _FULL_HOUSE - len(took))):
        height = max(_LEAST, seconds * scale)
        x = round(number * step + step * 0.1, 2)
        bars.append(
            Bar(
                *(kind, x, round(HEIGHT - height, 2), round(step * 0.8, 2), round(height, 2)),
                _title(run, kind, seconds),
                ref_of(run),
            )
        )
    median_s = ended[(len(ended) - 1) // 2]
    return Plot(
        bars,
        top=format_duration(top),
        longest=format_duration(ended[-1]),
        median=format_duration(median_s),
        median_y=round(HEIGHT - median_s * scale, 2),
        shortest=format_duration(ended[0]),
        first_us=began_us(took[0][0]) or 0,
        last_us=began_us(took[-1][0]) or 0,
        limit=format_duration(max_runtime_s) if shows_limit and max_runtime_s else "",
        limit_y=round(HEIGHT - (max_runtime_s or 0) * scale, 2),
    )


def _title(run: Run, kind: str, seconds: float) -> str:
    words = {"success": "well", "fail": "failed", "running": "running"}[kind]
    parts = [f"{format_duration(seconds)}, {words}"]
    if kind == "fail" and (ending := how(run)):
        parts.append(ending)
    return ", ".join([*parts, local_time(began_us(run) or 0)])
