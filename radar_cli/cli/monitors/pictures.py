"""Runs as pictures of one line: people look before they read."""

from collections import Counter
from itertools import groupby
from typing import Sequence

from radar_cli.cli.render import Cell, Line, can_show
from radar_cli.core.grammar import format_duration
from radar_cli.model.strip import GAPS_IN_A_ROW, Mark

_STYLES = {
    Mark.SUCCESS: "green",
    Mark.FAIL: "bold red",
    Mark.RUNNING: "cyan",
    Mark.HUNG: "bold red",
    Mark.MISSED: "yellow",
}
_WORDS = {
    Mark.SUCCESS: "well",
    Mark.FAIL: "failed",
    Mark.RUNNING: "running",
    Mark.HUNG: "hung",
    Mark.MISSED: "missed",
}
# Told apart by their shapes, too: not everybody sees the colours.
_SIGNS = {
    Mark.SUCCESS: "\u2713",
    Mark.FAIL: "\u2717",
    Mark.RUNNING: "\u25b8",
    Mark.HUNG: "?",
    Mark.MISSED: "_",
}
_PLAIN_SIGNS = {**_SIGNS, Mark.SUCCESS: "+", Mark.FAIL: "x", Mark.RUNNING: ">"}
_BARS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_PLAIN_BARS = "_.:-=+*#"


def draw_strip(marks: Sequence[Mark]) -> Line:
    """A sign for each mark, and what the signs mean: `✓✓_✓  3 well ✓, 1 missed _`."""
    signs = _SIGNS if can_show("".join(_SIGNS.values())) else _PLAIN_SIGNS
    rows = [(kind, len(list(same))) for kind, same in groupby(marks)]
    parts = [Cell(signs[kind] * count, _STYLES[kind]) for kind, count in rows]
    counts = Counter(marks)
    # Such a row stands for all of a silence, however long it was.
    more = {Mark.MISSED: "+" if (Mark.MISSED, GAPS_IN_A_ROW) in rows else ""}
    words = [
        f"{counts[mark]}{more.get(mark, '')} {_WORDS[mark]} {signs[mark]}"
        for mark in Mark
        if counts[mark]
    ]
    return Line((*parts, Cell("  " + ", ".join(words))))


def draw_durations(durations_s: Sequence[float]) -> str:
    """A bar for each duration, and their range: `▁▂█  4 s to 9 s, half of them up to 5 s`."""
    longest, shortest = max(durations_s), min(durations_s)
    picture = draw_bars(durations_s)
    least, most = format_duration(shortest), format_duration(longest)
    if least == most:
        return f"{picture}  {most}"
    median = sorted(durations_s)[(len(durations_s) - 1) // 2]
    return f"{picture}  {least} to {most}, half of them up to {format_duration(median)}"


def draw_bars(values: Sequence[float]) -> str:
    """A bar for each value, the highest one for the largest."""
    bars = _BARS if can_show(_BARS) else _PLAIN_BARS
    largest = max(values, default=0.0)
    scale = (len(bars) - 1) / largest if largest > 0 else 0.0
    return "".join(bars[round(value * scale)] for value in values)
