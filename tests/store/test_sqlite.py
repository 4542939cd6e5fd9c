"""The embedded store itself."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radar_cli.errors import StateError
from radar_cli.pings.ping import Ping
from radar_cli.store import sqlite
from radar_cli.store.schema import MIGRATIONS
from radar_cli.store.sqlite import Store


def _ping(time_us: int, monitor: str = "backup", kind: str = "success", **fields: str) -> Ping:
    return Ping(kind, monitor, time_us=time_us, fields=fields)


def test_it_keeps_a_ping_as_it_is(tmp_path: Path) -> None:
    body = "caf\u00e9 \x00 end".encode()
    ping = Ping("fail", "backup", run_id="r1", time_us=5, fields={"exit": "3"}, body=body)
    with Store(str(tmp_path / "state")) as store:
        assert store.add([ping]) == 1
    with Store(str(tmp_path / "state")) as store:
        (kept,) = store.newest("backup", 10)
    assert vars(kept) == vars(ping)


def test_it_adds_a_ping_once_however_often_it_comes(tmp_path: Path) -> None:
    ping = _ping(5)
    with Store(str(tmp_path)) as store:
        assert [store.add([ping, ping]), store.add([ping])] == [1, 0]
        assert len(store.newest("backup", 10)) == 1


def test_a_newer_ping_declares_what_no_person_has_set(tmp_path: Path) -> None:
    with Store(str(tmp_path)) as store:
        store.add([_ping(5)])
        store.add([_ping(6, schedule="@daily", name="Backup")])
        store.add([_ping(7, every="3600")])
        store.add([_ping(4, every="60", name="late to come")])
        (known,) = store.monitors()
        assert known.declared == {"every": "3600", "name": "Backup"}
        store.update("backup", {"schedule": "@weekly", "every": None}, 8)
        store.add([_ping(9, every="60", name="Better")])
        (known,) = store.monitors()
    assert known.declared == {"schedule": "@weekly", "name": "Better"}


def test_a_monitor_is_as_old_as_its_first_ping(tmp_path: Path) -> None:
    with Store(str(tmp_path)) as store:
        store.add([_ping(1, schedule="@daily", name="Backup")])
        store.add([_ping(2, schedule="@daily")])
        (known,) = store.monitors()
    assert (known.key, known.created_us) == ("backup", 1)
    assert known.declared == {"schedule": "@daily", "name": "Backup"}


def test_it_keeps_the_newest_pings_of_each_monitor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "KEPT_PINGS", 3)
    with Store(str(tmp_path)) as store:
        store.add([_ping(1, "other"), *(_ping(number) for number in range(1, 9))])
        assert [ping.time_us for ping in store.newest("backup", 10)] == [6, 7, 8]
        assert len(store.newest("other", 10)) == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 10**15), max_size=20), st.integers(1, 10))
def test_it_gives_the_newest_pings_in_the_order_of_time(times: list[int], limit: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory, Store(directory) as store:
        store.add([_ping(time_us) for time_us in times])
        newest = [ping.time_us for ping in store.newest("backup", limit)]
    assert newest == sorted(times)[-limit:]


def test_it_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    with Store(str(tmp_path / "state")) as store:
        assert Path(store.path).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_it_refuses_a_file_of_a_newer_radar_and_leaves_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "radar.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match="newer radar") as caught:
        Store(str(tmp_path))
    assert "upgrade" in caught.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 40])
def test_it_refuses_a_file_that_is_no_database_and_leaves_it_alone(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "radar.db"
    path.write_bytes(content)
    with pytest.raises(StateError, match="file is not a database") as caught:
        Store(str(tmp_path))
    assert "move it away" in caught.value.hint
    assert path.read_bytes() == content


def test_it_says_which_state_directory_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="state directory") as caught:
        Store(str(tmp_path / "file" / "state"))
    assert "RADAR_STATE_DIR" in caught.value.hint


def test_it_adds_all_of_a_batch_or_nothing(tmp_path: Path) -> None:
    bad = _ping(2)
    bad.body = None  # type: ignore[assignment]  # what no column takes
    with Store(str(tmp_path)) as store:
        with pytest.raises(StateError):
            store.add([_ping(1), bad])
        assert store.monitors() == []
        assert store.add([_ping(3)]) == 1
