"""Keeping the outbox bounded: what is dropped when a server is gone for good."""

import os
import time

from radar_cli.model.ping import decode_fields, encode_fields
from radar_cli.outbox.claiming import claim
from radar_cli.outbox.spool import (
    ASIDE_FOLDER,
    REJECTED,
    WAITING,
    Entry,
    Spool,
    is_unfinished,
    place_of,
    try_lock,
)

# For each destination.
FILES_MAX = 10_000
BYTES_MAX = 200_000_000
AGE_MAX_S = 30 * 86_400.0
UNFINISHED_MAX_S = 3_600.0
_DROPPED = ".dropped"
_DROPPED_MAX_BYTES = 4000
_NOTED_AT_ONCE = 100  # files that are open meanwhile
_FEW = 12  # as many can't be too large together
# The least missed goes first: a failure that waits is news, a log line is not.
_ORDER = {"log": 0, "start": 1}
_KINDS = ("start", "success", "fail", "log")


class Dropped:
    """The cost of the bound to a destination: pings by kind, from when to when (Unix time)."""

    def __init__(self, place: str, counts: dict[str, int], first_s: float, last_s: float) -> None:
        self.place = place  # for people: the server
        self.counts = counts
        self.first_s = first_s
        self.last_s = last_s

    @property
    def total(self) -> int:
        """The number of pings."""
        return sum(self.counts.values())

    def format_counts(self) -> str:
        """As in `3 start, 2 fail`."""
        return ", ".join(f"{count} {kind}" for kind, count in self.counts.items() if count)

    def describe(self) -> str:
        """Return a line about it, for people."""
        from datetime import datetime

        since, last = (
            datetime.fromtimestamp(moment).astimezone().isoformat(" ", "minutes")
            for moment in (self.first_s, self.last_s)
        )
        return (
            f"{self.total} undelivered pings for {self.place} were dropped between {since} and"
            f" {last} ({self.format_counts()}): 'radar outbox drop --forget' ends this remark"
        )


def read_dropped(spool: Spool) -> Dropped | None:
    """Return what was dropped, or None: nothing, or nothing that can be read."""
    try:
        with open(os.path.join(spool.folder, _DROPPED), encoding="ascii") as file:
            return _parse_dropped(file.read(_DROPPED_MAX_BYTES))
    except (OSError, ValueError):
        return None


def forget_dropped(spool: Spool) -> None:
    """Forget what was dropped: a person has seen it."""
    try:
        os.unlink(os.path.join(spool.folder, _DROPPED))
    except OSError:
        return  # it is gone, or the disk is broken: it is shown again


def trim(
    spool: Spool,
    now: float,
    *,
    files_max: int = FILES_MAX,
    bytes_max: int = BYTES_MAX,
) -> list[str]:
    """Drop what is too old (at `now`, Unix time) or too much; return what was, in words.

    It is added to what `read_dropped` returns. Not for the embedded store's spool: nothing else
    has those pings.
    """
    try:
        everything = os.listdir(spool.folder)
    except OSError:
        return []
    _clear(spool.folder, list(filter(is_unfinished, everything)), now)
    _clear_aside(os.path.join(spool.folder, ASIDE_FOLDER), now)
    names = sorted(name for name in everything if _is_ping(name))
    oldest_us = int((now - AGE_MAX_S) * 1e6)
    too_old = [name for name in names if _time_us(name) < oldest_us]
    lines = _drop(spool, too_old, "older than 30 days", now)
    names = [name for name in names if _time_us(name) >= oldest_us]
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
    return lines + _drop(spool, excess, "the outbox is full", now)


def _is_ping(name: str) -> bool:
    """Whether a file's name is one that `Spool.put` or `reject` gave."""
    stem, dot, suffix = name.rpartition(".")
    time_us = stem.partition("-")[0]
    return dot + suffix in (WAITING, REJECTED) and time_us.isascii() and time_us.isdigit()


def _time_us(name: str) -> int:
    return int(name.partition("-")[0])


def _kind(name: str) -> str:
    return name.split("-")[1]


def _size(folder: str, name: str) -> int:
    try:
        return os.stat(os.path.join(folder, name)).st_size
    except OSError:
        return 0


def _drop(spool: Spool, names: list[str], why: str, now: float) -> list[str]:
    """Delete files, save those that somebody delivers right now; return what was, in words.

    Each is noted before it goes: who is killed in between has counted too many, and dropped
    nothing in silence.
    """
    dropped: list[Entry] = []
    is_noted = True
    for start in range(0, len(names), _NOTED_AT_ONCE):
        claims = [claim(spool, name) for name in names[start : start + _NOTED_AT_ONCE]]
        entries = [entry for entry in claims if entry is not None]
        is_noted &= _note(spool, entries, 1, now)
        staying = [entry for entry in entries if not entry.remove()]
        _note(spool, staying, -1, now)
        dropped += [entry for entry in entries if entry not in staying]
    if not dropped:
        return []
    if not is_noted:
        why += "; just this run says so, as the disk takes no note of it"
    total = Dropped(place_of(dropped[-1].to), _count(dropped), now, now)
    return [f"undelivered pings for {total.place} were dropped ({why}): {total.format_counts()}"]


def _count(entries: list[Entry]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.ping.kind] = counts.get(entry.ping.kind, 0) + 1
    return counts


def _note(spool: Spool, entries: list[Entry], factor: int, now: float) -> bool:
    """Add pings to what is known to be dropped, or take them off; False if the disk can't."""
    if not entries:
        return True
    counts = {kind: factor * count for kind, count in _count(entries).items()}
    more = Dropped(place_of(entries[-1].to), counts, now, now)
    try:
        _add_to_dropped(os.path.join(spool.folder, _DROPPED), more)
    except OSError:
        return False
    return True


def _add_to_dropped(path: str, more: Dropped) -> None:
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        while not try_lock(fd):
            time.sleep(0.01)
        try:
            before = _parse_dropped(os.pread(fd, _DROPPED_MAX_BYTES, 0).decode("ascii"))
        except ValueError:  # there was nothing
            before = Dropped("", {}, more.first_s, more.last_s)
        total = {k: before.counts.get(k, 0) + more.counts.get(k, 0) for k in _KINDS}
        fields = {"first": f"{before.first_s:.0f}", "last": f"{more.last_s:.0f}", "to": more.place}
        text = encode_fields({**fields, **{kind: str(count) for kind, count in total.items()}})
        os.pwrite(fd, text.encode().ljust(_DROPPED_MAX_BYTES), 0)
    finally:
        os.close(fd)


def _parse_dropped(text: str) -> Dropped:
    """ValueError: it isn't what `_add_to_dropped` wrote."""
    fields = decode_fields(text.strip())
    counts = {kind: int(fields.get(kind, "0")) for kind in _KINDS}
    try:
        return Dropped(fields["to"], counts, float(fields["first"]), float(fields["last"]))
    except KeyError as missing:
        raise ValueError(f"no field {missing}") from None


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
