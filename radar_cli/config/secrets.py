"""Keys that stand elsewhere: `file:PATH` and `cmd:COMMAND`."""

import os

from radar_cli.config.files import ConfigFile, locate, read_bytes
from radar_cli.config.settings import Problem
from radar_cli.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Mapping

    from radar_cli.config.settings import Setting
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


def read_secret(setting: "Setting", environ: "Mapping[str, str]", problems: "list[Problem]") -> str:
    """Return the key that `setting` means, or "" for none; SecretError if it can't be had.

    What is worth a warning is added to `problems`. A `cmd:` blocks for at most 10 s.
    """
    if setting.error:
        raise SecretError(f"{setting.origin}: {setting.error}", "see 'radar config check'")
    value = setting.value
    if not isinstance(value, str) or not value:
        return ""
    if value.startswith("file:"):
        secret = _from_file(value[5:].strip(), setting, environ, problems)
    elif value.startswith("cmd:"):
        secret = _from_command(value[4:].strip(), setting, environ)
    else:
        return value
    if not secret:
        raise SecretError(f"api_key from {value!r} is empty", f"set in {setting.origin}")
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise SecretError(
            f"api_key from {value!r} is not one word of printable ASCII",
            f"set in {setting.origin}",
        )
    return secret


def _from_file(
    path: str, setting: "Setting", environ: "Mapping[str, str]", problems: "list[Problem]"
) -> str:
    path = locate(path, setting.source, environ)
    try:
        found = read_bytes(path, MAX_SECRET_BYTES)
    except ConfigError as error:
        raise SecretError(f"api_key: {error.message}", f"set in {setting.origin}") from None
    if found is None:
        raise SecretError(f"api_key: {path}: no such file", f"set in {setting.origin}")
    data, status = found
    if status.st_mode & 0o004 and not path.startswith(_CONTAINER_SECRETS):
        problems.append(
            Problem(path, ("api_key",), "others can read this key", f"chmod 600 {path}")
        )
    return data.decode("ascii", "replace").rstrip("\r\n")


def _leave_radar() -> None:
    """Let the new process hear signals, which the wrapper has blocked, and end it in any case.

    The wrapper leaves when a run's time is up, and then nobody is there to kill it.
    """
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    _signal.alarm(int(COMMAND_TIMEOUT_S) + 1)


def _from_command(command: str, setting: "Setting", environ: "Mapping[str, str]") -> str:
    source = setting.source
    if isinstance(source, ConfigFile):
        # Under sudo that keeps HOME, root reads another person's file: it must not run it.
        if source.uid not in (0, os.geteuid()):
            raise SecretError(
                f"{source.path}: 'cmd:' is not run: the file belongs to another user",
                "use a config file of your own",
            )
        if source.mode & 0o002:
            raise SecretError(
                f"{source.path}: 'cmd:' is not run: anybody can write to the file",
                f"chmod o-w {source.path}",
            )
    import shlex
    import subprocess

    try:
        words = shlex.split(command)
    except ValueError as error:
        raise SecretError(f"api_key: bad 'cmd:': {error}", f"set in {setting.origin}") from None
    if not words:
        raise SecretError("api_key: 'cmd:' names no command", f"set in {setting.origin}")
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
            f"api_key: {words[0]} gave no key within {COMMAND_TIMEOUT_S:g} s",
            f"set in {setting.origin}",
        ) from None
    except (OSError, ValueError) as error:
        raise SecretError(f"api_key: {words[0]}: {error}", f"set in {setting.origin}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise SecretError(
            f"api_key: {words[0]} failed with {done.returncode}" + (said and f": {said[:200]}"),
            f"set in {setting.origin}",
        )
    return done.stdout.decode("ascii", "replace").rstrip("\r\n")
