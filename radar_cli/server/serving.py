"""Running the server until it is told to stop."""

import gc
import os
import resource
import signal
import sys
from contextlib import contextmanager, nullcontext, suppress
from typing import IO, ContextManager, Iterator, Sequence

import uvicorn

from radar_cli.core.errors import ConfigError, StateError, UsageError
from radar_cli.notify.channel import Channel
from radar_cli.server.app import make_app
from radar_cli.server.runtime.guards import Gate
from radar_cli.server.runtime.log import begin_log, log, open_log
from radar_cli.server.runtime.protocol import GuardedProtocol
from radar_cli.server.runtime.service import Service
from radar_cli.server.runtime.settings import ServerSettings
from radar_cli.settings.editing import write_file
from radar_cli.store.opening import open_store, store_file
from radar_cli.store.retention import Retention
from radar_cli.store.sqlite import occupied
from radar_cli.store.store import Store

# What is answered within that is answered; a client that is slower has to ask again.
_GRACEFUL_S = 10


def open_for(settings: ServerSettings) -> Store:
    """The store of a server. StateError, UsageError: it can't be used.

    One that isn't the one that was known is served, too: its `loss` says so.
    """
    return open_store(settings.database, settings.state_directory, goes_on=True)


def held(settings: ServerSettings) -> ContextManager[None]:
    """Hold the file of the store, if it is one, so that nobody puts another one in its place.

    StateError: somebody does so now. UsageError: the URL is none.
    """
    file = store_file(settings.database, settings.state_directory)
    return occupied(file) if file else nullcontext()


@contextmanager
def logged(settings: ServerSettings) -> Iterator[None]:
    """Log as it was asked for; what is raised at the end is said as by any command."""
    stderr = sys.stderr
    begin_log(settings.log_level, settings.log_format)
    try:
        yield
    finally:
        sys.stderr = stderr


def serve(
    store: Store, settings: ServerSettings, channels: Sequence[Channel], retention: Retention
) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code. UsageError: a setting is impossible."""
    service = Service(store, settings, channels, retention)
    access_log = _open_log(settings.access_log)
    try:
        app = Gate(make_app(service), service, access_log)
    except ValueError as error:
        raise UsageError(f"--trusted-proxy: {error}", "an address or a network") from error
    _raise_descriptor_limit()
    # What is there from the beginning stays: the collector needn't look at it.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=GuardedProtocol,
        ws="none",
        log_config=None,  # ours
        log_level=None if settings.log_level == "debug" else "warning",
        access_log=False,
        proxy_headers=False,  # ours knows which proxies to trust
        server_header=False,
        root_path=settings.root_path,
        ssl_certfile=settings.tls_cert or None,
        ssl_keyfile=settings.tls_key or None,
        timeout_graceful_shutdown=_GRACEFUL_S,
        backlog=2048,
    )
    server = uvicorn.Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn has its own handlers while it serves, and afterwards sends itself what it got: that
    # would end us as if we had been killed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        server.run()
    except OSError as error:
        raise UsageError(f"can't serve: {error}", "is the TLS certificate readable?") from error
    log.info("stopped")
    return 0 if server.started else 1


def _open_log(place: str) -> IO[str] | None:
    try:
        return open_log(place)
    except OSError as error:
        raise UsageError(f"can't write the access log {place}: {error.strerror}") from error


def _raise_descriptor_limit() -> None:
    """As many connections as the system allows: the usual 1024 are soon held open by anybody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def show_first_key(key: str, state_directory: str) -> None:
    """Show the server's first key once: on a terminal, else in a file that the log names.

    A file of another database's key, or of one that never counted, is kept beside it. StateError:
    the file can't be written.
    """
    terminal = sys.__stderr__
    if terminal is not None and terminal.isatty():
        # Past the log: whoever keeps that must not keep this.
        terminal.write(f"radar: admin key (shown only now): {key}\n")
        terminal.flush()
        return
    path = os.path.join(state_directory, "admin-key")
    try:
        os.makedirs(state_directory, 0o700, exist_ok=True)  # with PostgreSQL nobody has made it
        _set_aside(path)
        write_file(path, key + "\n")
    except (OSError, ConfigError) as error:
        raise StateError(
            f"can't keep the first admin key: {error}",
            "name another RADAR_STATE_DIR, or try 'radar server keys create --scope admin'",
        ) from error
    log.warning("the admin key is in %s (mode 0600): move it to a safe place", path)


def _set_aside(path: str) -> None:
    number = 1
    while os.path.lexists(f"{path}.old{number}"):
        number += 1
    with suppress(FileNotFoundError):
        os.rename(path, f"{path}.old{number}")
