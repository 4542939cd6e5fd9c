"""`/ping/…` on ASGI: what an exchange asks for, looked up, read, stored and sent."""

import asyncio
import time
from typing import TYPE_CHECKING

from radar_cli.core.errors import RadarError
from radar_cli.server.pings.exchange import (
    IDLE_MAX_S,
    Exchange,
    Head,
    Rules,
    broken_body,
    late_body,
)
from radar_cli.server.runtime.access import check
from radar_cli.server.runtime.answers import send_early, send_json
from radar_cli.server.runtime.keys import ApiKey
from radar_cli.store.pings import Creation
from radar_cli.store.tokens import PING

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from radar_cli.server.runtime.service import Service

PREFIX = "/ping/"


class PingEndpoint:
    """Answers requests to `/ping/…`. They are a thousand times as many as all others."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._rules = Rules(service.limits, service.settings.body_limit_bytes)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Take one ping."""
        service = self._service
        exchange = Exchange(_read_head(scope), self._rules, time.monotonic())
        has_more = _has_body(scope)
        try:
            exchange.begin()
            await self._admit(exchange)
            if has_more:
                await _read_body(exchange, receive)
                has_more = False
                if exchange.key is not None:  # a body may have come for hours
                    found = await self._find_key(exchange.api_key)
                    check(found, "ping", exchange.monitor)
            ping = exchange.ping(service.clock.now_us())
            started_us = await self._find_start(exchange) if exchange.asks_duration else None
            request = exchange.request
            creation = None
            if request.may_create and exchange.key is not None:
                most = service.settings.most_monitors(exchange.key)
                creation = Creation(request.defaults, exchange.key.id, most)
            api_key = exchange.key.id if exchange.key is not None else ""
            await service.writer.add(
                ping, creation, api_key=api_key, warnings=exchange.request.warnings
            )
            service.counters.pings[ping.kind] += 1
            answer = exchange.accept(ping, started_us)
        except Exception as fault:  # noqa: BLE001 (what isn't expected is raised again)
            answer = exchange.refuse(fault)
            if isinstance(fault, RadarError):
                service.note_fault(fault)
        if has_more:
            await send_early(receive, send, *answer)
        else:
            await send_json(send, *answer)

    async def _admit(self, exchange: Exchange) -> None:
        """Find the key or the token's monitor: in memory if it was asked for a moment ago."""
        service = self._service
        if token := exchange.path.token:
            find = service.store.tokens.find_monitor
            exchange.admit_token(await asyncio.to_thread(find, token, PING))
            return
        exchange.admit(await self._find_key(exchange.api_key))

    async def _find_key(self, key: str) -> ApiKey | None:
        access = self._service.access
        found = access.recall(key)
        if isinstance(found, bool):
            found = await asyncio.to_thread(access.find, key)
        return found

    async def _find_start(self, exchange: Exchange) -> int | None:
        """The time at which the run of an exchange began, if that was told."""
        known = await asyncio.to_thread(self._service.store.aliases.find_monitor, exchange.monitor)
        return None if known is None else known.state.running.get(exchange.request.run_id)


def _read_head(scope: "Scope") -> Head:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1").removeprefix(scope.get("root_path", ""))
    client = scope.get("client")
    return Head(
        scope["method"],
        path.removeprefix(PREFIX),
        scope["query_string"].decode("latin-1"),
        scope["headers"],
        client[0] if client else "",
    )


def _has_body(scope: "Scope") -> bool:
    """Whether a body follows the head (RFC 9112, 6.3)."""
    for name, value in scope["headers"]:
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            return True
    return False


async def _read_body(exchange: Exchange, receive: "Receive") -> None:
    """Read the body to its end. Refused: it has none, or doesn't come."""
    is_last = False
    while not is_last:
        try:
            async with asyncio.timeout(IDLE_MAX_S):
                message = await receive()
        except TimeoutError:
            raise late_body() from None
        if message["type"] == "http.disconnect":
            raise broken_body()
        is_last = not message.get("more_body", False)
        exchange.feed(message.get("body", b""), time.monotonic(), is_last=is_last)
