"""The pair of files of dbm.dumb: a directory in text, and the values."""

import ast


def items(directory: bytes, data: bytes) -> dict[bytes, bytes]:
    """All keys with their values. ValueError: it isn't a whole pair."""
    found = {}
    for line in directory.decode("latin-1").splitlines():
        if not line.strip():
            continue
        try:
            key, (at, size) = ast.literal_eval(line)
        except (SyntaxError, TypeError, MemoryError, RecursionError):
            raise ValueError("a line that can't be understood") from None
        if not (isinstance(key, str) and isinstance(at, int) and isinstance(size, int)):
            raise ValueError("a line that can't be understood")
        if at < 0 or size < 0 or at + size > len(data):
            raise ValueError("a value that leads out of the file")
        found[key.encode("latin-1")] = data[at : at + size]
    return found
