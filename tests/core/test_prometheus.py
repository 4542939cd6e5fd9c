"""The writer of Prometheus's text format, read by prometheus_client's parser."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from radar_cli.core.prometheus import Sample, format_family
from radar_cli.core.text import printable

_NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,9}", fullmatch=True).filter(
    lambda name: not name.startswith("__")
)
_SAMPLES = st.lists(
    st.tuples(st.dictionaries(_NAMES, st.text()), st.floats()),
    max_size=4,
    unique_by=lambda sample: str(sorted(sample[0].items())),
)


def _kept(text: str) -> str:
    """The text as it arrives: a control character that isn't a newline has no form there."""
    return "\n".join(map(printable, text.split("\n")))


@given(_SAMPLES, st.text())
def test_a_parser_reads_what_was_written(samples: list[Sample], help_text: str) -> None:
    text = format_family("x", "gauge", help_text, samples)
    (found,) = text_string_to_metric_families(text + "\n")
    assert (found.name, found.type) == ("radar_x", "gauge")
    assert len(text.split("\n")) == 2 + len(samples)
    for (labels, value), sample in zip(samples, found.samples, strict=True):
        assert sample.labels == {name: _kept(each) for name, each in labels.items()}
        assert sample.value == value or (math.isnan(value) and math.isnan(sample.value))


@pytest.mark.parametrize(
    ("labels", "value", "line"),
    [
        ({}, 1.0, "radar_x 1"),
        ({}, 1790000000.123456, "radar_x 1790000000.123456"),
        ({}, 0.1, "radar_x 0.1"),
        ({}, math.nan, "radar_x NaN"),
        ({}, math.inf, "radar_x +Inf"),
        ({}, -math.inf, "radar_x -Inf"),
        ({"a": 'q"u\\o\nt', "b": ""}, 0, r'radar_x{a="q\"u\\o\nt",b=""} 0'),
        ({"a": "\x1b[2J\r"}, 0, 'radar_x{a="\ufffd[2J\ufffd"} 0'),
    ],
)
def test_it_writes_values_and_escapes(labels: dict[str, str], value: float, line: str) -> None:
    text = format_family("x", "counter", "a\nb\\c", [(labels, value)])
    assert text == f"# HELP radar_x a\\nb\\\\c\n# TYPE radar_x counter\n{line}"


@pytest.mark.parametrize("name", ["", "a b", "1a", "a\n", 'a="', "\u00e4"])
def test_a_label_has_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="no label is called"):
        format_family("x", "gauge", "", [({name: "v"}, 1.0)])
