"""Timers of systemd, as systemd tells them, else from the unit files; and the queue of at(1)."""

import json
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from radar_cli.crontab.sources import Machine

# Those above win (systemd.unit(5)).
_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_TRIGGERS = (
    *("OnCalendar", "OnActiveSec", "OnBootSec", "OnStartupSec"),
    *("OnUnitActiveSec", "OnUnitInactiveSec", "OnClockChange", "OnTimezoneChange"),
)
_PATIENCE_S = 20.0

_USER_FOLDERS = ("/etc/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user")
# systemd.time(7)
_CALENDAR_WORDS = {
    "minutely": "every minute",
    "hourly": "every hour, on the hour",
    "daily": "at 00:00 every day",
    "weekly": "at 00:00 on Monday",
    "monthly": "at 00:00 on day 1 of the month",
    "yearly": "at 00:00 on day 1 of the month in January",
    "annually": "at 00:00 on day 1 of the month in January",
}
_IN_UTC = re.compile(r"(?:Next elapse|\(in UTC\)): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)")

Section = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer, and the service that it starts."""

    path: str
    service: str
    triggers: tuple[str, ...]  # as in the unit file, `OnCalendar=daily`
    user: str
    commands: tuple[str, ...]
    next: datetime | None = None
    is_active: bool = True

    @property
    def words(self) -> str:
        """Return when it starts, in words."""
        return " and ".join(map(_describe_trigger, self.triggers))


def find_timers(machine: Machine) -> Iterator[Timer]:
    """Yield the timers of the machine and of its users.

    What systemd can't tell is read from its files.
    """
    yield from _find_of_system(machine)
    for user, home in _find_homes(machine):
        folders = (f"{home}/.config/systemd/user", *_USER_FOLDERS)
        units = _Units(machine, folders)
        for name in units.list_timers():
            if units.is_enabled(name):
                timer = units.describe(name)
                yield replace(timer, user=user, next=_ask_analyze(machine, timer.triggers))


def _find_of_system(machine: Machine) -> Iterator[Timer]:
    units = _Units(machine, _FOLDERS)
    times = _ask_systemd(machine)
    for name in units.list_timers() if times is None else sorted(times):
        timer = units.describe(name)
        if times is not None:
            yield replace(timer, next=times[name])
            continue
        is_active = units.is_enabled(name)
        following = _ask_analyze(machine, timer.triggers) if is_active else None
        yield replace(timer, next=following, is_active=is_active)


def _find_homes(machine: Machine) -> Iterator[tuple[str, str]]:
    """Yield users with the home directories in which they have timers, or may have enabled them."""
    for line in (machine.read("/etc/passwd") or b"").decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) > 5 and os.path.isdir(machine.at(f"{fields[5]}/.config/systemd/user")):
            yield fields[0], fields[5].rstrip("/")


def ask_atq(machine: Machine) -> Iterator[tuple[str, datetime, str]]:
    """Yield number, time and user of one's jobs of at(1), which nobody else may read."""
    try:
        done = subprocess.run(
            ["atq"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        return
    except (OSError, subprocess.TimeoutExpired) as error:
        machine.unread["atq"] = str(error)
        return
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        number, _, rest = line.partition("\t")
        when, _, user = rest.rpartition(" ")
        try:
            here = when.rpartition(" ")[0]  # without the queue's letter
            moment = datetime.strptime(here, "%a %b %d %H:%M:%S %Y").astimezone(UTC)
        except ValueError:
            machine.unread["atq"] = f"not understood: {line!r}"
            continue
        yield number, moment, user


def _describe_trigger(trigger: str) -> str:
    key, _, value = trigger.partition("=")
    if key == "OnCalendar" and value.lower() in _CALENDAR_WORDS:
        return _CALENDAR_WORDS[value.lower()]
    words = {
        "OnCalendar": "at {}",
        "OnActiveSec": "{} after the timer starts",
        "OnBootSec": "{} after boot",
        "OnStartupSec": "{} after systemd starts",
        "OnUnitActiveSec": "{} after each start",
        "OnUnitInactiveSec": "{} after each end",
        "OnClockChange": "when the clock is set",
        "OnTimezoneChange": "when the timezone changes",
    }
    return words[key].format(value)


def _ask_systemd(machine: Machine) -> dict[str, datetime | None] | None:
    """Return the timers that systemd knows with their next run; None if it isn't at work."""
    if not machine.is_here or not os.path.isdir("/run/systemd/system"):
        return None
    command = ["systemctl", "list-timers", "--all", "-o", "json"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        if done.returncode:
            machine.unread["systemd"] = done.stderr.decode("utf-8", "replace").strip()
            return None
        return _read_answer(json.loads(done.stdout))
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        machine.unread["systemd"] = f"systemctl list-timers: {error}"
        return None


def _read_answer(rows: list[dict[str, object]]) -> dict[str, datetime | None]:
    times: dict[str, datetime | None] = {}
    for row in rows:
        following = row.get("next")
        is_known = isinstance(following, int) and following > 0
        moment = datetime.fromtimestamp(int(str(following)) / 1e6, UTC) if is_known else None
        times[str(row["unit"])] = moment
    return times


def _ask_analyze(machine: Machine, triggers: Iterable[str]) -> datetime | None:
    """Return when the calendar next says so, as systemd-analyze(1) reads it, where it is."""
    calendars = [
        value for key, _, value in (each.partition("=") for each in triggers) if key == "OnCalendar"
    ]
    if not calendars or not machine.is_here:
        return None
    try:
        done = subprocess.run(
            ["systemd-analyze", "calendar", *calendars],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # it isn't everywhere, and nothing hangs on it
    found = _IN_UTC.findall(done.stdout.decode("utf-8", "replace"))
    moments = [
        datetime.strptime(text, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC) for text in found
    ]
    return min(moments, default=None)


class _Units:
    """The unit files of a machine, with their drop-ins; the first of the folders wins."""

    def __init__(self, machine: Machine, folders: tuple[str, ...]) -> None:
        self._machine = machine
        self._folders = folders
        self._paths: dict[str, str] = {}
        for folder in reversed(folders):
            for name in machine.list_folder(folder):
                self._paths[name] = f"{folder}/{name}"

    def list_timers(self) -> list[str]:
        """Return the names of all timers that aren't templates or masked."""
        names = [name for name in self._paths if name.endswith(".timer")]
        return sorted(name for name in names if "@." not in name and not self._is_masked(name))

    def describe(self, name: str) -> Timer:
        """Return what the files say of a timer."""
        timer = self._read(name)
        service_name = (timer.get("Unit") or [name.removesuffix(".timer") + ".service"])[-1]
        service = self._read(service_name)
        return Timer(
            self._paths.get(name, name),
            service_name,
            tuple(f"{key}={value}" for key in _TRIGGERS for value in timer.get(key, ())),
            (service.get("User") or ["root"])[-1],
            tuple(service.get("ExecStart", ())),
        )

    def is_enabled(self, name: str) -> bool:
        """Whether something wants it: a link in a folder `*.wants` or `*.requires`."""
        for folder in self._folders:
            for wanting in self._machine.list_folder(folder):
                if wanting.endswith((".wants", ".requires")):
                    there = f"{folder}/{wanting}/{name}"
                    if os.path.lexists(self._machine.at(there)):
                        return True
        return False

    def _read(self, name: str) -> Section:
        """Return the settings of a unit; an empty value takes back those before it."""
        found: Section = defaultdict(list)
        paths = [self._paths[name]] if name in self._paths else []
        for folder in reversed(self._folders):
            drop_ins = f"{folder}/{name}.d"
            names = self._machine.list_folder(drop_ins)
            paths += [f"{drop_ins}/{each}" for each in names if each.endswith(".conf")]
        for path in paths:
            text = (self._machine.read(path) or b"").decode("utf-8", "surrogateescape")
            for line in text.replace("\\\n", " ").splitlines():
                key, equals, value = line.strip().partition("=")
                if not equals or key.startswith(("#", ";")):
                    continue
                if value.strip():
                    found[key.strip()].append(value.strip())
                else:
                    found.pop(key.strip(), None)
        return found

    def _is_masked(self, name: str) -> bool:
        path = self._machine.at(self._paths[name])
        return os.path.realpath(path) == "/dev/null" or os.path.getsize(path) == 0
