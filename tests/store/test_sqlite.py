"""What only the embedded store's file is or does."""

import sqlite3
from pathlib import Path

import pytest

from radar_cli.core.errors import StateError
from radar_cli.store.opening import open_embedded
from radar_cli.store.schema import MIGRATIONS


def test_it_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    with open_embedded(str(tmp_path / "state")) as store:
        assert Path(store.place).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_it_refuses_a_file_of_a_newer_radar_and_leaves_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "radar.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match="newer radar") as caught:
        open_embedded(str(tmp_path))
    assert "upgrade" in caught.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 40])
def test_it_refuses_a_file_that_is_no_database_and_leaves_it_alone(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "radar.db"
    path.write_bytes(content)
    with pytest.raises(StateError, match="file is not a database") as caught:
        open_embedded(str(tmp_path))
    assert "move it away" in caught.value.hint
    assert path.read_bytes() == content


def test_it_says_which_state_directory_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="state directory") as caught:
        open_embedded(str(tmp_path / "file" / "state"))
    assert "RADAR_STATE_DIR" in caught.value.hint
