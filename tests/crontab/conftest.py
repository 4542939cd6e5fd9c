from pathlib import Path

import pytest

from tests.support.installation import SHELLS, Installation, as_sh


def _install(folder: Path) -> Installation:
    made = Installation(folder)
    made.write_link()
    return made


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A radar of this test's own, which it may break, and the link to it."""
    return _install(tmp_path / "installation")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A radar that no test breaks, and the link to it."""
    return _install(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def gone(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A radar without its Python, and the link to it."""
    made = _install(tmp_path_factory.mktemp("gone"))
    made.python.unlink()
    return made


@pytest.fixture(params=SHELLS)
def sh(request: pytest.FixtureRequest) -> list[str]:
    """A prefix for a command, for which /bin/sh is one of several shells."""
    return as_sh(request.param)
