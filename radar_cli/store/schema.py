"""The tables of the embedded store, and how an older file becomes a new one.

`PRAGMA user_version` counts the migrations that a file has seen.
"""

import sqlite3

from radar_cli.errors import StateError

MIGRATIONS = (
    """
    CREATE TABLE monitor (
        key TEXT PRIMARY KEY,
        declared TEXT NOT NULL,      -- JSON: name, schedule, every, tz, gracePeriod, tags, ...
        settled TEXT NOT NULL DEFAULT '[]', -- JSON: which of these a person has set
        created_us INTEGER NOT NULL,
        judged TEXT NOT NULL,        -- JSON: its state after the pings so far (see judged.py)
        pauses TEXT NOT NULL DEFAULT '[]', -- JSON: beginnings and ends, in Unix time
        next_look_us INTEGER         -- its state can't change before, unless a ping comes
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX monitor_by_next_look ON monitor (next_look_us) WHERE next_look_us IS NOT NULL;
    CREATE TABLE ping (
        id TEXT PRIMARY KEY,
        monitor TEXT NOT NULL REFERENCES monitor (key),
        kind TEXT NOT NULL,
        run_id TEXT NOT NULL,
        time_us INTEGER NOT NULL,    -- Unix time of the event
        fields TEXT NOT NULL,        -- JSON: duration, exit, signal, ...
        body BLOB NOT NULL           -- the tail of the output, UTF-8
    ) STRICT;
    CREATE INDEX ping_by_time ON ping (monitor, time_us DESC, id DESC);
    """,
)


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Bring a file up to date, in one transaction. StateError: a newer radar made it."""
    if _version(connection, path) == len(MIGRATIONS):
        return
    # Another process may be doing the same: look again under the lock.
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number in range(_version(connection, path), len(MIGRATIONS)):
            for statement in MIGRATIONS[number].split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: str) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StateError(
            f"{path} was made by a newer radar (version {version} of its tables)",
            "upgrade radar, or name another RADAR_STATE_DIR",
        )
    return version
