"""One source of settings, read: the environment, or a table of a config file."""

from radar_cli.config.files import ConfigFile
from radar_cli.config.secrets import is_literal
from radar_cli.config.servers import CRONRADAR_URL
from radar_cli.config.settings import PROFILE_SETTINGS, SETTINGS, TABLES, Problem, Setting
from radar_cli.config.values import from_text, read_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    # Setting name to setting, of one source.
    Layer = dict[str, Setting]

# A server or protocol that can't be read is kept, with its error: a ping must not go to the
# store of this machine, or in another protocol, because of a typo. The rest has good defaults.
_KEPT_WHEN_BAD = ("server", "protocol", "api_key")


def read_environment(environ: "Mapping[str, str]", problems: "list[Problem]") -> "Layer":
    """Return the settings in the environment; an empty variable is one that isn't set."""
    layer: Layer = {}
    for known in SETTINGS.values():
        if text := environ.get(known.variable):
            origin = f"environment {known.variable}"
            _add(layer, known.name, text, problems, origin=origin)
    if environ.get("CRONRADAR_API_KEY") and "server" not in layer and "api_key" not in layer:
        _add_cronradar(layer, environ, problems)
    return layer


def _add_cronradar(layer: "Layer", environ: "Mapping[str, str]", problems: "list[Problem]") -> None:
    """CronRadar's own variables: with nothing else they mean its own service."""
    key_origin = "environment CRONRADAR_API_KEY"
    base = environ.get("CRONRADAR_BASE_URL")
    origin = "environment CRONRADAR_BASE_URL" if base else key_origin
    _add(layer, "server", base or CRONRADAR_URL, problems, origin=origin)
    _add(layer, "api_key", environ["CRONRADAR_API_KEY"], problems, origin=key_origin)
    layer["protocol"] = Setting("cronradar", key_origin)


def is_cronradar(environment: "Layer") -> bool:
    """Whether the server comes from CronRadar's variables rather than from radar's."""
    server = environment.get("server")
    return server is not None and server.origin.startswith("environment CRONRADAR_")


def read_table(
    file: ConfigFile,
    table: "dict[str, object]",
    where: "tuple[str, ...]",
    problems: "list[Problem]",
) -> "Layer":
    """Return the settings in one table of a file: the top of it, or `[profiles.NAME]`."""
    layer: Layer = {}
    names = PROFILE_SETTINGS if where else (*SETTINGS, *TABLES)
    for name, raw in table.items():
        if name not in names:
            hint = _suggestion(name, names, where)
            key = (*where, name)
            problems.append(Problem(file.path, key, f"unknown key {'.'.join(key)!r}", hint))
        elif name in SETTINGS:
            _add(layer, name, raw, problems, origin=file.path, source=file, where=where)
    key_setting = layer.get("api_key")
    if key_setting and is_literal(key_setting.value) and not file.is_private():
        problems.append(
            Problem(
                file.path,
                (*where, "api_key"),
                "holds a key and others can read it",
                f"chmod 600 {file.path}",
            )
        )
    return layer


def read_profiles(file: ConfigFile, problems: "list[Problem]") -> "dict[str, Layer]":
    """Return the `[profiles.NAME]` tables of a file."""
    tables = file.values.get("profiles", {})
    if not isinstance(tables, dict):
        problems.append(
            Problem(file.path, ("profiles",), "profiles must be tables", "write [profiles.NAME]")
        )
        return {}
    profiles = {}
    for name, table in tables.items():
        if isinstance(table, dict):
            profiles[name] = read_table(file, table, ("profiles", name), problems)
        else:
            hint = f"write [profiles.{name}], or move {name!r} above the first table"
            message = f"profiles.{name} must be a table"
            problems.append(Problem(file.path, ("profiles", name), message, hint))
    return profiles


def _add(
    layer: "Layer",
    name: str,
    raw: object,
    problems: "list[Problem]",
    *,
    origin: str,
    source: ConfigFile | None = None,
    where: "tuple[str, ...]" = (),
) -> None:
    """Read one value into `layer`, or say why it can't be used."""
    known = SETTINGS[name]
    try:
        if source is None and isinstance(raw, str):
            raw = from_text(known, raw)
        layer[name] = Setting(read_value(known, raw), origin, source=source)
    except ValueError as error:
        reason = str(error)
        if not reason.startswith(name):
            reason = f"{name}: {reason}"
        hint = "" if name in _KEPT_WHEN_BAD else "ignored until it is edited"
        if name == "profile" and isinstance(raw, dict):
            hint = "tables of settings are written [profiles.NAME]"
        problems.append(Problem(origin, (*where, name), reason, hint))
        if name in _KEPT_WHEN_BAD:
            layer[name] = Setting("", origin, error=reason, source=source)


def _suggestion(name: str, names: "Iterable[str]", where: "tuple[str, ...]") -> str:
    """Return what an unknown key was probably meant to be."""
    if where and name == "profile":
        return "'profile' belongs at the top of the file"
    if close := closest(name, names):
        return f"did you mean {close!r}?"
    return "'radar config list' shows the settings"


def closest(word: str, words: "Iterable[str]") -> str:
    """Return the word most like `word`, or "" if none is."""
    # Imports `re`: only a mistake pays for it.
    import difflib

    return next(iter(difflib.get_close_matches(word, list(words), 1)), "")
