"""Settings as they are shown to a person: defaults filled in, keys hidden."""

from typing import Any

from radar_cli.config.secrets import is_literal
from radar_cli.config.settings import Known, Setting
from radar_cli.config.values import read_value

MASK_SHOWS_FROM = 16  # characters: of a shorter key nothing is shown


def effective_value(known: Known, setting: Setting) -> Any:
    """Return a setting's value or, where nothing sets it, what radar does by default."""
    if setting.origin == "default" and known.default:
        return read_value(known, known.default)
    return setting.value


def masked_value(known: Known, value: Any) -> Any:
    """Return a value with its secrets hidden: enough of a key stays to recognise it."""
    if known.kind in ("secret", "phrase") and is_literal(value):
        return mask(str(value))
    if known.kind == "webhook":
        return mask_url(str(value))
    if known.kind == "services" and isinstance(value, list):
        return [mask_url(url) for url in value]
    if known.kind == "headers" and isinstance(value, dict):
        return {name: mask(text) for name, text in value.items()}
    return value


def mask(secret: str) -> str:
    """Return a key as `ck_a…3f`."""
    return f"{secret[:4]}…{secret[-2:]}" if len(secret) >= MASK_SHOWS_FROM else "…"


def mask_url(url: str) -> str:
    """Return a URL that may be a secret as `https://chat.example/…`; of a service, its name."""
    if not is_literal(url):
        return url
    scheme, _, rest = url.strip().partition("://")
    if scheme not in ("http", "https"):
        return f"{scheme}://…"
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    return f"{scheme}://{host}" + ("/…" if rest.partition("/")[2] or "?" in rest else "")


def written_value(known: Known, value: Any, separator: str = "\n") -> str:
    """Return a value as a person would write it; `separator` stands between several."""
    if value is None:
        return ""
    if known.kind == "duration" and isinstance(value, float):
        return f"{value:g}s"
    if isinstance(value, dict):
        return separator.join(f"{name}: {text}" for name, text in value.items())
    if isinstance(value, list):
        return separator.join(value)
    return str(value)


def or_null(value: Any) -> Any:
    """Return a value as JSON has it, where a setting that isn't set is null."""
    return None if value in ("", [], {}) else value
