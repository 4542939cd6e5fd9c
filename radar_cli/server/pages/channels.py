"""`/channels`: the channels, whether notices arrive, and a test notice; never a secret."""

import os
import time
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from radar_cli.core.ids import new_id
from radar_cli.core.zone import local_zone
from radar_cli.model.notice_log import ChannelHealth, Logged
from radar_cli.notify.channel import Channel, ChannelError, Receipt
from radar_cli.notify.notice import rehearse
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.overview import frame
from radar_cli.server.pages.rendering import Pages
from radar_cli.server.pages.sessions import Session
from radar_cli.server.pages.visits import (
    ChangeForm,
    PageError,
    PageRoute,
    PagesServed,
    Visitor,
    now_us,
)
from radar_cli.server.runtime.service import Service
from radar_cli.store.store import Store

# Whoever tries a channel waits for its answer, and a browser doesn't wait for long.
_TEST_TIMEOUT_S = 15.0

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Described:
    """A channel as the page shows it: where it leads, what it hears of, and how it fares."""

    name: str
    kind: str
    place: str
    fault: str
    rules: list[str]
    health: ChannelHealth | None
    last: Logged | None  # the newest notice that was made for it


@dataclass(frozen=True, slots=True)
class Tried:
    """The result of a test notice."""

    name: str
    answer: str
    is_ok: bool
    is_on_its_way: bool = False


@routes.get("/channels")
def list_channels(session: Visitor, service: Served, pages: PagesServed) -> Response:
    """Every channel of the server's config file, and those of whose past it knows."""
    expect_all_monitors(session)
    return _render(session, service, pages)


@routes.post("/channels/{name}/test")
def try_channel(
    name: str, session: Visitor, service: Served, pages: PagesServed, _form: ChangeForm
) -> Response:
    """Send a test notice, and show what the channel answered."""
    expect_all_monitors(session)
    channel = next((each for each in service.channels if each.table.name == name), None)
    if channel is None:
        hint = "It may have gone from the config file that the server was started with."
        raise PageError(404, "There is no such channel.", hint)
    return _render(session, service, pages, _try(channel))


def expect_all_monitors(session: Session) -> None:
    """PageError: a key for some monitors only; channels tell of all of them."""
    if session.key.monitors != "*":
        raise PageError(
            403, "Your key is for some monitors only.", "Channels send notices of all of them."
        )


def _try(channel: Channel) -> Tried:
    """Send one test notice, whatever comes of it."""
    now = time.time_ns() // 1000
    notice = rehearse(new_id(now), os.uname().nodename, now, local_zone() or "UTC")
    try:
        receipt: Receipt = channel.send(notice, timeout_s=_TEST_TIMEOUT_S)
    except ChannelError as error:
        return Tried(channel.table.name, error.line(), is_ok=False)
    answer = "; ".join(part for part in (receipt.answer, receipt.remark) if part)
    return Tried(channel.table.name, answer, True, receipt.is_on_its_way)


def _describe(channel: Channel, store: Store, health: dict[str, ChannelHealth]) -> Described:
    table = channel.table
    return Described(
        *(table.name, table.kind or "?", channel.place, table.fault),
        rules=[f"tells {', '.join(table.on)}", *table.describe_rules()],
        health=health.get(table.name),
        last=next(iter(store.notices.newest(1, channel=table.name)), None),
    )


def _render(
    session: Session, service: Service, pages: Pages, tried: Tried | None = None
) -> Response:
    health = {each.name: each for each in service.store.channels.all()}
    channels = [_describe(channel, service.store, health) for channel in service.channels]
    known = {each.name for each in channels}
    values: dict[str, Any] = {
        **frame(session, service, now_us()),
        "described": sorted(channels, key=lambda each: each.name),
        # Their names stand in the log of notices still.
        "gone": sorted(health.keys() - known),
        "tried": tried,
    }
    return pages.page("channels", values)
