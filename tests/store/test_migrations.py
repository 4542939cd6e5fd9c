"""A database that an older radar made is brought up to date, with all that is in it."""

import sqlite3
import time
from pathlib import Path

import psycopg
import pytest

from radar_cli.model.ping import Ping
from radar_cli.monitors.runs import Origin
from radar_cli.store import postgresql as postgresql_module
from radar_cli.store import sqlite as sqlite_module
from radar_cli.store.declaring import Declarer
from radar_cli.store.opening import open_database, open_embedded
from radar_cli.store.schema import MIGRATIONS, Dialect
from radar_cli.store.store import Store
from tests.support.postgresql import Postgresql

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
        (old,) = store.newest("old", 9)
        assert (old.kind, old.body, old.origin) == ("fail", b"said", None)
        origin = Origin("192.0.2.1", "POST", "curl/8")
        now_us = time.time_ns() // 1000
        store.add([Ping("success", "old", time_us=now_us, origin=origin)], now_us)
        assert [ping.origin for ping in store.newest("old", 9)] == [None, origin]
        # What had a source and no key is of whoever syncs it next.
        store.declare(Declarer("celery", "key1"), {}, now_us, kept=[])
        known = store.find("old")
        assert known is not None
        assert not known.is_watched
