"""The timezone that this machine's cron goes by, for schedules that name none."""

import os


def local_zone() -> str:
    """The IANA name of the system's timezone, or "" if nothing tells it.

    /etc/localtime comes first and TZ last: a crontab's TZ is for its jobs, Debian's cron doesn't
    schedule by it (crontab(5), "LIMITATIONS").
    """
    _, found, name = os.path.realpath("/etc/localtime").partition("/zoneinfo/")
    if found:
        return name.removeprefix("posix/").removeprefix("right/")
    try:
        with open("/etc/timezone", encoding="ascii") as file:
            name = file.read(100).strip()
    except (OSError, ValueError):
        name = ""
    return name or os.environ.get("TZ", "").removeprefix(":")
