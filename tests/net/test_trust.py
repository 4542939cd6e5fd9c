"""Which certificates a ping trusts: those that OpenSSL and curl trust on the same machine."""

import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trustme

from radar_cli.net.tls import make_context
from tests.support.namespaces import own_mounts
from tests.support.pings import kinds
from tests.support.proxy import Proxy
from tests.support.radar import run_radar
from tests.support.relay import Relay
from tests.support.requirements import require_program
from tests.support.server import Server

_DEBIAN = "ssl/certs/ca-certificates.crt"


class Certificates:
    """An authority of the test's own, and the places where others may find it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self._other = trustme.CA()
        self.pem = self._write("ca.pem", self._ca.cert_pem.bytes())
        self.other_pem = self._write("other.pem", self._other.cert_pem.bytes())

    def _write(self, name: str, data: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(data)
        return path

    def server_context(self, ca: trustme.CA | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (ca or self._ca).issue_cert("localhost").configure_cert(context)
        return context

    def hashed(self, name: str, *files: Path) -> Path:
        """A directory in which OpenSSL finds these files' certificates."""
        folder = self._folder / name
        folder.mkdir(parents=True)
        for file in files:
            shutil.copy(file, folder)
        subprocess.run([require_program("openssl"), "rehash", folder], check=True)
        return folder

    def machine(self, bundle: str = "", directory: str = "", *, in_both: bool = False) -> list[str]:
        """A prefix: this machine's authorities are in these places of /etc, and nowhere else.

        Ours is in the bundle if there is one, else in the directory; another one is in both. The
        paths that OpenSSL was built with don't exist, as for a Python from elsewhere.
        """
        etc = self._folder / "etc"
        etc.mkdir()
        (etc / "hosts").write_text("127.0.0.1 localhost\n")
        for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "passwd", "group"):
            path = Path("/etc", name)
            if path.is_dir():
                shutil.copytree(path, etc / name)
            elif path.exists():
                shutil.copy(path, etc / name)
        if directory:
            files = [self.other_pem] if bundle and not in_both else [self.other_pem, self.pem]
            self.hashed(f"etc/{directory}", *files)
        if bundle:
            path = etc / bundle
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.other_pem.read_bytes() + self.pem.read_bytes())
        empty = self._folder / "empty"
        empty.mkdir()
        built_with = Path(ssl.get_default_verify_paths().openssl_capath).parent
        hidden = [f"mount --bind {empty} {built_with}"] if built_with.is_dir() else []
        return own_mounts(*hidden, f"mount --bind {etc} /etc")


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    folder = tmp_path / "certificates"
    folder.mkdir()
    folder.chmod(0o755)
    return Certificates(folder)


@pytest.fixture
def tls_env(env: dict[str, str]) -> dict[str, str]:
    return {**env, "RADAR_PING_TIMEOUT": "10"}


def _is_trusted(
    server: Server, env: dict[str, str], prefix: list[str] | None = None, port: int = 0
) -> bool:
    """Run a job and see whether its two pings arrive, or wait and it is said once why."""
    env = {**env, "RADAR_SERVER": f"https://localhost:{port or server.port}"}
    done = run_radar("run", "m", "--", "true", env=env, prefix=prefix or [], text=True)
    assert done.returncode == 0
    if [ping.kind for ping in server.accepted] == ["start", "complete"]:
        assert (done.stderr, kinds()) == ("", [])
        return True
    (line,) = done.stderr.splitlines()
    assert "its certificate is not valid" in line
    assert "RADAR_CA_FILE" in line
    assert (server.requests, kinds()) == ([], ["start", "success"])
    return False


@pytest.mark.parametrize("is_slow", [False, True], ids=["direct", "slow"])
def test_a_private_authority_may_stand_in_the_bundle_alone(
    is_slow: bool, certificates: Certificates, tls_env: dict[str, str]
) -> None:
    prefix = certificates.machine(_DEBIAN, "ssl/certs")
    with (
        Server(tls=certificates.server_context()) as server,
        Relay(server.port, is_slow=is_slow) as relay,
    ):
        assert _is_trusted(server, tls_env, prefix, relay.port)
        # One with the directory, and then one with the bundle, for both pings.
        assert server.connections == 2


def test_it_needs_no_bundle_for_what_stands_in_the_directory(
    certificates: Certificates, tls_env: dict[str, str]
) -> None:
    prefix = certificates.machine(_DEBIAN, "ssl/certs", in_both=True)
    with Server(tls=certificates.server_context()) as server:
        assert _is_trusted(server, tls_env, prefix)
        assert server.connections == 1


@pytest.mark.parametrize(
    ("bundle", "directory"),
    [
        (_DEBIAN, ""),
        ("", "ssl/certs"),
        ("ssl/cert.pem", ""),
        ("ssl/ca-bundle.pem", ""),
        ("pki/tls/certs/ca-bundle.crt", ""),
        ("pki/ca-trust/extracted/pem/tls-ca-bundle.pem", ""),
        ("", "pki/tls/certs"),
        ("", "pki/ca-trust/extracted/pem/directory-hash"),
    ],
)
def test_it_knows_the_places_of_all_systems(
    bundle: str, directory: str, certificates: Certificates, tls_env: dict[str, str]
) -> None:
    prefix = certificates.machine(bundle, directory)
    with Server(tls=certificates.server_context()) as server:
        assert _is_trusted(server, tls_env, prefix)
        assert server.connections == 1


def test_it_trusts_nobody_else(certificates: Certificates, tls_env: dict[str, str]) -> None:
    prefix = certificates.machine(_DEBIAN, "ssl/certs")
    with Server(tls=certificates.server_context(trustme.CA())) as server:
        assert not _is_trusted(server, tls_env, prefix)


def test_it_trusts_nobody_where_there_is_nothing_to_trust(
    certificates: Certificates, tls_env: dict[str, str]
) -> None:
    with Server(tls=certificates.server_context()) as server:
        assert not _is_trusted(server, tls_env, certificates.machine())


def test_a_tunnel_is_opened_again_for_the_bundle(
    certificates: Certificates, tls_env: dict[str, str]
) -> None:
    prefix = certificates.machine(_DEBIAN, "ssl/certs")
    with Server(tls=certificates.server_context()) as server, Proxy() as proxy:
        assert _is_trusted(server, {**tls_env, "https_proxy": proxy.url}, prefix)
        assert [request.method for request in proxy.requests] == ["CONNECT", "CONNECT"]


@pytest.mark.parametrize("where", ["file", "directory"])
def test_both_variables_count_together(
    where: str, certificates: Certificates, tls_env: dict[str, str]
) -> None:
    files = [certificates.pem, certificates.other_pem]
    file, in_directory = files if where == "file" else files[::-1]
    folder = certificates.hashed("hashed", in_directory)
    env = {**tls_env, "SSL_CERT_FILE": str(file), "SSL_CERT_DIR": str(folder)}
    with Server(tls=certificates.server_context()) as server:
        assert _is_trusted(server, env)
        assert server.connections == 1


@pytest.mark.parametrize("form", ["{empty}:{hashed}", "{hashed}:{empty}", "/nowhere::{hashed}:"])
def test_ssl_cert_dir_may_be_a_list(
    form: str, certificates: Certificates, tls_env: dict[str, str]
) -> None:
    folders = {
        "hashed": certificates.hashed("hashed", certificates.pem),
        "empty": certificates.hashed("empty-one", certificates.other_pem),
    }
    env = {**tls_env, "SSL_CERT_DIR": form.format(**folders)}
    with Server(tls=certificates.server_context()) as server:
        assert _is_trusted(server, env)
        assert server.connections == 1


@pytest.mark.parametrize(
    ("variable", "bundle", "directory"),
    [("SSL_CERT_DIR", _DEBIAN, ""), ("SSL_CERT_FILE", "", "ssl/certs")],
)
def test_one_variable_leaves_the_other_half_to_the_system(
    variable: str, bundle: str, directory: str, certificates: Certificates, tls_env: dict[str, str]
) -> None:
    prefix = certificates.machine(bundle, directory)
    folder = certificates.hashed("hashed", certificates.other_pem)
    named = {"SSL_CERT_DIR": folder, "SSL_CERT_FILE": certificates.other_pem}[variable]
    with Server(tls=certificates.server_context()) as server:
        assert _is_trusted(server, {**tls_env, variable: str(named)}, prefix)


@pytest.mark.parametrize("variable", ["SSL_CERT_DIR", "SSL_CERT_FILE"])
def test_a_variable_replaces_its_own_half(
    variable: str, certificates: Certificates, tls_env: dict[str, str]
) -> None:
    of_system = {"SSL_CERT_DIR": ("", "ssl/certs"), "SSL_CERT_FILE": (_DEBIAN, "")}
    prefix = certificates.machine(*of_system[variable])
    folder = certificates.hashed("hashed", certificates.other_pem)
    named = {"SSL_CERT_DIR": folder, "SSL_CERT_FILE": certificates.other_pem}[variable]
    with Server(tls=certificates.server_context()) as server:
        assert not _is_trusted(server, {**tls_env, variable: str(named)}, prefix)


def test_a_ca_file_of_radars_own_stands_alone(
    certificates: Certificates, tls_env: dict[str, str]
) -> None:
    folder = certificates.hashed("hashed", certificates.pem)
    env = {
        **tls_env,
        "RADAR_CA_FILE": str(certificates.other_pem),
        "SSL_CERT_FILE": str(certificates.pem),
        "SSL_CERT_DIR": str(folder),
    }
    with Server(tls=certificates.server_context()) as server:
        assert not _is_trusted(server, env)


def test_who_trusts_an_intermediate_needs_no_root(
    certificates: Certificates, tls_env: dict[str, str], tmp_path: Path
) -> None:
    intermediate = trustme.CA().create_child_ca()
    intermediate.cert_pem.write_to_path(str(tmp_path / "intermediate.pem"))
    env = {**tls_env, "SSL_CERT_FILE": str(tmp_path / "intermediate.pem")}
    with Server(tls=certificates.server_context(intermediate)) as server:
        assert _is_trusted(server, env)


@pytest.mark.own_field
def test_another_user_goes_without_a_bundle_that_it_may_not_read(
    certificates: Certificates, tls_env: dict[str, str], tmp_path: Path
) -> None:
    prefix = certificates.machine(_DEBIAN, "ssl/certs", in_both=True)
    (tmp_path / "certificates/etc" / _DEBIAN).chmod(0o600)
    _open_to_all(tmp_path)
    prefix += _as_nobody()
    with Server(tls=certificates.server_context()) as server:
        assert _is_trusted(server, tls_env, prefix)


@pytest.mark.own_field
def test_another_user_may_not_be_able_to_list_the_directory(
    certificates: Certificates, tls_env: dict[str, str], tmp_path: Path
) -> None:
    prefix = certificates.machine("", "ssl/certs")
    _open_to_all(tmp_path)
    (tmp_path / "certificates/etc/ssl/certs").chmod(0o711)
    prefix += _as_nobody()
    with Server(tls=certificates.server_context()) as server:
        assert _is_trusted(server, tls_env, prefix)


def _as_nobody() -> list[str]:
    setpriv = require_program("setpriv")
    nobody = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    started = subprocess.run([*nobody, sys.executable, "-c", ""], check=False, capture_output=True)
    if started.returncode:
        pytest.skip("this Python lies where no other user may read")
    return nobody


def _open_to_all(folder: Path) -> None:
    """Let another user work in a test's folder, as deep as its own root."""
    subprocess.run(["chmod", "-R", "o+rwX", folder], check=True)
    while folder.owner() == "root" and folder != folder.parent and folder.name != "tmp":
        folder.chmod(folder.stat().st_mode | 0o001)
        folder = folder.parent


@pytest.mark.parametrize("variables", [("SSL_CERT_FILE",), ("SSL_CERT_DIR",)])
def test_other_clients_trust_the_same(
    variables: tuple[str, ...], certificates: Certificates
) -> None:
    places: dict[str, Callable[[], Path]] = {
        "SSL_CERT_FILE": lambda: certificates.pem,
        "SSL_CERT_DIR": lambda: certificates.hashed("hashed", certificates.pem),
    }
    environ = {name: str(places[name]()) for name in variables}
    with (
        Server(tls=certificates.server_context()) as server,
        httpx.Client(verify=make_context("", environ), trust_env=False) as client,
    ):
        assert client.post(f"https://localhost:{server.port}/ping/m").status_code == 200
