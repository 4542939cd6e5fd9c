"""The real `radar server`, in a process of its own on a free port."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from radar_cli.store.opening import open_database, open_embedded
from radar_cli.store.store import Store
from tests.support import processes
from tests.support.certificates import Authority
from tests.support.field import field
from tests.support.ports import free_port
from tests.support.radar import Word, environment, radar_path
from tests.support.relay import Relay
from tests.support.waiting import wait_until


class RadarServer:
    """A context manager: started with it, stopped by SIGTERM. `url` and `key` are for clients.

    `state` is its own state directory, `database` a URL of PostgreSQL instead of the store in it;
    `options` go to `radar server`, `config` is the text of its config file, and `prefix` is put
    before the command. One that `is_shared` outlives the test that needed it first. With an
    `authority` it has a certificate of that one's, for localhost.
    """

    def __init__(
        self,
        state: Path,
        *options: str,
        database: str = "",
        config: str = "",
        prefix: Sequence[Word] = (),
        env: dict[str, str] | None = None,
        is_shared: bool = False,
        authority: Authority | None = None,
    ) -> None:
        self.state = state
        self.database = database
        self.port = self._own_port = free_port()
        self._relay: Relay | None = None
        if field.has_slow_network:
            self._relay = Relay(self._own_port, is_slow=True)
            self.port = self._relay.port
        self.url = f"http://127.0.0.1:{self.port}"
        self._authority = authority
        if authority is not None:
            self.url = f"https://localhost:{self.port}"
            certificate, key = authority.server_files(state.parent)
            options = (*options, "--tls-cert", str(certificate), "--tls-key", str(key))
        self.key = ""  # the admin key that it made at its first start
        self.log = state.with_name(state.name + ".stderr")
        self._options = options
        self._prefix = prefix
        self._config = state.with_name(state.name + ".toml")
        self._config.write_text(config)
        self._env = env or {}
        self._keep = processes.share if is_shared else processes.remember
        self._process: subprocess.Popen[bytes] | None = None
        self._client: httpx.Client | None = None

    def __enter__(self) -> Self:
        if self._relay is not None:
            self._relay.__enter__()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        self.stop()
        if self._relay is not None:
            self._relay.__exit__()

    @property
    def pid(self) -> int:
        """Of the server's process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it (again, on the same port), and wait until it is healthy."""
        self.launch()
        wait_until(self.is_healthy, 20, f"a healthy server at {self.url}", every_s=0.02)
        key_file = self.state / "admin-key"
        if not self.key and key_file.exists():
            self.key = key_file.read_text().strip()

    def launch(self) -> None:
        """Start it, and don't wait."""
        words = ["server", "--bind", f"127.0.0.1:{self._own_port}", *self._options]
        if self.database:
            words += ["--database", self.database]
        with self.log.open("ab") as log:
            started: subprocess.Popen[bytes] = subprocess.Popen(
                [*self._prefix, radar_path(), *words],
                env={**self.environment(), **self._env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._process = self._keep(started)

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout_s: float = 30) -> int | None:
        """Tell it to end; return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        return process.wait(timeout_s)

    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def wait(self, timeout_s: float = 30) -> int | None:
        """Wait until it has ended by itself; return its exit code."""
        process, self._process = self._process, None
        return None if process is None else process.wait(timeout_s)

    def environment(self) -> dict[str, str]:
        """What a `radar` beside it has: its state directory and its config."""
        return environment(RADAR_STATE_DIR=str(self.state), RADAR_CONFIG=str(self._config))

    def is_healthy(self) -> bool:
        """Whether /healthz says so; the server must not have ended by itself."""
        assert self._process is None or self._process.poll() is None, self.said()
        with contextlib.suppress(httpx.TransportError):
            return self.request("GET", "/healthz", key="").status_code == 200
        return False

    def request(
        self, method: str, path: str, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        """One request; `key` goes into the header: None for the admin key, "" for none."""
        headers = dict(more.pop("headers", {}))
        if chosen := self.key if key is None else key:
            headers.setdefault("Authorization", f"Bearer {chosen}")
        if self._client is None:
            trusted = None if self._authority is None else self._authority.client_context()
            self._client = httpx.Client(trust_env=False, timeout=30, verify=trusted or True)
        return self._client.request(method, self.url + path, headers=headers, **more)

    def ping(self, path: str, body: bytes = b"", /, **query: str) -> httpx.Response:
        """`POST /ping/PATH` with the admin key."""
        return self.request("POST", f"/ping/{path}", content=body, params=query)

    def store(self) -> Store:
        """What it keeps, opened by the test itself; a context manager."""
        return open_database(self.database) if self.database else open_embedded(str(self.state))

    def said(self) -> str:
        """What it wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def descriptors(self) -> int:
        """How many files and connections it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory_bytes(self) -> int:
        """Its resident memory."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def serving(state: Path, *options: str, **more: Any) -> Iterator[RadarServer]:
    """A server for as long as the block lasts."""
    with RadarServer(state, *options, **more) as server:
        yield server
