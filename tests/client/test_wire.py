"""What goes over the wire as JSON comes back without loss."""

import dataclasses
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from radar_cli.client.wire import (
    decode_declared,
    decode_flip,
    decode_monitor,
    decode_run,
    encode_declared,
    encode_flip,
    encode_monitor,
    encode_ping,
    encode_run,
    iso,
)
from radar_cli.model.flip import Flip
from radar_cli.model.monitor import Pause
from radar_cli.model.ping import KINDS, Ping
from radar_cli.model.record import MonitorRecord, in_order
from radar_cli.model.run import Origin, Run

_TIMES_US = st.integers(1, 4_000_000_000_000_000)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_NUMBERS = st.floats(0, 1e9)
_COUNTS = st.integers(0, 10**15)


def _or_none(strategy: "st.SearchStrategy[Any]") -> "st.SearchStrategy[Any]":
    return st.none() | strategy


_ORIGINS = st.builds(Origin, address=_TEXT, method=_TEXT, agent=_TEXT)
_RUNS = st.builds(
    Run,
    run_id=_TEXT,
    started_us=_or_none(_TIMES_US),
    ended_us=_or_none(_TIMES_US),
    outcome=st.sampled_from(["", "success", "fail"]),
    duration_s=_or_none(_NUMBERS),
    exit_code=_or_none(st.integers(-1, 255)),
    signal=_or_none(st.integers(1, 64)),
    reason=_TEXT,
    cpu_s=_or_none(_NUMBERS),
    max_rss_bytes=_or_none(_COUNTS),
    tries=st.integers(1, 100),
    host=_TEXT,
    message=_TEXT,
    output=_TEXT.map(str.encode),
    output_bytes=_or_none(_COUNTS),
    omitted_bytes=_COUNTS,
    origin=_or_none(_ORIGINS),
)
_PINGS = st.builds(
    Ping,
    st.sampled_from(KINDS),
    st.just("job"),
    run_id=st.sampled_from(["", "one", "two"]),
    time_us=_TIMES_US,
    fields=st.dictionaries(_TEXT, _TEXT, max_size=3),
    body=_TEXT.map(str.encode),
    origin=_or_none(_ORIGINS),
)
_DECLARED = st.fixed_dictionaries(
    {},
    optional={
        "name": _TEXT,
        "schedule": st.sampled_from(["5 2 * * *", "@hourly", "nonsense"]),
        "every": st.sampled_from(["3600", "0.5", "never"]),
        "tz": st.sampled_from(["UTC", "Europe/London"]),
        "gracePeriod": st.sampled_from(["0", "600"]),
        "max_runtime": st.just("30"),
        "failure_tolerance": st.just("2"),
        "tags": st.just("a b"),
        "notes": st.just("first\nthen"),
    },
)


@given(_RUNS, st.sets(_TEXT, max_size=2))
def test_a_run_comes_back(run: Run, going_on: set[str]) -> None:
    assert decode_run(json.loads(json.dumps(encode_run(run, going_on)))) == run


@given(
    _DECLARED,
    st.lists(_PINGS, max_size=6),
    st.lists(st.tuples(_TIMES_US, _or_none(_TIMES_US)), max_size=2),
    st.sets(st.sampled_from(["name", "tz"])),
    st.integers(0, 10**6),
    st.booleans(),
)
def test_a_monitor_comes_back(
    declared: dict[str, str],
    pings: list[Ping],
    pauses: list[tuple[int, int | None]],
    settled: set[str],
    version: int,
    has_no_beginning: bool,
) -> None:
    known = MonitorRecord(
        *(
            "job",
            declared,
            1_000_000,
            "",
            tuple(Pause(*pause) for pause in sorted(pauses, key=str)),
        ),
        *(frozenset(settled), version),
    )
    known = known.apply_pings(sorted(pings, key=in_order)) if pings else known
    known.has_no_beginning = has_no_beginning
    now_us = max((ping.time_us for ping in pings), default=1_000_000) + 5
    back = decode_monitor(json.loads(json.dumps(encode_monitor(known, now_us))))
    for name in ("key", "declared", "created_us", "pauses", "settled", "version", "newest"):
        assert getattr(back, name) == getattr(known, name)
    for name in ("state", "view", "monitor", "passed_us", "has_no_beginning", "is_watched"):
        assert getattr(back, name) == getattr(known, name)
    assert back.encode() == known.encode()
    assert list(back.state.running.items()) == list(known.state.running.items())
    assert back.view_at(now_us) == known.view_at(now_us)


@given(_PINGS)
def test_a_ping_is_told_whole(ping: Ping) -> None:
    entry = json.loads(json.dumps(encode_ping(ping)))
    assert entry == {
        "id": ping.id,
        "kind": ping.kind,
        "run_id": ping.run_id or None,
        "time": iso(ping.time_us),
        "fields": ping.fields,
        "output": ping.body.decode(),
        "origin": None if ping.origin is None else ping.origin._asdict(),
    }


@given(_TIMES_US, _TIMES_US, st.sampled_from(["", "missed"]))
def test_a_flip_comes_back(time_us: int, noticed_us: int, reason: str) -> None:
    flip = Flip("1", "job", "up", "down", reason, time_us, noticed_us)
    assert decode_flip("job", json.loads(json.dumps(encode_flip(flip)))) == flip


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "name": _or_none(_TEXT.filter(bool)),
            "every": _or_none(st.sampled_from(["3600", "1.5", "0.000001", "315360000"])),
            "gracePeriod": _or_none(st.sampled_from(["0", "600"])),
            "failure_tolerance": _or_none(st.sampled_from(["0", "7"])),
            "tags": _or_none(st.sampled_from(["a", "a b"])),
            "notes": _or_none(st.just("first\nthen")),
        },
    )
)
def test_what_is_declared_comes_back(declared: dict[str, str | None]) -> None:
    assert decode_declared(json.loads(json.dumps(encode_declared(declared)))) == declared


def test_no_field_of_a_run_is_forgotten() -> None:
    kinds = {field.name for field in dataclasses.fields(Run)}
    assert len(encode_run(Run("x"), ())) == len(kinds)
