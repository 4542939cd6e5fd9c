"""A monitor that is renamed keeps all that is known of it, and its old key counts for it."""

import threading

import pytest

from radar_cli.model.ping import Ping
from radar_cli.model.port import KeyTakenError, MonitorExistsError, UnknownMonitorError
from radar_cli.model.state import Status
from radar_cli.store.declaring import Declarer
from radar_cli.store.pings import Creation
from radar_cli.store.schema import MIGRATIONS
from radar_cli.store.store import Store
from radar_cli.store.tokens import BADGE, PING
from tests.store.arrivals import add

_SECOND = 1_000_000
_BEGIN = 1_795_000_000 * _SECOND


def _at(minute: float) -> int:
    return _BEGIN + round(minute * 60 * _SECOND)


def _ping(kind: str, minute: float, key: str = "old", run_id: str = "r", **fields: str) -> Ping:
    return Ping(kind, key, time_us=_at(minute), run_id=run_id, fields=fields, body=b"said\n")


def _tables_with_monitors() -> set[str]:
    """The tables that have a column `monitor`, as they are written."""
    found = set()
    for migration in MIGRATIONS:
        for statement in migration.split("\n\n"):
            name = statement.partition("CREATE TABLE ")[2].partition(" ")[0]
            if name and "\n        monitor {text}" in statement:
                found.add(name)
    return found


def test_all_that_is_kept_of_it_has_the_new_key(store: Store) -> None:
    add(store, [_ping("start", 0, every="3600", name="Mine"), _ping("success", 1)])
    add(store, [_ping("fail", 2, run_id="s", exit="3")])
    store.monitors.update("old", {"gracePeriod": "600"}, _at(3))
    store.monitors.pause(["old"], _at(3), _at(4))
    tokens = [store.tokens.make("old", purpose) for purpose in (PING, BADGE)]
    store.incidents.snooze(["old"], _at(5), _at(60), "me")
    store.alerts.enqueue_flips(_at(61), lambda known, _: [("mail", f'{{"of": "{known.key}"}}')])
    before = store.monitors.find("old")
    runs, flips = store.history.runs("old", 9), store.history.flips("old", 9)
    assert before is not None
    store.aliases.rename("old", "new", _at(62))
    after = store.monitors.find("new")
    assert after is not None
    assert store.monitors.find("old") is None
    assert (after.declared, after.settled, after.pauses) == (
        before.declared,
        before.settled,
        before.pauses,
    )
    assert (after.encode(), after.created_us) == (before.encode(), before.created_us)
    assert (store.history.runs("new", 9), store.history.count_pings("old")) == (runs, 0)
    assert [(f.status, f.time_us) for f in store.history.flips("new", 9)] == [
        (f.status, f.time_us) for f in flips
    ]
    assert [store.tokens.find("new", purpose) for purpose in (PING, BADGE)] == tokens
    assert [window.monitors for window in store.windows.not_over(_at(6))] == ["new"]
    notice = store.notices.claim(_at(63), 60 * _SECOND, "mail")
    assert notice is not None
    assert [alert.monitor for alert in notice.alerts] == ["new"]
    assert [logged.monitors for logged in store.notices.newest(9, monitor="new")] == [("new",)]


def test_no_table_of_the_store_is_forgotten(store: Store) -> None:
    for table in sorted(_tables_with_monitors()):
        columns = {
            "ping": "(id, kind, run_id, time_us, fields, body, monitor)",
            "flip": "(id, number, previous, status, reason, time_us, noticed_us, monitor)",
            "alert": "(id, flip, channel, notice, created_us, monitor)",
            "token": "(token, purpose, monitor)",
            "alias": "(key, made_us, monitor)",
        }[table]
        values = {
            "ping": ("p", "log", "", 1, "{}", b""),
            "flip": ("f", 1, "new", "up", "", 1, 1),
            "alert": ("a", "f", "mail", "{}", 1),
            "token": ("t", "ping"),
            "alias": ("older", 1),
        }[table]
        with store.database.change() as change:
            marks = ", ".join("?" * (len(values) + 1))
            change.execute(f"INSERT INTO {table} {columns} VALUES ({marks})", (*values, "old"))
    store.monitors.create("old", {}, _at(0))
    store.aliases.rename("old", "new", _at(1))
    for table in _tables_with_monitors():
        rows = store.database.read(f"SELECT DISTINCT monitor FROM {table}")
        assert rows == [("new",)], table


def test_what_comes_under_the_old_key_is_the_monitors(store: Store) -> None:
    add(store, [_ping("start", 0, every="3600")])
    store.aliases.rename("old", "new", _at(1))
    assert [(a.key, a.used_us) for a in store.aliases.of("new")] == [("old", None)]
    late = _ping("success", 2)
    assert add(store, [late, _ping("log", 2, "other")]) == 2
    # What was delivered, but not heard to be, comes once more.
    assert add(store, [Ping("success", "old", ping_id=late.id, time_us=late.time_us)]) == 0
    known = store.monitors.find("new")
    assert known is not None
    assert (known.state.status, known.state.running) == (Status.UP, {})
    assert store.monitors.keys() == ["new", "other"]
    (alias,) = store.aliases.of("new")
    assert alias.used_us is not None
    assert alias.used_us >= _at(2)
    # A server makes none of it either.
    added = store.pings.add_each([_ping("fail", 3, "old")], _at(3), creating={"old": Creation()})
    assert not added.unknown
    assert store.monitors.keys() == ["new", "other"]


def test_one_that_was_renamed_twice_is_known_by_both_old_keys(store: Store) -> None:
    add(store, [_ping("success", 0)])
    store.aliases.rename("old", "mid", _at(1))
    store.aliases.rename("mid", "new", _at(2))
    add(store, [_ping("success", 3), _ping("success", 4, "mid")])
    assert store.history.count_pings("new") == 3
    assert [alias.key for alias in store.aliases.of("new")] == ["mid", "old"]
    # And back: the key is no alias any more.
    store.aliases.rename("new", "old", _at(5))
    assert {alias.key for alias in store.aliases.of("old")} == {"mid", "new"}
    assert store.aliases.find("old") is None
    store.monitors.delete(["old"])
    assert store.aliases.find("mid") is None


def test_a_key_that_is_taken_is_nobodys_new_one(store: Store) -> None:
    for key in ("old", "other"):
        store.monitors.create(key, {}, _at(0))
    with pytest.raises(MonitorExistsError):
        store.aliases.rename("old", "other", _at(1))
    with pytest.raises(UnknownMonitorError):
        store.aliases.rename("nobody", "new", _at(1))
    store.aliases.rename("old", "new", _at(1))
    with pytest.raises(KeyTakenError):
        store.aliases.rename("other", "old", _at(2))
    with pytest.raises(KeyTakenError):
        store.monitors.create("old", {}, _at(2))
    assert store.aliases.drop("old")
    assert not store.aliases.drop("old")
    assert store.monitors.create("old", {}, _at(3))
    add(store, [_ping("success", 4)])
    assert (store.history.count_pings("old"), store.history.count_pings("new")) == (1, 0)


def test_without_an_alias_the_old_key_is_free_at_once(store: Store) -> None:
    add(store, [_ping("success", 0)])
    store.aliases.rename("old", "new", _at(1), keeps_alias=False)
    assert store.aliases.of("new") == []
    add(store, [_ping("success", 2)])
    assert store.monitors.keys() == ["new", "old"]


def test_a_program_that_declares_the_old_key_declares_the_monitor(store: Store) -> None:
    mine = Declarer("celery", "key1")
    store.declarations.declare(
        mine, {"old": {"every": "60"}, "b": {"every": "60"}}, _at(0), kept=["old", "b"]
    )
    store.aliases.rename("old", "new", _at(1))
    done = store.declarations.declare(mine, {"old": {"every": "90"}}, _at(2), kept=["old", "b"])
    assert (done.created, done.updated, done.retired) == (0, 1, [])
    known = store.monitors.find("new")
    assert known is not None
    assert known.declared["every"] == "90"
    assert store.monitors.keys() == ["b", "new"]
    # Only once it is dropped is it retired.
    assert store.declarations.declare(mine, {}, _at(3), kept=["b"]).retired == ["new"]


def test_no_ping_is_lost_while_it_is_renamed(store: Store) -> None:
    add(store, [_ping("success", 0)])
    pings = [[_ping("log", 1, run_id=f"r{n}") for n in range(m, m + 5)] for m in range(0, 100, 5)]
    faults: list[BaseException] = []

    def send() -> None:
        try:
            for some in pings:
                add(store, some)
        except BaseException as fault:
            faults.append(fault)
            raise

    sender = threading.Thread(target=send)
    sender.start()
    for number in range(20):
        store.aliases.rename(
            "old" if number % 2 == 0 else "new", ("new", "old")[number % 2], _at(2)
        )
    sender.join()
    assert faults == []
    assert store.monitors.keys() == ["old"]
    assert store.history.count_pings("old") == 101
