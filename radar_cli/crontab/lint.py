"""Lint for crontabs: remarks on what is likely not what is meant."""

import os
import pwd
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from radar_cli.core.errors import RadarError
from radar_cli.core.grammar import format_duration, parse_duration
from radar_cli.core.zone import is_zone
from radar_cli.crontab.calls import Call, find_call
from radar_cli.crontab.lines import Job, Variable
from radar_cli.crontab.link import CRON_PATH
from radar_cli.crontab.scan import Scan
from radar_cli.crontab.shell import OPERATOR, WORD, Token, tokenize
from radar_cli.crontab.sources import SYSTEM_FOLDER, Machine, Source
from radar_cli.model.monitor import default_grace_s
from radar_cli.model.pitfalls import find_pitfalls
from radar_cli.model.schedule import CronSchedule, load_schedule

# So many jobs at one minute are a crowd; one that runs more often than hourly is in none.
_CROWD = 5
_SLOTS_A_DAY = 24
_MAILERS = ("/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/bin/msmtp")
_ALIASES = "/etc/aliases"
_FORMAT_OF_DATE = re.compile(rb"\+['\"]?%[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something in a line, or in a whole file, by the name of the rule that found it."""

    place: str
    line: int | None
    rule: str
    message: str
    hint: str = ""


class Lint:
    """Looks at the crontabs of a machine; `valued` are `radar run`'s options with a value."""

    def __init__(self, machine: Machine, valued: Collection[str], now: datetime) -> None:
        self._machine = machine
        self._valued = valued
        self._now = now
        self._scan = Scan(machine, valued, now)

    def look_at(self, sources: Iterable[Source]) -> Iterator[Remark]:
        """Yield what is wrong in crontabs, and between them."""
        scheduled: list[tuple[Source, int, CronSchedule]] = []
        mailing = None
        for source in sources:
            yield from self._look_at_file(source)
            for number, job in source.crontab.jobs:
                call = find_call(job.shell_line, self._valued)
                for rule, message, hint in self._look_at_job(source, job, call):
                    yield Remark(source.place, number, rule, message, hint)
                if (schedule := self._scan.schedule_of(job)) is not None:
                    scheduled.append((source, number, schedule))
                if call is None and job.variables.get(b"MAILTO", b"x"):
                    mailing = mailing or (source, number)
        if mailing is not None and not self._has_mailer():
            message = "cron has no sendmail: what this job and others print goes to nobody"
            hint = "install one (msmtp-mta, say), or have radar watch them"
            yield Remark(mailing[0].place, mailing[1], "mail", message, hint)
        yield from self._look_for_crowds(scheduled)

    def look_at_names(self) -> Iterator[Remark]:
        """Yield the files in cron.d that cron ignores for their names."""
        for name in self._machine.list_folder(SYSTEM_FOLDER):
            if not self._machine.is_chosen(name) and not name.startswith("."):
                message = "cron ignores a file of that name"
                hint = "letters, digits, - and _ are right everywhere"
                yield Remark(f"{SYSTEM_FOLDER}/{name}", None, "name", message, hint)

    def _look_at_file(self, source: Source) -> Iterator[Remark]:
        lines = source.crontab.lines
        for number, line in enumerate(lines, 1):
            if line.fault:
                yield Remark(source.place, number, "ignored", f"cron ignores it: {line.fault}")
            elif isinstance(line, Variable):
                for rule, message, hint in self._look_at_variable(line):
                    yield Remark(source.place, number, rule, message, hint)
        if lines and not lines[-1].raw.endswith(b"\n"):
            message = "it ends without a newline: Debian's cron ignores it"
            yield Remark(source.place, len(lines), "newline", message, "press Enter behind it")

    def _look_at_variable(self, line: Variable) -> Iterator[tuple[str, str, str]]:
        name, value = _text(line.name), _text(line.value)
        if name == "PATH" and "$" in value:
            yield "path", f"cron doesn't expand variables: {value!r} is taken as it is", ""
        elif name == "MAILTO" and not value:
            yield (
                "mail",
                "what the jobs below print goes to nobody",
                "radar reports their failures",
            )
        elif name == "MAILTO" and "@" not in value and not self._is_reachable(value):
            yield "mail", f"there is no user and no alias {value!r}", "cron's mail is lost"
        elif name == "CRON_TZ" and not is_zone(value):
            yield "zone", f"there is no timezone {value!r}", ""
        elif name == "CRON_TZ" and not self._machine.knows_cron_tz():
            message = f"this machine's cron doesn't know it, and goes by {self._scan.zone}"
            yield "zone", message, "write the times by that clock"

    def _look_at_job(
        self, source: Source, job: Job, call: Call | None
    ) -> Iterator[tuple[str, str, str]]:
        """Yield rule, message and hint."""
        if job.command.endswith(b"\r"):
            hint = "dos2unix, or sed 's/\\r$//'"
            yield "crlf", "it ends in a carriage return, which becomes a part of the command", hint
        if _FORMAT_OF_DATE.search(job.command):
            hint = "write \\%, which cron takes for a %"
            yield "percent", "cron ends the command at the first %", hint
        if source.has_users and self._machine.is_here and not _is_user(job.user):
            yield "user", f"there is no user {job.user!r}: cron ignores the line", ""
        yield from self._look_for_programs(job)
        schedule = self._scan.schedule_of(job)
        if schedule is not None:
            yield from self._look_at_schedule(schedule, job, call)

    def _look_at_schedule(
        self, schedule: CronSchedule, job: Job, call: Call | None
    ) -> Iterator[tuple[str, str, str]]:
        grace_s = _grace_of(schedule, job, call)
        if not schedule.needs_both and "*" not in (job.times.split()[2], job.times.split()[4]):
            message = "it runs on these days of the month and on these weekdays"
            hint = "cron takes either where both are given: test the other one in the command"
            yield "days", message, hint
        for line in find_pitfalls(schedule, self._now, grace_s=0):
            rule = "clock-change" if line.startswith("on ") else "never"
            yield rule, line, "a time before 01:00 or from 04:00 on" if rule != "never" else ""
        if call is None or call.verb != "run":
            return
        if grace_s >= schedule.shortest_gap_s:
            gap, grace = format_duration(schedule.shortest_gap_s), format_duration(grace_s)
            message = f"it runs {gap} apart, within its grace of {grace}"
            yield "grace", f"{message}: a missed run goes unnoticed", "a shorter --grace"
        expression = call.options.get("--schedule", "")
        if expression and not _is_same(expression, schedule):
            message = f"--schedule says {expression!r}, and the line {job.times!r}"
            yield "schedule", message, f"--schedule '{job.times}'"

    def _look_for_programs(self, job: Job) -> Iterator[tuple[str, str, str]]:
        """Yield the programs that cron doesn't find in its PATH, which is a short one."""
        path = _text(job.variables.get(b"PATH", CRON_PATH.encode()))
        folders = [self._machine.at(folder) for folder in path.split(":") if folder]
        if any("$" in folder for folder in folders):
            return
        for name in _programs(tokenize(job.shell_line)[0]):
            if not any(os.access(os.path.join(folder, name), os.X_OK) for folder in folders):
                hint = "its full path, or PATH= at the top of the crontab"
                yield "path", f"cron doesn't find {name!r} in {path}", hint

    def _has_mailer(self) -> bool:
        return any(os.path.exists(self._machine.at(path)) for path in _MAILERS)

    def _is_reachable(self, names: str) -> bool:
        """Whether each of the local names is a user's, or an alias."""
        aliases = (self._machine.read(_ALIASES) or b"").decode("utf-8", "replace").splitlines()
        known = {line.partition(":")[0].strip() for line in aliases}
        users = (self._machine.read("/etc/passwd") or b"").decode("utf-8", "replace").splitlines()
        known |= {line.partition(":")[0] for line in users}
        return known.issuperset(name.strip() for name in names.split(","))

    def _look_for_crowds(
        self, scheduled: list[tuple[Source, int, CronSchedule]]
    ) -> Iterator[Remark]:
        """Yield the minutes of the coming day at which many jobs start, with a spread."""
        begun: dict[datetime, list[int]] = defaultdict(list)
        for index, (_, _, schedule) in enumerate(scheduled):
            slots = _slots_of_a_day(schedule, self._now)
            for slot in slots if len(slots) <= _SLOTS_A_DAY else ():
                begun[slot].append(index)
        reported: set[int] = set()
        for slot, crowd in sorted(begun.items(), key=lambda item: (-len(item[1]), item[0])):
            if len(crowd) < _CROWD or reported.issuperset(crowd):
                continue
            reported.update(crowd)
            step = 60 // len(crowd) or 1
            spread = [
                f"{scheduled[index][0].place}:{scheduled[index][1]} at minute {step * n % 60}"
                for n, index in enumerate(crowd)
            ]
            source, number, schedule = scheduled[crowd[0]]
            local = slot.astimezone(schedule.tz)
            message = f"{len(crowd)} jobs start at {local:%H:%M}, this one and others"
            yield Remark(source.place, number, "crowd", message, ", ".join(spread))


def _slots_of_a_day(schedule: CronSchedule, now: datetime) -> list[datetime]:
    slots: list[datetime] = []
    for slot in schedule.slots_after(now):
        if slot > now + timedelta(days=1) or len(slots) > _SLOTS_A_DAY:
            break
        slots.append(slot)
    return slots


def _grace_of(schedule: CronSchedule, job: Job, call: Call | None) -> float:
    given = call.options.get("--grace") if call is not None else None
    given = given or _text(job.variables.get(b"RADAR_GRACE", b""))
    try:
        return parse_duration(given) if given else default_grace_s(schedule, None)
    except ValueError:
        return default_grace_s(schedule, None)


def _is_same(expression: str, schedule: CronSchedule) -> bool:
    """Whether an expression has the same slots; one that can't be read hasn't."""
    try:
        other = load_schedule(expression, schedule.tz.key)
    except RadarError:
        return False
    return _slots(other) == _slots(schedule)


def _slots(schedule: CronSchedule) -> tuple[object, ...]:
    days = (schedule.days, schedule.months, schedule.weekdays)
    # With all of a field, it doesn't matter how the two are joined.
    is_joined = len(schedule.days) < 31 and len(schedule.weekdays) < 7
    return schedule.minutes, schedule.hours, *days, is_joined and schedule.needs_both


def _programs(tokens: list[Token]) -> Iterator[str]:
    """Yield the plain names by which a line starts programs."""
    is_first = True
    for token in tokens:
        if token.kind == OPERATOR:
            is_first = token.raw != b")"
        elif token.kind == WORD and is_first and not token.is_assignment:
            is_first = False
            if token.is_program and b"/" not in token.raw and not token.raw.startswith(b"~"):
                yield _text(token.raw)
            elif token.raw in (b"case", b"for", b"function", b"select"):
                return  # what follows are no programs


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name.partition(":")[0].partition("/")[0])
    except KeyError:
        return False
    return True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
