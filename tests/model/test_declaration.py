"""What programs declare their monitors as, and what of it can't be read."""

from datetime import timedelta

import pytest

from radar_cli.core.grammar import parse_hosts, parse_period
from radar_cli.model.declaration import Declaration


def _declared(**periods: object) -> dict[str, str]:
    declaration = Declaration()
    for name, period in periods.items():
        declaration.set_period(f"--{name.replace('_', '-')}", period)
    assert declaration.warnings == []
    return declaration.fields()


def test_who_declares_nothing_says_nothing() -> None:
    assert Declaration().fields() == {}
    assert _declared(every=None, grace=None, max_runtime=None) == {}


def test_all_that_is_declared_goes_along() -> None:
    declaration = Declaration(
        schedule=" 5  2 * * * ", tz="Europe/London", name="Nightly", tag=["db", "eu", "db"]
    )
    declaration.set("--hosts", "any", parse_hosts)
    assert declaration.fields() == {
        "schedule": "5 2 * * *",
        "tz": "Europe/London",
        "name": "Nightly",
        "tags": "db eu",
        "hosts": "any",
    }
    assert declaration.warnings == []


@pytest.mark.parametrize("period", ["15m", 900, 900.0, timedelta(minutes=15)])
def test_a_period_may_be_text_seconds_or_a_timedelta(period: object) -> None:
    periods = _declared(every=period, grace=period, max_runtime=period)
    assert periods == {"every": "900", "gracePeriod": "900", "max_runtime": "900"}


def test_a_grace_may_be_nothing_and_no_other_period_may() -> None:
    assert _declared(grace=0) == {"gracePeriod": "0"}
    declaration = Declaration()
    declaration.set_period("--max-runtime", 0)
    assert declaration.fields() == {"max_runtime": "0"}
    assert len(declaration.warnings) == 1
    assert declaration.warnings[0].startswith("max-runtime '0' is ignored: ")


def test_a_schedule_comes_before_an_interval() -> None:
    declaration = Declaration(schedule="@daily")
    declaration.set("--every", "1h", parse_period)
    assert declaration.fields() == {"schedule": "@daily"}


@pytest.mark.parametrize("flag", ["--every", "--grace", "--max-runtime", "--hosts"])
def test_what_cant_be_read_goes_along_as_it_is(flag: str) -> None:
    declaration = Declaration()
    declaration.set(flag, "soon" + "!" * 300, parse_hosts if flag == "--hosts" else parse_period)
    (refused,) = declaration.fields().values()
    assert refused == "soon" + "!" * 196
    assert len(declaration.warnings) == 1
    assert declaration.warnings[0].startswith(f"{flag[2:]} 'soon!!!")


def test_a_schedule_and_a_timezone_that_cant_be_read_go_along_as_they_are() -> None:
    declaration = Declaration(schedule="never " + "x" * 300, tz="Mars/" + "x" * 300)
    fields = declaration.fields()
    assert fields == {"schedule": "never " + "x" * 194, "tz": "Mars/" + "x" * 195}
    assert [words.partition(" is ignored: ")[0][:16] for words in declaration.warnings] == [
        "schedule 'never ",
        "timezone 'Mars/x",
    ]


def test_a_schedule_that_can_be_read_is_never_cut() -> None:
    schedule = "{} * * * *".format(",".join(str(minute) for minute in range(60)))
    schedule += "," + "0," * ((200 - len(schedule)) // 2 - 1) + "0"
    assert len(schedule) in (199, 200)
    declaration = Declaration(schedule=schedule)
    assert (declaration.fields(), declaration.warnings) == ({"schedule": schedule}, [])


def test_a_long_name_and_many_tags_are_cut() -> None:
    declaration = Declaration(name="n" * 300, tag=[f"tag{number:04}" for number in range(100)])
    fields = declaration.fields()
    assert fields["name"] == "n" * 200
    assert len(fields["tags"]) == 500
    assert fields["tags"].startswith("tag0000 tag0001 ")
