"""What only the embedded store's file is or does."""

import sqlite3
from pathlib import Path

import pytest

from radar_cli.core.errors import StateError, UsageError
from radar_cli.store.opening import open_database, open_embedded, sqlite_path
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


def test_a_url_names_a_file(tmp_path: Path) -> None:
    with open_database(f"sqlite://{tmp_path}/some%20where/other.db") as store:
        assert store.place == f"{tmp_path}/some where/other.db"
        assert Path(store.place).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///srv/radar.db", "/srv/radar.db"),
        ("sqlite:////srv/radar.db", "/srv/radar.db"),
        ("sqlite:///srv/x/../100%25.db", "/srv/100%.db"),
        ("postgresql://radar@db/radar", ""),
    ],
)
def test_the_path_of_a_url_begins_at_the_root(url: str, path: str) -> None:
    assert sqlite_path(url) == path


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///", "sqlite://host/radar.db", "sqlite:///srv/", "sqlite:///a?mode=ro"],
)
def test_a_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no file in the URL") as caught:
        open_database(url)
    assert "sqlite:///srv/radar.db" in caught.value.hint
