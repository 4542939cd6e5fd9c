"""Isolation for every test, and the fixtures that most of them need."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import radar_cli
from tests.support import processes, terminal
from tests.support import radar as installed
from tests.support.certificates import Authority
from tests.support.children import compile_children
from tests.support.depth import depth
from tests.support.field import field
from tests.support.proxy import Proxy
from tests.support.requirements import in_ci
from tests.support.server import Server

# How long an example takes says nothing on a machine that runs other tests as well.
hypothesis.settings.register_profile("radar", deadline=None, derandomize=in_ci())
hypothesis.settings.load_profile("radar")

_CHECKOUT = Path(__file__).parent.parent
# Where a radar that escaped its test's isolation would leave something.
_OFF_LIMITS = (
    Path.home() / ".config/radar",
    Path.home() / ".local/state/radar",
    Path("/etc/radar"),
    Path("/etc/radar.toml"),
    Path("/var/lib/radar"),
)
_FOREIGN_PREFIXES = ("RADAR_", "CRONRADAR_", "SENTRY_", "XDG_", "SSL_CERT_")
_FOREIGN_SUFFIXES = ("_PROXY",)
_POSTGRESQL = "postgresql"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `tests.support.field` tells of."""
    parser.addoption("--slow-network", action="store_true", help="a slow relay before each server")
    parser.addoption("--other-user", action="store_true", help="radar is not root's")


def pytest_configure(config: pytest.Config) -> None:
    """Hear ^C and the like, and let what the tests start hear it: `tests/run &` ignores them."""
    field.has_slow_network = config.getoption("slow_network")
    field.has_other_user = config.getoption("other_user")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whatever needs PostgreSQL is slow: it is the same one for every version of Python.

    In the field, leave out what has a network or a user of its own.
    """
    if field.has_slow_network or field.has_other_user:
        own = [item for item in items if item.get_closest_marker("own_field")]
        config.hook.pytest_deselected(items=own)
        items[:] = [item for item in items if item not in own]
    for item in items:
        marker = item.get_closest_marker("nightly")
        if marker is not None and "daily" in marker.kwargs and not depth(0, 1):
            item.add_marker(pytest.mark.skip(reason=f"nightly; daily: {marker.kwargs['daily']}"))
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if _POSTGRESQL in (*parameters, *getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


def pytest_report_header() -> list[str]:
    """Say what is under test, and whether it is what the checkout holds."""
    package = Path(radar_cli.__file__).parent
    lines = [f"radar_cli {radar_cli.__version__} in {package}"]
    stale = [
        str(source.relative_to(_CHECKOUT))
        for source in sorted((_CHECKOUT / "radar_cli").rglob("*.py"))
        if _content(package / source.relative_to(_CHECKOUT / "radar_cli")) != _content(source)
    ]
    if stale:
        lines.append(f"NOT what the checkout holds: {', '.join(stale)} (install the wheel again)")
    return lines


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


@pytest.fixture(scope="session", autouse=True)
def _the_wheel_is_tested() -> None:
    """Importing the checkout by accident would test what users don't get."""
    assert not Path(radar_cli.__file__).is_relative_to(_CHECKOUT / "radar_cli"), (
        "radar_cli is imported from the checkout: start pytest as a program, "
        "not with `python -m pytest`"
    )


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own. Whatever it started is gone when it ends.

    The working directory is its own too: in the checkout, `python -c` would import radar_cli
    from there, and radar would find a project's radar.toml.
    """
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        foreign = name.startswith(_FOREIGN_PREFIXES) or name.upper().endswith(_FOREIGN_SUFFIXES)
        if foreign or name == "NO_COLOR":
            monkeypatch.delenv(name)
    own_home = tmp_path / "home"
    own_home.mkdir()
    for name, value in {
        "HOME": own_home,
        "XDG_CONFIG_HOME": own_home / ".config",
        "XDG_STATE_HOME": own_home / ".local/state",
        "RADAR_STATE_DIR": tmp_path / "state",
        "RADAR_CONFIG": tmp_path / "config.toml",
        "RADAR_SYSTEM_CONFIG": tmp_path / "system.toml",
    }.items():
        monkeypatch.setenv(name, str(value))
    were_there = [path.exists() for path in _OFF_LIMITS]
    with processes.no_strays():
        yield own_home
        terminal.close_all()
    for path, was_there in zip(_OFF_LIMITS, were_there, strict=True):
        assert was_there or not path.exists(), f"the test left {path} on the real machine"


@pytest.fixture(scope="session")
def radar() -> Path:
    """The installed `radar` console script."""
    return installed.radar_path()


@pytest.fixture
def state_dir() -> Path:
    """Where this test's radar keeps its state; radar itself makes it."""
    return Path(os.environ["RADAR_STATE_DIR"])


@pytest.fixture(scope="session")
def children(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the programs to wrap: `children / "report"`."""
    return compile_children(tmp_path_factory.mktemp("children"))


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of radar's kind, which answers OK until it is told otherwise."""
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls_server(authority: Authority) -> Iterator[Server]:
    """The same over https, as `localhost`; clients need `authority.ca_file`."""
    with Server(tls=authority.server_context()) as running:
        yield running


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """An HTTP proxy, for plain requests and for CONNECT."""
    with Proxy() as running:
        yield running
