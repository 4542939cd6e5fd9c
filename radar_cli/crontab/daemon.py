"""Whether cron runs: the process table knows it."""

import os

# By what the daemons call themselves: Debian's and Vixie's, cronie's and busybox's, and others.
_NAMES = frozenset(("cron", "crond", "fcron", "supercronic", "dcron", "bcron-start"))


def find_daemons(proc: str = "/proc") -> list[str] | None:
    """Return the names of the cron daemons that run; None if the process table can't be seen."""
    try:
        pids = [name for name in os.listdir(proc) if name.isdigit()]
    except OSError:
        return None
    names = {pid: name for pid in pids if (name := _read_name(f"{proc}/{pid}"))}
    if "1" not in names:
        return None  # of others' processes nothing is to be seen (hidepid, proc(5))
    found = [name for pid, name in names.items() if _is_daemon(f"{proc}/{pid}", name)]
    return sorted(set(found))


def _read_name(folder: str) -> str:
    try:
        with open(f"{folder}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _is_daemon(folder: str, name: str) -> bool:
    if name in _NAMES:
        return True
    if name != "busybox":
        return False
    try:
        with open(f"{folder}/cmdline", "rb") as file:
            return b"crond" in file.read().split(b"\0")[:2]
    except OSError:
        return False
