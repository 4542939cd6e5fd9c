"""Extras: packages that some commands need, and how they are added to this installation."""

import sys

_PACKAGE = "radar-cli"
_FILE = "file://"


def install_command(extra: str) -> str:
    """Return the command that adds an extra to this environment, from where radar was installed."""
    from shlex import quote

    return f"{quote(sys.executable)} -m pip install {quote(f'{_source()}[{extra}]')}"


def _source() -> str:
    """A checkout, if radar comes from one (PEP 610), else the package's name."""
    # Imported here: only who misses something waits for them.
    import json
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import unquote

    try:
        origin = json.loads(distribution(_PACKAGE).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return _PACKAGE
    url = str(origin.get("url", ""))
    is_checkout = "dir_info" in origin and url.startswith(_FILE)
    return unquote(url.removeprefix(_FILE)) if is_checkout else _PACKAGE
