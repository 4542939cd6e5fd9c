"""The one option table of `radar run`, and the parser that reads it.

Flags stand over the environment: a crontab sets `RADAR_GRACE=10m` once at its top. What is wrong
with a flag stops radar before the job runs; what is wrong with a variable is a warning.
Imported before the job is spawned: see the import budget in tests/wrap/test_imports.py.
"""

from radar_cli.core.ids import check_key, expand_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.core.errors import UsageError

# (flag, kind, metavar, help). The variable of `--max-runtime` is RADAR_MAX_RUNTIME; it sets the
# attribute `max_runtime` of Options. Kinds are read by _convert.
Row = tuple[str, str, str, str]

DECLARATION: tuple[Row, ...] = (
    ("--schedule", "name", "CRON", "When the job runs: a cron expression of 5 fields, or @daily."),
    ("--every", "period", "DURATION", "How often the job runs, if not by a cron expression."),
    ("--tz", "name", "ZONE", "Timezone of the schedule, as in Europe/London."),
    ("--grace", "duration", "DURATION", "How late a run may be before it is missed (default 5m)."),
    (
        "--max-runtime",
        "period",
        "DURATION",
        "A run that takes longer is hung; --timeout ends it.",
    ),
    ("--hosts", "hosts", "any|each|N", "How many machines serve each slot of the schedule."),
    ("--name", "text", "NAME", "The monitor's name for people."),
    ("--tag", "words", "TAG", "A tag of the monitor; may be repeated."),
)

DESTINATION: tuple[Row, ...] = (
    ("--to", "words", "PROFILE", "Send pings to this profile; may be repeated, each on its own."),
    ("--profile", "words", "PROFILE", "The same as --to."),
    ("--server", "text", "URL", "Send pings to this server."),
    (
        "--ping-timeout",
        "duration",
        "DURATION",
        "Wait for delivery no longer than this (10s in all).",
    ),
    ("--rid", "run_id", "UUID", "Use this run id."),
    ("--redact", "regexes", "REGEX", "Replace what matches in the tail; may be repeated."),
    ("--tail", "size", "BYTES", "How much output to send (default 10k, or what the server keeps)."),
)

TABLE: tuple[Row, ...] = (
    ("-c", "text", "LINE", "Run a shell line with /bin/sh instead of COMMAND."),
    *DECLARATION,
    ("--timeout", "duration", "DURATION", "End the job and its group after this long; exit 124."),
    ("--kill-after", "duration", "DURATION", "KILL follows TERM after this long (default 10s)."),
    ("--ok-codes", "codes", "CODES", "Exit codes that count as success, as in 0,24."),
    ("--fail-on", "regexes", "REGEX", "Output that matches means failure; may be repeated."),
    ("--fail-on-stderr", "switch", "", "Any output on stderr means failure."),
    ("--fail-if-empty", "switch", "", "No output on stdout means failure."),
    ("--retries", "count", "N", "Run again up to N times before it counts as failed."),
    ("--retry-delay", "duration", "DURATION", "Wait this long before each retry."),
    (
        "--lock",
        "choice",
        "skip|wait|fail",
        "What to do while another run goes on; fail exits 75.",
    ),
    (
        "--lock-timeout",
        "duration",
        "DURATION",
        "With --lock wait, wait for it no longer than this (default 1d), then exit 75.",
    ),
    ("--quiet", "switch", "", "Show the output only if the job fails."),
    ("--no-output", "switch", "", "Neither read nor send the job's output."),
    ("--tail-of", "choice", "stdout|stderr|both", "Of which stream to send the end."),
    ("--output-on-fail", "switch", "", "Send the output only if the job fails."),
    ("--no-start", "switch", "", "Send no start ping."),
    ("--capture", "switch", "", "Read the output even at a terminal."),
    ("--send-command", "switch", "", "Send the command line too."),
    ("--message", "text", "TEXT", "A line to go with the run."),
    ("--url", "text", "URL", "A link to go with the run, as to a CI job."),
    *DESTINATION,
)

# Whoever keeps the monitor has to know that these could not be read.
_DECLARING = ("--every", "--grace", "--max-runtime", "--hosts")
# Read by every command, meaningless for one that prints nothing of its own.
ACCEPTED_ANYWHERE = ("-v", "--verbose", "--no-color", "--json")


class Options:
    """The options of one `radar run`; durations in seconds, sizes in bytes."""

    def __init__(self) -> None:
        self.monitor = ""
        self.command: list[str] = []
        self.c: str | None = None
        self.schedule: str | None = None
        self.every: float | None = None
        self.tz: str | None = None
        self.grace: float | None = None
        self.max_runtime: float | None = None
        self.hosts: str | None = None
        self.name: str | None = None
        self.refused: dict[str, str] = {}  # what variables declare and can't be read, by flag
        self.tag: list[str] = []
        self.timeout: float | None = None
        self.kill_after = 10.0
        self.ok_codes: tuple[int, ...] = (0,)
        self.fail_on: list[str] = []
        self.fail_on_stderr = False
        self.fail_if_empty = False
        self.retries = 0
        self.retry_delay = 0.0
        self.lock: str | None = None
        self.lock_timeout = 86_400.0
        self.quiet = False
        self.tail: int | None = None
        self.no_output = False
        self.tail_of = "both"
        self.output_on_fail = False
        self.redact: list[str] = []
        self.no_start = False
        self.rid: str | None = None
        self.ping_timeout: float | None = None
        self.capture = False
        self.to: list[str] = []
        self.server: str | None = None
        self.send_command = False
        self.message: str | None = None
        self.url: str | None = None
        self.verbose = False
        self.help = False
        self.warnings: list[str] = []

    def declares(self) -> bool:
        """Whether anything is said about the monitor itself."""
        return bool(
            self.schedule
            or self.every
            or self.tz
            or self.grace is not None
            or self.max_runtime is not None
            or self.hosts
            or self.name
            or self.tag
            or self.refused
        )


class Parser:
    """Reads words against a table; options end at `--` or at the first word that is none."""

    def __init__(self, table: tuple[Row, ...], target: Options, usage: str) -> None:
        self._rows = {row[0]: row for row in table}
        self._target = target
        self._usage = usage
        self._given: set[str] = set()

    def read_options(self, words: list[str], start: int) -> int:
        """Read options from words[start:]; return the index of the first word that is none.

        UsageError: an unknown option, a missing value, or one that can't be read.
        """
        at = start
        while at < len(words):
            word = words[at]
            if not word.startswith("-") or word in ("-", "--"):
                break
            at += 1
            flag, equals, value = word.partition("=")
            if flag in ("-h", "--help"):
                self._given.add("--help")
                continue
            if flag in ACCEPTED_ANYWHERE:
                self._target.verbose |= flag in ("-v", "--verbose")
                continue
            row = self._rows.get(flag)
            if row is None:
                raise usage_error()(f"unknown option {flag[:60]!r}", self._suggest(flag))
            if row[1] == "switch":
                value = value if equals else "1"
            elif not equals:
                if at >= len(words):
                    raise usage_error()(f"{flag} needs a value: {row[2]}", self._usage)
                value = words[at]
                at += 1
            try:
                self._set(row, value, repeat=flag in self._given)
            except ValueError as error:
                raise usage_error()(f"{flag}: {error}", self._usage) from None
            self._given.add(flag)
        return at

    def read_environment(self, environ: "dict[str, str] | None" = None) -> None:
        """Read the variables of options that no flag gave; a bad one becomes a warning."""
        if environ is None:
            import os

            environ = {key: os.environ[key] for key in os.environ if key.startswith("RADAR_")}
        if not environ:
            return
        given = self._given
        for flag, row in self._rows.items():
            variable = "RADAR_" + flag.lstrip("-").replace("-", "_").upper()
            value = environ.get(variable)
            # A profile named by the environment is the default one, not an explicit one;
            # `--every` on the line overrides a RADAR_SCHEDULE at the top of the crontab.
            if not value or flag in given or flag in ("-c", "--profile", "--server"):
                continue
            if (flag == "--schedule" and "--every" in given) or (
                flag == "--every" and "--schedule" in given
            ):
                continue
            try:
                self._set(row, value, repeat=False, lines=True)
            except ValueError as error:
                self._target.warnings.append(f"{variable} is ignored: {error}")
                if flag in _DECLARING:
                    self._target.refused[flag] = value

    def has(self, flag: str) -> bool:
        """Whether `flag` stood on the command line."""
        return flag in self._given

    def _set(self, row: Row, value: str, *, repeat: bool, lines: bool = False) -> None:
        flag, kind, metavar, _ = row
        name = "to" if flag == "--profile" else flag.lstrip("-").replace("-", "_")
        if kind in ("words", "regexes"):
            if kind == "words":
                values = value.replace(",", " ").split()
            else:
                values = [v for v in value.split("\n") if v] if lines else [value]
            # The list in Options is the option's own, whether it starts here or goes on.
            before: list[str] = getattr(self._target, name)
            setattr(self._target, name, before + values if repeat or before else values)
            return
        setattr(self._target, name, _convert(kind, value, metavar))

    def _suggest(self, flag: str) -> str:
        import difflib

        near = difflib.get_close_matches(flag, self._rows, 1)
        return f"did you mean {near[0]}?" if near else self._usage


def _convert(kind: str, value: str, metavar: str) -> object:
    """The value of an option of this kind; ValueError says what is wrong with it."""
    if kind == "text" or (kind == "name" and value.strip()):
        return value
    if kind == "name":
        raise ValueError("it is empty")
    if kind == "choice":
        choices = metavar.split("|")
        if value in choices:
            return value
        raise ValueError(f"bad value {value[:60]!r}: use {', '.join(choices)}")
    from radar_cli.core import grammar  # not every line has an option that needs it

    if kind == "run_id":
        return grammar.parse_run_id(value)
    if kind == "switch":
        return grammar.parse_switch(value)
    if kind == "period":
        return grammar.parse_period(value)
    if kind == "duration":
        return grammar.parse_duration(value)
    if kind == "count":
        return grammar.parse_count(value)
    if kind == "hosts":
        return grammar.parse_hosts(value)
    if kind == "size":
        return grammar.parse_size(value)
    assert kind == "codes"  # noqa: S101 (there is no other)
    return grammar.parse_codes(value)


def usage_error() -> "type[UsageError]":
    """`UsageError`: just a line with a mistake in it pays for loading errors.py."""
    from radar_cli.core.errors import UsageError

    return UsageError


USAGE = "usage: radar run MONITOR [OPTIONS] [--] COMMAND [ARG]..."


def parse(words: list[str]) -> Options:
    """The options of `radar run WORDS`.

    UsageError: an unknown option, a bad value, a bad key, no command, or `-c` and a command.
    """
    options = Options()
    parser = Parser(TABLE, options, USAGE)
    at = parser.read_options(words, 0)
    options.help = parser.has("--help")
    if options.help:
        return options
    if at < len(words) and words[at] == "--":
        at += 1
    if at >= len(words):
        raise usage_error()("no monitor and no command", USAGE)
    try:
        options.monitor = check_key(expand_host(words[at]))
    except ValueError as error:
        raise usage_error()(str(error), USAGE) from None
    at = parser.read_options(words, at + 1)
    if at < len(words) and words[at] == "--":
        at += 1
    options.command = words[at:]
    if parser.has("--help"):
        options.help = True
        return options
    if options.c is not None:
        if options.command:
            raise usage_error()("both -c and a command", "give one of them")
        options.command = ["/bin/sh", "-c", options.c]
    elif not options.command:
        raise usage_error()(f"no command to run for {options.monitor!r}", USAGE)
    elif not options.command[0]:
        raise usage_error()("the command is empty", "the first word after -- is the program")
    if parser.has("--schedule") and parser.has("--every"):
        raise usage_error()("both --schedule and --every", "give one of them")
    parser.read_environment()
    return options
