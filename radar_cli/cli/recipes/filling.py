"""The files of a recipe, and what their tokens stand for.

A recipe is a folder of `files/`; what lies in it is the file's path where it is to be. A token such
as @MONITOR@ is replaced in a path and in a text, in the quoting of the file's own language.
"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import radar_cli
from radar_cli.core.cron import ALIASES
from radar_cli.server.runtime.unit import quote

# What each is for, in the order of `radar recipe`.
RECIPES = {
    "github-actions": "a scheduled workflow of GitHub, with a step summary",
    "gitlab-ci": "a scheduled pipeline of GitLab",
    "jenkins": "a pipeline of Jenkins",
    "systemd": "a service and its timer",
    "dockerfile": "an image of a job, with radar in front of it",
    "kubernetes": "a CronJob",
    "compose": "a server of radar's and a job, for Docker Compose",
    "helm": "a chart's template of CronJobs, and its values",
    "ansible": "a role: radar, its link, its settings and the jobs of a machine",
}
_TOKEN = re.compile("@([A-Z_]+)@")
_KUBERNETES_NAME_MAX = 52  # of a CronJob
_WEEK = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_YEAR = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Job:
    """The values to fill in, each checked before: all printable, `schedule` a cron expression."""

    monitor: str
    schedule: str
    tz: str
    command: tuple[str, ...]
    image: str
    server: str
    package: str
    link: str

    def tokens(self) -> dict[str, str]:
        """Return what each token stands for."""
        shell, package = shlex.join(self.command), shlex.quote(self.package)
        schedule = spell_out(self.schedule)
        command = [*self.command]
        return {
            "CALENDAR": "\n".join(f"OnCalendar={each}" for each in self._calendar(schedule)),
            "COMMAND_COMPOSE": json.dumps([word.replace("$", "$$") for word in self._call()]),
            "COMMAND_JSON": json.dumps(command),
            "COMMAND_KUBERNETES": json.dumps([word.replace("$(", "$$(") for word in command]),
            "COMMAND_GROOVY": _quote_for_groovy(shell),
            "COMMAND_SH": shell,
            "COMMAND_SH_JSON": json.dumps(shell),
            "COMMAND_UNIT": " ".join(map(quote, command)),
            "IMAGE": self.image,
            "IMAGE_JSON": json.dumps(self.image),
            "JOB": self._name(),
            "LINK": quote(self.link),
            "LINK_JSON": json.dumps(self.link),
            "MONITOR": self.monitor,
            "PACKAGE_GROOVY": _quote_for_groovy(package),
            "PACKAGE_JSON": json.dumps(self.package),
            "PACKAGE_SH": package,
            "SCHEDULE": schedule,
            "SERVER": self.server,
            "TZ": self.tz,
            "VERSION": radar_cli.__version__,
        }

    def _call(self) -> list[str]:
        schedule = spell_out(self.schedule)
        return ["radar", "run", self.monitor, "--schedule", schedule, "--", *self.command]

    def _name(self) -> str:
        """The monitor's key as Kubernetes and GitHub take a name."""
        name = re.sub("[^a-z0-9]+", "-", self.monitor).strip("-")
        name = name if name[:1].isalpha() else f"job-{name}"
        return name[:_KUBERNETES_NAME_MAX].rstrip("-")

    def _calendar(self, schedule: str) -> Iterator[str]:
        for each in make_calendar(schedule):
            yield f"{each} {self.tz}"


def spell_out(schedule: str) -> str:
    """Return a cron expression as its five fields: `@daily` is one of Vixie's own."""
    return ALIASES.get(schedule.lower(), " ".join(schedule.split()))


def fill(name: str, job: Job) -> Iterator[tuple[str, str]]:
    """Yield path and text of each file of the recipe of that name."""
    tokens = job.tokens()

    def replace(text: str) -> str:
        return _TOKEN.sub(lambda found: tokens[found[1]], text)

    for path, file in _walk(files(__package__).joinpath("files", name), ""):
        yield replace(path), replace(file.read_text("utf-8"))


def _walk(folder: Traversable, above: str) -> Iterator[tuple[str, Traversable]]:
    for each in sorted(folder.iterdir(), key=lambda one: one.name):
        if each.is_dir():
            yield from _walk(each, f"{above}{each.name}/")
        else:
            yield above + each.name, each


def _quote_for_groovy(text: str) -> str:
    """Return a text as it stands between three single quotes."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


# Calendar events: systemd.time(7).


def make_calendar(schedule: str) -> list[str]:
    """Return the calendar events of a cron expression, without a zone.

    They are two where a day of the month and a weekday are given: cron takes either.
    """
    minute, hour, day, month, weekday = schedule.lower().split()
    times = f"{_field(hour, 0, 23)}:{_field(minute, 0, 59)}:00"
    months = _field(month, 1, 12, _YEAR)
    by_day = f"*-{months}-{_field(day, 1, 31)} {times}"
    by_weekday = f"{_weekdays(weekday)} *-{months}-* {times}"
    # Vixie's rule: a field that begins with * leaves the days to the other one, and both hold.
    if weekday.startswith("*") or day.startswith("*"):
        if weekday == "*":
            return [by_day]
        return [f"{_weekdays(weekday)} {by_day}"]
    return [by_day, by_weekday]


def _field(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> str:
    values = _values(text, low, high, names)
    if len(values) == high - low + 1:
        return "*"
    return ",".join(f"{value:02}" for value in sorted(values))


def _weekdays(text: str) -> str:
    days = {value % 7 for value in _values(text, 0, 7, tuple(d.lower() for d in _WEEK))}
    return ",".join(_WEEK[day] for day in sorted(days))


def _values(text: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    """Return all values of a field of a cron expression that was found right."""

    def number(word: str) -> int:
        return names.index(word) + low if word in names else int(word)

    found: set[int] = set()
    for item in text.split(","):
        body, slash, step = item.partition("/")
        first, dash, last = body.partition("-")
        start = low if body == "*" else number(first)
        # `5/10` is to the end in some crons; Vixie's takes the one value.
        end = high if body == "*" else number(last) if dash else start
        if end < start:  # fri-sun: 0 is 7, too
            end += 7
        found.update(range(start, end + 1, int(step) if slash else 1))
    return found
