"""Everything in the settings that a person should edit, with its file and line."""

import os
import re
import shutil
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from radar_cli.core.errors import ConfigError
from radar_cli.core.places import system_config_file, user_config_file
from radar_cli.settings.channels import CHANNEL_SETTINGS, read_channels
from radar_cli.settings.editing import find_line
from radar_cli.settings.files import ConfigFile, read_file
from radar_cli.settings.profiles import Config, load
from radar_cli.settings.table import DEFAULT_PROFILE, SETTINGS, Known, Problem
from radar_cli.settings.values import read_value

FILES = {
    "user": ("RADAR_CONFIG", user_config_file),
    "system": ("RADAR_SYSTEM_CONFIG", system_config_file),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to edit; `line` is 0 where none is known."""

    file: str
    line: int
    message: str
    hint: str

    def text(self) -> str:
        """Place, message and hint, on one line."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Place:
    """One of the config files: where it is, and what became of reading it."""

    kind: str
    path: str
    named_by: str  # the variable that names it, or ""
    exists: bool
    error: ConfigError | None

    @property
    def is_used(self) -> bool:
        """Whether settings come from it."""
        return self.exists and self.error is None


def find_places(environ: Mapping[str, str]) -> list[Place]:
    """Return the config files in the order of precedence, each one tried."""
    places = []
    for kind, (variable, locate) in FILES.items():
        path = locate(environ)
        error, exists = None, True
        try:
            exists = read_file(path) is not None
        except ConfigError as caught:
            error = caught
        places.append(Place(kind, path, variable if environ.get(variable) else "", exists, error))
    return places


def check(environ: Mapping[str, str]) -> list[Finding]:
    """Return what is wrong with both files and the environment; runs every `cmd:`."""
    findings = []
    usable = dict(environ)
    for place in find_places(environ):
        variable = FILES[place.kind][0]
        if place.error:
            findings.append(_from_error(place.error, place.path))
            usable[variable] = os.devnull  # so that the rest is looked at all the same
        elif not place.exists and place.named_by and place.kind == "user":
            message = f"{variable} names this file, which does not exist"
            findings.append(Finding(place.path, 0, message, "create it or unset the variable"))
    config = load(usable)
    _look_at_profiles(config)
    _look_at_channels(config)
    texts = {file.path: file for file in config.files}
    findings += [_from_problem(problem, texts.get(problem.file)) for problem in config.problems]
    # What profiles inherit is found once for each of them.
    return list(dict.fromkeys(findings))


def _look_at_profiles(config: Config) -> None:
    """Add to the config's problems what only use would show."""
    names: list[str | None] = [None, *config.profile_names()]
    for name in names:
        try:
            profile = config.resolve(name, explicit=name is not None)
        except ConfigError as error:
            origin = config.default_profile().origin
            config.problems.append(Problem(origin, ("profile",), error.message, error.hint))
            continue
        for key, known in SETTINGS.items():
            if key == "profile":
                continue
            setting = profile.setting(key)
            where = ("profiles", str(name), key) if _is_own(config, name, key) else (key,)
            try:
                if known.kind == "secret" and not setting.error:
                    config.secret(setting)
                elif known.kind == "path" and setting.value:
                    check_readable(known, profile.ca_file)
                elif known.kind in ("regexes", "timezone"):
                    check_value(known, setting.value)
            except ConfigError as error:
                config.problems.append(Problem(setting.origin, where, error.message, error.hint))
            except ValueError as error:
                config.problems.append(Problem(setting.origin, where, str(error)))


def _look_at_channels(config: Config) -> None:
    """Add to the config's problems what only a notice would show."""
    for table in read_channels(config):
        for key in table.values:
            known = CHANNEL_SETTINGS[key]
            try:
                if known.kind in ("webhook", "phrase", "services", "template"):
                    table.secrets(key, config)
                elif known.kind == "path":
                    check_readable(known, table.path(key, config))
                elif known.kind == "words":
                    _check_program(table.words(config)[0], config.environ)
            except ConfigError as error:
                message, hint = error.message, error.hint
            except ValueError as error:
                message, hint = f"notify.{table.name}: {error}", ""
            else:
                continue
            where = ("notify", table.name, key)
            config.problems.append(Problem(table.file.path, where, message, hint))


def _check_program(program: str, environ: Mapping[str, str]) -> None:
    """Raise ValueError if there is no such program."""
    if shutil.which(program, path=environ.get("PATH")) is None:
        raise ValueError(f"command: {program}: no such program")


def _is_own(config: Config, name: str | None, key: str) -> bool:
    """Whether a profile has a setting in a table of its own, not at the top of the file."""
    if name in (None, DEFAULT_PROFILE):
        return False
    own, _ = config.tables(str(name))
    return any(key in layer for layer in own)


def _from_error(error: ConfigError, path: str) -> Finding:
    """Return a file that can't be used as a finding: its message begins with `PATH:LINE: `."""
    message = error.message.removeprefix(path).removeprefix(":")
    line, _, rest = message.partition(":")
    if line.isdigit():
        return Finding(path, int(line), rest.strip(), error.hint)
    return Finding(path, 0, message.strip(), error.hint)


def _from_problem(problem: Problem, file: ConfigFile | None) -> Finding:
    line = 0 if file is None else find_line(file.text, problem.key)
    return Finding(problem.file, line, problem.message, problem.hint)


def check_value(known: Known, raw: Any) -> Any:
    """Return the value of a setting that will also work in use; ValueError if it won't.

    A path is taken as it is, from the working directory.
    """
    value = read_value(known, raw)
    if known.kind == "regexes":
        for regex in value:
            _check_regex(known, regex)
    elif known.kind == "timezone" and value:
        _check_timezone(known, value)
    elif known.kind == "path" and value:
        check_readable(known, value)
    return value


def check_readable(known: Known, path: str) -> None:
    """Raise ValueError if the file at `path` can't be read."""
    if not os.path.isfile(path):
        raise ValueError(f"{known.name}: {path}: no such file")
    if not os.access(path, os.R_OK):
        raise ValueError(f"{known.name}: {path} can't be read")


def _check_regex(known: Known, regex: str) -> None:
    try:
        re.compile(regex.encode())  # output is bytes, and so are its patterns
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{known.name}: {regex!r} is no regex: {error}") from None


def _check_timezone(known: Known, name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{known.name}: no timezone {name!r}; one is written like Europe/Berlin"
        ) from None
