"""One server for all tests of the pages: each makes monitors of its own in it."""

import itertools
import time
from collections.abc import Iterator

import pytest

from radar_cli.server.runtime.keys import Keys
from tests.server.conftest import DATABASES, new_database
from tests.server.pages.visitor import Visitor, close_all
from tests.support import processes
from tests.support.radar_server import RadarServer

_numbers = itertools.count()


@pytest.fixture(scope="session", params=DATABASES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RadarServer]:
    """A running server that nobody has told to limit anything."""
    database = new_database(request)
    home = tmp_path_factory.mktemp("pages")
    isolated = {"HOME": str(home), "RADAR_SYSTEM_CONFIG": str(home / "system.toml")}
    served = RadarServer(
        home / "state", "--access-log", str(home / "access"), database=database, env=isolated
    )
    with served:
        assert served._process is not None
        processes.share(served._process)
        yield served


@pytest.fixture(autouse=True)
def _browsers_are_closed() -> Iterator[None]:
    yield
    close_all()


@pytest.fixture
def admin(server: RadarServer) -> Visitor:
    """Somebody who may look and change."""
    return Visitor(server.url, server.key)


@pytest.fixture
def reader(server: RadarServer) -> Visitor:
    """Somebody who may look."""
    return Visitor(server.url, make_key(server, "read"))


@pytest.fixture
def key(server: RadarServer) -> str:
    """A monitor's key that no other test uses; the monitor has had one ping."""
    name = f"job-{next(_numbers)}-{time.time_ns()}"
    answer = server.ping(f"{name}/success", b"all is well\n", id=name, name=f"Job {name}")
    assert answer.status_code == 200, answer.text
    return name


def make_key(server: RadarServer, scope: str, monitors: str = "*") -> str:
    """Another API key of a server."""
    with server.store() as store:
        return Keys(store.database).create(
            time.time_ns() // 1000, scope=scope, monitors=monitors, name=f"a {scope} key"
        )


def revoke(server: RadarServer, key: str) -> None:
    """Take a key out of use, as `radar server keys revoke` does."""
    with server.store() as store:
        assert Keys(store.database).revoke(key.split("_")[2], time.time_ns() // 1000)
