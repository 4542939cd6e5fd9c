"""Opening the store: the embedded one of a state directory, or a database that a URL names."""

import os
from urllib.parse import unquote

from radar_cli.core.errors import UsageError
from radar_cli.core.extras import install_command
from radar_cli.store.database import Database
from radar_cli.store.identity import Identity, check_file, file_beside, file_for
from radar_cli.store.store import Store

_SQLITE = "sqlite://"
_SCHEMES = ("postgresql://", "postgres://")
_EXAMPLES = "a URL like sqlite:///srv/radar.db or postgresql://user@host/radar"


def open_store(url: str, state_directory: str, *, goes_on: bool = False) -> Store:
    """The store in the database that `url` names; "": the embedded one of a state directory.

    UsageError: it is no such URL, or its client isn't installed. StateError: it can't be used;
    LostStoreError: it isn't the one that was known. With `goes_on` that is the store's `loss`.
    """
    file = store_file(url, state_directory)
    if file:
        return _open_file(file, goes_on=goes_on)
    database = _connect(url)
    return _recognise(database, file_for(database.place, state_directory), goes_on=goes_on)


def open_embedded(state_directory: str) -> Store:
    """The store of a state directory, made if it isn't there. Errors as above."""
    return _open_file(embedded_path(state_directory), goes_on=False)


def open_database(url: str) -> Store:
    """The store in the database that `url` names, whichever it is. Errors as above."""
    return Store(_connect(url))


def _open_file(place: str, *, goes_on: bool) -> Store:
    from radar_cli.store.sqlite import SqliteDatabase

    if not goes_on:
        check_file(place)
    return _recognise(SqliteDatabase(place), file_beside(place), goes_on=goes_on)


def _recognise(database: Database, path: str, *, goes_on: bool) -> Store:
    identity = Identity(database, path)
    try:
        loss = identity.find_loss(goes_on=goes_on)
        if loss is not None and not goes_on:
            raise loss
    except BaseException:
        database.close()
        raise
    store = Store(database)
    store.identity, store.loss = identity, loss
    return store


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
