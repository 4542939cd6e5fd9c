"""Looking at places in processes of their own, whatever these do."""

import os
import pwd
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from radar_cli.cli import apart
from radar_cli.cli.apart import Ask, Looked, look_apart, read_limit
from radar_cli.cli.everybody import Place, all_users_option, find_places
from radar_cli.core.errors import ConfigError, StateError, UsageError
from tests.support.processes import children_of
from tests.support.requirements import require

_NOBODY = pwd.getpwnam("nobody")
_FEW_S = 20.0


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that nobody may enter: pytest's folders are root's alone."""
    require(os.geteuid() == 0, "only root may look at the stores of all users")
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="radar-home-"))
    folder.chmod(0o755)
    os.chown(folder, _NOBODY.pw_uid, _NOBODY.pw_gid)
    before = children_of(os.getpid())
    yield folder
    shutil.rmtree(folder)
    assert children_of(os.getpid()) == before, "none is left"


@pytest.fixture
def place(home: Path) -> Place:
    return _place(home)


def _place(home: Path, folder: str = "") -> Place:
    uid, gid = _NOBODY.pw_uid, _NOBODY.pw_gid
    return Place(str(home / folder), "nobody", uid, gid, str(home), frozenset({uid}))


def _look(
    place: Place, look: Callable[[Place, Ask], Any], limit_s: float = _FEW_S, **more: Any
) -> Looked:
    (looked,) = look_apart([place], look, limit_s=limit_s, **more)
    assert looked.place == place
    return looked


def _say(data: bytes) -> Callable[[Place, Ask], Any]:
    """Say something else than what is found, and go on for long."""

    def look(*_: object) -> None:
        os.write(0, data)
        time.sleep(600)

    return look


class TestLooking:
    def test_what_is_found_comes_in_the_order_of_the_places(self, home: Path) -> None:
        places = []
        for number in range(20):
            (home / f"{number}").mkdir()
            places.append(_place(home, f"{number}"))
        found = look_apart(places, lambda place, _: [place.directory, os.getpid()], limit_s=_FEW_S)
        assert [looked.fault for looked in found] == [""] * 20
        assert [looked.found[0] for looked in found] == [place.directory for place in places]
        assert len({looked.found[1] for looked in found} - {os.getpid()}) == 20

    def test_few_are_looked_at_at_once(self, home: Path) -> None:
        others = children_of(os.getpid())
        places = []
        for number in range(12):
            (home / f"{number}").mkdir()
            places.append(_place(home, f"{number}"))
        seen = []

        def answer(what: Any) -> Any:
            seen.append(len(children_of(os.getpid()) - others))
            return what

        look_apart(places, lambda _, ask: ask("?"), answer, limit_s=_FEW_S)
        assert (seen[0], max(seen), len(seen)) == (8, 8, 12)

    def test_a_user_without_a_store_has_nothing_to_look_at(self, home: Path) -> None:
        assert _look(_place(home, "none"), lambda *_: 1) == Looked(_place(home, "none"))

    def test_a_fault_is_the_places_own(self, place: Place) -> None:
        def refuse(*_: object) -> None:
            raise StateError("it is full", "make room")

        assert _look(place, refuse).fault == StateError("it is full", "make room").line()
        assert _look(place, lambda *_: 1 // 0).fault.startswith("ZeroDivisionError: ")

    def test_one_that_takes_too_long_stops_no_other(self, home: Path) -> None:
        for name in ("slow", "fast"):
            (home / name).mkdir()

        def look(place: Place, ask: Ask) -> str:  # noqa: ARG001
            if place.directory.endswith("slow"):
                time.sleep(600)
            return "found"

        places = [_place(home, "slow"), _place(home, "fast")]
        slow, fast = look_apart(places, look, limit_s=1.0)
        assert (slow.found, slow.fault) == (None, "its store took longer than 1 s")
        assert (fast.found, fast.fault) == ("found", "")

    def test_one_that_dies_is_told_of(self, place: Place) -> None:
        def die(*_: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        assert _look(place, die).fault == "the process that looked at its store has died"

    @pytest.mark.parametrize(
        "said",
        [b"garbage\n", b"\xff\n", b"[1]\n", b"{}\n", b'{"found": 1}\n', b"1\n", b"[" * 100_000],
    )
    def test_one_that_makes_no_sense_is_told_of(self, place: Place, said: bytes) -> None:
        fault = _look(place, _say(said.rstrip(b"\n") + b"\n")).fault
        assert fault == "the process that looked at its store makes no sense"

    def test_what_is_found_has_a_bound(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(apart, "_LARGEST_LINE", 1000)
        text = "x" * (1000 - len('{"found": "", "fault": ""}\n'))
        assert _look(place, lambda *_: text).found == text
        looked = _look(place, lambda *_: text + "x")
        assert looked.fault == "its store has more to say than anybody reads"

    def test_much_may_be_found(self, place: Place) -> None:
        assert _look(place, lambda *_: "x" * 5_000_000).found == "x" * 5_000_000


class TestAsking:
    def test_root_does_what_the_user_cannot(self, place: Place) -> None:
        found = _look(place, lambda _, ask: [ask(1), ask(2)], answer=lambda what: what * 10).found
        assert found == [10, 20]

    def test_who_has_nothing_to_ask_for_is_refused(self, place: Place) -> None:
        looked = _look(place, lambda _, ask: ask("anything"))
        assert looked.fault == "the process that looked at its store makes no sense"

    def test_what_root_does_has_a_limit(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(apart, "_ASKING_LIMIT_S", 0.0)
        asked: list[Any] = []
        looked = _look(place, lambda _, ask: [ask(1), ask(2)], answer=asked.append)
        assert (looked.fault, asked) == ("its store asks for too much", [1])

    def test_one_that_takes_no_answer_is_told_of(self, place: Place) -> None:
        looked = _look(place, _say(b'{"ask": 1}\n'), answer=lambda _: "x" * 10_000_000)
        assert looked.fault == "the process that looked at its store makes no sense"

    def test_the_time_that_an_answer_takes_is_nobodys(self, home: Path) -> None:
        for name in ("asks", "waits"):
            (home / name).mkdir()
        limit_s = 2.0

        def look(place: Place, ask: Ask) -> Any:
            if place.directory.endswith("asks"):
                return ask("?")
            while not (home / "answered").exists():
                time.sleep(0.01)
            return "waited"

        def answer(_: Any) -> str:
            time.sleep(limit_s + 0.1)
            (home / "answered").touch()
            return "asked"

        places = [_place(home, "asks"), _place(home, "waits")]
        found = look_apart(places, look, answer, limit_s=limit_s)
        assert [looked.found for looked in found] == ["asked", "waited"]

    def test_the_time_of_an_answer_is_given_back_once(self, place: Place) -> None:
        def look(_: Place, ask: Ask) -> None:
            ask("?")
            while True:
                os.write(0, b" ")
                time.sleep(0.05)

        looked = _look(place, look, limit_s=0.5, answer=lambda _: time.sleep(0.2))
        assert looked.fault == "its store took longer than 0.5 s"

    def test_it_ends_when_it_has_said_what_it_found(self, place: Place) -> None:
        process = apart._start(place, lambda *_: "found", _FEW_S)
        assert os.waitpid(process.pid, 0) == (process.pid, 0)
        process.hear(apart.refuse)
        process.link.close()
        assert process.looked == Looked(place, "found")

    def test_nothing_is_left_when_somebody_gives_up(self, place: Place) -> None:
        def answer(_: Any) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            _look(place, lambda _, ask: ask("?"), answer=answer)


class TestRights:
    def test_it_is_the_user_and_no_more_root(self, place: Place) -> None:
        def look(*_: object) -> Any:
            return [os.getresuid(), os.getresgid(), os.getgroups(), os.getcwd()]

        uid, gid = _NOBODY.pw_uid, _NOBODY.pw_gid
        assert _look(place, look).found == [[uid] * 3, [gid] * 3, [gid], "/"]

    def test_it_has_nothing_of_what_root_has_open(self, place: Place) -> None:
        def look(*_: object) -> Any:
            with os.scandir("/proc/self/fd") as entries:
                return sorted(
                    (int(entry.name), os.readlink(entry.path).partition(":")[0])
                    for entry in entries
                )

        with open(os.devnull, "rb"), open("/proc/self/status", "rb"):
            (link, out, err, own) = _look(place, look).found
        assert (link, out, err) == ([0, "socket"], [1, os.devnull], [2, os.devnull])
        assert own[0] == 3

    def test_it_ends_by_itself_if_root_is_gone(self, place: Place) -> None:
        def look(*_: object) -> Any:
            left_s = signal.getitimer(signal.ITIMER_REAL)[0]
            return [left_s, signal.getsignal(signal.SIGINT) == signal.SIG_DFL]

        seconds, is_default = _look(place, look).found
        assert _FEW_S + 45 < seconds <= _FEW_S + 90
        assert is_default

    @pytest.mark.parametrize(
        ("hard", "most"), [(-1, 1 << 33), (1 << 32, 1 << 32), (1 << 34, 1 << 33)]
    )
    def test_it_may_use_some_memory_and_leaves_no_core(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, hard: int, most: int
    ) -> None:
        monkeypatch.setattr(apart, "_MEMORY", 1 << 33)

        def look(*_: object) -> Any:
            kinds = (resource.RLIMIT_AS, resource.RLIMIT_CORE)
            return [resource.getrlimit(kind) for kind in kinds]

        pid = os.fork()  # since nobody takes such a limit back
        if pid == 0:
            try:
                resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
                os._exit(0 if _look(place, look).found == [[most, most], [0, 0]] else 1)
            finally:
                os._exit(2)
        assert os.waitpid(pid, 0)[1] == 0


class TestExisting:
    def test_a_store_is_its_users(self, home: Path) -> None:
        assert _place(home).exists()
        assert not _place(home, "none").exists()
        assert not _place(home, "none/below").exists()

    def test_of_a_shared_home_the_folder_says_whose_turn_it_is(self, home: Path) -> None:
        directory, owner = str(home), _NOBODY.pw_uid
        assert not Place(directory, uid=5, home=directory, sharing=frozenset({5, owner})).exists()
        assert Place(directory, uid=5, home=directory, sharing=frozenset({5})).exists()
        assert Place(directory, uid=owner, home=directory, sharing=frozenset({5, owner})).exists()

    def test_a_broken_link_on_the_way_may_hide_a_store(self, home: Path) -> None:
        os.symlink("/mnt/unmounted", home / "link")
        os.symlink("/mnt/unmounted", home / "elsewhere")
        (home / "real").mkdir()
        os.symlink(home / "real", home / "good")
        assert _place(home, "link").exists()
        assert _place(home, "link/below").exists()
        assert not _place(home, "good/below").exists()
        # A link above the home is another's matter.
        assert not Place(str(home / "link/radar"), uid=5, home=str(home / "link")).exists()
        above = str(home / "link/home")
        assert not Place(above + "/radar", uid=5, home=above).exists()

    def test_what_cant_be_known_is_no_store_that_isnt_there(self, home: Path) -> None:
        os.symlink("loop", home / "loop")
        with pytest.raises(StateError, match="can't look at"):
            _place(home, "loop").exists()

    @pytest.mark.parametrize(
        ("uid", "owner", "is_home"),
        [
            (_NOBODY.pw_uid, 0, True),  # a person's home, which the person can't enter
            (1000, 0, True),
            (999, 0, False),
            (999, 999, True),
            (999, -1, False),
        ],
    )
    def test_a_home_that_its_user_cant_enter(
        self, home: Path, uid: int, owner: int, is_home: bool
    ) -> None:
        """Accounts of the system may be kept out of homes that aren't their own."""
        inner = home / "home"
        if owner >= 0:
            inner.mkdir(mode=0o000)
            os.chown(inner, owner, owner)
        else:
            home.chmod(0o700)
        place = Place(str(inner / "radar"), uid=uid, home=str(inner))
        os.seteuid(uid)
        try:
            if is_home:
                with pytest.raises(StateError, match="Permission denied"):
                    place.exists()
            else:
                assert place.exists() is False
        finally:
            os.seteuid(0)


def _user(name: str, uid: int, home: str) -> pwd.struct_passwd:
    return pwd.struct_passwd((name, "x", uid, uid + 1, "", home, "/bin/sh"))


class TestPlaces:
    def test_each_user_has_one(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("RADAR_STATE_DIR", str(tmp_path))
        users = [
            *(_user("root", 0, "/root"), _user("zoe", 1002, "/home/zoe/")),
            *(_user("www", 33, "/srv"), _user("ftp", 34, "/srv/")),
            *(_user("sync", 4, "/"), _user("zoe2", 1002, "/home/zoe")),
        ]
        monkeypatch.setattr(pwd, "getpwall", lambda: users)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        own, others = find_places()
        assert own == Place(str(tmp_path))
        state = "/.local/state/radar"
        assert others == [
            Place(f"/srv{state}", "ftp", 34, 35, "/srv", frozenset({33, 34})),
            Place(state, "sync", 4, 5, "/", frozenset({4})),
            Place(f"/srv{state}", "www", 33, 34, "/srv", frozenset({33, 34})),
            Place(f"/home/zoe{state}", "zoe", 1002, 1003, "/home/zoe", frozenset({1002})),
        ]
        monkeypatch.setenv("RADAR_STATE_DIR", f"/srv{state}")
        assert [place.user for place in find_places()[1]] == ["sync", "zoe"]

    def test_only_root_may_ask(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        with pytest.raises(UsageError, match="only root"):
            find_places()


def test_a_command_may_be_asked_for_all_users() -> None:
    @click.command
    @all_users_option
    def command(*, all_users: bool) -> None:
        click.echo(repr(all_users))

    run = CliRunner().invoke
    assert [run(command, words).output for words in (["--all-users"], [])] == ["True\n", "False\n"]


class TestLimit:
    @pytest.mark.parametrize(
        ("text", "limit_s"), [("", 10.0), ("2s", 2.0), ("1m", 60.0), ("0", 0.1)]
    )
    def test_it_is_read(self, monkeypatch: pytest.MonkeyPatch, text: str, limit_s: float) -> None:
        monkeypatch.setenv("RADAR_STORE_TIMEOUT", text)
        assert read_limit() == limit_s

    def test_one_that_cant_be_read_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RADAR_STORE_TIMEOUT", "soon")
        with pytest.raises(ConfigError, match="RADAR_STORE_TIMEOUT: bad duration"):
            read_limit()
