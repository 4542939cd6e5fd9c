"""Keys and what is remembered of them, on an embedded store and with a clock of its own."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar_cli.server.runtime import access as access_module
from radar_cli.server.runtime.access import Access, AccessError, check, read_authorization
from radar_cli.server.runtime.keys import ApiKey, Keys, _random, check_new, has_form
from radar_cli.store.database import Database
from radar_cli.store.opening import open_embedded
from radar_cli.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_embedded(str(tmp_path)) as opened:
        yield opened


class _Counting(Keys):
    """Keys that count how often the database is asked, and what happens meanwhile."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.lookups = 0
        self.revisions = 0

    def find(self, key: str) -> ApiKey | None:
        self.lookups += 1
        return super().find(key)

    def revision(self) -> tuple[int, ...]:
        self.revisions += 1
        return super().revision()


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def keys(store: Store) -> _Counting:
    return _Counting(store.database)


def _id_of(key: str) -> str:
    return key.split("_")[2]


class TestKeys:
    def test_a_key_is_found_by_all_of_it_alone(self, keys: Keys) -> None:
        key = keys.create(7, scope="read", monitors="db-*", name="mine")
        found = keys.find(key)
        assert found == ApiKey(_id_of(key), "mine", "read", "db-*", 7)
        assert keys.find_by_id(_id_of(key)) == found
        for wrong in (key[:-1], key + "x", f"ck_app_{_id_of(key)}_", "ck_app_other_x", "", "x_y"):
            assert keys.find(wrong) is None
        assert keys.find_by_id("other") is None

    def test_a_revoked_key_is_none(self, keys: Keys) -> None:
        first, second = (keys.create(number, scope="ping") for number in (1, 2))
        before = keys.revision()
        assert keys.revoke(_id_of(first), 9)
        assert not keys.revoke(_id_of(first), 10), "it is revoked already"
        assert not keys.revoke("other", 10)
        assert keys.find(first) is None
        assert keys.find_by_id(_id_of(first)) is None
        assert keys.find(second) is not None
        assert [(key.id, key.revoked_us) for key in keys.list()] == [
            (_id_of(first), 9),
            (_id_of(second), None),
        ]
        assert keys.revision() != before

    def test_a_key_is_made_of_a_short_id_and_a_long_secret(self, keys: Keys) -> None:
        made = {keys.create(1, scope="ping") for _ in range(20)}
        assert len(made) == 20
        for key in made:
            assert [len(part) for part in key.split("_")] == [2, 3, 10, 43]

    def test_each_letter_of_a_key_is_as_likely_as_any_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("os.urandom", lambda _: bytes(reversed(range(256))))
        text = _random(248)
        assert text[0] == "9", "of the bytes that would favour the first letters none counts"
        assert {text.count(letter) for letter in set(text)} == {4}
        assert len(set(text)) == 62
        assert len(_random(10)) == 10

    def test_the_first_key_is_an_admins_and_shown_once(self, keys: Keys) -> None:
        shown: list[str] = []
        assert keys.create_first(5, shown.append)
        assert keys.create_first(6, shown.append) is False
        (found,) = keys.list()
        assert keys.find(shown[0]) == found
        assert (found.name, found.scope, found.monitors) == ("first", "admin", "*")
        assert len(shown) == 1

    def test_of_servers_that_start_at_once_one_makes_the_first_key(self, keys: Keys) -> None:
        shown: list[str] = []

        class _Late(Keys):
            def list(self) -> list[ApiKey]:  # another one makes it right after this look
                found = super().list()
                assert keys.create_first(5, shown.append)
                return found

        assert _Late(keys._database).create_first(6, shown.append) is False
        assert len(shown) == len(keys.list()) == 1

    def test_a_first_key_that_nobody_has_seen_is_made_anew(self, keys: Keys) -> None:
        def fail(key: str) -> None:  # noqa: ARG001
            raise OSError("the disk is full")

        with pytest.raises(OSError, match="full"):
            keys.create_first(5, fail)
        assert keys.list() == []
        assert keys.create_first(6, lambda _: None)

    @pytest.mark.parametrize(
        ("scope", "allowed"),
        [("ping", {"ping"}), ("read", {"read"}), ("admin", {"ping", "read", "admin"})],
    )
    def test_a_scope_is_good_for_itself_and_admins_for_all(
        self, scope: str, allowed: set[str]
    ) -> None:
        key = ApiKey("id", "", scope, "*", 1)
        assert {each for each in ("ping", "read", "admin") if key.may(each)} == allowed

    def test_a_pattern_covers_what_it_matches(self) -> None:
        assert ApiKey("id", "", "ping", "*", 1).covers("anything")
        mine = ApiKey("id", "", "ping", "db-[ab]*", 1)
        assert [mine.covers(name) for name in ("db-a", "db-b1", "db-c", "xdb-a")] == (
            [True, True, False, False]
        )

    def test_what_has_the_form_of_a_key(self) -> None:
        assert has_form("ck_app_a_b")
        assert has_form("ck_app_a_" + "b" * 190)
        assert not has_form("ck_app_a_" + "b" * 191), "a wrong one may be of any size"
        for wrong in ("", "ck_app_ab", "ck_xxx_a_b", "ck_app_a_\xff", "ck_app_a_\n", "a_b_c_d"):
            assert not has_form(wrong)

    def test_a_key_with_a_bad_scope_pattern_or_name_isnt_made(self) -> None:
        check_new("ping", "m" * 200, "n" * 200)
        for scope, monitors, name in (
            ("write", "*", ""),
            ("ping", "", ""),
            ("ping", "m" * 201, ""),
            ("ping", "*", "n" * 201),
            ("ping", "*", "a\nb"),
        ):
            with pytest.raises(ValueError, match="a key"):
                check_new(scope, monitors, name)


class TestRemembering:
    def test_the_database_is_asked_for_a_key_once_in_five_seconds(self, keys: _Counting) -> None:
        clock = _Clock()
        access = Access(keys, clock)
        key = keys.create(1, scope="ping")
        assert access.recall(key) is False
        found = access.find(key)
        assert found is not None
        clock.now += 0.25
        assert access.recall(key) == access.find(key) == found
        assert access.find("ck_app_other_x") is None
        assert (keys.lookups, keys.revisions) == (2, 1)
        keys.lookups = 1
        clock.now += 0.01
        assert access.recall(key) is False, "it may have been revoked"
        assert access.find(key) == access.recall(key) == found
        assert (keys.lookups, keys.revisions) == (1, 2)
        clock.now = 1005.0
        assert access.find(key) == found
        assert (keys.lookups, keys.revisions) == (1, 3)
        clock.now = 1005.01
        assert access.recall(key) is False
        assert access.find(key) == found
        assert (keys.lookups, keys.revisions) == (2, 3)

    def test_a_wrong_key_is_remembered_too(self, keys: _Counting) -> None:
        access = Access(keys, _Clock())
        wrong = "ck_app_0123456789_" + "a" * 43
        for _ in range(3):
            assert access.find(wrong) is None
        assert access.recall(wrong) is None
        assert keys.lookups == 1

    def test_what_has_not_the_form_of_a_key_is_never_looked_up(self, keys: _Counting) -> None:
        access = Access(keys, _Clock())
        assert access.find("x" * 1000) is access.recall("") is None
        assert (keys.lookups, keys.revisions) == (0, 0)

    def test_a_key_that_was_revoked_here_is_out_of_use_at_once(self, keys: _Counting) -> None:
        access = Access(keys, _Clock())
        key, other = (keys.create(number, scope="ping") for number in (1, 2))
        assert access.find(key) is not None
        assert access.find(other) is not None
        keys.revoke(_id_of(key), 2)
        access.ask_anew()
        assert access.recall(key) is False
        assert access.find(key) is None
        assert access.find(other) is not None
        assert access.recall(other)

    def test_a_key_that_is_revoked_while_it_is_looked_up_is_not_remembered(
        self, store: Store
    ) -> None:
        clock = _Clock()

        class _Slow(Keys):
            is_first = True

            def find(self, key: str) -> ApiKey | None:
                found = super().find(key)
                if self.is_first:
                    self.is_first = False
                    self.revoke(_id_of(key), 2)
                    clock.now += 1
                    access.find("ck_app_other_x")  # as another request does
                return found

        keys = _Slow(store.database)
        key = keys.create(1, scope="ping")
        access = Access(keys, clock)
        assert access.find(key) is not None, "it was asked for before"
        assert access.find(key) is None

    def test_few_keys_are_remembered(
        self, keys: _Counting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(access_module, "_REMEMBERED_MAX", 3)
        access = Access(keys, _Clock())
        wrong = [f"ck_app_{number}_x" for number in range(4)]
        for key in (*wrong[:3], *wrong[:3]):
            access.find(key)
        assert keys.lookups == 3
        access.find(wrong[3])
        assert [access.recall(key) for key in wrong] == [False, False, False, None]


class TestChecking:
    def test_without_a_right_key_it_is_401(self) -> None:
        with pytest.raises(AccessError) as refused:
            check(None, "ping")
        assert (refused.value.status, refused.value.slug) == (401, "AUTHENTICATION_REQUIRED")
        assert refused.value.message == str(refused.value) != ""

    @pytest.mark.parametrize(("scope", "monitor"), [("read", ""), ("ping", "web-1")])
    def test_with_a_key_for_something_else_it_is_403(self, scope: str, monitor: str) -> None:
        with pytest.raises(AccessError) as refused:
            check(ApiKey("id", "", "ping", "db-*", 1), scope, monitor)
        assert (refused.value.status, refused.value.slug) == (403, "ACCESS_DENIED")

    def test_a_good_key_passes(self) -> None:
        key = ApiKey("id", "", "ping", "db-*", 1)
        assert check(key, "ping") is check(key, "ping", "db-1") is key

    @pytest.mark.parametrize(
        ("header", "key"),
        [
            ("Bearer  abc ", "abc"),
            ("apikey abc", "abc"),
            ("ApiKey abc", "abc"),
            ("Basic " + base64.b64encode(b"abc:").decode(), "abc"),
            ("basic " + base64.b64encode(b":abc").decode(), "abc"),
            ("basic " + base64.b64encode(b"abc:def").decode(), "abc"),
            ("basic " + base64.b64encode(b"abc").decode(), "abc"),
            ("basic YWJj!Og==", ""),
            ("basic " + base64.b64encode(b"\xff:").decode(), ""),
            ("Digest abc", ""),
            ("abc", ""),
            ("", ""),
        ],
    )
    def test_it_reads_an_authorization(self, header: str, key: str) -> None:
        assert read_authorization(header) == key
