"""Strips of runs as SVG: a list has thousands of places, which is slow work for a template."""

from functools import lru_cache
from typing import Sequence

from markupsafe import Markup, escape

from radar_cli.server.pages.showing import Tick

_HEIGHT = 22
_STEP, _WIDTH = 8, 6  # of a place, and of its mark
_MARKS = {
    "success": '<rect y="7" width="6" height="15"/>',
    "fail": '<rect width="6" height="22"/>',
    "hung": '<path d="M0 0h6v9H0zM0 13h6v9H0z"/>',
    "missed": '<rect x=".75" y="7.75" width="4.5" height="13.5"/>',
    "running": '<rect y="16" width="6" height="6"/>',
}


def draw_mark(kind: str) -> Markup:
    """Return the shape of one kind of run: each has another height or outline."""
    return Markup(_MARKS[kind])  # noqa: S704 (one of ours)


def draw_strip(ticks: Sequence[Tick], slots: int, words: str, path: str = "") -> Markup:
    """Return a strip with so many places, filled from the right; `words` say what it shows.

    With the `path` of a monitor each run is a link to its own page.
    """
    width = slots * _STEP - (_STEP - _WIDTH)
    role = "group" if path else "img"
    parts = [
        f'<svg class="strip" viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}"'
        f' role="{role}" aria-label="{escape(words)}">'
    ]
    first = max(0, slots - len(ticks))
    for number, tick in enumerate(ticks, first):
        title, mark = _escape(tick.title), _MARKS[tick.kind]
        place = f'transform="translate({number * _STEP} 0)"'
        if path and tick.ref:
            href = escape(f"{path}/runs/{tick.ref}")
            parts.append(
                f'<a class="k-{tick.kind}" href="{href}" aria-label="{title}"><g {place}>'
                f'<title>{title}</title><rect class="hit" width="{_STEP}" height="{_HEIGHT}"/>'
                f"{mark}</g></a>"
            )
        else:
            parts.append(f'<g class="k-{tick.kind}" {place}><title>{title}</title>{mark}</g>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 (all that is others' is escaped)


@lru_cache(8192)
def _escape(text: str) -> str:
    return str(escape(text))
