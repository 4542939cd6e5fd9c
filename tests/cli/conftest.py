"""The config files that the environment of each test names."""

from pathlib import Path

import pytest


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
def system_file(tmp_path: Path) -> Path:
    return tmp_path / "system.toml"
