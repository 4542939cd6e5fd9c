"""What goes wrong around a server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgresql import Postgresql, running
from tests.support.radar_server import RadarServer, serving

pytest.register_assert_rewrite("tests.faults.scenarios")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RadarServer]:
    """A server on its own embedded store."""
    with serving(tmp_path / "server") as started:
        yield started


@pytest.fixture
def cluster() -> Iterator[Postgresql]:
    """A PostgreSQL that this test may stop and start."""
    with running() as started:
        yield started
