"""What systemd's timers start, as systemd tells it, else from the unit files; and at(1)'s queue."""

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
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
        """When it starts, in words."""
        return " and ".join(map(_in_words, self.triggers))


def find_timers(machine: Machine) -> Iterator[Timer]:
    """Yield the timers of the machine. What systemd can't tell is read from its files."""
    units = _Units(machine)
    times = _ask_systemd(machine)
    for name in units.list_timers() if times is None else sorted(times):
        timer = units.read(name)
        service_name = (timer.get("Unit") or [name.removesuffix(".timer") + ".service"])[-1]
        service = units.read(service_name)
        yield Timer(
            units.path_of(name) or name,
            service_name,
            tuple(f"{key}={value}" for key in _TRIGGERS for value in timer.get(key, ())),
            (service.get("User") or ["root"])[-1],
            tuple(service.get("ExecStart", ())),
            next=None if times is None else times[name],
            is_active=units.is_enabled(name) if times is None else True,
        )


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


def _in_words(trigger: str) -> str:
    key, _, value = trigger.partition("=")
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


class _Units:
    """The unit files of a machine, with their drop-ins."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._paths: dict[str, str] = {}
        for folder in reversed(_FOLDERS):
            for name in machine.list_folder(folder):
                self._paths[name] = f"{folder}/{name}"

    def list_timers(self) -> list[str]:
        """Return the names of all timers that aren't templates or masked."""
        names = [name for name in self._paths if name.endswith(".timer")]
        return sorted(name for name in names if "@." not in name and not self._is_masked(name))

    def path_of(self, name: str) -> str:
        """Return where a unit is declared, "" if nowhere."""
        return self._paths.get(name, "")

    def is_enabled(self, name: str) -> bool:
        """Whether something wants it: a link in a folder `*.wants` or `*.requires`."""
        for folder in _FOLDERS:
            for wanting in self._machine.list_folder(folder):
                if wanting.endswith((".wants", ".requires")):
                    there = f"{folder}/{wanting}/{name}"
                    if os.path.lexists(self._machine.at(there)):
                        return True
        return False

    def read(self, name: str) -> Section:
        """Return the settings of a unit; an empty value takes back those before it."""
        found: Section = defaultdict(list)
        paths = [self._paths[name]] if name in self._paths else []
        for folder in reversed(_FOLDERS):
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
