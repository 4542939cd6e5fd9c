"""Wrapping lines of crontabs with radar, and unwrapping them."""

import difflib
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from radar_cli.crontab.calls import find_call, put_in_front, take_away
from radar_cli.crontab.keeping import Keeping, Kept
from radar_cli.crontab.lines import Job, Line, parse
from radar_cli.crontab.naming import make_unique, name_job
from radar_cli.crontab.sources import Source

CHECK_TIMES = "*/5 * * * *"
_GRACE_MIN = 5
# Vixie cron's and Debian's bound of a command (MAX_COMMAND), beyond which they cut it.
_LONGEST_COMMAND_BYTES = 998


@dataclass(frozen=True, slots=True)
class Change:
    """A line that becomes another one; a line that is added was nothing before."""

    number: int
    before: bytes
    after: bytes
    key: str = ""
    job: Job | None = None
    user: str = ""
    tz: str = ""  # by which its schedule goes, where that isn't the machine's


@dataclass
class Edit:
    """The changes of a crontab; `left` says of lines why they stay."""

    source: Source
    changes: list[Change] = field(default_factory=list)
    left: list[tuple[int, str]] = field(default_factory=list)

    @property
    def text(self) -> bytes:
        """The crontab with the changes."""
        lines = [line.raw for line in self.source.crontab.lines]
        added = {}
        for change in self.changes:
            if change.before:
                lines[change.number - 1] = change.after
            else:
                added[change.number] = change.after
        for number in sorted(added, reverse=True):
            lines.insert(number - 1, added[number])
        return b"".join(lines)

    def without_check(self) -> "Edit":
        """The edit that leaves a line there which looks for what is missing."""
        return replace(self, changes=[change for change in self.changes if change.key])

    def diff(self) -> list[str]:
        """The changes as a unified diff."""
        return make_diff(self.source, self.text)


def make_diff(source: Source, text: bytes) -> list[str]:
    """Return the lines of a unified diff between a crontab and what becomes of it."""
    before, after = (
        [line.raw.decode("utf-8", "surrogateescape") for line in parse(each, has_users=True).lines]
        for each in (source.text, text)
    )
    lines = []
    for line in difflib.unified_diff(before, after, source.path, source.path, n=2):
        lines.append(line.rstrip("\n"))
        if not line.endswith("\n"):
            lines.append(r"\ No newline at end of file")
    return lines


class Wrapper:
    """Puts radar in front of jobs, each with a key of its own.

    `taken` are the keys that jobs have already, `zone_of` tells by which clock a job goes if that
    isn't the machine's, and `agrees` is asked for each. `prefix` begins each key.
    """

    def __init__(
        self,
        link: str,
        valued: Collection[str],
        keeping: Keeping,
        taken: Iterable[str],
        zone_of: Callable[[Job], str],
        agrees: Callable[[Source, int, Job, str], bool],
        *,
        prefix: str = "",
    ) -> None:
        # Cron reads a `%` as a newline, in quotes, too.
        self.link = shlex.quote(link).replace("%", r"\%")
        self._valued = valued
        self._keeping = keeping
        self._taken = set(taken)
        self._zone_of = zone_of
        self._agrees = agrees
        self._prefix = prefix

    def wrap(self, source: Source) -> Edit:
        """Return what becomes of a crontab's jobs, as far as radar isn't in front of them."""
        edit = Edit(source)
        for number, job in source.crontab.jobs:
            call = find_call(job.shell_line, self._valued)
            if call is not None:
                if call.verb == "run" and not call.key:
                    edit.left.append((number, "it seems to call radar somewhere within"))
                continue
            key = self._find_key(source, job)
            try:
                command = self._wrap_command(job, key)
            except ValueError as error:
                edit.left.append((number, str(error)))
                continue
            if not self._agrees(source, number, job, key):
                continue
            self._taken.add(key)
            after = job.with_command(command)
            user, tz = job.user or source.user, self._zone_of(job)
            edit.changes.append(Change(number, job.raw, after, key, job, user, tz))
        return edit

    def add_check(self, edit: Edit, options: str = "") -> Edit:
        """Return the edit with a line that looks for what is missing, with more options.

        Where the last line has no newline, it stays the last one: cron may ignore it.
        """
        lines = edit.source.crontab.lines
        is_ended = not lines or lines[-1].raw.endswith(b"\n")
        number = len(lines) + 1 if is_ended else len(lines)
        user = "root " if edit.source.has_users else ""
        line = f"{CHECK_TIMES} {user}{self.link} check --notify{options}\n"
        added = Change(number, b"", line.encode("utf-8", "surrogateescape"))
        return replace(edit, changes=[*edit.changes, added])

    def _find_key(self, source: Source, job: Job) -> str:
        for key in self._keeping.keys_of(source.path, job.raw):
            if key not in self._taken:
                return key
        named = name_job(job.shell_line)
        return make_unique(named._replace(key=self._prefix + named.key), self._taken)

    def _wrap_command(self, job: Job, key: str) -> bytes:
        words = [self.link, "run", shlex.quote(key)]
        if job.schedule:
            words += ["--schedule", shlex.quote(job.schedule)]
            if tz := self._zone_of(job):
                words += ["--tz", shlex.quote(tz)]
            if grace := find_grace(job):
                words += ["--grace", grace]
        call = " ".join(words).encode("utf-8", "surrogateescape")
        shell = job.variables.get(b"SHELL", b"")
        can_miss = bool(job.schedule)
        command = put_in_front(job.shell_line, call, shell, can_miss=can_miss) + job.input
        if len(command) > _LONGEST_COMMAND_BYTES >= len(job.command):
            raise ValueError(f"it would have more than {_LONGEST_COMMAND_BYTES} bytes")
        return command


def find_grace(job: Job) -> str:
    """Return the grace of a job that its cron may start late; "" where radar's own is right."""
    return f"{job.delay_min + _GRACE_MIN}m" if job.delay_min else ""


def unwrap(source: Source, keeping: Keeping, valued: Collection[str]) -> Edit:
    """Return what becomes of a crontab without radar.

    A line as radar wrote it is what it was; one that was edited since loses radar's part alone.
    """
    edit = Edit(source)
    for number, line in enumerate(source.crontab.lines, 1):
        kept = keeping.find_original(source.path, line.raw)
        if kept is not None:
            edit.changes.append(Change(number, line.raw, kept.original or b"", kept.key))
        elif isinstance(line, Job):
            call = find_call(line.shell_line, valued)
            if call is None or call.verb != "run" or not call.key:
                continue
            if not keeping.knows(source.path, call.key):
                edit.left.append((number, f"{call.key} was not put there by 'radar crontab wrap'"))
                continue
            command = take_away(line.shell_line, call, line.variables.get(b"SHELL", b""))
            after = line.with_command(command + line.input)
            edit.changes.append(Change(number, line.raw, after, call.key))
    return edit


def keep_lines(edit: Edit) -> Iterator[Kept]:
    """Yield what is to be kept of an edit, so that it can be undone."""
    for change in edit.changes:
        yield Kept(edit.source.path, change.key, change.before or None, change.after)


def find_keys(sources: Iterable[Source], valued: Collection[str]) -> Iterator[str]:
    """Yield the keys of the jobs that radar is in front of."""
    for source in sources:
        for _, job in source.crontab.jobs:
            call = find_call(job.shell_line, valued)
            if call is not None and call.key:
                yield call.key


def find_check(
    sources: Iterable[Source], valued: Collection[str], user: str, *, everybody: bool
) -> Line | None:
    """Return the line by which a user's radar looks for what is missing, if there is one.

    With `everybody` it has to look at all users' monitors.
    """
    for source in sources:
        for _, job in source.crontab.jobs:
            call = find_call(job.shell_line, valued)
            if call is None or call.verb != "check" or (job.user or source.user) != user:
                continue
            if b"--notify" in job.command and (b"--all-users" in job.command or not everybody):
                return job
    return None
