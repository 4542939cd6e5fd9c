"""Dependencies of the API's routes: the service, a key that may, a monitor."""

from typing import Annotated, Callable

from fastapi import Depends, Path, Request

from radar_cli.core.ids import KEY_MAX, is_key
from radar_cli.model.port import UnknownMonitorError
from radar_cli.model.record import MonitorRecord
from radar_cli.server.runtime.access import check, read_authorization
from radar_cli.server.runtime.keys import ApiKey
from radar_cli.server.runtime.service import Service


def service_of(request: Request) -> Service:
    """The service that a request is for."""
    service: Service = request.app.state.service
    return service


def address_of(request: Request) -> str:
    """The client's address, "" if it has none."""
    return request.client.host if request.client is not None else ""


def url_for(request: Request) -> str:
    """The server as whoever asks reaches it, without a last slash."""
    settings = service_of(request).settings
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host}{settings.root_path.rstrip('/')}"


def _require(scope: str) -> Callable[[Request], ApiKey]:
    def key_of(request: Request) -> ApiKey:
        """The key of a request. AccessError: it isn't good for this scope."""
        service, address = service_of(request), address_of(request)
        service.limits.check_address(address)
        given = read_authorization(request.headers.get("authorization", ""))
        key = service.access.find(given) if given else None
        if key is not None:
            service.limits.check_key(key.id, address)
        return check(key, scope)

    return key_of


Served = Annotated[Service, Depends(service_of)]
Reached = Annotated[str, Depends(url_for)]
PingKey = Annotated[ApiKey, Depends(_require("ping"))]
ReadKey = Annotated[ApiKey, Depends(_require("read"))]
AdminKey = Annotated[ApiKey, Depends(_require("admin"))]

_Key = Annotated[str, Path(max_length=KEY_MAX, description="The monitor's key.")]


def find(service: Service, api_key: ApiKey, key: str) -> MonitorRecord:
    """A monitor that the key is for. UnknownMonitorError: there is none; AccessError: it isn't."""
    check(api_key, api_key.scope, key)
    # PostgreSQL takes no NUL, not even to look for it.
    known = service.store.monitors.find(key) if is_key(key) else None
    if known is None:
        alias = service.store.aliases.find(key) if is_key(key) else None
        if alias is not None and api_key.covers(alias.monitor):
            raise UnknownMonitorError(f"monitor {key!r} is called {alias.monitor!r} now")
        raise UnknownMonitorError(f"no monitor {key[:60]!r}")
    return known


def _readable(key: _Key, service: Served, api_key: ReadKey) -> MonitorRecord:
    return find(service, api_key, key)


def _changeable(key: _Key, service: Served, api_key: AdminKey) -> MonitorRecord:
    return find(service, api_key, key)


ReadableMonitor = Annotated[MonitorRecord, Depends(_readable)]
ChangeableMonitor = Annotated[MonitorRecord, Depends(_changeable)]
