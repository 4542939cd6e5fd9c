"""Every scheduled job of a machine: crontabs, what run-parts starts, anacron, timers, at."""

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from radar_cli.core.errors import RadarError
from radar_cli.core.zone import is_zone, local_zone
from radar_cli.crontab.calls import find_call
from radar_cli.crontab.lines import Job, parse
from radar_cli.crontab.sources import Machine, Source
from radar_cli.crontab.timers import Timer, ask_atq, find_timers
from radar_cli.model.schedule import CronSchedule, load_schedule
from radar_cli.model.sentences import explain

_PERIODIC = ("hourly", "daily", "weekly", "monthly")
_FOLDERS = (
    *(f"/etc/cron.{name}" for name in _PERIODIC),
    # Alpine's busybox.
    *(f"/etc/periodic/{name}" for name in ("15min", *_PERIODIC)),
)
_ANACRONTAB = "/etc/anacrontab"
_STAMPS = "/var/spool/anacron"
_RUN_PARTS = re.compile(rb"\brun-parts\b(?:[ \t]+--?[\w=-]+)*[ \t]+([/\w.-]+)")
# Period in days or a name, delay in minutes, identifier, command (anacrontab(5)).
_ANACRON_LINE = re.compile(rb"[ \t]*(\d+|@\w+)[ \t]+(\d+)[ \t]+([^ \t]+)[ \t]+(.+?)[ \t]*\n?")
_ANACRON_DAYS = {"@daily": 1, "@weekly": 7, "@monthly": 30, "@yearly": 365, "@annually": 365}
_CALLS_RADAR = re.compile(rb"^[^#\n]*\bradar['\"]?[ \t]+run[ \t]", re.MULTILINE)
_READ_OF_SCRIPTS_BYTES = 1 << 18
# Where at(1) keeps its jobs: a queue's letter, the job's number, and minutes since 1970.
_AT_SPOOLS = ("/var/spool/cron/atjobs", "/var/spool/at", "/var/spool/atjobs")
_AT_NAME = re.compile(r"[a-zA-Z=]([0-9a-f]{5})([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Found:
    """A scheduled job, where it was found, and whether radar watches it."""

    kind: str  # crontab, run-parts, anacron, timer or at
    place: str
    line: int | None
    user: str
    schedule: str  # as it is written
    words: str
    next: datetime | None
    command: str
    monitor: str | None = None  # its key, "" where radar is called by a script of its own
    note: str = ""

    @property
    def is_watched(self) -> bool:
        """Whether radar is in front of it."""
        return self.monitor is not None


class Scan:
    """Looks for what a machine runs by itself; `valued` are `radar run`'s options with a value."""

    def __init__(self, machine: Machine, valued: Collection[str], now: datetime) -> None:
        self._machine = machine
        self._valued = valued
        self._now = now
        # By which clock lines run that name none.
        self.zone = _zone_of_machine(machine)
        self._started: set[str] = set()  # folders that something starts by run-parts

    def find_all(self) -> Iterator[Found]:
        """Yield all of them."""
        # Where anacron is installed, the lines of /etc/crontab leave its folders to it.
        if os.path.exists(self._machine.at("/usr/sbin/anacron")):
            yield from self._find_anacron()
        for source in self._machine.find_crontabs():
            yield from self.find_in(source)
        yield from self._find_unstarted()
        yield from map(self._describe_timer, find_timers(self._machine))
        yield from self._find_at()

    def find_in(self, source: Source) -> Iterator[Found]:
        """Yield the jobs of a crontab, and the scripts in the folders that its run-parts start."""
        for number, job in source.crontab.jobs:
            found = self._describe(source, number, job)
            yield found
            yield from self._find_parts(found, job.command)

    def _describe(self, source: Source, number: int, job: Job) -> Found:
        call = find_call(job.shell_line, self._valued)
        monitor = call.key if call is not None and call.verb == "run" else None
        is_own = call is not None and call.verb in ("check", "ping")
        words, following, note = self._describe_job(job)
        return Found(
            "crontab",
            source.place,
            number,
            job.user or source.user,
            job.times,
            words,
            following,
            job.command.decode("utf-8", "backslashreplace"),
            monitor=monitor,
            note="radar's own" if is_own else note,
        )

    def _describe_job(self, job: Job) -> tuple[str, datetime | None, str]:
        """Return when it runs in words, its next run, and a remark."""
        if job.is_at_boot:
            return "when cron starts", None, ""
        schedule = self.schedule_of(job)
        if schedule is None:
            return "at times that only cron knows", None, ""
        following = schedule.next_after(self._now)
        zone = f", by the clock of {schedule.tz.key}" if schedule.tz.key != self.zone else ""
        return explain(schedule) + zone, following, "" if following else "it never matches any date"

    def schedule_of(self, job: Job) -> CronSchedule | None:
        """Return when a job runs, by the clock that its cron goes by; None if nobody can tell."""
        try:
            return load_schedule(job.schedule, self.zone_of(job)) if job.schedule else None
        except RadarError:
            return None

    def zone_of(self, job: Job) -> str:
        """Return by which clock cron runs a job."""
        named = job.variables.get(b"CRON_TZ", b"").decode("utf-8", "replace")
        return named if is_zone(named) and self._machine.knows_cron_tz() else self.zone

    def _find_parts(self, starter: Found, command: bytes) -> Iterator[Found]:
        """Yield what run-parts starts in the folders that a command names."""
        for match in _RUN_PARTS.finditer(command):
            folder = match[1].decode("ascii", "replace").rstrip("/")
            if folder in self._started:
                continue
            self._started.add(folder)
            yield from self._list_scripts(folder, starter)

    def _list_scripts(self, folder: str, starter: Found) -> Iterator[Found]:
        for name in self._machine.list_folder(folder):
            path = f"{folder}/{name}"
            there = self._machine.at(path)
            if not self._machine.is_chosen(name) or not os.path.isfile(there):
                continue
            note = starter.note
            if not _is_executable(there):
                note = "it isn't executable: run-parts leaves it out"
            within = self._watched_within(path)
            yield replace(
                starter,
                kind="run-parts",
                place=path,
                line=None,
                command=path,
                # Radar in front of run-parts sees when a script of it fails or hangs, too.
                monitor=starter.monitor if within is None else within,
                note=note,
            )

    def _watched_within(self, path: str) -> str | None:
        text = self._machine.read(path)
        is_watched = text is not None and _CALLS_RADAR.search(text[:_READ_OF_SCRIPTS_BYTES])
        return "" if is_watched else None

    def _find_unstarted(self) -> Iterator[Found]:
        note = "nothing was found that starts it"
        for folder in _FOLDERS:
            if folder not in self._started:
                nothing = Found("run-parts", folder, None, "root", "", "", None, "", note=note)
                yield from self._list_scripts(folder, nothing)

    def _find_anacron(self) -> Iterator[Found]:
        text = self._machine.read(_ANACRONTAB)
        if text is None:
            return
        for number, line in enumerate(parse(text, has_users=False).lines, 1):
            match = _ANACRON_LINE.fullmatch(line.raw)
            if match is None or line.raw.lstrip().startswith(b"#"):
                continue
            period, name = match[1].decode(), match[3].decode("utf-8", "replace")
            days = _ANACRON_DAYS.get(period) or int("".join(filter(str.isdigit, period)) or 1)
            call = find_call(match[4], self._valued)
            found = Found(
                "anacron",
                _ANACRONTAB,
                number,
                "root",
                f"{period} {match[2].decode()}",
                f"every {days} days" if days > 1 else "every day",
                self._next_of_anacron(name, days),
                match[4].decode("utf-8", "backslashreplace"),
                monitor=call.key if call is not None and call.verb == "run" else None,
            )
            yield found
            yield from self._find_parts(found, match[4])

    def _next_of_anacron(self, name: str, days: int) -> datetime | None:
        """Return when it is due by its stamp, which holds the day of its last run."""
        stamp = self._machine.read(f"{_STAMPS}/{name}")
        try:
            day = (stamp or b"").decode("ascii").strip()
            last = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
        except ValueError:
            return None
        return last + timedelta(days=days)

    def _describe_timer(self, timer: Timer) -> Found:
        command = "; ".join(timer.commands)
        call = find_call(command.encode("utf-8", "surrogateescape"), self._valued)
        return Found(
            "timer",
            timer.path,
            None,
            timer.user,
            " ".join(timer.triggers),
            timer.words,
            timer.next,
            command or timer.service,
            monitor=call.key if call is not None and call.verb == "run" else None,
            note="" if timer.is_active else "it isn't enabled",
        )

    def _find_at(self) -> Iterator[Found]:
        if self._machine.is_here and os.geteuid() != 0:
            yield from map(_read_atq, ask_atq(self._machine))
            return
        for folder in _AT_SPOOLS:
            for name in self._machine.list_folder(folder):
                match = _AT_NAME.fullmatch(name)
                if match is None:
                    continue
                path = f"{folder}/{name}"
                moment = datetime.fromtimestamp(int(match[2], 16) * 60, UTC)
                yield Found(
                    "at",
                    path,
                    None,
                    _owner(self._machine.at(path)),
                    f"{moment:%Y-%m-%d %H:%M} UTC",
                    "once",
                    moment,
                    f"job {int(match[1], 16)}",
                    monitor=self._watched_within(path),
                )


def _zone_of_machine(machine: Machine) -> str:
    # Variables of this machine tell nothing of another one.
    return local_zone(None if machine.is_here else {}, machine.root) or "UTC"


def _read_atq(row: tuple[str, datetime, str]) -> Found:
    number, moment, user = row
    when = f"{moment:%Y-%m-%d %H:%M} UTC"
    return Found("at", "atq", None, user, when, "once", moment, f"job {number}")


def _is_executable(path: str) -> bool:
    return bool(os.stat(path).st_mode & 0o111)


def _owner(path: str) -> str:
    import pwd

    try:
        uid = os.stat(path).st_uid
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):
        return ""
