"""The result backends of workers: whether they can be reached, where a task told of no end."""

import socket
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from radar_cli.celery.broker import Broker
from radar_cli.celery.inspect import Asking

_TRY_S = 1.0
_PORTS = {"redis": 6379, "rediss": 6379, "mongodb": 27017, "postgresql": 5432, "mysql": 3306}


def find_backend_fault(broker: Broker, nodes: Collection[str]) -> str:
    """Return why a result backend of these workers can't be reached; "" if nothing is known.

    The workers say where it is, their passwords masked by Celery. It is asked from here, so that
    what is cut off from the workers alone isn't found.
    """
    with Asking(broker.connection, exchange=broker.exchange) as asking:
        answers = asking.ask(
            {"conf": {"with_defaults": True}}, destinations=list(nodes), timeout_s=_TRY_S
        )
    for reply in answers.replies["conf"].values():
        backend = reply.get("result_backend") if isinstance(reply, Mapping) else None
        if isinstance(backend, str) and (fault := _try(backend)):
            return fault
    return ""


def _try(backend: str) -> str:
    scheme = backend.partition("://")[0].removeprefix("db+").partition("+")[0]
    try:
        place = urlsplit(backend)
        host, port = place.hostname, place.port or _PORTS.get(scheme)
    except ValueError:
        return ""
    if scheme not in _PORTS or not host or not port:
        return ""
    try:
        socket.create_connection((host, port), _TRY_S).close()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        return f"the result backend {scheme}://{host}:{port} can't be reached: {reason}"
    return ""
