"""The laws of `radar sync`, for files, for what was applied and for monitors of any kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.core.errors import RadarError
from radar_cli.model.declaring import FIELDS
from radar_cli.sync.file import BadFileError, read_monitors, write_monitors
from radar_cli.sync.plan import APPLIED, DELETE, OthersMonitorError, Plan, Present, make_plan

Fields = dict[str, str]

_KEYS = st.sampled_from(["a", "b-1", "c.d", "e_f"])
_VALUES = {
    "schedule": st.sampled_from(["5 2 * * *", "@daily", "*/5 * * * *"]),
    "every": st.sampled_from(["60", "3600", "90061"]),
    "tz": st.sampled_from(["UTC", "Europe/London"]),
    "gracePeriod": st.sampled_from(["0", "90", "600"]),
    "max_runtime": st.sampled_from(["60", "7200"]),
    "name": st.sampled_from(["N\u00e4chtlich", "x \"y\" 'z'"]),
    "tags": st.sampled_from(["db", "db nightly"]),
    "failure_tolerance": st.sampled_from(["0", "3"]),
    "hosts": st.sampled_from(["any", "each", "2"]),
    "notes": st.sampled_from(["look there", "first\nsecond '''\\ line"]),
}


def _fields(*, can_clear: bool) -> st.SearchStrategy[Fields]:
    def consistent(fields: Fields) -> Fields:
        if fields.get("schedule") and fields.get("every"):
            del fields["every"]
        return {name: FIELDS[name](text) if text else "" for name, text in fields.items()}

    kinds = {n: st.one_of(st.just(""), v) if can_clear else v for n, v in _VALUES.items()}
    return st.fixed_dictionaries({}, optional=kinds).map(consistent)


_FILES = st.dictionaries(_KEYS, _fields(can_clear=True))
_STATES = st.dictionaries(_KEYS, _fields(can_clear=False))


def carry_out(state: dict[str, Fields], plan: Plan) -> dict[str, Fields]:
    """The monitors as a store has them after the plan."""
    after = {key: dict(fields) for key, fields in state.items()}
    for step in plan.steps:
        if step.kind == DELETE:
            del after[step.key]
        else:
            merged = {**after.get(step.key, {}), **step.changes}
            after[step.key] = {name: text for name, text in merged.items() if text is not None}
    return after


def plan_for(file: dict[str, Fields], state: dict[str, Fields], *, prunes: bool = False) -> Plan:
    present = {key: Present(fields) for key, fields in state.items()}
    return make_plan(file, present, "shop", "UTC", prunes=prunes)


@given(_FILES, _STATES, _FILES, _STATES, st.booleans())
def test_what_is_applied_is_so_and_nothing_else_has_changed(
    earlier: dict[str, Fields],
    state: dict[str, Fields],
    file: dict[str, Fields],
    meddled: dict[str, Fields],
    prunes: bool,
) -> None:
    # A file was applied, somebody has changed some monitors since, and now there is another file.
    state = carry_out(state, plan_for(earlier, state))
    for key, fields in meddled.items():
        if key in state:
            kept = {n: t for n, t in state[key].items() if n not in ("schedule", "every")}
            state[key] = {**kept, **fields}
    plan = plan_for(file, state, prunes=prunes)
    after = carry_out(state, plan)
    again = plan_for(file, after, prunes=prunes)
    assert (again.steps, again.has_drift) == ((), False)
    for key, fields in file.items():
        for name, text in fields.items():
            # A schedule needs a timezone: one that is emptied is this machine's.
            if not (name == "tz" and not text):
                assert after[key].get(name, "") == text
    for key, before in state.items():
        if key not in after:
            assert prunes
            assert key not in file
            assert APPLIED in before
            continue
        named = {*file.get(key, {}), APPLIED}
        if named & {"schedule", "every"}:
            named |= {"schedule", "every"}  # each takes the other's place
        if after[key].get("schedule") and not before.get("tz"):
            named.add("tz")
        for name in {*before, *after[key]} - named:
            assert after[key].get(name) == before.get(name)


@given(_STATES)
def test_what_is_exported_is_no_drift(state: dict[str, Fields]) -> None:
    state = {key: {**f, **({"tz": "UTC"} if "schedule" in f else {})} for key, f in state.items()}
    file = read_monitors(write_monitors(state), "radar.toml")
    plan = plan_for(file, state)
    assert not plan.has_drift
    assert not plan_for(file, carry_out(state, plan)).steps


def test_it_tells_who_has_changed_what() -> None:
    state = carry_out({}, plan_for({"a": {"gracePeriod": "60", "name": "x"}}, {}))
    state["a"]["name"] = "y"
    (step,) = plan_for({"a": {"gracePeriod": "90", "name": "x"}}, state).steps
    found = {d.field: (d.before, d.after, d.is_changed_there) for d in step.differences}
    assert found == {"gracePeriod": ("60", "90", False), "name": ("y", "x", True)}


def test_it_leaves_what_another_source_declares() -> None:
    state = carry_out({}, make_plan({"a": {}}, {}, "other"))
    with pytest.raises(OthersMonitorError, match="belongs to the source 'other'"):
        plan_for({"a": {}}, state)
    assert plan_for({}, state, prunes=True).steps == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[monitor.a]", "no table 'monitor' (did you mean 'monitors'?)"),
        ("[notify.x]", "no table 'notify' (it declares monitors: [monitors.KEY])"),
        ("server = 'x'", "no table 'server'"),
        ("monitors = 3", "monitors is no table"),
        ("[monitors.a]\nshedule = '@daily'", "no field 'shedule' (did you mean 'schedule'?)"),
        ("[monitors.a.b]", 'a key with a dot stands in quotes: [monitors."a.b"]'),
        ("[monitors.A]", "monitors.A: "),
        ("[monitors.a]\nschedule = '61 * * * *'", "bad schedule"),
        ("[monitors.a]\ngrace = true", "True isn't what is meant"),
        ("[monitors.a]\ngrace = 'soon'", "grace"),
        ("[monitors.a]\ntags = ['a b']", "a tag is one word"),
        ("[monitors.a]\nschedule = '@daily'\nevery = '1h'", "exclude each other"),
        ("[monitors.a", "is no TOML"),
        ("[monitors]\na = 1", "monitors.a is no table"),
    ],
)
def test_it_refuses_what_declares_no_monitor(text: str, message: str) -> None:
    with pytest.raises(RadarError) as caught:
        read_monitors(text, "radar.toml")
    assert isinstance(caught.value, BadFileError)
    assert message in caught.value.line()


def test_it_reads_values_as_people_write_them() -> None:
    text = """[monitors."a.b"]
every = 90
grace = "1h30m"
max_runtime = 1.5
tags = ["db", "nightly"]
hosts = 2
failure_tolerance = 1
name = ""
"""
    assert read_monitors(text, "x") == {
        "a.b": {
            "every": "90",
            "gracePeriod": "5400",
            "max_runtime": "1.5",
            "tags": "db nightly",
            "hosts": "2",
            "failure_tolerance": "1",
            "name": "",
        }
    }
