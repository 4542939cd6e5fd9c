"""A running server, for the tests that don't need one of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgresql import Postgresql, running
from tests.support.radar_server import RadarServer, serving

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RadarServer]:
    """A server on its own embedded store."""
    with serving(tmp_path / "server") as started:
        yield started


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL for all tests of this process."""
    with running() as cluster:
        yield cluster


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """What a server keeps its store in: "" in its state directory, else a URL of PostgreSQL."""
    return new_database(request)


def new_database(request: pytest.FixtureRequest) -> str:
    """The same for a fixture with such parameters."""
    if request.param == "sqlite":
        return ""
    cluster: Postgresql = request.getfixturevalue("postgresql")
    return cluster.url()


@pytest.fixture(scope="module", params=DATABASES)
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RadarServer]:
    """A server for all tests of a module that don't mind one another."""
    folder = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as patch:
        # It is started before the isolation of the test that needs it first.
        patch.setenv("RADAR_STATE_DIR", str(folder / "unused"))
        with serving(folder / "server", database=new_database(request), is_shared=True) as started:
            yield started


@pytest.fixture
def api(tmp_path: Path, database: str) -> Iterator[RadarServer]:
    """A server of the test's own, on either database."""
    with serving(tmp_path / "server", database=database) as started:
        yield started
