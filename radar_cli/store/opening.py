"""Opening the store: the embedded one of a state directory, or a database that a URL names."""

import os
from urllib.parse import unquote

from radar_cli.core.errors import UsageError
from radar_cli.core.extras import install_command
from radar_cli.store.database import Database
from radar_cli.store.store import Store

_SQLITE = "sqlite://"
_SCHEMES = ("postgresql://", "postgres://")
_EXAMPLES = "a URL like sqlite:///srv/radar.db or postgresql://user@host/radar"


def open_store(url: str, state_directory: str) -> Store:
    """The store in the database that `url` names; "": the embedded one. Errors as below."""
    return open_database(url) if url else open_embedded(state_directory)


def open_embedded(state_directory: str) -> Store:
    """The store of a state directory, made if it isn't there. StateError: it can't be used."""
    from radar_cli.store.sqlite import SqliteDatabase

    return Store(SqliteDatabase(embedded_path(state_directory)))


def embedded_path(state_directory: str) -> str:
    """The file of the store of a state directory."""
    return os.path.join(state_directory, "radar.db")


def store_file(url: str, state_directory: str) -> str:
    """The file that `open_store` opens, "" if it is none. UsageError: the URL is none."""
    return sqlite_path(url) if url else embedded_path(state_directory)


def sqlite_path(url: str) -> str:
    """The file that a URL names, "" if it is of another kind. UsageError: it names none.

    A path is never relative: `sqlite:///srv/radar.db` is `/srv/radar.db`, and so is what those
    write who count four slashes.
    """
    if not url.startswith(_SQLITE):
        return ""
    path = unquote(url.removeprefix(_SQLITE))
    if not path.startswith("/") or path.endswith("/") or "?" in path or "\0" in path:
        raise UsageError(f"no file in the URL {url[:100]!r}", "as in sqlite:///srv/radar.db")
    return os.path.normpath("/" + path.lstrip("/"))


def open_database(url: str) -> Store:
    """The store in the database that `url` names.

    UsageError: it is no such URL, or its client isn't installed. StateError: it can't be used.
    """
    return Store(_connect(url))


def _connect(url: str) -> Database:
    if path := sqlite_path(url):
        from radar_cli.store.sqlite import SqliteDatabase

        return SqliteDatabase(path)
    if not url.startswith(_SCHEMES):
        scheme = url.partition("://")[0][:20]
        raise UsageError(f"no database {scheme!r}", _EXAMPLES)
    try:
        from radar_cli.store.postgresql import PostgresqlDatabase
    except ImportError:
        raise UsageError(
            "PostgreSQL's client is not installed", install_command("server")
        ) from None
    return PostgresqlDatabase(url)
