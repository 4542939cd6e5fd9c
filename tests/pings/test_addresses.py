"""Which pings a destination takes, from which folders, and what it adds to its own."""

import os
from pathlib import Path

import pytest

from radar_cli.core.zone import describe_clock, local_zone
from radar_cli.delivery import destinations
from radar_cli.delivery.destinations import (
    STORE,
    Destination,
    Resolved,
    _from_variables_alone,
    plain_destination,
    resolve,
    unresolved,
)
from radar_cli.model.ping import Ping, fingerprint
from radar_cli.outbox.spool import UNRESOLVED, Outbox, folder_name

_URL = "http://radar.example"
_KEY = fingerprint(b"k")
_HERE = Destination(STORE, profile="default")
_PROD = Destination("radar", server=_URL, profile="prod", key="k", is_default=False)
_DEFAULT = Destination("radar", server=_URL, profile="default", key="k")
_VARIABLES = Destination("radar", server=_URL, profile="default", key="k", is_from_environment=True)
_KEYLESS = Destination("radar", server=_URL, profile="default", is_from_environment=True)
_UNKNOWN = Destination(UNRESOLVED, profile="prod")


def test_an_address_names_the_profile_or_tells_two_keys_apart() -> None:
    assert _HERE.address() == {}
    assert _PROD.address() == {"server": _URL, "profile": "prod"}
    assert _VARIABLES.address() == {"server": _URL, "key": _KEY}
    assert _KEYLESS.address() == {"server": _URL, "key": ""}
    assert _UNKNOWN.address() == {"unresolved": "prod"}
    assert Destination(UNRESOLVED).address() == {"unresolved": "default"}


def test_a_server_is_neither_the_store_nor_unknown() -> None:
    assert [each.is_server for each in (_PROD, _HERE, _UNKNOWN)] == [True, False, False]


@pytest.mark.parametrize(
    ("address", "takers"),
    [
        ({}, [_HERE]),
        ({"unresolved": "default"}, [_HERE, _DEFAULT, _VARIABLES, _KEYLESS]),
        ({"unresolved": "prod"}, [_PROD]),
        ({"unresolved": "other"}, []),
        ({"server": _URL, "profile": "prod"}, [_PROD, _VARIABLES, _KEYLESS]),
        ({"server": "http://old.example", "profile": "prod"}, [_PROD]),
        ({"server": _URL, "profile": "default"}, [_DEFAULT, _VARIABLES, _KEYLESS]),
        ({"server": _URL, "key": _KEY}, [_PROD, _DEFAULT, _VARIABLES]),
        ({"server": _URL, "key": fingerprint(b"other")}, []),
        ({"server": _URL, "key": ""}, [_PROD, _DEFAULT, _VARIABLES, _KEYLESS]),
        ({"server": _URL}, [_PROD, _DEFAULT, _VARIABLES, _KEYLESS]),
        ({"server": "http://old.example", "key": _KEY}, []),
    ],
)
def test_who_takes_which_pings(address: dict[str, str], takers: list[Destination]) -> None:
    """And whoever takes one looks into the folder where it waits."""
    everybody = [_HERE, _PROD, _DEFAULT, _VARIABLES, _KEYLESS, _UNKNOWN]
    assert [each for each in everybody if each.accepts(address)] == takers
    folder = folder_name(address)
    assert all(each.may_hold(folder) for each in takers)


@pytest.mark.parametrize(
    ("address", "lookers"),
    [
        ({}, [_HERE]),
        ({"unresolved": "default"}, [_HERE, _DEFAULT, _VARIABLES, _KEYLESS]),
        ({"unresolved": "prod"}, [_PROD]),
        ({"unresolved": "other"}, []),
        ({"server": _URL, "profile": "prod"}, [_PROD, _VARIABLES, _KEYLESS]),
        ({"server": "http://old.example", "profile": "prod"}, [_PROD]),
        ({"server": _URL, "profile": "other"}, [_VARIABLES, _KEYLESS]),
        ({"server": _URL, "key": _KEY}, [_PROD, _DEFAULT, _VARIABLES]),
        ({"server": _URL, "key": fingerprint(b"other")}, []),
        ({"server": _URL}, [_PROD, _DEFAULT, _VARIABLES, _KEYLESS]),
        ({"server": "http://old.example"}, []),
    ],
)
def test_who_looks_into_which_folders(address: dict[str, str], lookers: list[Destination]) -> None:
    everybody = [_HERE, _PROD, _DEFAULT, _VARIABLES, _KEYLESS, _UNKNOWN]
    assert [each for each in everybody if each.may_hold(folder_name(address))] == lookers


def test_its_own_folder_comes_first(state_dir: Path) -> None:
    outbox = Outbox(str(state_dir))
    for to in ({"unresolved": "default"}, {"server": _URL}, _VARIABLES.address(), {}):
        outbox.put(Ping("success", "m", time_us=1), to, durable=False)
    names = [os.path.basename(spool.folder) for spool in _VARIABLES.spools(outbox)]
    own = folder_name(_VARIABLES.address())
    assert names == [own, folder_name({"server": _URL}), folder_name({"unresolved": "default"})]


def test_a_connection_goes_by_the_proxy_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    direct = _PROD.link()
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert direct.proxy is None
    proxy = _PROD.link().proxy
    assert proxy is not None
    assert (proxy.host, direct.url.host) == ("proxy.example", "radar.example")


class TestCompleting:
    def test_a_ping_says_on_which_host_it_ran(self) -> None:
        resolved = Resolved()
        plain, named = (
            Ping("start", "m", time_us=1),
            Ping("start", "m", time_us=1, fields={"host": "own"}),
        )
        resolved.complete(plain)
        resolved.complete(named)
        assert plain.fields == {"host": os.uname().nodename}
        assert named.fields == {"host": "own"}
        resolved.host = "box"
        other = Ping("start", "m", time_us=1)
        resolved.complete(other)
        assert other.fields == {"host": "box"}

    def test_a_schedule_comes_with_the_clock_that_it_is_of(self) -> None:
        resolved = Resolved()
        plain = Ping("start", "m", time_us=1, fields={"schedule": "@daily"})
        named = Ping("start", "m", time_us=1, fields={"schedule": "@daily", "tz": "Asia/Kolkata"})
        for ping in (plain, named):
            resolved.complete(ping)
        assert (plain.fields["tz"], named.fields["tz"]) == (local_zone(), "Asia/Kolkata")
        assert describe_clock(os.environ).items() <= plain.fields.items()
        resolved.tz, resolved.clock = "Europe/London", {"clock": "known"}
        other = Ping("start", "m", time_us=1, fields={"schedule": "@daily"})
        resolved.complete(other)
        assert (other.fields["tz"], other.fields["clock"]) == ("Europe/London", "known")


class TestResolving:
    def _environ(self, tmp_path: Path, **more: str) -> dict[str, str]:
        return {
            "HOME": str(tmp_path),
            "RADAR_CONFIG": str(tmp_path / "config.toml"),
            "RADAR_SYSTEM_CONFIG": str(tmp_path / "system.toml"),
            **more,
        }

    def test_with_nothing_configured_pings_stay_here(self, tmp_path: Path) -> None:
        (found,) = resolve([], None, self._environ(tmp_path)).destinations
        assert (found.protocol, found.profile, found.address()) == (STORE, "default", {})

    def test_plain_variables_are_enough(self, tmp_path: Path) -> None:
        environ = self._environ(tmp_path, RADAR_SERVER=_URL, RADAR_API_KEY="k")
        resolved = resolve([], None, environ)
        (found,) = resolved.destinations
        assert vars(found) == vars(_VARIABLES)
        assert resolved.secrets == ["k"]
        assert vars(plain_destination("", environ) or _HERE) == vars(_VARIABLES)
        assert plain_destination("prod", environ) is None

    @pytest.mark.parametrize(
        "variables",
        [
            {"RADAR_PROFILE": "prod"},
            {"RADAR_SERVER": _URL},
            {"RADAR_API_KEY": "k"},
            {"RADAR_SERVER": _URL, "RADAR_API_KEY": "k", "RADAR_TZ": "UTC"},
            {"RADAR_SERVER": _URL, "RADAR_API_KEY": "cmd:pass"},
            {"RADAR_SERVER": _URL, "RADAR_API_KEY": "a b"},
            {"RADAR_SERVER": _URL, "RADAR_API_KEY": "\u00e4"},
            {"RADAR_SERVER": _URL, "RADAR_API_KEY": "\x07"},
            {"RADAR_SERVER": "http://a:b@radar.example", "RADAR_API_KEY": "k"},
            {"RADAR_SERVER": f"{_URL}/base", "RADAR_API_KEY": "k"},
            {"RADAR_SERVER": "HTTP://Radar.example", "RADAR_API_KEY": "k"},
            {"RADAR_SERVER": "radar", "RADAR_API_KEY": "k"},
            {"RADAR_SERVER": "https://cron.life", "RADAR_API_KEY": "k"},
            {"RADAR_SERVER": "https://cronradar.io", "RADAR_API_KEY": "k"},
        ],
    )
    def test_all_else_takes_the_long_way(self, tmp_path: Path, variables: dict[str, str]) -> None:
        assert _from_variables_alone(self._environ(tmp_path, **variables)) is None

    @pytest.mark.parametrize("name", ["config.toml", "system.toml"])
    @pytest.mark.parametrize("is_hidden", [True, False])
    def test_so_does_whoever_has_a_config(self, tmp_path: Path, name: str, is_hidden: bool) -> None:
        if is_hidden:  # a loop of links is something that hides it
            (tmp_path / name).symlink_to(name)
        else:
            (tmp_path / name).touch()
        assert _from_variables_alone(self._environ(tmp_path)) is None

    def test_a_folder_that_is_a_file_has_no_config(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        environ = self._environ(tmp_path, RADAR_CONFIG=str(tmp_path / "file/config.toml"))
        assert _from_variables_alone(environ) is not None

    @pytest.mark.parametrize(("profiles", "server"), [(["prod"], None), ([], _URL)])
    def test_a_profile_or_a_server_that_is_named_counts(
        self, tmp_path: Path, profiles: list[str], server: str | None
    ) -> None:
        environ = self._environ(tmp_path, RADAR_SERVER="http://other", RADAR_API_KEY="k")
        assert vars(resolve(profiles, server, environ).destinations[0]) != vars(
            _from_variables_alone(environ) or _HERE
        )

    def test_whatever_goes_wrong_pings_are_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise RuntimeError("boom")

        monkeypatch.setattr(destinations, "_resolve_profiles", fail)
        environ = self._environ(tmp_path, RADAR_PROFILE="prod")
        given = Resolved()
        resolved = resolve([], None, environ, given)
        assert resolved is given
        assert resolved.warnings == ["pings are kept: RuntimeError: boom"]
        assert [each.address() for each in resolved.destinations] == [{"unresolved": "prod"}]

    def test_each_profile_waits_for_itself_once(self) -> None:
        found = unresolved(["a", "b", "a"], {"RADAR_PROFILE": "c"})
        assert [each.address() for each in found] == [{"unresolved": "a"}, {"unresolved": "b"}]
        assert [each.address() for each in unresolved([], {})] == [{"unresolved": "default"}]

    def test_what_only_configs_know_is_empty_at_first(self) -> None:
        plain = Destination("radar", server=_URL)
        assert (plain.headers, plain.redact, plain.key) == ({}, [], "")
        full = Destination("radar", server=_URL, headers={"X": "1"}, redact=["a"])
        assert (full.headers, full.redact) == ({"X": "1"}, ["a"])
        assert destinations.STORE == "store"
