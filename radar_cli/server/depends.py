"""What the routes of the API need of a request: the service, and a key that may."""

from typing import Annotated, Callable

from fastapi import Depends, Request

from radar_cli.server.access import check, read_authorization
from radar_cli.server.keys import ApiKey
from radar_cli.server.service import Service


def service_of(request: Request) -> Service:
    """The service that a request is for."""
    service: Service = request.app.state.service
    return service


def _require(scope: str) -> Callable[[Request], ApiKey]:
    def key_of(request: Request) -> ApiKey:
        """The key of a request. AccessError: it isn't good for this scope."""
        service = service_of(request)
        given = read_authorization(request.headers.get("authorization", ""))
        key = service.access.find(given) if given else None
        service.limits.check(request.scope, key.id if key is not None else "")
        return check(key, scope)

    return key_of


Served = Annotated[Service, Depends(service_of)]
PingKey = Annotated[ApiKey, Depends(_require("ping"))]
ReadKey = Annotated[ApiKey, Depends(_require("read"))]
AdminKey = Annotated[ApiKey, Depends(_require("admin"))]
