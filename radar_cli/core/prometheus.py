"""The one writer of Prometheus's text format 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import math
from typing import Iterable, Mapping, Sequence

from radar_cli.core.text import printable

# The labels of a sample, and its value.
Sample = tuple[Mapping[str, str], float]
# The labels of a histogram, how many values are in each bucket, the last without a bound, and
# their sum.
Distribution = tuple[Mapping[str, str], Sequence[int], float]


def format_family(
    name: str, kind: str, help_text: str, samples: Iterable[Sample], *, prefix: str = "radar_"
) -> str:
    """Return one metric with its samples, without the last newline.

    `radar_` is put before its name, unless the name is one that others have made. ValueError: a
    label's name is none.
    """
    full = prefix + name
    lines = [f"# HELP {full} {_escape(help_text)}", f"# TYPE {full} {kind}"]
    lines += [f"{full}{_format_labels(labels)} {_format_value(value)}" for labels, value in samples]
    return "\n".join(lines)


def format_histogram(
    name: str, help_text: str, bounds: Sequence[float], series: Iterable[Distribution]
) -> str:
    """Return a histogram under a name that others have made, without the last newline."""
    lines = [f"# HELP {name} {_escape(help_text)}", f"# TYPE {name} histogram"]
    limits = [*map(_format_value, bounds), "+Inf"]
    for labels, counts, total in series:
        own = _format_labels(labels)
        many = 0
        for limit, count in zip(limits, counts, strict=True):
            many += count
            begin = f"{own[:-1]}," if own else "{"
            lines.append(f'{name}_bucket{begin}le="{limit}"}} {many}')
        lines += [f"{name}_sum{own} {_format_value(total)}", f"{name}_count{own} {many}"]
    return "\n".join(lines)


def check_labels(labels: Mapping[str, str]) -> None:
    """Raise ValueError unless each name can be a label's."""
    for name in labels:
        if not (name.isascii() and name.isidentifier()):
            raise ValueError(f"no label is called {name[:60]!r}")


def _format_labels(labels: Mapping[str, str]) -> str:
    check_labels(labels)
    quoted = (
        '{}="{}"'.format(name, _escape(value).replace('"', r"\"")) for name, value in labels.items()
    )
    return "{" + ",".join(quoted) + "}" if labels else ""


def _escape(text: str) -> str:
    # A newline has an escape of its own; other control characters have none.
    lines = (printable(line) for line in text.replace("\\", r"\\").split("\n"))
    return r"\n".join(lines)


def _format_value(value: float) -> str:
    """Return a number in as few digits as tell it from all others."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{value:+}".title()
    short = f"{value:.15g}"
    return short if float(short) == value else repr(value)
