"""Keys that stand elsewhere: `file:PATH` and `cmd:COMMAND`."""

from radar_cli.core.errors import ConfigError
from radar_cli.core.text import last_line
from radar_cli.settings.files import ConfigFile, locate, read_bytes
from radar_cli.settings.table import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Mapping

    from radar_cli.settings.table import Setting
else:
    import _signal  # without the enums of `signal`, which take 2 ms

COMMAND_TIMEOUT_S = 10.0
MAX_SECRET_BYTES = 65536
# Containers mount secrets there for all of their own users, and nobody else is inside.
_CONTAINER_SECRETS = ("/run/secrets/", "/var/run/secrets/")


class SecretError(ConfigError):
    """A key that can't be had."""

    slug = "secret"


def is_literal(value: object) -> bool:
    """Whether `value` is a key itself, rather than the place where one is."""
    return isinstance(value, str) and bool(value) and not value.startswith(("file:", "cmd:"))


def read_secret(
    setting: "Setting",
    environ: "Mapping[str, str]",
    problems: "list[Problem]",
    name: str = "api_key",
    *,
    is_word: bool = True,
) -> str:
    """Return the key that `setting` means, or "" for none; SecretError if it can't be had.

    `name` is what errors call it. One that is no word may have spaces, lines and more than ASCII.
    What is worth a warning is added to `problems`. A `cmd:` blocks for at most 10 s.
    """
    if setting.error:
        raise SecretError(f"{setting.origin}: {setting.error}", "see 'radar config check'")
    value = setting.value
    if not isinstance(value, str) or not value:
        return ""
    if value.startswith("file:"):
        secret = _from_file(value[5:].strip(), setting, environ, problems, name)
    elif value.startswith("cmd:"):
        secret = _from_command(value[4:].strip(), setting, environ, name)
    else:
        return value
    if not secret:
        raise SecretError(f"{name} from {value!r} is empty", f"set in {setting.origin}")
    if is_word and (not (secret.isascii() and secret.isprintable()) or " " in secret):
        raise SecretError(
            f"{name} from {value!r} is not one word of printable ASCII",
            f"set in {setting.origin}",
        )
    if not is_word and not all(map(_is_clean, secret.splitlines())):
        raise SecretError(f"{name} from {value!r} is no clean text", f"set in {setting.origin}")
    return secret


def _is_clean(line: str) -> bool:
    """Whether a line holds neither control characters nor bytes that were no UTF-8."""
    return line.isprintable() and "\ufffd" not in line


def _from_file(
    path: str,
    setting: "Setting",
    environ: "Mapping[str, str]",
    problems: "list[Problem]",
    name: str,
) -> str:
    path = locate(path, setting.source, environ)
    try:
        found = read_bytes(path, MAX_SECRET_BYTES)
    except ConfigError as error:
        raise SecretError(f"{name}: {error.message}", f"set in {setting.origin}") from None
    if found is None:
        raise SecretError(f"{name}: {path}: no such file", f"set in {setting.origin}")
    data, status = found
    if status.st_mode & 0o004 and not path.startswith(_CONTAINER_SECRETS):
        problems.append(Problem(path, (name,), "others can read this key", f"chmod 600 {path}"))
    return data.decode("utf-8", "replace").rstrip("\r\n")


def _leave_radar() -> None:
    """Let the new process hear signals, which the wrapper has blocked, and end it in any case.

    The wrapper leaves when a run's time is up, and then nobody is there to kill it.
    """
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    _signal.alarm(int(COMMAND_TIMEOUT_S) + 1)


def _from_command(command: str, setting: "Setting", environ: "Mapping[str, str]", name: str) -> str:
    source = setting.source
    if isinstance(source, ConfigFile) and (distrust := source.distrust()):
        why, hint = distrust
        raise SecretError(f"{source.path}: 'cmd:' is not run: {why}", hint)
    import shlex
    import subprocess

    try:
        words = shlex.split(command)
    except ValueError as error:
        raise SecretError(f"{name}: bad 'cmd:': {error}", f"set in {setting.origin}") from None
    if not words:
        raise SecretError(f"{name}: 'cmd:' names no command", f"set in {setting.origin}")
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_TIMEOUT_S,
            env=dict(environ),
            check=False,
            preexec_fn=_leave_radar,  # beside threads, so it must take no lock
        )
    except subprocess.TimeoutExpired:
        raise SecretError(
            f"{name}: {words[0]} gave no key within {COMMAND_TIMEOUT_S:g} s",
            f"set in {setting.origin}",
        ) from None
    except (OSError, ValueError) as error:
        raise SecretError(f"{name}: {words[0]}: {error}", f"set in {setting.origin}") from None
    if done.returncode:
        reason = last_line(done.stderr.decode("utf-8", "replace"))
        raise SecretError(
            f"{name}: {words[0]} failed with {done.returncode}" + (reason and f": {reason[:200]}"),
            f"set in {setting.origin}",
        )
    return done.stdout.decode("utf-8", "replace").rstrip("\r\n")
