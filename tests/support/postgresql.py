"""A PostgreSQL of the tests' own, from Debian's binaries, on a free port.

TESTS_POSTGRESQL names the folder of another version's binaries.
"""

import contextlib
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.support import processes
from tests.support.ports import free_port
from tests.support.requirements import require
from tests.support.waiting import wait_until

# It refuses to run as root.
_USER = "postgres"


@functools.cache
def _programs() -> Path | None:
    if chosen := os.environ.get("TESTS_POSTGRESQL"):
        return Path(chosen)
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


class Postgresql:
    """A running cluster; a context manager. `url()` names a new place in it.

    It keeps nothing when the machine crashes, unless it `is_durable`.
    """

    def __init__(self, *, is_durable: bool = False) -> None:
        switch = "on" if is_durable else "off"
        self._durability = ("-c", f"fsync={switch}", "-c", f"full_page_writes={switch}")
        programs = _programs()
        require(programs is not None, "PostgreSQL is not installed (tests/run installs it)")
        assert programs is not None
        self.programs = programs
        self._as_user: dict[str, object] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="radar-pg-"))
        if os.geteuid() == 0:
            entry = pwd.getpwnam(_USER)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self._as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        self._data = self.folder / "data"
        self._numbers = itertools.count()
        self._server: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", self._data, "-U", "radar", "-A", "trust", "-N", "-E", "UTF8")
        self.port = free_port()
        self.start()

    def __enter__(self) -> "Postgresql":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        started: subprocess.Popen[bytes] = subprocess.Popen(
            [
                *(self.programs / "postgres", "-D", self._data, "-p", str(self.port)),
                *("-h", "127.0.0.1", "-k", self.folder, "-c", "max_connections=60"),
                *self._durability,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **self._as_user,  # type: ignore[call-overload]  # user and group, or nothing
        )
        self._server = processes.share(started)
        wait_until(self._answers, 30, "PostgreSQL is up", every_s=0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends its connections, SIGQUIT is a crash."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(30)
            self._server = None

    def url(self) -> str:
        """The URL of a new and empty place."""
        schema = f"place{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self._url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
        return f"{self._url()}?options=-csearch_path%3D{schema}"

    def database(self) -> str:
        """The URL of a new database of its own."""
        name = f"own{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self._url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def restore(self, dump: Path) -> str:
        """The URL of a new database that holds what pg_dump wrote into a file."""
        url = self.database()
        with dump.open("rb") as script:
            subprocess.run(
                [self.programs / "psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", url],
                stdin=script,
                stdout=subprocess.DEVNULL,
                check=True,
            )
        return url

    def _url(self, database: str = "postgres") -> str:
        return f"postgresql://radar@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self._url(), connect_timeout=2).close()
            return True
        return False

    def _run(self, program: str, *words: str | Path) -> None:
        subprocess.run(
            [self.programs / program, *words],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **self._as_user,  # type: ignore[call-overload]  # as above
        )


@contextlib.contextmanager
def running(*, is_durable: bool = False) -> Iterator[Postgresql]:
    """A cluster for as long as the block lasts."""
    with Postgresql(is_durable=is_durable) as server:
        yield server
