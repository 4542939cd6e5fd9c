"""A RabbitMQ of the tests' own, from Debian's package, on free ports of loopback."""

import base64
import contextlib
import functools
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import amqp

from tests.support import processes
from tests.support.ports import free_port
from tests.support.requirements import require, require_program
from tests.support.waiting import wait_until

USER, PASSWORD = "radar", "s3cret"
# As many as tests want a place of their own; made at the start, where they cost next to nothing.
_VHOSTS = 30


@functools.cache
def _program() -> Path | None:
    # Not /usr/sbin/rabbitmq-server, which insists on the system's user and folders.
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("*/sbin/rabbitmq-server"), reverse=True)
    return next(iter(found), None)


class Rabbitmq:
    """A running server; a context manager. `url()` names a new and empty vhost."""

    def __init__(self) -> None:
        program = _program()
        require(program is not None, "RabbitMQ is not installed (tests/run installs it)")
        assert program is not None
        self._program = program
        self._numbers = itertools.count()
        self.folder = Path(tempfile.mkdtemp(prefix="radar-rabbit-"))
        self.port = free_port()
        self._configure()
        self.start()

    def __enter__(self) -> "Rabbitmq":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it lets users in."""
        epmd_port = str(free_port())
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": epmd_port,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"radar{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            # One scheduler thread: it spins less on the few cores of a test machine.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -noinput",
            "RABBITMQ_ALLOW_INPUT": "yes",  # become Erlang, instead of waiting for it
        }
        # Ours, in the foreground: Erlang would leave a daemon behind.
        self._env = env
        epmd = _start([require_program("epmd"), "-port", epmd_port], env, self.folder)
        server = _start([self._program], env, self.folder)
        self._started = [server, epmd]
        wait_until(self._answers, 60, "RabbitMQ is up", every_s=0.1)

    def stop(self) -> None:
        """End it at once, as a crash does."""
        for process in self._started:
            process.kill()
            process.wait(10)
        self._started = []

    def control(self, *words: str) -> None:
        """Have `rabbitmqctl` carry something out."""
        program = self._program.with_name("rabbitmqctl")
        done = subprocess.run(
            [program, *words],
            check=False,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def url(self, vhost: str | None = None, login: str = f"{USER}:{PASSWORD}") -> str:
        name = f"v{next(self._numbers)}" if vhost is None else vhost
        return f"amqp://{login}@127.0.0.1:{self.port}/{name}"

    def _configure(self) -> None:
        names = [f"v{number}" for number in range(_VHOSTS)]
        may = {"user": USER, "configure": ".*", "write": ".*", "read": ".*"}
        salt = b"salt"
        digest = hashlib.sha256(salt + PASSWORD.encode()).digest()
        user = {
            "name": USER,
            "password_hash": base64.b64encode(salt + digest).decode(),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": "administrator",
        }
        definitions = {
            "users": [user],
            "vhosts": [{"name": name} for name in names],
            "permissions": [{**may, "vhost": name} for name in names],
        }
        place = self.folder / "definitions.json"
        place.write_text(json.dumps(definitions))
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(f"load_definitions = {place}\n")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, amqp.exceptions.AMQPError):
            last = f"v{_VHOSTS - 1}"
            host = f"127.0.0.1:{self.port}"
            login = {"userid": USER, "password": PASSWORD, "virtual_host": last}
            with amqp.Connection(host, connect_timeout=2, **login):
                return True
        return False


def _start(words: list[str | Path], env: dict[str, str], folder: Path) -> "subprocess.Popen[bytes]":
    return processes.share(
        subprocess.Popen(
            words,
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )


@contextlib.contextmanager
def running() -> Iterator[Rabbitmq]:
    """A server for as long as the block lasts."""
    with Rabbitmq() as server:
        yield server
