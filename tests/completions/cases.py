"""What is typed, what must be offered then, and what mustn't: the same in every shell.

`conftest.world` makes the monitors, profiles and files. `mytool` is a program with completions
of its own: the words alpha and beta, the option --loud.
"""

from typing import NamedTuple

MONITORS = ("backup-db", "backup-www", "only-spooled")
PROFILES = ("default", "work", "home-lab")


class Case(NamedTuple):
    """A line up to the cursor, the words that must be offered, and words that mustn't."""

    typed: str
    offered: tuple[str, ...]
    withheld: tuple[str, ...] = ()


CASES = (
    # Commands and their options.
    Case(
        "radar ", ("run", "ping", "status", "outbox", "config", "completion"), ("--json", "words")
    ),
    Case("radar ou", ("outbox",), ("run",)),
    Case("radar --", ("--json", "--profile", "--version"), ("run", "--lock")),
    Case("radar config ", ("get", "set", "unset", "list", "path", "check"), ("run",)),
    Case("radar outbox ", ("list", "flush", "drop"), ("get",)),
    Case("radar outbox drop --", ("--all", "--yes", "--json"), ("--lock",)),
    Case("radar outbox drop --all --", ("--yes",), ("--all",)),
    Case("radar crontab ", ("scan", "wrap", "unwrap", "lint"), ("run", "declare")),
    Case("radar crontab wrap --", ("--interactive", "--diff", "--yes"), ("--lock",)),
    Case("radar crontab scan --", ("--root", "--json"), ("--lock",)),
    Case("radar crontab scan no", ("notes.txt",), ("backup-db",)),
    Case("radar link --", ("--force", "--json"), ("--lock",)),
    Case("radar link no", ("notes.txt",), ("backup-db",)),
    Case("radar restore --", ("--yes", "--database"), ("--lock",)),
    Case("radar restore no", ("notes.txt",), ("backup-db",)),
    Case("radar backup no", ("notes.txt",), ("backup-db",)),
    Case("radar completion ", ("bash", "zsh", "fish"), ("words",)),
    Case("radar nonsense ", (), ("run", "backup-db", "notes.txt")),
    # Closed sets of values.
    Case("radar config list --format ", ("table", "json", "csv", "ndjson"), ("backup-db",)),
    Case("radar config list --format=", ("table", "json", "csv", "ndjson"), ("backup-db",)),
    Case("radar config list --format=j", ("json",), ("csv",)),
    Case("radar run --lock ", ("skip", "wait", "fail"), MONITORS),
    Case("radar run --tail-of ", ("stdout", "stderr", "both"), MONITORS),
    Case("radar run --lock=w", ("wait",), ("skip",)),
    Case("radar run backup-db --lock s", ("skip",), ("wait",)),
    Case("radar run --tz Europe/Lon", ("Europe/London",), ("Europe/Paris",)),
    # Options from the tables of `run` and `ping`.
    Case("radar run --", ("--schedule", "--lock", "--help"), ("--exit-code", "--json")),
    Case("radar run backup-db --f", ("--fail-on", "--fail-on-stderr"), ("--lock",)),
    Case("radar run backup-db --quiet --", ("--lock",), ("--quiet",)),
    Case("radar run --tag a --t", ("--tag", "--timeout"), ("--quiet",)),
    Case("radar run backup-db -c true --", ("--lock",), ("-c",)),
    Case("radar ping --", ("--message", "--exit-code", "--to"), ("--lock",)),
    # Monitors.
    Case("radar run ", MONITORS, ("--lock", "mytool", "notes.txt")),
    Case("radar run backup", ("backup-db", "backup-www"), ("only-spooled",)),
    Case("radar run --every 5m --quiet on", ("only-spooled",), ("backup-db",)),
    # A key that is a command is not asked for: its server tells nothing.
    Case("radar --profile work run ", ("only-spooled",), ("backup-db", "backup-www")),
    Case("radar ping ", MONITORS, ("start",)),
    Case("radar ping backup-db ", ("start", "success", "fail", "log"), MONITORS),
    Case("radar status backup-db ", MONITORS),
    # Profiles and settings.
    Case("radar --profile ", PROFILES, ("run",)),
    Case("radar run --to ", PROFILES, MONITORS),
    Case("radar run --profile=w", ("work",), ("home-lab",)),
    Case("radar config get ", ("server", "api_key", "tail"), ("profiles.work.server",)),
    Case("radar config unset profiles.w", ("profiles.work.server",), ("server",)),
    Case("radar config set protocol ", ("radar", "cronradar"), ("server",)),
    Case("radar config set profile ", PROFILES),
    Case("radar config set ca_file no", ("notes.txt",), ("server",)),
    # The wrapped command, and what it completes.
    Case("radar run backup-db myto", ("mytool",), ("backup-db",)),
    Case("radar run backup-db -- myto", ("mytool",)),
    Case("radar run backup-db mytool ", ("alpha", "beta"), (*MONITORS, "--lock")),
    Case("radar run backup-db --lock=skip -- mytool al", ("alpha",), ("beta",)),
    Case("radar run backup-db --every 5m -- mytool --lo", ("--loud",), ("--lock",)),
    Case("radar run backup-db -- cat no", ("notes.txt",)),
    Case("radar run backup-db -- radar run --lock ", ("skip", "wait", "fail")),
    Case("radar run one -- radar run two -- mytool ", ("alpha", "beta"), MONITORS),
)
