"""What a crontab would set for a server of these tests."""

import pytest

from tests.support.radar import environment


@pytest.fixture
def env() -> dict[str, str]:
    """A key and a short patience; each test names its server."""
    return environment(RADAR_API_KEY="ck_app_key_of_the_tests", RADAR_PING_TIMEOUT="2")
