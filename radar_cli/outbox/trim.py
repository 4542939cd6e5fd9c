"""Keeping the outbox bounded: what is dropped when a server is gone for good."""

import os
import time

from radar_cli.outbox.spool import REJECTED, WAITING, Spool, claim, is_unfinished

FILES_MAX = 10_000
BYTES_MAX = 200_000_000
AGE_MAX_S = 30 * 86_400.0
UNFINISHED_MAX_S = 3_600.0
_FEW = 12  # as many can't be too large together
# The least missed goes first: a failure that waits is news, a log line is not.
_ORDER = {"log": 0, "start": 1}


def trim(
    spool: Spool,
    now: float,
    *,
    files_max: int = FILES_MAX,
    bytes_max: int = BYTES_MAX,
) -> list[str]:
    """Drop what is too old (at `now`, Unix time) or too much; return what was, in words.

    What waits for the embedded store is left alone: nothing else has it.
    """
    try:
        everything = os.listdir(spool.folder)
    except OSError:
        return []
    _clear(spool.folder, list(filter(is_unfinished, everything)), now)
    _clear_aside(os.path.join(spool.folder, "aside"), now)
    names = sorted(name for name in everything if _is_for_server(name))
    oldest_us = int((now - AGE_MAX_S) * 1e6)
    dropped = _drop(spool, [name for name in names if _time_us(name) < oldest_us])
    says = _say(dropped, "older than 30 days")
    gone = set(dropped)
    names = [name for name in names if name not in gone]
    names.sort(key=lambda name: _ORDER.get(_kind(name), 2))
    excess = names[: max(0, len(names) - files_max)]
    sizes = [] if len(names) <= _FEW else [_size(spool.folder, name) for name in names]
    too_many_bytes = sum(sizes) - bytes_max
    for at, size in enumerate(sizes):
        if too_many_bytes <= 0:
            break
        too_many_bytes -= size
        if at >= len(excess):
            excess.append(names[at])
    return says + _say(_drop(spool, excess), "the outbox is full")


def _is_for_server(name: str) -> bool:
    """Whether a file's name is that of a ping for a server: see Spool.put."""
    stem, dot, suffix = name.rpartition(".")
    parts = stem.split("-")
    return (
        dot + suffix in (WAITING, REJECTED)
        and len(parts) == 8
        and parts[0].isascii()
        and parts[0].isdigit()
    )


def _time_us(name: str) -> int:
    return int(name.partition("-")[0])


def _kind(name: str) -> str:
    return name.split("-", 2)[1]


def _size(folder: str, name: str) -> int:
    try:
        return os.stat(os.path.join(folder, name)).st_size
    except OSError:
        return 0


def _drop(spool: Spool, names: list[str]) -> list[str]:
    """Delete files, save those that somebody delivers right now; return the deleted ones."""
    dropped = []
    for name in names:
        entry = claim(spool, name)
        if entry is not None:
            entry.remove()
            dropped.append(name)
    return dropped


def _say(dropped: list[str], why: str) -> list[str]:
    counts: dict[str, int] = {}
    for name in dropped:
        counts[_kind(name)] = counts.get(_kind(name), 0) + 1
    if not counts:
        return []
    what = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return [f"undelivered pings were dropped ({why}): {what}"]


def _clear(folder: str, names: list[str], now: float) -> None:
    """Delete what killed writers left."""
    for name in names:
        path = os.path.join(folder, name)
        try:
            if os.lstat(path).st_mtime < now - UNFINISHED_MAX_S:
                os.unlink(path)
        except OSError:
            continue  # finished since, or no file: it is in nobody's way


def _clear_aside(folder: str, now: float) -> None:
    try:
        names = os.listdir(folder)
    except OSError:
        return  # nothing was ever set aside
    for name in names:
        path = os.path.join(folder, name)
        try:
            # Being moved there changes the inode, not what the file says of its content.
            if os.lstat(path).st_ctime < now - AGE_MAX_S:
                os.unlink(path)
        except OSError:
            continue  # a directory: a person put it there


def clear_unfinished(spool: Spool, now: float) -> None:
    """Delete what killed writers left an hour ago or earlier (`now` is Unix time)."""
    _clear(spool.folder, list(filter(is_unfinished, os.listdir(spool.folder))), now)


def trim_now(spool: Spool) -> list[str]:
    """`trim` by the clock."""
    return trim(spool, time.time())
