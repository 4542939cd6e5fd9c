"""Opening the store: the embedded one of a state directory, or a database that a URL names."""

from radar_cli.core.errors import UsageError
from radar_cli.core.extras import install_command
from radar_cli.store.database import Database
from radar_cli.store.store import Store

_SCHEMES = ("postgresql://", "postgres://")


def open_embedded(state_directory: str) -> Store:
    """The store of a state directory, made if it isn't there. StateError: it can't be used."""
    from radar_cli.store.sqlite import SqliteDatabase

    return Store(SqliteDatabase(state_directory))


def open_database(url: str) -> Store:
    """The store in the database that `url` names.

    UsageError: it is no such URL, or its client isn't installed. StateError: it can't be used.
    """
    return Store(_connect(url))


def _connect(url: str) -> Database:
    if not url.startswith(_SCHEMES):
        scheme = url.partition("://")[0][:20]
        raise UsageError(f"no database {scheme!r}", "a URL like postgresql://user@host/radar")
    try:
        from radar_cli.store.postgresql import PostgresqlDatabase
    except ImportError:
        raise UsageError(
            "PostgreSQL's client is not installed", install_command("server")
        ) from None
    return PostgresqlDatabase(url)
