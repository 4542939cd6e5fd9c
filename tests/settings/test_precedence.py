import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar_cli.core.errors import ConfigError
from radar_cli.settings.profiles import Profile
from tests.settings.conftest import Loader

A, B, C, D, E = (f"https://{name}.example" for name in "abcde")
WORK = f"[profiles.work]\nserver = '{B}'\napi_key = 'key-b'\n"


def chosen(profile: Profile) -> tuple[str, str]:
    return profile.server, profile.api_key()


def test_it_prefers_flag_to_environment_to_user_to_system_to_default(
    load_with: Loader, user_file: Path, system_file: Path
) -> None:
    config = load_with(
        user=f"server = '{A}'\ntail = 1\nhost = 'user'",
        system=f"server = '{B}'\ntail = 2\nhost = 'system'\ntz = 'UTC'",
        RADAR_SERVER=C,
        RADAR_TAIL="3",
    )
    profile = config.profile(None, explicit=False, flags={"server": D})
    found = {
        name: (profile.setting(name).value, profile.setting(name).origin)
        for name in ("server", "tail", "host", "tz", "redact")
    }
    assert found == {
        "server": (D, "option --server"),
        "tail": (3, "environment RADAR_TAIL"),
        "host": ("user", str(user_file)),
        "tz": ("UTC", str(system_file)),
        "redact": ([], "default"),
    }


def test_it_lets_a_profile_inherit_what_it_does_not_set(load_with: Loader) -> None:
    config = load_with(f"tail = 5\nhost = 'h'\n{WORK}host = 'w'")
    profile = config.profile("work", explicit=True)
    assert (profile.tail_bytes, profile.host) == (5, "w")


@pytest.mark.parametrize("variable", ["RADAR_PROFILE", None])
def test_it_uses_the_default_profile_that_is_named(load_with: Loader, variable: str | None) -> None:
    if variable:
        config = load_with(WORK, RADAR_PROFILE="work")
    else:
        config = load_with("profile = 'work'\n" + WORK)
    profile = config.profile(None, explicit=False)
    assert (profile.name, *chosen(profile)) == ("work", B, "key-b")


def test_it_lets_an_explicit_profile_win_over_radar_server(load_with: Loader) -> None:
    config = load_with(WORK, RADAR_SERVER=E, RADAR_API_KEY="key-e")
    assert chosen(config.profile("work", explicit=True)) == (B, "key-b")
    assert chosen(config.profile(None, explicit=False)) == (E, "key-e")


def test_it_lets_radar_server_win_over_radar_profile(load_with: Loader) -> None:
    config = load_with(WORK, RADAR_SERVER=E, RADAR_API_KEY="key-e", RADAR_PROFILE="work")
    profile = config.profile(None, explicit=False)
    assert (profile.name, *chosen(profile)) == ("work", E, "key-e")


def test_it_lets_the_environment_win_over_a_profile_that_says_nothing_of_servers(
    load_with: Loader,
) -> None:
    config = load_with(f"server = '{A}'\n[profiles.work]\ntail = 1", RADAR_SERVER=E)
    assert config.profile("work", explicit=True).server == E


def test_it_keeps_the_server_of_a_profile_with_a_key_of_its_own(load_with: Loader) -> None:
    config = load_with(f"server = '{A}'\n[profiles.app]\napi_key = 'key-app'", RADAR_SERVER=E)
    assert chosen(config.profile("app", explicit=True)) == (A, "key-app")


def test_it_never_sends_a_files_key_to_another_server(load_with: Loader) -> None:
    text = f"server = '{A}'\napi_key = 'key-a'\nheaders = {{ X-Secret = 's' }}"
    profile = load_with(text, RADAR_SERVER=E).profile(None, explicit=False)
    assert chosen(profile) == (E, "")
    assert profile.headers == {}
    assert "api_key" in profile.notes[0]
    assert E in profile.notes[0]


@pytest.mark.parametrize("same", ["https://A.example/", "HTTPS://a.example:443", A])
def test_it_sends_a_files_key_to_the_same_server(load_with: Loader, same: str) -> None:
    config = load_with(f"server = '{A}'\napi_key = 'key-a'", RADAR_SERVER=same)
    assert config.profile(None, explicit=False).api_key() == "key-a"


@pytest.mark.parametrize("other", ["http://a.example", "https://a.example:8443", f"{A}/b"])
def test_it_takes_another_scheme_port_or_path_for_another_server(
    load_with: Loader, other: str
) -> None:
    config = load_with(f"server = '{A}'\napi_key = 'key-a'", RADAR_SERVER=other)
    assert config.profile(None, explicit=False).api_key() == ""


def test_it_sends_a_key_without_a_server_to_none(load_with: Loader) -> None:
    config = load_with("api_key = 'key'", RADAR_SERVER=E)
    assert config.profile(None, explicit=False).api_key() == ""


def test_it_does_not_hand_a_profiles_parents_key_on(load_with: Loader) -> None:
    config = load_with(f"server = '{A}'\napi_key = 'key-a'\n[profiles.work]\nserver = '{B}'")
    assert chosen(config.profile("work", explicit=True)) == (B, "")


def test_it_uses_a_key_of_the_environment_for_the_server_that_was_chosen(
    load_with: Loader,
) -> None:
    config = load_with(f"server = '{A}'", RADAR_API_KEY="key")
    assert chosen(config.profile(None, explicit=False)) == (A, "key")
    profile = config.profile(None, explicit=False, flags={"server": D})
    assert chosen(profile) == (D, "key")


def test_it_keeps_the_environments_key_for_the_environments_server(load_with: Loader) -> None:
    config = load_with(RADAR_SERVER=E, RADAR_API_KEY="key-e")
    profile = config.profile(None, explicit=False, flags={"server": D})
    assert chosen(profile) == (D, "")


def test_it_prefers_the_environments_key_to_an_inherited_one(load_with: Loader) -> None:
    text = f"server = '{A}'\napi_key = 'key-a'\n[profiles.work]\nserver = '{A}'"
    config = load_with(text, RADAR_API_KEY="key-env")
    assert chosen(config.profile("work", explicit=True)) == (A, "key-env")
    assert chosen(load_with(text).profile("work", explicit=True)) == (A, "key-a")


def test_it_does_not_use_the_protocol_of_another_server(load_with: Loader) -> None:
    text = f"server = '{A}'\nprotocol = 'cronradar'\nca_file = '/ca.pem'"
    profile = load_with(text, RADAR_SERVER=E).profile(None, explicit=False)
    assert (profile.protocol, profile.ca_file) == ("radar", "")


def test_it_uses_certificates_that_were_set_for_no_server_in_particular(load_with: Loader) -> None:
    profile = load_with(system="ca_file = '/ca.pem'", RADAR_SERVER=E).profile(None, explicit=False)
    assert profile.ca_file == "/ca.pem"


def test_it_knows_cronradars_own_hosts(load_with: Loader) -> None:
    for host in ("cron.life", "cronradar.io", "CRON.life:443"):
        config = load_with(RADAR_SERVER=f"https://{host}")
        assert config.profile(None, explicit=False).protocol == "cronradar"
    for host in ("cron.life.example", "mycron.life"):
        config = load_with(RADAR_SERVER=f"https://{host}")
        assert config.profile(None, explicit=False).protocol == "radar"


def test_it_takes_cronradars_key_alone_for_its_own_service(load_with: Loader) -> None:
    profile = load_with(CRONRADAR_API_KEY="ck_1").profile(None, explicit=False)
    assert (*chosen(profile), profile.protocol) == ("https://cron.life", "ck_1", "cronradar")
    assert profile.setting("server").origin == "environment CRONRADAR_API_KEY"


def test_it_lets_cronradars_base_url_move_it(load_with: Loader) -> None:
    config = load_with(CRONRADAR_API_KEY="ck_1", CRONRADAR_BASE_URL=D)
    profile = config.profile(None, explicit=False)
    assert (*chosen(profile), profile.protocol) == (D, "ck_1", "cronradar")


def test_it_ignores_cronradars_key_beside_variables_of_radar(load_with: Loader) -> None:
    config = load_with(CRONRADAR_API_KEY="ck_1", RADAR_SERVER=E)
    assert chosen(config.profile(None, explicit=False)) == (E, "")
    config = load_with(f"server = '{A}'", CRONRADAR_API_KEY="ck_1", RADAR_API_KEY="key")
    assert chosen(config.profile(None, explicit=False)) == (A, "key")


def test_it_lets_radar_profile_win_over_the_variables_of_cronradars_sdk(load_with: Loader) -> None:
    config = load_with(WORK, CRONRADAR_API_KEY="ck_1", RADAR_PROFILE="work")
    assert chosen(config.profile(None, explicit=False)) == (B, "key-b")


def test_it_lets_an_empty_server_mean_the_store_of_this_machine(load_with: Loader) -> None:
    config = load_with(f"server = '{A}'\n[profiles.local]\nserver = ''", RADAR_SERVER=E)
    assert config.profile("local", explicit=True).server == ""
    assert config.profile(None, explicit=False, flags={"server": ""}).server == ""


def test_it_refuses_a_bad_flag(load_with: Loader) -> None:
    with pytest.raises(ConfigError, match="option --server: server 'x' is no URL"):
        load_with().profile(None, explicit=False, flags={"server": "x"})


# The model: what a layer says, strongest first, is folded from the weakest up.
LAYER = st.fixed_dictionaries(
    {}, optional={"server": st.sampled_from([A, B, C]), "api_key": st.just("?"), "tail": st.just(0)}
)
CHOICES = st.sampled_from(["default", "explicit", "variable"])


def toml(layer: dict[str, object]) -> str:
    return "".join(f"{key} = {value!r}\n" for key, value in layer.items())


def predict(
    files: list[dict[str, object]], environment: dict[str, object], *, explicit: bool
) -> tuple[str, str, object]:
    """Server, key and tail, from [own, own, base, base] and the environment."""
    meant_for: dict[str, object] = {}  # each file key, and the server it was written for
    below = None
    for layer in reversed(files):
        below = layer.get("server", below)
        if "api_key" in layer:
            meant_for[str(layer["api_key"])] = below or ""
    own, base = files[:2], files[2:]
    is_pinned = explicit and any({"server", "api_key"} & layer.keys() for layer in own)
    servers = [environment.get("server"), below] if not is_pinned else [below]
    server = next((s for s in [*servers, environment.get("server")] if s is not None), "")
    order = [*own, environment, *base] if is_pinned else [environment, *own, *base]
    key = ""
    for layer in order:
        candidate = layer.get("api_key")
        if candidate is None:
            continue
        target = meant_for.get(str(candidate))
        if layer is environment:
            target = environment.get("server", server)
        if target == server:
            key = str(candidate)
            break
    tails = [layer["tail"] for layer in [environment, *files] if "tail" in layer]
    return str(server), key, tails[0] if tails else None


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers=st.lists(LAYER, min_size=5, max_size=5), choice=CHOICES)
def test_it_agrees_with_the_model(
    load_with: Loader, layers: list[dict[str, object]], choice: str
) -> None:
    numbers = itertools.count(1)
    for layer in layers:
        for key in layer:
            if key == "api_key":
                layer[key] = f"key{next(numbers)}"
            elif key == "tail":
                layer[key] = next(numbers)
    environment, own_user, own_system, user, system = layers
    variables = {f"RADAR_{key.upper()}": str(value) for key, value in environment.items()}
    if choice == "variable":
        variables["RADAR_PROFILE"] = "work"
    config = load_with(
        toml(user) + "[profiles.work]\n" + toml(own_user),
        toml(system) + "[profiles.work]\n" + toml(own_system),
        **variables,
    )
    files = [own_user, own_system, user, system]
    if choice == "default":
        files = [{}, {}, user, system]
    profile = config.profile(
        "work" if choice == "explicit" else None, explicit=choice == "explicit"
    )
    expected = predict(files, environment, explicit=choice == "explicit")
    assert (*chosen(profile), profile.tail_bytes) == expected
    assert config.warnings == []
