"""Settings of a test's own: files that it writes, an environment that it passes in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from radar_cli.settings.profiles import Config, load

Loader = Callable[..., Config]


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
def system_file(tmp_path: Path) -> Path:
    return tmp_path / "system.toml"


@pytest.fixture
def load_with(tmp_path: Path, user_file: Path, system_file: Path) -> Loader:
    """Load settings from the texts of the two files and from variables."""

    def call(user: str | None = None, system: str | None = None, **variables: str) -> Config:
        for path, text in ((user_file, user), (system_file, system)):
            if text is not None:
                path.write_text(text)
                path.chmod(0o600)
        return load(
            {
                "HOME": str(tmp_path),
                "PATH": "/usr/bin:/bin",
                "RADAR_CONFIG": str(user_file),
                "RADAR_SYSTEM_CONFIG": str(system_file),
                **variables,
            }
        )

    return call
