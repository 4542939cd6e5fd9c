"""The keys of the monitors, for completions: read at once or not at all, and nothing is written."""

import os
import sqlite3


def read_keys(state_directory: str, prefix: str, limit: int) -> list[str]:
    """At most `limit` keys, those that begin with `prefix` first; none if it can't be read now."""
    path = os.path.join(state_directory, "radar.db")
    if not os.path.isfile(path):
        return []
    # Even a reader makes the two files of the write-ahead log, if they aren't there. Then nobody
    # has the store open, and it is as good as immutable.
    mode = "mode=ro" if os.path.exists(path + "-wal") else "mode=ro&immutable=1"
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        connection = sqlite3.connect(f"file:{quoted}?{mode}", uri=True, timeout=0.1)
    except sqlite3.Error:
        return []
    try:
        beginning = connection.execute(
            "SELECT key FROM monitor WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
            (prefix, prefix + "\U0010ffff", limit),
        ).fetchall()
        # The others too: some shells also complete in the middle of a word.
        others = connection.execute(
            "SELECT key FROM monitor ORDER BY key LIMIT ?", (limit - len(beginning),)
        ).fetchall()
    except (sqlite3.Error, UnicodeError):
        return []
    finally:
        connection.close()
    return list(dict.fromkeys(str(key) for (key,) in beginning + others))
