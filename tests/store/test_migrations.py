"""A database that an older radar made is brought up to date, and what it holds is read anew."""

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from radar_cli.model.fault import BAD
from radar_cli.model.ping import Ping
from radar_cli.model.run import Origin
from radar_cli.store import postgresql as postgresql_module
from radar_cli.store import schema
from radar_cli.store import sqlite as sqlite_module
from radar_cli.store.declaring import Declarer
from radar_cli.store.opening import open_database, open_embedded
from radar_cli.store.schema import MIGRATIONS, Dialect
from radar_cli.store.store import Store
from tests.support.postgresql import Postgresql

_SECOND = 1_000_000
_BEGIN = 1_795_000_000 * _SECOND
_RADAR_0_1 = 3  # migrations
_ROWS = (
    "INSERT INTO monitor (key, declared, created_us, judged, source)"
    " VALUES ('old', '{\"every\": \"60\"}', 5, '', 'celery')",
    "INSERT INTO ping (id, monitor, kind, run_id, time_us, fields, body)"
    " VALUES ('p1', 'old', 'fail', '', 6, '{\"exit\": \"3\"}', 'said')",
)


def _open_old(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Store:
    """A store as radar 0.1 has left it, opened by today's."""
    if kind == "sqlite":
        names = _names(sqlite_module.DIALECT)
        connection = sqlite3.connect(tmp_path / "radar.db", isolation_level=None)
        for migration in MIGRATIONS[:_RADAR_0_1]:
            for statement in migration.split("\n\n"):
                connection.execute(statement.format(**names))
        connection.execute(_ROWS[0])
        connection.execute(_ROWS[1].replace("'said'", "CAST('said' AS BLOB)"))
        connection.execute(f"PRAGMA user_version = {_RADAR_0_1}")
        connection.close()
        return open_embedded(str(tmp_path))
    cluster: Postgresql = request.getfixturevalue("postgresql")
    url = cluster.url()
    names = _names(postgresql_module.DIALECT)
    with psycopg.connect(url, autocommit=True) as old:
        for migration in MIGRATIONS[:_RADAR_0_1]:
            for statement in migration.split("\n\n"):
                old.execute(statement.format(**names).encode())
        for row in _ROWS:
            old.execute(row.encode())
        old.execute("CREATE TABLE radar_schema (version INTEGER NOT NULL)")
        old.execute(f"INSERT INTO radar_schema VALUES ({_RADAR_0_1})".encode())
    return open_database(url)


def _names(dialect: Dialect) -> dict[str, str]:
    return {
        "integer": dialect.integer,
        "blob": dialect.blob,
        "text": dialect.text,
        "options": dialect.options,
        "ping_options": dialect.options.partition(",")[0],
    }


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_of_radar_0_1_is_read_and_gone_on_with(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with _open_old(kind, tmp_path, request) as store:
        (old,) = store.pings.newest("old", 9)
        assert (old.kind, old.body, old.origin) == ("fail", b"said", None)
        origin = Origin("192.0.2.1", "POST", "curl/8")
        now_us = time.time_ns() // 1000
        store.pings.add([Ping("success", "old", time_us=now_us, origin=origin)], now_us)
        assert [ping.origin for ping in store.pings.newest("old", 9)] == [None, origin]
        # What had a source and no key is of whoever syncs it next.
        store.declarations.declare(Declarer("celery", "key1"), {}, now_us, kept=[])
        known = store.monitors.find("old")
        assert known is not None
        assert not known.is_watched


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
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:_RADAR_0_1])
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
        assert store.outages.last_look() == _BEGIN
        assert store.outages.newest() == []
        store.monitors.judge(_BEGIN + 91 * _SECOND)
        found = {known.key: known for known in store.monitors.all()}
        assert [(f.field, f.text, f.kind) for f in found["garbage"].active_faults] == [
            ("every", "often", BAD),
            ("tz", "Mars/Olympus", BAD),
        ]
        assert store.monitors.count_faults() == {BAD: 1}
        # A grace that nobody set hides no run any more, and a duration is one as everywhere.
        assert str(found["quick"].view.status) == "down"
        assert found["typed"].monitor.every_s == 300
        assert found["typed"].is_watched
        store.pings.add(
            [Ping("success", "quick", time_us=_BEGIN + 92 * _SECOND)], _BEGIN + 92 * _SECOND
        )
    with reopen() as store:
        assert store.monitors.count_faults() == {BAD: 1}
