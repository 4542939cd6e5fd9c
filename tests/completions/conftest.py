"""A machine with some monitors, profiles and files, for every shell the same."""

import os
from pathlib import Path

import pytest

from tests.support.radar import run_radar

CONFIG = """
server = ""

[profiles.work]
server = "https://radar.example"
# It must never be asked for the sake of a Tab.
api_key = "cmd:touch asked-for-the-secret"

[profiles.home-lab]
server = "https://home.example"
"""


@pytest.fixture
def world(home: Path, tmp_path: Path, state_dir: Path) -> Path:
    """The working directory, with what `cases` names."""
    for key in ("backup-db", "backup-www"):
        assert run_radar("ping", key).returncode == 0
    assert run_radar("status").returncode == 0  # takes them into the store
    assert not list((state_dir / "spool").glob("*/*.ping"))
    assert run_radar("ping", "only-spooled").returncode == 0
    Path(os.environ["RADAR_CONFIG"]).write_text(CONFIG)
    (tmp_path / "notes.txt").touch()
    tool = home / "bin/mytool"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\necho did "$@"\n')
    tool.chmod(0o755)
    return tmp_path
