"""Finding monitors as a person looks for them."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar_cli.model.ping import Ping
from radar_cli.model.state import Status
from radar_cli.store.searching import GROUPS, Cursor, Wanted, count_by_status, search
from radar_cli.store.store import Store

_NOW_US = 1_750_000_000_000_000


@pytest.fixture
def filled(store: Store) -> Store:
    """24 monitors: some down, some paused, with names and tags of all kinds."""
    names = ("Größe", 'say "hi" \\ %', "under_score", "ÉTÉ", "", "\u65e5\u672c")
    pings = [
        Ping(
            "fail" if number % 5 == 0 else "success",
            f"job-{number:02d}.{'ab'[number % 2]}",
            time_us=_NOW_US,
            fields={"name": names[number % 6], "tags": f"t{number % 3} all"},
        )
        for number in range(24)
    ]
    store.pings.add(pings, _NOW_US)
    store.monitors.pause(["job-07.b", "job-08.a"], _NOW_US, None)
    return store


def _keys(store: Store, wanted: Wanted) -> list[str]:
    return [known.key for known in search(store.database, wanted, 100).monitors]


def test_those_with_trouble_come_first(filled: Store) -> None:
    found = search(filled.database, Wanted(), 100).monitors
    groups = [
        next(n for n, group in enumerate(GROUPS) if known.view.status in group) for known in found
    ]
    assert groups == sorted(groups)
    assert [known.view.status for known in found[:5]] == [Status.DOWN] * 5
    assert [known.key for known in found[5:]] == sorted(known.key for known in found[5:])
    assert len(found) == 24


@pytest.mark.parametrize("limit", [1, 3, 7, 24])
@pytest.mark.parametrize("wanted", [Wanted(), Wanted(tags=("t1",)), Wanted(pattern="job-*.a")])
def test_pages_hold_everything_once_there_and_back(
    filled: Store, wanted: Wanted, limit: int
) -> None:
    pages, place = [], None
    while True:
        found = search(filled.database, wanted, limit, after=place)
        pages.append([known.key for known in found.monitors])
        if found.after is None:
            break
        place = found.after
    assert [key for page in pages for key in page] == _keys(filled, wanted)
    back, before = [pages[-1]], found.before
    while before is not None:
        found = search(filled.database, wanted, limit, before=before)
        back.append([known.key for known in found.monitors])
        before = found.before
    assert back == pages[::-1]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        *(("größe", 4), ("GRÖSSE", 0), ("été", 4), ("\u65e5", 4), ('"hi"', 4), ("\\", 4)),
        *(("%", 4), ("_", 4), ("all t1", 8), ("job-0", 10), ("!", 0), ("nothing", 0)),
    ],
)
def test_words_are_found_as_they_are(filled: Store, words: str, count: int) -> None:
    assert len(_keys(filled, Wanted(words))) == count


def test_statuses_and_tags_narrow(filled: Store) -> None:
    assert _keys(filled, Wanted(statuses=("paused",))) == ["job-07.b", "job-08.a"]
    assert _keys(filled, Wanted(statuses=("paused",), tags=("t1", "all"))) == ["job-07.b"]
    assert _keys(filled, Wanted(tags=("t",))) == []


def test_it_counts_what_a_pattern_covers(filled: Store) -> None:
    assert count_by_status(filled.database, "*") == {"down": 5, "up": 17, "paused": 2}
    assert count_by_status(filled.database, "job-0[7-9].*") == {"up": 1, "paused": 2}


_PATTERNS = st.lists(st.sampled_from([*"job-0.ab*?[]!_%7", "[0-3]", "[!b]", "*"]), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(parts=_PATTERNS)
def test_patterns_mean_what_a_shell_means(filled: Store, parts: list[str]) -> None:
    pattern = "".join(parts)
    expected = [key for key in filled.monitors.keys() if fnmatchcase(key, pattern)]  # noqa: SIM118 (no dict)
    assert sorted(_keys(filled, Wanted(pattern=pattern))) == expected
    assert count_by_status(filled.database, pattern).total() == len(expected)


def test_a_place_whose_monitor_is_gone_is_a_place_still(filled: Store) -> None:
    found = search(filled.database, Wanted(), 2, after=Cursor(2, "job-09.b5"))
    assert [known.key for known in found.monitors] == ["job-11.b", "job-12.a"]
