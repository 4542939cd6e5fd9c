"""A Redis for the session, and a project on a database of it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.celery.apps import Project
from tests.support.redis import Redis

_databases = itertools.count()


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, redis: Redis) -> Project:
    """An app whose broker no other test uses."""
    return Project(tmp_path / "shop", redis.url(next(_databases) % 16))
