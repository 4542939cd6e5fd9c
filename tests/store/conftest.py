"""The store on each database that it runs on: what holds on one holds on the other."""

import tempfile
from collections.abc import Callable, Iterator

import pytest

from radar_cli.store.opening import open_database, open_embedded
from radar_cli.store.store import Store
from tests.support.postgresql import Postgresql, running

NewStore = Callable[[], Store]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL for all tests of this process."""
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request: pytest.FixtureRequest) -> Iterator[NewStore]:
    """Makes empty stores, of the database that the test is run on."""
    folders: list[tempfile.TemporaryDirectory[str]] = []
    if request.param == "postgresql":
        server: Postgresql = request.getfixturevalue("postgresql")
        yield lambda: open_database(server.url())
        return

    def make() -> Store:
        folders.append(tempfile.TemporaryDirectory())
        return open_embedded(folders[-1].name)

    yield make
    for folder in folders:
        folder.cleanup()


@pytest.fixture
def store(new_store: NewStore) -> Iterator[Store]:
    """An empty store."""
    with new_store() as made:
        yield made
