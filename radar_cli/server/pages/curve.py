"""The depth of a queue over time: geometry, which the template draws."""

from collections.abc import Sequence
from dataclasses import dataclass

from radar_cli.model.ledger import QueueSample

# Of the drawing, which is stretched to its place on the page.
WIDTH, HEIGHT = 600, 60
_COLUMNS = 150
# Between samples that are further apart than this part of the whole, nothing is known.
_GAP = 1 / 30


@dataclass(frozen=True, slots=True)
class Curve:
    """Areas, one for each time without a gap, as points of polygons; the axes in words."""

    areas: list[str]
    most: int
    begin_us: int
    end_us: int


def draw_curve(samples: Sequence[QueueSample], begin_us: int, end_us: int) -> Curve | None:
    """Return the curve of samples, which are in order; None if fewer than two tell the depth.

    Of the samples of a column the largest is drawn: a peak is what one looks for.
    """
    depths: dict[int, int] = {}
    for each in samples:
        if each.depth is not None and begin_us <= each.time_us <= end_us:
            column = (each.time_us - begin_us) * _COLUMNS // (end_us - begin_us + 1)
            depths[column] = max(depths.get(column, 0), each.depth)
    if len(depths) < 2:
        return None
    most = max(depths.values())
    areas: list[list[tuple[float, float]]] = []
    last = None
    for column, depth in depths.items():
        if last is None or column - last > _COLUMNS * _GAP:
            areas.append([])
        x = round((column + 0.5) * WIDTH / _COLUMNS, 1)
        areas[-1].append((x, round(HEIGHT - depth * HEIGHT / max(1, most), 1)))
        last = column
    return Curve([_close(points) for points in areas], most, begin_us, end_us)


def _close(points: Sequence[tuple[float, float]]) -> str:
    """Return the points of the area below a line; a lone point is as wide as its column."""
    if len(points) == 1:
        (x, y), half = points[0], WIDTH / _COLUMNS / 2
        points = [(round(x - half, 1), y), (round(x + half, 1), y)]
    whole = [(points[0][0], float(HEIGHT)), *points, (points[-1][0], float(HEIGHT))]
    return " ".join(f"{x:g},{y:g}" for x, y in whole)
