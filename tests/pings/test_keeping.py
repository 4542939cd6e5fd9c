"""The outbox's files by themselves: how they are written, who may have them, and what goes."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from radar_cli.core.errors import StateError
from radar_cli.model.ping import Ping, fingerprint
from radar_cli.outbox import claiming
from radar_cli.outbox import spool as spool_module
from radar_cli.outbox import trim as trim_module
from radar_cli.outbox.claiming import (
    claim,
    claim_for,
    has_left_behind,
    is_free,
    lock_for_flush,
    parse,
    peek,
    readdress,
    reject,
    set_aside,
    sort_in_old,
    unlock,
)
from radar_cli.outbox.spool import (
    Entry,
    Outbox,
    Spool,
    checksum,
    folder_name,
    is_unfinished,
    place_of,
    sync_folder,
)
from radar_cli.outbox.trim import clear_unfinished, forget_dropped, read_dropped, trim
from tests.pings.test_spool import DAMAGE, _claim_elsewhere
from tests.support.radar import spool_files

TO = {"server": "http://radar.example", "profile": "prod"}
OTHER = {"server": "http://radar.example", "profile": "other"}
_DAY_S = 86_400
_NOW_S = 1_800_000_000
_Fault = Callable[[int], None]


@pytest.fixture
def outbox(state_dir: Path) -> Outbox:
    return Outbox(str(state_dir))


@pytest.fixture
def spool(outbox: Outbox) -> Iterator[Spool]:
    """A spool; the test leaves no descriptor open."""
    before = set(os.listdir("/proc/self/fd"))
    yield outbox.spool(folder_name(TO))
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of what is synced, as they are at that moment."""
    paths: list[str] = []
    fsync = os.fsync

    def note(fd: int) -> None:
        paths.append(os.readlink(f"/proc/self/fd/{fd}"))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", note)
    return paths


def _ping(kind: str = "success", *, age_s: float = 0, body: bytes = b"") -> Ping:
    return Ping(kind, "m", time_us=int((_NOW_S - age_s) * 1e6), body=body)


def _put(spool: Spool, kind: str = "success", *, age_s: float = 0, body: bytes = b"") -> str:
    entry = spool.put(_ping(kind, age_s=age_s, body=body), TO, durable=False)
    return os.path.basename(entry.path)


def hold_elsewhere(path: str) -> "subprocess.Popen[bytes]":
    """Have another process lock a file until its stdin ends."""
    script = (
        "import os, sys; fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT);"
        "os.lockf(fd, os.F_LOCK, 0); print(flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"\n"
    return holder


class TestFolders:
    def test_a_folder_is_named_after_where_its_pings_go(self) -> None:
        server = "https://user:pw@Radar.example:8443/base/path"
        begin = f"Radar.example8443-{fingerprint(server.encode())}"
        for to, name in (
            ({}, "store"),
            ({"unresolved": "prod"}, f"unresolved-{fingerprint(b'prod')}"),
            ({"server": server}, begin),
            ({"server": server, "profile": "prod"}, f"{begin}-p{fingerprint(b'prod')}"),
            ({"server": server, "profile": "", "key": "0123abcd"}, f"{begin}-k0123abcd"),
            ({"server": server, "key": ""}, begin),
        ):
            assert folder_name(to) == name

    def test_whatever_a_server_is_called_its_folder_has_a_plain_name(self) -> None:
        assert folder_name({"server": "radar"}).startswith("server-")
        assert folder_name({"server": "http://a-b.c_d/e"}).startswith("a-b.cd-")
        assert folder_name({"server": "http://gr\u00f6\u00dfe"}).startswith("gre-")
        long = folder_name({"server": "http://" + "x" * 99})
        assert long.partition("-")[0] == "x" * 60

    def test_a_place_is_a_server_or_the_profile_that_names_it(self) -> None:
        assert [place_of(to) for to in (TO, {"unresolved": "prod"}, {})] == [
            "http://radar.example",
            "profile prod",
            "",
        ]

    def test_only_folders_of_its_own_are_spools(self, outbox: Outbox, state_dir: Path) -> None:
        assert (outbox.folder_names(), outbox.has_old) == ([], False)
        folder = state_dir / "spool"
        for name in ("b", "a", "aside", "c.ping", "d.rejected"):
            (folder / name).mkdir(parents=True)
        (folder / "file").touch()
        (folder / "link").symlink_to(folder / "a")
        assert outbox.folder_names() == ["a", "b"]
        assert [each.folder for each in outbox.spools()] == [str(folder / "a"), str(folder / "b")]
        assert outbox.spools()[0] is outbox.spool("a")

    @pytest.mark.parametrize("suffix", [".ping", ".rejected"])
    def test_it_notices_what_radar_0_1_left(self, outbox: Outbox, suffix: str) -> None:
        old = Spool(outbox.folder)
        old.put(_ping(), TO, durable=False)
        Path(outbox.folder, "another").mkdir()
        outbox.folder_names()
        assert outbox.has_old
        (name,) = old.names()
        os.rename(f"{old.folder}/{name}", f"{old.folder}/{name.removesuffix('.ping')}{suffix}")
        other = Outbox(outbox.state_directory)
        assert (other.folder_names(), other.has_old) == (["another"], True)
        assert sort_in_old(other) == 1
        assert (other.folder_names(), other.has_old) == (["another", folder_name(TO)], False)

    def test_what_cant_be_sorted_in_stays_and_stops_no_other(
        self, outbox: Outbox, spool: Spool
    ) -> None:
        old = Spool(outbox.folder)
        for number, to in enumerate((TO, {}, OTHER)):
            old.put(Ping("success", "m", time_us=number + 1), to, durable=False)
        Path(outbox.folder, "store").touch()  # in the way of a folder
        assert sort_in_old(outbox) == 2
        (name,) = old.names()
        assert is_free(old, name)
        assert len(spool.names()) == 1

    def test_what_somebody_delivers_right_now_is_not_sorted_in(
        self, outbox: Outbox, spool: Spool
    ) -> None:
        old = Spool(outbox.folder)
        entries = [old.put(Ping("log", "m", time_us=at), TO, durable=False) for at in (1, 2)]
        with hold_elsewhere(entries[0].path) as holder:
            assert sort_in_old(outbox) == 1
            holder.communicate(b"")
        assert old.names() == [os.path.basename(entries[0].path)]
        assert len(spool.names()) == 1


class TestWriting:
    def test_a_durable_one_survives_a_power_failure(self, spool: Spool, synced: list[str]) -> None:
        entry = spool.put(_ping(), TO, durable=True)
        folder, name = os.path.split(entry.path)
        assert synced[0] == os.path.dirname(folder), "of the new folder"
        assert os.path.dirname(synced[1]) == folder
        assert is_unfinished(os.path.basename(synced[1]))
        assert synced[2:] == [folder]
        spool.put(_ping(), TO, durable=False)
        assert len(synced) == 3
        assert spool.names()[0] in (name, spool.names()[0])

    @pytest.mark.parametrize("hold", [True, False])
    def test_one_that_was_not_durable_may_become_so(
        self, spool: Spool, synced: list[str], hold: bool
    ) -> None:
        entry = spool.put(_ping(), TO, durable=False, hold=hold)
        synced.clear()
        entry.sync()
        assert synced == [entry.path, os.path.dirname(entry.path)]
        assert not hold or spool.is_held(os.path.basename(entry.path))
        assert entry.remove()
        synced.clear()
        entry.sync()
        assert synced == [], "it is where it belongs"

    def test_a_name_tells_when_what_and_which(self, spool: Spool) -> None:
        ping = Ping("fail", "m", time_us=1234)
        spool.put(ping, TO, durable=False)
        assert spool.names() == [f"00000000000001234-fail-{ping.id}.ping"]
        assert spool.names(".rejected") == []
        assert Spool(spool.folder + "/none").names() == []

    def test_its_owner_can_read_it_under_any_umask(self, spool: Spool) -> None:
        before = os.umask(0o777)
        try:
            name = _put(spool)
            spool.mark_down()
        finally:
            os.umask(before)
        path = os.path.join(spool.folder, name)
        assert os.stat(path).st_mode & 0o777 == 0o600
        assert os.stat(spool.folder).st_mode & 0o777 == 0o700
        assert spool_files() == [Path(path)]

    def test_whatever_the_disk_takes_at_once_all_is_written(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = os.write
        monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data[:7])))
        name = _put(spool, body=b"all of it")
        entry = peek(spool, name)
        assert entry is not None
        assert (entry.ping.body, entry.to) == (b"all of it", TO)

    @pytest.mark.parametrize(
        ("call", "number", "hint"),
        [
            ("write", errno.ENOSPC, "free some space"),
            ("fsync", errno.EDQUOT, "free some space"),
            ("fsync", errno.EIO, "RADAR_STATE_DIR names another state directory"),
            ("rename", errno.EIO, "RADAR_STATE_DIR names another state directory"),
        ],
    )
    @pytest.mark.parametrize("hold", [True, False])
    def test_what_cant_be_written_leaves_nothing(
        self,
        spool: Spool,
        monkeypatch: pytest.MonkeyPatch,
        call: str,
        number: int,
        hint: str,
        hold: bool,
    ) -> None:
        _put(spool)
        ping = _ping()

        def fail(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(StateError, match=os.strerror(number)) as failed:
                spool.put(ping, TO, durable=True, hold=hold)
        assert failed.value.hint == hint
        assert len(os.listdir(spool.folder)) == 1
        assert not spool.is_held(f"{ping.time_us:017d}-success-{ping.id}.ping")

    def test_a_disk_that_says_late_that_it_cant_is_heard(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _put(spool)
        close = os.close
        closed: list[int] = []

        def fail(fd: int) -> None:
            close(fd)
            closed.append(fd)
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

        with monkeypatch.context() as patch:
            patch.setattr(os, "close", fail)
            with pytest.raises(StateError, match="exceeded"):
                spool.put(_ping(), TO, durable=False)
        assert len(closed) == 1, "by now that may be another's"
        assert len(os.listdir(spool.folder)) == 1

    def test_a_folder_that_cant_be_synced_costs_nothing(self, tmp_path: Path) -> None:
        sync_folder(str(tmp_path / "none"))

    def test_many_that_wait_or_one_half_written_need_care(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not spool.needs_care()
        monkeypatch.setattr(spool_module, "MANY_WAIT", 3)
        for count in range(1, 4):
            _put(spool)
            assert spool.needs_care() == (count == 3)
        monkeypatch.setattr(spool_module, "MANY_WAIT", 1000)
        assert not spool.needs_care()
        Path(spool.folder, ".x.ping.1.2").touch()
        assert spool.needs_care()
        assert not is_unfinished("x.ping.1.2")
        assert not is_unfinished(".down")
        assert not is_unfinished(".x.ping")

    def test_the_oldest_are_few(self, spool: Spool) -> None:
        names = [_put(spool, age_s=age_s) for age_s in (5, 4, 3, 2, 1)]
        assert spool.oldest() == names[:3]

    def test_it_is_noted_since_when_a_server_is_down(self, spool: Spool) -> None:
        assert spool.down_since() == 0.0
        spool.mark_down()
        assert spool.down_since() == 0.0, "there is no such folder"
        _put(spool)
        begin = time.time() - 1
        spool.mark_down()
        assert spool.down_since() >= begin
        down = Path(spool.folder, ".down")
        os.utime(down, (1, 1))
        spool.mark_down()
        assert spool.down_since() >= begin
        assert down.stat().st_mode & 0o777 == 0o600
        spool.mark_up()
        spool.mark_up()
        assert spool.down_since() == 0.0


class TestTaking:
    def test_one_that_is_where_it_belongs_goes(self, spool: Spool) -> None:
        name = _put(spool)
        entry = claim(spool, name)
        assert entry is not None
        assert entry.remove()
        assert not spool.is_held(name)
        assert (spool.names(), claim(spool, name)) == ([], None)
        assert entry.remove(), "somebody else delivered it"

    def test_one_that_the_disk_keeps_comes_again(self, spool: Spool) -> None:
        name = _put(spool)
        entry = claim(spool, name)
        assert entry is not None
        os.unlink(entry.path)
        os.mkdir(entry.path)
        assert not entry.remove()
        os.rmdir(entry.path)
        with pytest.raises(FileNotFoundError):  # it still has to survive a power failure
            entry.sync()

    @pytest.mark.parametrize("kind", DAMAGE)
    def test_what_is_no_ping_is_in_nobodys_way(self, spool: Spool, kind: str) -> None:
        name = _put(spool)
        DAMAGE[kind](Path(spool.folder, name))
        assert peek(spool, name) is None
        assert spool.names() == [name]
        assert is_free(spool, name), "whoever looks closer finds out"
        assert claim(spool, name) is None
        assert spool.names() == []
        (aside,) = os.listdir(f"{spool.folder}/aside")
        assert aside.rpartition(".")[0] == name
        assert not spool.is_held(name)
        set_aside(spool, name)  # it is gone by now

    @pytest.mark.parametrize("more", [0, 1])
    def test_no_ping_is_larger_than_any(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch, more: int
    ) -> None:
        name = _put(spool, body=b"x" * 1000)
        size = os.stat(os.path.join(spool.folder, name)).st_size
        monkeypatch.setattr(claiming, "_LARGEST_BYTES", size - more)
        entry = claim(spool, name)
        assert (entry is None) == bool(more)
        if entry is not None:
            assert entry.ping.body == b"x" * 1000
            entry.release()

    def test_one_that_was_delivered_meanwhile_is_no_ping_any_more(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = _put(spool)
        open_ = os.open

        def deliver(path: str, *more: int) -> int:
            fd = open_(path, *more)
            os.unlink(path)
            return fd

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", deliver)
            assert claim(spool, name) is None
        assert os.listdir(spool.folder) == []
        assert not spool.is_held(name)

    def test_what_another_process_has_is_left_to_it(self, spool: Spool) -> None:
        name = _put(spool)
        with hold_elsewhere(os.path.join(spool.folder, name)) as holder:
            assert claim(spool, name) is None
            assert is_free(spool, name) is False
            assert not spool.is_held(name)
            holder.communicate(b"")
        assert is_free(spool, name)
        entry = claim(spool, name)
        assert entry is not None
        assert not is_free(spool, name)
        assert peek(spool, name) is None
        assert claim(spool, name) is None
        entry.release()
        entry.release()
        assert is_free(spool, name)
        assert is_free(spool, "none")

    def test_what_is_kept_and_held_is_nobody_elses(self, spool: Spool) -> None:
        entry = spool.put(_ping(), TO, durable=False, hold=True)
        assert not _claim_elsewhere(spool, os.path.basename(entry.path))
        entry.release()
        assert _claim_elsewhere(spool, os.path.basename(entry.path))

    def test_a_link_to_a_ping_is_none_and_ends_no_lock(self, spool: Spool) -> None:
        """Whoever closes any descriptor of a file ends the lock that this process has on it."""
        name = _put(spool)
        entry = claim(spool, name)
        assert entry is not None
        os.symlink(name, os.path.join(spool.folder, "1-link.ping"))
        assert is_free(spool, "1-link.ping")
        assert peek(spool, "1-link.ping") is None
        assert claim(spool, "1-link.ping") is None
        assert not _claim_elsewhere(spool, name)
        entry.release()
        assert _claim_elsewhere(spool, name)

    def test_what_is_for_somebody_else_is_let_go(self, spool: Spool) -> None:
        name = _put(spool)
        assert claim_for(spool, name, lambda to: to == OTHER) is None
        assert is_free(spool, name)
        entry = claim_for(spool, name, lambda to: to == TO)
        assert entry is not None
        assert claim_for(spool, name, lambda _: True) is None
        entry.release()

    def test_whether_any_is_left_behind_the_oldest_tell(self, spool: Spool) -> None:
        assert not has_left_behind(spool)
        first, second = _put(spool, age_s=2), _put(spool, age_s=1)
        held = claim(spool, first)
        assert held is not None
        assert has_left_behind(spool)
        other = claim(spool, second)
        assert other is not None
        assert not has_left_behind(spool)
        held.release()
        other.release()

    def test_one_flushes_at_a_time(self, spool: Spool) -> None:
        assert lock_for_flush(spool) is None, "there is nothing to flush"
        _put(spool)
        lock = lock_for_flush(spool)
        assert lock is not None
        assert lock_for_flush(spool) is None
        unlock(spool, lock)
        path = Path(spool.folder, ".flush")
        assert path.stat().st_mode & 0o777 == 0o600
        with hold_elsewhere(str(path)) as holder:
            assert lock_for_flush(spool) is None
            holder.communicate(b"")
        lock = lock_for_flush(spool)
        assert lock is not None
        unlock(spool, lock)


class TestMoving:
    def _claimed(self, spool: Spool) -> Entry:
        entry = claim(spool, _put(spool))
        assert entry is not None
        return entry

    def test_a_refused_one_says_why_and_waits_no_more(
        self, spool: Spool, synced: list[str]
    ) -> None:
        entry = self._claimed(spool)
        synced.clear()
        reject(entry, "no such monitor")
        assert spool.names() == []
        assert len(synced) == 2, "it is kept for good"
        (name,) = spool.names(".rejected")
        assert is_free(spool, os.path.basename(entry.path))
        again = claim(spool, name)
        assert again is not None
        assert again.to == {**TO, "rejected": "no such monitor"}
        reject(again, "still none")
        assert spool.names(".rejected") == [name]
        last = peek(spool, name)
        assert last is not None
        assert last.to["rejected"] == "still none"

    def test_on_a_full_disk_a_refused_one_goes_without_a_reason(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry = self._claimed(spool)

        def fail(*_: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", fail)
            reject(entry, "no such monitor")
            (name,) = spool.names(".rejected")
            again = claim(spool, name)
            assert again is not None
            reject(again, "no such monitor")
        assert os.listdir(spool.folder) == [name]
        assert not spool.is_held(name)

    def test_one_with_a_new_address_moves_to_where_such_wait(
        self, outbox: Outbox, spool: Spool, synced: list[str]
    ) -> None:
        entry = self._claimed(spool)
        synced.clear()
        readdress(outbox, entry, OTHER)
        assert (spool.names(), len(outbox.spool(folder_name(OTHER)).names())) == ([], 1)
        assert len(synced) == 3, "it survives a power failure"
        stays = self._claimed(spool)
        readdress(outbox, stays, {**TO, "rejected": "no"})
        assert spool.names() == [os.path.basename(stays.path)]
        assert is_free(spool, os.path.basename(stays.path))

    def test_on_a_full_disk_it_stays_where_it_is(
        self, outbox: Outbox, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry = self._claimed(spool)

        def fail(*_: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", fail)
            readdress(outbox, entry, OTHER)
        assert spool.names() == [os.path.basename(entry.path)]
        assert is_free(spool, os.path.basename(entry.path))


@pytest.mark.parametrize(
    ("head", "body", "is_whole"),
    [
        (b"radar-ping/1 4 SUM", b"body", True),
        (b"radar-ping/1 5 SUM", b"body", False),
        (b"radar-ping/1 4 SUM more", b"body", False),
        (b"4 SUM", b"body", False),
        (b"radar-ping/1 SUM", b"body", False),
        (b"radar-ping/1 4 01234567", b"body", False),
        (b"radar-ping/1 1 SUM", b"\xff", False),
    ],
)
def test_a_file_is_whole_or_none(head: bytes, body: bytes, is_whole: bool) -> None:
    line = Ping("success", "m", time_us=1).encode().encode()
    rest = b"server=x\n" + line + b"\n" + body
    data = head.replace(b"SUM", checksum(rest)) + b"\n" + rest
    try:
        ping, to = parse(data)
    except ValueError:
        assert not is_whole
    else:
        assert (is_whole, ping.body, to) == (True, b"body", {"server": "x"})


class TestTrimming:
    def test_so_many_stay_and_no_more(self, spool: Spool) -> None:
        for age_s in range(5):
            _put(spool, age_s=age_s)
        assert trim(spool, _NOW_S, files_max=5) == []
        (line,) = trim(spool, _NOW_S, files_max=4)
        assert line == (
            "undelivered pings for http://radar.example were dropped (the outbox is full):"
            " 1 success"
        )
        assert len(spool.names()) == 4

    def test_logs_go_first_and_outcomes_last(self, spool: Spool) -> None:
        names = {
            kind: _put(spool, kind, age_s=age_s)
            for age_s, kind in enumerate(("fail", "start", "success", "log"))
        }
        for left in (("fail", "start", "success"), ("fail", "success"), ("fail",)):
            trim(spool, _NOW_S, files_max=len(left))
            assert set(spool.names()) == {names[kind] for kind in left}

    def test_so_many_bytes_stay_and_no_more(self, spool: Spool) -> None:
        names = [_put(spool, age_s=age_s, body=b"x" * 1000) for age_s in range(14, 0, -1)]
        sizes = [os.stat(os.path.join(spool.folder, name)).st_size for name in names]
        assert trim(spool, _NOW_S, bytes_max=sum(sizes)) == []
        trim(spool, _NOW_S, bytes_max=sum(sizes) - 1)
        assert spool.names() == names[1:]
        # What has to go for its number counts for its size, too.
        trim(spool, _NOW_S, files_max=13, bytes_max=sum(sizes[1:]))
        assert spool.names() == names[1:]

    def test_what_is_one_too_many_counts_once(self, spool: Spool) -> None:
        names = [_put(spool, age_s=age_s, body=b"x" * 1000) for age_s in range(16, 0, -1)]
        sizes = [os.stat(os.path.join(spool.folder, name)).st_size for name in names]
        trim(spool, _NOW_S, files_max=14, bytes_max=sum(sizes[3:]))
        assert spool.names() == names[3:]

    def test_a_few_are_never_too_large_together(self, spool: Spool) -> None:
        for age_s in range(12):
            _put(spool, age_s=age_s, body=b"x" * 1000)
        assert trim(spool, _NOW_S, bytes_max=10) == []
        _put(spool)
        trim(spool, _NOW_S, bytes_max=10)
        assert spool.names() == []

    def test_thirty_days_are_enough(self, spool: Spool) -> None:
        _put(spool, age_s=30 * _DAY_S + 1)
        just = _put(spool, age_s=30 * _DAY_S)
        (line,) = trim(spool, _NOW_S)
        assert "(older than 30 days): 1 success" in line
        assert spool.names() == [just]
        trim(spool, _NOW_S, files_max=0)
        assert spool.names() == []

    def test_what_isnt_its_own_is_left_alone(self, spool: Spool) -> None:
        name = _put(spool)
        for foreign in ("README", "1.ping~", "x-success-1.ping", "\u0661-success-1.ping"):
            Path(spool.folder, foreign).touch()
        trim(spool, _NOW_S, files_max=0)
        assert name not in os.listdir(spool.folder)
        assert len(os.listdir(spool.folder)) == 5, "with the note of what was dropped"

    def test_what_was_dropped_is_a_fact_until_a_person_has_seen_it(self, spool: Spool) -> None:
        assert read_dropped(spool) is None
        for kind in ("fail", "fail", "log", "start"):
            _put(spool, kind, age_s=31 * _DAY_S)
        (line,) = trim(spool, _NOW_S)
        assert line.endswith("2 fail, 1 log, 1 start") or line.count("1") >= 2
        _put(spool, "fail", age_s=31 * _DAY_S)
        trim(spool, _NOW_S + 60)
        dropped = read_dropped(spool)
        assert dropped is not None
        assert (dropped.total, dropped.place) == (5, "http://radar.example")
        assert dropped.counts == {"start": 1, "success": 0, "fail": 3, "log": 1}
        assert dropped.format_counts() == "1 start, 3 fail, 1 log"
        assert (dropped.first_s, dropped.last_s) == (_NOW_S, _NOW_S + 60)
        note = Path(spool.folder, ".dropped")
        assert note.stat().st_mode & 0o777 == 0o600
        assert note.stat().st_size == 4000
        forget_dropped(spool)
        forget_dropped(spool)
        assert read_dropped(spool) is None

    @pytest.mark.parametrize(
        "text", ["", "garbage", "first=1&last=2", "to=x&first=a&last=2", "to=x&fail=z", "\u00e9"]
    )
    def test_a_note_that_cant_be_read_tells_nothing(self, spool: Spool, text: str) -> None:
        _put(spool, age_s=31 * _DAY_S)
        Path(spool.folder, ".dropped").write_text(text)
        assert read_dropped(spool) is None
        if text.isascii():
            trim(spool, _NOW_S)
            dropped = read_dropped(spool)
            assert dropped is not None
            assert (dropped.total, dropped.first_s) == (1, _NOW_S)

    def test_notes_are_made_in_turn(self, spool: Spool) -> None:
        _put(spool, age_s=31 * _DAY_S)
        holder = hold_elsewhere(os.path.join(spool.folder, ".dropped"))
        with holder:
            sleep = time.sleep

            def let_go(seconds: float) -> None:
                assert holder.stdin is not None
                holder.stdin.close()
                assert seconds < 1
                sleep(seconds)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(time, "sleep", let_go)
                assert len(trim(spool, _NOW_S)) == 1
            assert holder.stdin is not None
            assert holder.stdin.closed, "it waited"
        dropped = read_dropped(spool)
        assert dropped is not None
        assert dropped.total == 1

    def test_many_are_dropped_and_each_is_noted(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(trim_module, "_NOTED_AT_ONCE", 3)
        for age_s in range(8):
            _put(spool, "log" if age_s < 2 else "fail", age_s=age_s)
        (line,) = trim(spool, _NOW_S, files_max=0)
        assert line.endswith(": 2 log, 6 fail")
        dropped = read_dropped(spool)
        assert dropped is not None
        assert dropped.total == 8
        assert spool.names() == []

    def test_what_somebody_delivers_right_now_needs_no_note(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(trim_module, "_NOTED_AT_ONCE", 1)
        held = claim(spool, _put(spool, age_s=2))
        assert held is not None
        _put(spool, age_s=1)
        (line,) = trim(spool, _NOW_S, files_max=0)
        assert line.endswith("(the outbox is full): 1 success")
        held.release()

    def test_what_is_gone_by_now_takes_no_place(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = [_put(spool, age_s=age_s, body=b"x" * 1000) for age_s in range(14, 0, -1)]
        sizes = [os.stat(os.path.join(spool.folder, name)).st_size for name in names]
        stat = os.stat

        def lose(path: str, **more: bool) -> os.stat_result:
            if str(path).endswith(names[0]):
                raise FileNotFoundError(path)
            return stat(path, **more)

        with monkeypatch.context() as patch:
            patch.setattr(os, "stat", lose)
            assert trim(spool, _NOW_S, bytes_max=sum(sizes[1:])) == []

    def test_what_stays_was_not_dropped(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for age_s in range(3):
            _put(spool, age_s=age_s)
        stays = spool.names()[1]
        unlink = os.unlink

        def keep(path: str) -> None:
            if path.endswith(stays):
                raise OSError(errno.EIO, "the disk keeps it")
            unlink(path)

        with monkeypatch.context() as patch:
            patch.setattr(os, "unlink", keep)
            (line,) = trim(spool, _NOW_S, files_max=0)
        assert line.endswith(": 2 success")
        assert spool.names() == [stays]
        dropped = read_dropped(spool)
        assert dropped is not None
        assert dropped.total == 2

    def test_a_disk_that_takes_no_note_is_said(self, spool: Spool) -> None:
        _put(spool, age_s=31 * _DAY_S)
        Path(spool.folder, ".dropped").mkdir()
        (line,) = trim(spool, _NOW_S)
        assert (
            "(older than 30 days; just this run says so, as the disk takes no note of it)" in line
        )
        assert spool.names() == []

    def test_what_killed_writers_left_goes_after_an_hour(self, spool: Spool) -> None:
        _put(spool)
        for name, age_s in ((".x.ping.1.2", 3601), (".y.ping.1.2", 3600), (".flush", 9999)):
            path = Path(spool.folder, name)
            path.touch()
            os.utime(path, (_NOW_S - age_s,) * 2)
        Path(spool.folder, ".z.ping.1.2").mkdir()  # of whoever made it
        os.utime(Path(spool.folder, ".z.ping.1.2"), (1, 1))
        clear_unfinished(spool, _NOW_S)
        left = {name for name in os.listdir(spool.folder) if name.startswith(".")}
        assert left == {".y.ping.1.2", ".flush", ".z.ping.1.2"}
        assert trim(spool, _NOW_S + 1) == []
        assert not Path(spool.folder, ".y.ping.1.2").exists()

    def test_what_was_set_aside_goes_after_a_month(self, spool: Spool) -> None:
        _put(spool)
        aside = Path(spool.folder, "aside")
        (aside / "folder").mkdir(parents=True)
        (aside / "x.ping.1").touch()
        changed_s = os.lstat(aside / "x.ping.1").st_ctime
        trim(spool, changed_s + 30 * _DAY_S - 1)
        assert len(os.listdir(aside)) == 2
        trim(spool, changed_s + 30 * _DAY_S + 1)
        assert os.listdir(aside) == ["folder"]

    def test_where_nothing_waits_there_is_nothing_to_do(self, outbox: Outbox) -> None:
        assert trim(outbox.spool("none"), _NOW_S) == []
