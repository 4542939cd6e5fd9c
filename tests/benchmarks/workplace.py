"""The place where the benchmarks run: a folder, programs, servers, certificates; all gone after."""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from tests.benchmarks.measure import UnmeasurableError
from tests.support.children import compile_children
from tests.support.radar import radar_path

_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
_SYSTEM_CERTIFICATES = Path("/etc/ssl/certs")
_SYSTEM_BUNDLE = _SYSTEM_CERTIFICATES / "ca-certificates.crt"


class Workplace:
    """A context manager; what is made in it ends with it."""

    def __init__(self) -> None:
        self._exits = contextlib.ExitStack()
        # Not a memory file system where there is another: a state directory isn't on one.
        folder = self._exits.enter_context(
            tempfile.TemporaryDirectory(prefix="radar-benchmarks-", ignore_cleanup_errors=True)
        )
        self.folder = Path(folder)
        self.output = self.folder / "output"
        self.radar = radar_path()
        self.python = sys.executable
        self.state = self.folder / "state"
        self._children: Path | None = None
        self._servers: dict[str, Server] = {}
        self._certificates: Certificates | None = None
        # Where nothing is, so that a child's `import radar_cli` never finds the checkout.
        os.chdir(self.folder)

    def __enter__(self) -> "Workplace":
        return self

    def __exit__(self, *_: object) -> None:
        os.chdir("/")
        self._exits.close()

    def at_exit(self, act: Callable[[], object]) -> None:
        self._exits.callback(act)

    def environment(self, **extra: str) -> dict[str, str]:
        """The same small environment for all contestants."""
        return {
            "PATH": _SYSTEM_PATH,
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "RADAR_STATE_DIR": str(self.state),
            "RADAR_CONFIG": str(self.folder / "no-config.toml"),
            "RADAR_SYSTEM_CONFIG": str(self.folder / "no-system-config.toml"),
            **extra,
        }

    def server_environment(self, server: "Server", **extra: str) -> dict[str, str]:
        """The same, with pings (and sentry-cli's envelopes) going to a server."""
        return self.environment(
            RADAR_SERVER=server.url,
            RADAR_API_KEY="rk_0123456789abcdef0123456789abcdef",
            SENTRY_DSN=f"http://key@127.0.0.1:{server.port}/1",
            **extra,
        )

    def child(self, name: str) -> Path:
        """One of the programs in tests/children."""
        if self._children is None:
            folder = self.folder / "children"
            folder.mkdir()
            self._children = compile_children(folder)
        return self._children / name

    def server(self, kind: str) -> "Server":
        """The one server of this kind: plain, hang or tls."""
        if kind not in self._servers:
            words = [kind]
            if kind == "tls":
                words.append(str(self.certificates().server))
            self._servers[kind] = self._exits.enter_context(start_server(words))
        return self._servers[kind]

    def certificates(self) -> "Certificates":
        if self._certificates is None:
            folder = self.folder / "certificates"
            folder.mkdir()
            self._certificates = Certificates(folder)
        return self._certificates

    def forget_state(self) -> None:
        """Remove what radar keeps, so that no run finds work that another one left."""
        shutil.rmtree(self.state, ignore_errors=True)


class Server:
    """A running tests/benchmarks/server.py."""

    def __init__(self, kind: str, port: int) -> None:
        scheme, host = ("https", "localhost") if kind == "tls" else ("http", "127.0.0.1")
        self.port = port
        self.url = f"{scheme}://{host}:{port}"

    def count(self) -> int:
        """How many requests there were (of a plain server)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", "/count")
            return int(connection.getresponse().read())


@contextlib.contextmanager
def start_server(words: list[str]) -> Iterator[Server]:
    script = Path(__file__).with_name("server.py")
    process = subprocess.Popen(
        [sys.executable, script, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield Server(words[0], int(_pipe(process.stdout).readline()))
    finally:
        _pipe(process.stdin).close()  # it ends when its stdin does
        process.wait(10)
        _pipe(process.stdout).close()


class Certificates:
    """An authority of our own beside all those that the system trusts."""

    def __init__(self, folder: Path) -> None:
        try:
            import trustme
        except ImportError:
            raise UnmeasurableError("trustme is not installed") from None
        if not _SYSTEM_BUNDLE.exists():
            raise UnmeasurableError(f"there is no {_SYSTEM_BUNDLE} (Debian: ca-certificates)")
        authority = trustme.CA()
        own = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(own))
        self.server = folder / "server.pem"
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(
            str(self.server)
        )
        # The bundle is what curl reads by itself, the folder what OpenSSL looks things up in.
        self.bundle = folder / "bundle.crt"
        self.bundle.write_bytes(_SYSTEM_BUNDLE.read_bytes() + own.read_bytes())
        self.hashed = folder / "hashed"
        shutil.copytree(_SYSTEM_CERTIFICATES, self.hashed, ignore_dangling_symlinks=True)
        shutil.copy(own, self.hashed / f"{_subject_hash(own)}.0")


def _subject_hash(certificate: Path) -> str:
    if shutil.which("openssl") is None:
        raise UnmeasurableError("openssl is not installed")
    words = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(certificate)]
    return subprocess.run(words, capture_output=True, check=True, text=True).stdout.strip()


def end(pid: int, number: int = signal.SIGKILL) -> None:
    """End a process that we started, and reap it."""
    os.kill(pid, number)
    os.waitpid(pid, 0)


def program(name: str, python: str, where_from: str) -> str:
    """The path of a program, which may be installed beside the interpreter."""
    beside = Path(python).parent / name
    found = str(beside) if beside.exists() else shutil.which(name, path=_SYSTEM_PATH)
    if found is None:
        raise UnmeasurableError(f"{name} is not installed ({where_from})")
    return found


def installed(workplace: Workplace, env: Mapping[str, str]) -> str:
    """The version of radar that is measured, and where it is."""
    words = "import radar_cli as r; print(r.__version__, 'in', r.__path__[0])"
    done = subprocess.run(
        [workplace.python, "-c", words], env=dict(env), capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
