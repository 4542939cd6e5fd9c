"""A server for the pings of these tests, and the environment that names it."""

import pytest

from tests.support.radar import environment
from tests.support.server import Server

KEY = "ck_app_key_of_the_tests"


@pytest.fixture
def env(server: Server) -> dict[str, str]:
    """What a crontab would set: a server and a key, and here a short patience."""
    return environment(RADAR_SERVER=server.url, RADAR_API_KEY=KEY, RADAR_PING_TIMEOUT="1")
