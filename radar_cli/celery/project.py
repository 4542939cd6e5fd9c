"""The user's app, imported only if it is named, for what its configuration knows."""

import importlib
import os
import signal
import site
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from radar_cli.core.errors import NotInstalledError, RadarError, UsageError
from radar_cli.core.extras import install_command


class AppError(RadarError):
    """An app that can't be imported, or that isn't one."""

    slug = "celery-app"


@dataclass(frozen=True, slots=True)
class Project:
    """A project: where its broker is, and what its app expects of it."""

    broker: str
    options: Mapping[str, Any] = field(default_factory=dict)  # broker_transport_options
    use_ssl: Any = None
    queues: tuple[str, ...] = ()
    exchange: str = "celery"
    app: Any = None
    results: str = ""  # the URL of its result backend
    results_prefix: str = ""  # before its keys

    @property
    def visibility_timeout_s(self) -> float:
        """After which Redis's messages are delivered again; an hour if nobody says otherwise."""
        return float(self.options.get("visibility_timeout", 3600))


def load_project(name: str, *, timeout_s: float, broker: str = "") -> Project:
    """Import the app `name` as `celery -A` does. Raises AppError."""
    try:
        from celery.app.utils import find_app
    except ModuleNotFoundError as error:
        raise NotInstalledError(
            f"radar celery needs {error.name}", install_command("celery")
        ) from None
    _find_modules_as_celery_does()
    try:
        with _at_most(timeout_s):
            app = find_app(name)
            conf = app.conf
            url = broker or conf.broker_read_url or conf.broker_url or "amqp://"
            queues = tuple(app.amqp.queues)
            found = Project(
                url if isinstance(url, str) else ";".join(url),
                dict(conf.broker_transport_options or {}),
                conf.broker_use_ssl or None,
                queues,
                str(conf.control_exchange),
                app,
                str(conf.result_backend or ""),
                str((conf.result_backend_transport_options or {}).get("global_keyprefix", "")),
            )
    except TimeoutError:
        raise AppError(f"the app {name!r} takes longer than {timeout_s:g} s to import") from None
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise AppError(
            f"can't import the app {name!r}: {reason[:200]}",
            "as for celery -A: module or module:app",
        ) from error
    return found


def _find_modules_as_celery_does() -> None:
    """Look for modules in the current folder first; in an isolated Python, in PYTHONPATH, too.

    There, what `.pth` files add has been left out as well: projects installed as editable.
    """
    sys.path.insert(0, os.getcwd())
    if sys.flags.isolated:
        for folder in [path for path in sys.path if path.endswith("-packages")]:
            site.addsitedir(folder)
        named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        sys.path += [os.path.abspath(folder) for folder in named if folder]
    importlib.invalidate_caches()


@contextmanager
def _at_most(timeout_s: float) -> Iterator[None]:
    """Raise TimeoutError in the user's code if it takes longer; in the main thread only."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def project_of(broker: str, app: str, *, key_prefix: str, timeout_s: float) -> Project:
    """The project that -b and -A name; of both, the broker is that of -b."""
    if app:
        found = load_project(app, timeout_s=timeout_s, broker=broker)
    elif broker:
        found = Project(broker)
    else:
        raise UsageError("which broker?", "give -b URL, or -A APP as to celery")
    if not key_prefix:
        return found
    return replace(found, options={**found.options, "global_keyprefix": key_prefix})
