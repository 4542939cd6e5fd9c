"""A database that an older radar made is brought up to date, and what it holds is read anew."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from radar_cli.model.fault import BAD
from radar_cli.model.ping import Ping
from radar_cli.store import schema
from radar_cli.store.opening import open_database, open_embedded
from radar_cli.store.store import Store
from tests.support.postgresql import Postgresql

_SECOND = 1_000_000
_BEGIN = 1_795_000_000 * _SECOND
# Of 0.1: before outages and faults were kept.
_OLD = 3


@pytest.fixture(params=["sqlite", "postgresql"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Opens the same database again and again."""
    if request.param == "sqlite":
        return lambda: open_embedded(str(tmp_path))
    server: Postgresql = request.getfixturevalue("postgresql")
    url = server.url()
    return lambda: open_database(url)


def _judged(next_look_us: int | None) -> str:
    """What was kept of a monitor that had gone well once."""
    state: dict[str, object] = {
        "status": "up",
        "reason": None,
        "since_us": _BEGIN,
        "covered_us": _BEGIN,
        "failures": 0,
        "failed_start_us": 0,
        "succeeded_start_us": _BEGIN,
        "running": {},
        "ended": {},
    }
    view = {
        "status": "up",
        "reason": None,
        "since_us": _BEGIN,
        "is_running": False,
        "expected_us": None,
        "next_look_us": next_look_us,
    }
    return json.dumps(
        {
            "state": state,
            "view": view,
            "newest": [_BEGIN, "id"],
            "passed_us": 0,
            "has_no_beginning": False,
        }
    )


def test_an_old_database_is_read_anew(
    reopen: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {
        "garbage": ({"every": "often", "tz": "Mars/Olympus"}, None),
        "quick": ({"every": "60"}, _BEGIN + 360 * _SECOND),
        "typed": ({"every": "5m"}, None),
    }
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:_OLD])
        with reopen() as store, store.database.change() as change:
            for key, (declared, next_look_us) in rows.items():
                change.execute(
                    "INSERT INTO monitor (key, declared, created_us, judged, status, next_look_us)"
                    " VALUES (?, ?, ?, ?, 'up', ?)",
                    (key, json.dumps(declared), _BEGIN, _judged(next_look_us), next_look_us),
                )
            change.execute("INSERT INTO mark (name, value) VALUES ('alive', ?)", (str(_BEGIN),))
            blind = f"{_BEGIN} {_BEGIN + _SECOND} 3"
            change.execute("INSERT INTO mark (name, value) VALUES ('blind', ?)", (blind,))
    with reopen() as store:
        assert store.last_look() == _BEGIN
        assert store.outages() == []
        store.judge(_BEGIN + 91 * _SECOND)
        found = {known.key: known for known in store.monitors()}
        assert [(f.field, f.text, f.kind) for f in found["garbage"].active_faults] == [
            ("every", "often", BAD),
            ("tz", "Mars/Olympus", BAD),
        ]
        assert store.count_faults() == {BAD: 1}
        # A grace that nobody set hides no run any more, and a duration is one as everywhere.
        assert str(found["quick"].view.status) == "down"
        assert found["typed"].monitor.every_s == 300
        assert found["typed"].is_watched
        store.add([Ping("success", "quick", time_us=_BEGIN + 92 * _SECOND)], _BEGIN + 92 * _SECOND)
    with reopen() as store:
        assert store.count_faults() == {BAD: 1}
