"""The timezone that a schedule goes by which names none: that of the scheduler that runs it.

The order is the same wherever a schedule is declared: RADAR_TZ; CRON_TZ, where the scheduler that
started the job knows it; in a container TZ, as PID 1 has it; /etc/localtime.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Schedulers by the name of their process; those that know CRON_TZ (cronie's crontab(5),
# supercronic's README). Debian's cron and busybox's crond run every line by their own clock.
_SCHEDULERS = ("cron", "crond", "supercronic", "fcron", "anacron")
_KNOW_CRON_TZ = ("crond", "supercronic")
_CROND_PATHS = ("usr/sbin/crond", "sbin/crond", "usr/bin/crond")
_CONTAINER_MARKS = (".dockerenv", "run/.containerenv")
# From a job to its scheduler: shells, `timeout`, `flock` and radar itself.
_ANCESTORS_MAX = 12
_LONGEST = 100


def local_zone(environ: "Mapping[str, str] | None" = None, root: str = "/") -> str:
    """Return the IANA name of the timezone that schedules go by here, or "" if nothing tells it.

    `root` is where /proc and /etc are.
    """
    environ = os.environ if environ is None else environ
    if given := environ.get("RADAR_TZ", ""):
        return given
    return scheduler_zone(environ, root)


def describe_clock(environ: "Mapping[str, str]", root: str = "/") -> "dict[str, str]":
    """Return what a ping tells of the scheduler that started its job; nothing without one.

    `zone` is the timezone by which it runs its lines, and `cron_tz` what its crontab says in vain.
    """
    scheduler = find_scheduler(root)
    if not scheduler:
        return {}
    found = {"zone": scheduler_zone(environ, root, scheduler)}
    if scheduler not in _KNOW_CRON_TZ:
        found["cron_tz"] = _name_of(environ.get("CRON_TZ", ""))
    return {name: text[:_LONGEST] for name, text in found.items() if text}


def scheduler_zone(
    environ: "Mapping[str, str]", root: str = "/", scheduler: str | None = None
) -> str:
    """Return the timezone by which the scheduler of this process runs its lines."""
    if scheduler is None:
        scheduler = find_scheduler(root)
    if scheduler in _KNOW_CRON_TZ and is_zone(zone := _name_of(environ.get("CRON_TZ", ""))):
        return zone
    if _is_container(environ, root):
        first = _read(f"{root}/proc/1/environ")
        own = "" if scheduler else environ.get("TZ", "")
        zone = _name_of(own if first is None else _find(first, b"TZ"))
        if is_zone(zone):
            return zone
    return _system_zone(root) or _name_of(environ.get("TZ", ""))


def find_scheduler(root: str = "/") -> str:
    """Return the name of the scheduler that started this process, or "" if none did.

    `busybox` is its crond, which knows less than cronie's.
    """
    pid = "self"
    for _ in range(_ANCESTORS_MAX):
        stat = _read(f"{root}/proc/{pid}/stat")
        # A name may hold anything, also parentheses.
        head, _, tail = (stat or b"").rpartition(b")")
        words = tail.split()
        if len(words) < 2:
            return ""
        name = head.partition(b"(")[2].decode("utf-8", "replace").lower()
        if name == "crond" and _is_busybox(root, pid):
            return "busybox"
        if name in _SCHEDULERS:
            return name
        pid = words[1].decode()
    return ""


def is_zone(name: str) -> bool:
    """Whether there is an IANA timezone of that name."""
    if not name:
        return False
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _system_zone(root: str) -> str:
    _, found, name = os.path.realpath(f"{root}/etc/localtime").partition("/zoneinfo/")
    if found:
        return _name_of(name)
    return (_read(f"{root}/etc/timezone") or b"").decode("ascii", "replace").strip()[:100]


def _name_of(text: str) -> str:
    """The name of a zone as TZ may hold it, `:Europe/London` or a path."""
    name = text.strip().removeprefix(":")
    name = name.partition("/zoneinfo/")[2] or name
    return name.removeprefix("posix/").removeprefix("right/")


def _is_container(environ: "Mapping[str, str]", root: str) -> bool:
    if any(os.path.exists(f"{root}/{mark}") for mark in _CONTAINER_MARKS):
        return True
    if "KUBERNETES_SERVICE_HOST" in environ or environ.get("container"):
        return True
    return bool(_find(_read(f"{root}/proc/1/environ") or b"", b"container"))


def _is_busybox(root: str, pid: str) -> bool:
    paths = [f"{root}/proc/{pid}/exe"]
    try:
        os.readlink(paths[0])
    except OSError:  # it is another user's
        paths = [f"{root}/{path}" for path in _CROND_PATHS]
    return any("busybox" in os.path.basename(os.path.realpath(path)) for path in paths)


def _find(environ: bytes, name: bytes) -> str:
    """The value of a variable in what /proc/PID/environ holds."""
    for pair in environ.split(b"\0"):
        if pair.startswith(name + b"="):
            return pair[len(name) + 1 :].decode("utf-8", "replace")
    return ""


def _read(path: str) -> bytes | None:
    """Read a file of a few kB; None if it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read(262_144)
    except OSError:
        return None
