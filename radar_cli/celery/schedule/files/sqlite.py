"""Files of dbm.sqlite3, which is what Python 3.13 and newer write."""

import contextlib
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

MAGIC = b"SQLite format 3\0"
# A hostile file may hold a view in place of the table, one that never ends.
_MOST_STEPS = 50_000_000


def items(data: bytes, log: bytes) -> dict[bytes, bytes]:
    """All keys with their values, from the file and its write-ahead log.

    ValueError, sqlite3.Error: it isn't a whole file, or holds something else.
    """
    # SQLite works on files, and would make another one beside the original to read its log.
    with TemporaryDirectory(prefix="radar-") as folder:
        path = Path(folder) / "schedule"
        path.write_bytes(data)
        path.with_name("schedule-wal").write_bytes(log)
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.set_progress_handler(lambda: 1, _MOST_STEPS)
            rows = database.execute("SELECT key, value FROM Dict").fetchall()
    if not all(isinstance(key, bytes) and isinstance(value, bytes) for key, value in rows):
        raise ValueError("a value that is none of dbm's")
    return dict(rows)
