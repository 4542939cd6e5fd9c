"""Secret tokens of a monitor: one to ping it by, one to show its badge by."""

from fastapi import APIRouter

from radar_cli.server.api.depends import ChangeableMonitor, Reached, Served
from radar_cli.server.api.models import RevokedAnswer, TokenAnswer
from radar_cli.server.runtime.answers import errors
from radar_cli.store.tokens import BADGE, PING

routes = APIRouter(prefix="/api/v1/monitors/{key}", tags=["tokens"])


@routes.post("/token", responses=errors(404))
def make_token(known: ChangeableMonitor, service: Served, reached: Reached) -> TokenAnswer:
    """The monitor's secret ping token, made if there is none: its URL needs no key."""
    token = service.store.tokens.make(known.key, PING)
    return TokenAnswer(token=token, url=f"{reached}/ping/{token}")


@routes.delete("/token", responses=errors(404))
def revoke_token(known: ChangeableMonitor, service: Served) -> RevokedAnswer:
    """Take the ping token out of use."""
    return RevokedAnswer(revoked=service.store.tokens.drop(known.key, PING))


@routes.post("/badge", responses=errors(404))
def make_badge(known: ChangeableMonitor, service: Served, reached: Reached) -> TokenAnswer:
    """The monitor's badge, which whoever knows its URL may see."""
    token = service.store.tokens.make(known.key, BADGE)
    return TokenAnswer(token=token, url=f"{reached}/badge/{token}.svg")


@routes.delete("/badge", responses=errors(404))
def revoke_badge(known: ChangeableMonitor, service: Served) -> RevokedAnswer:
    """Take the badge out of use."""
    return RevokedAnswer(revoked=service.store.tokens.drop(known.key, BADGE))
