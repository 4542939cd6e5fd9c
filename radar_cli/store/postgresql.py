"""The store's database in PostgreSQL: for many machines, and any number of servers on it."""

from contextlib import contextmanager
from functools import cache
from typing import Any, Iterable, Iterator

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolTimeout

from radar_cli.core.errors import StateError
from radar_cli.store.database import ChangedMeanwhileError, Rows, Values, without_password
from radar_cli.store.schema import Dialect, is_current, migrate

DIALECT = Dialect(integer="BIGINT", blob="BYTEA", text='TEXT COLLATE "C"')
_CONNECT_TIMEOUT_S = 10.0
_MIGRATING = 7_264_277  # of no meaning: the number of an advisory lock


class PostgresqlChange:
    """A transaction on one connection."""

    def __init__(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        self._connection = connection

    def execute(self, query: str, values: Values = ()) -> int:
        """See `Change`."""
        return self._connection.execute(_translate(query), values).rowcount

    def execute_many(self, query: str, rows: Iterable[Values]) -> int:
        """See `Change`."""
        with self._connection.cursor() as cursor:
            cursor.executemany(_translate(query), rows)
            return max(0, cursor.rowcount)

    def read(self, query: str, values: Values = ()) -> Rows:
        """See `Change`."""
        return self._connection.execute(_translate(query), values).fetchall()


class PostgresqlDatabase:
    """A database named by a URL, `postgresql://user:password@host/name`.

    StateError: it can't be used.
    """

    def __init__(self, url: str, *, connections: int = 8) -> None:
        self.place = without_password(url)
        self._pool: ConnectionPool[psycopg.Connection[tuple[Any, ...]]] = ConnectionPool(
            url,
            min_size=1,
            max_size=connections,
            timeout=_CONNECT_TIMEOUT_S,
            open=False,
            kwargs={"autocommit": True, "connect_timeout": int(_CONNECT_TIMEOUT_S)},
        )
        try:
            with self._errors():
                # One try of our own first: a pool goes on trying, and doesn't say why in vain.
                psycopg.connect(url, connect_timeout=int(_CONNECT_TIMEOUT_S)).close()
                self._pool.open()
                with self._pool.connection() as connection:
                    _migrate(connection, self.place)
        except BaseException:
            self.close()
            raise

    def read(self, query: str, values: Values = ()) -> Rows:
        """See `Database`. Tried twice: a server that was restarted leaves dead connections."""
        with self._errors():
            try:
                return self._read(query, values)
            except psycopg.OperationalError:
                return self._read(query, values)

    @contextmanager
    def change(self) -> Iterator[PostgresqlChange]:
        """See `Database`."""
        with self._errors(), self._pool.connection() as connection, connection.transaction():
            yield PostgresqlChange(connection)

    def is_in_place(self) -> bool:
        """See `Database`: a server of PostgreSQL's says by itself that it is gone."""
        return True

    def compact(self) -> None:
        """See `Database`: PostgreSQL does it by itself."""

    def close(self) -> None:
        """See `Database`."""
        self._pool.close()

    def _read(self, query: str, values: Values) -> Rows:
        with self._pool.connection() as connection:
            return connection.execute(_translate(query), values).fetchall()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn PostgreSQL's errors into one line that says what to do."""
        try:
            yield
        except (
            psycopg.errors.DeadlockDetected,
            psycopg.errors.SerializationFailure,
        ) as error:
            raise ChangedMeanwhileError(f"{self.place}: {error.sqlstate}", "try again") from error
        except (psycopg.Error, PoolTimeout) as error:
            words = " ".join(str(error).split())[:300]
            hint = "is the server up, and the URL right?"
            if isinstance(error, psycopg.errors.InsufficientPrivilege):
                hint = "radar makes its own tables: it needs the right to"
            raise StateError(f"can't use {self.place}: {words}", hint) from error


def _migrate(connection: "psycopg.Connection[tuple[Any, ...]]", place: str) -> None:
    """Bring the database up to date; the table radar_schema counts what it has seen."""

    def note(number: int) -> None:
        connection.execute("UPDATE radar_schema SET version = %s", (number,))

    with connection.transaction():
        # Another server may be doing the same: the second one finds it done.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
        connection.execute("CREATE TABLE IF NOT EXISTS radar_schema (version INTEGER NOT NULL)")
        row = connection.execute("SELECT version FROM radar_schema").fetchone()
        if row is None:
            connection.execute("INSERT INTO radar_schema VALUES (0)")
        version = 0 if row is None else int(row[0])
        if not is_current(version, place):
            migrate(DIALECT, version, place, lambda query: connection.execute(sql.SQL(query)), note)


@cache
def _translate(query: str) -> sql.SQL:
    return sql.SQL(query.replace("%", "%%").replace("?", "%s"))
