"""The line that Nagios reads."""

import re

from hypothesis import given
from hypothesis import strategies as st

from radar_cli.cli.nagios import CRITICAL, UNKNOWN, format_line, format_unknown, format_verdict
from radar_cli.cli.render import clean
from radar_cli.model.fault import Fault
from radar_cli.model.state import Status

# What stands behind the | as the guidelines for plugins have it: 'label'=value.
_DATA = re.compile(r"(?:'([^'=]*)'|([A-Za-z]+))=(-?[0-9.e+]+)")
_LABELS = st.dictionaries(st.text(min_size=1), st.integers(-(10**12), 10**12), max_size=4)


@given(st.text(), _LABELS)
def test_it_is_one_line_with_one_bar(text: str, measured: dict[str, float]) -> None:
    result = format_line("RADAR", CRITICAL, text, measured)
    assert result.exit_code == 2
    assert result.text == clean(result.text)
    words, bar, data = result.text.partition(" | ")
    assert words.startswith("RADAR CRITICAL")
    assert result.text.count("|") == bool(bar) == bool(measured)
    found = [match[3] for match in _DATA.finditer(data)]
    assert found == [str(value) for value in measured.values()]


def test_its_labels_are_quoted_where_they_have_to_be() -> None:
    measured = {"up": 3, "my queue": 1234567, "a'b=c|d\n": 0}
    text = format_line("RADAR", UNKNOWN, "a | b\nc", measured).text
    assert text == "RADAR UNKNOWN - a / b\\nc | up=3 'my queue'=1234567 'abc/d\\n'=0"


def test_nothing_of_a_fault_begins_another_line() -> None:
    fault = Fault("schedule", "x", "bad | schedule\nOK", since_us=1)
    result = format_verdict([], {Status.UP: 1}, {Status.DOWN}, [("job", fault)], "ann: lost | x")
    assert result.exit_code == 2
    assert result.text == (
        "RADAR CRITICAL - declared wrongly: job: bad / schedule\\nOK; ann: lost / x"
        " | new=0 up=1 late=0 down=0 paused=0"
    )


def test_it_says_that_nothing_is_known() -> None:
    assert format_unknown("no | server").text == "RADAR UNKNOWN - no / server"
    unknown = format_verdict([], {}, {Status.DOWN}, unknown="ann: lost")
    assert (unknown.exit_code, unknown.text.partition(" | ")[0]) == (3, "RADAR UNKNOWN - ann: lost")
