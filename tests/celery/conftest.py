"""Real brokers, one of each kind for all tests of a process, and a project on one of them."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.celery.apps import Project
from tests.celery.watched import Told, Watched
from tests.support import rabbitmq, redis
from tests.support.postgresql import Postgresql
from tests.support.postgresql import running as postgresql_running
from tests.support.rabbitmq import Rabbitmq
from tests.support.radar_server import serving
from tests.support.redis import Redis
from tests.support.server import Server

_databases = itertools.count()


_BROKERS = frozenset(("redis_server", "rabbitmq_server", "redis_url", "rabbitmq_url", "broker_url"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs a broker is slow: it starts workers, whose imports alone take a second."""
    for item in items:
        if _BROKERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    with redis.running("--databases", "200") as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[Rabbitmq]:
    with rabbitmq.running() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """A database of the test's own."""
    return redis_server.url(next(_databases))


@pytest.fixture
def project(tmp_path: Path, redis_url: str) -> Project:
    """An app that gives signs of life, whose broker no other test uses."""
    return Project(tmp_path / "shop", redis_url)


@pytest.fixture
def rabbitmq_url(rabbitmq_server: Rabbitmq) -> str:
    """A vhost of the test's own."""
    return rabbitmq_server.url()


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """The same test on either broker."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL for all tests of this process."""
    with postgresql_running() as cluster:
        yield cluster


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """A server with a channel for its notices."""
    with Server() as hook:
        config = f"[notify.chat]\nwebhook = '{hook.url}/hook'\ntogether = false\n"
        with serving(tmp_path / "server", config=config) as server:
            yield Told(server, hook)


@pytest.fixture
def told_of(tmp_path: Path, redis_url: str, told: Told) -> Iterator[Watched]:
    """An app whose server sends notices."""
    made = Watched(redis_url, told.server, tmp_path)
    yield made
    made.app.close()
