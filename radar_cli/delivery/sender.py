"""Sending pings to one server: tries, answers, and what becomes of a ping in the end."""

import os
import time

from radar_cli.delivery.protocols import CronRadar, Radar
from radar_cli.model.ping import Ping
from radar_cli.net import LinkError, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from radar_cli.delivery.destinations import Destination
    from radar_cli.net.client import Link
    from radar_cli.outbox.spool import Entry

# protocols: "Retry 408, 425, 429 (obey Retry-After), 500, 502, 503, 504 and connection errors".
_RETRIABLE = frozenset((408, 425, 429, 500, 502, 503, 504))
# The body is too long (RFC 9110, 15.5.14), the path with its query (15.5.15), or a header.
_TOO_LARGE = frozenset((413, 414, 431))
_LONG_BODY_BYTES = 65_536
_LESS_BYTES = 1_000
_LESS_CHARACTERS = 100
_FIRST_DELAY_S = 0.25
# One try gets this much of the time that is left, so that a server that hangs once is asked again.
_SHARE_OF_TIME = 0.6
_SHORTEST_TRY_S = 2.0
_DIGITS_MAX = 18

DELIVERED = "delivered"
WAITING = "waiting"  # not now, perhaps later
REJECTED = "rejected"  # not in this form, whenever it's tried
DROPPED = "dropped"  # the server has no place for such a ping
UNSURE = "unsure"  # it may have arrived, and must not be news again later


_HINTS = {
    401: "is the API key right?",
    403: "is the API key right?",
    404: "no such monitor there, and no schedule to create it with?",
    407: "the proxy wants a user and a password",
    413: "the output is too long for it: see --tail",
}


class Outcome:
    """The outcome of a ping, why it isn't delivered, and whether a person has to mend that.

    `status` is that of the server's answer, 0 if there was none.
    """

    def __init__(
        self,
        result: str,
        reason: str = "",
        *,
        needs_person: bool = False,
        status: int = 0,
        is_tried: bool = True,
    ) -> None:
        self.result = result
        self.reason = reason
        self.needs_person = needs_person or result == REJECTED
        self.status = status
        self.is_tried = is_tried
        self.is_cut_off = False  # the connection, by the server or a proxy on the way

    @property
    def is_answer(self) -> bool:
        """Whether the server looked at this ping, and may well take the next one."""
        return self.status >= 500

    @property
    def shows_outage(self) -> bool:
        """Whether the server or the way to it doesn't work now, though all settings are right."""
        return self.result in (WAITING, UNSURE) and not self.needs_person and self.is_tried


class Sender:
    """Takes pings to one server. `pause` sleeps, or returns True once there is something newer."""

    def __init__(self, destination: "Destination", pause: "Callable[[float], bool]") -> None:
        self.destination = destination
        protocol = CronRadar if destination.protocol == "cronradar" else Radar
        self.protocol: CronRadar | Radar = protocol()
        self.body_limit_bytes: int = self.protocol.body_default_bytes
        self._pause = pause
        self._link: Link | None = None
        self.last_try_s = 0.0  # how long the last one took
        self.late: Entry | None = None  # the waiting ping that it is flushing
        self._is_success = False
        self._is_unanswered = False  # a request that this ping was sent with

    @property
    def may_have_arrived(self) -> bool:
        """Whether the ping on its way is a success that some server may count twice.

        One without event time takes a repeated success for another run's.
        """
        is_late_news = self._is_success and not self.protocol.knows_event_time
        return is_late_news and (self._is_unanswered or self._is_asking())

    def _is_asking(self) -> bool:
        return self._link is not None and self._link.is_asking

    def deliver(self, ping: Ping, deadline: float, *, once: bool = False) -> Outcome:
        """Try to deliver until `deadline` (monotonic), or once; no sleep after the last try."""
        if ping.kind == "log" and self.destination.protocol == "cronradar":
            return Outcome(DROPPED, "CronRadar takes no log pings")
        if self._link is not None:
            self._link.forget()
        if not (self.destination.key or _is_token(ping.monitor) or self._has_credentials()):
            return Outcome(
                WAITING,
                f"no API key for {self.destination.server}: set RADAR_API_KEY or api_key",
                needs_person=True,
            )
        outcome = self._deliver(ping, deadline, once=once)
        if outcome.result == WAITING and self.may_have_arrived:
            outcome = Outcome(UNSURE, f"{outcome.reason}, and it may have arrived")
        return outcome

    def put_by(self) -> "Link | None":
        """Hand over the link on which the ping's answer is late, if it is, for `resume`."""
        link = self._link
        if link is None or not link.is_late:
            return None
        self._link = None
        return link

    def resume(self, ping: Ping, link: "Link", deadline: float) -> Outcome:
        """Wait for the late answer on a link that was put by, and ask again if it doesn't come."""
        self.close()
        self._link = link
        left_s = max(0.0, deadline - time.monotonic())
        if link.has_news(left_s * _SHARE_OF_TIME):  # which counts though no time may be left
            outcome, _ = self._try(ping, left_s)
            if outcome.result != WAITING:
                return outcome
        return self._deliver(ping, deadline, once=False)

    def _deliver(self, ping: Ping, deadline: float, *, once: bool) -> Outcome:
        self._is_success, self._is_unanswered = ping.kind == "success", False
        delay_s = _FIRST_DELAY_S
        outcome = Outcome(WAITING, f"{self.destination.server}: no answer in time", is_tried=False)
        while True:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return outcome
            outcome, wish_s = self._try(
                ping, min(left_s, max(_SHORTEST_TRY_S, left_s * _SHARE_OF_TIME))
            )
            if once or outcome.result != WAITING:
                return outcome
            wait_s = max(wish_s, delay_s * (0.5 + os.urandom(1)[0] / 255))
            if time.monotonic() + wait_s >= deadline or self._pause(wait_s):
                return outcome
            delay_s *= 2

    def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._link.close()
            self._link.forget()

    def has_news(self) -> bool:
        """Whether something has come from the server that isn't read yet."""
        return self._link is not None and self._link.has_news()

    def _try(self, ping: Ping, time_s: float) -> tuple[Outcome, float]:
        """One request, or as many as it takes with less and less text, if that is refused.

        Return the outcome, and how long the server wants to be left alone.
        """
        deadline = time.monotonic() + time_s
        outcome, wish_s = self._ask(ping, time_s)
        if outcome.result == DELIVERED:
            return outcome, wish_s
        for lighter in _lighter(ping):
            left_s = deadline - time.monotonic()
            # A proxy may hang up on a long body, and its 413 be lost with the connection.
            is_cut_off = outcome.is_cut_off and len(ping.body) > _LONG_BODY_BYTES
            if left_s <= 0 or not (is_cut_off or outcome.status in _TOO_LARGE):
                break
            outcome, wish_s = self._ask(lighter, left_s)
        return outcome, wish_s

    def _ask(self, ping: Ping, time_s: float) -> tuple[Outcome, float]:
        """One request: its outcome, and how long the server wants to be left alone."""
        path, headers, body = self.protocol.request(
            ping, self.destination.key, time.time_ns() // 1000, self.body_limit_bytes
        )
        if self.destination.headers:
            own = {name.lower(): name for name in ("Host", *headers)}
            for name, value in self.destination.headers.items():
                headers[own.get(name.lower(), name)] = value
        begin = time.monotonic()
        try:
            if self._link is None:
                self._link = self.destination.link()
                if self.protocol.knows_event_time:  # so that pings may overtake one another
                    self._link.is_pressed = lambda: self._pause(0.0)
            response = self._link.post(path, headers, body, time.monotonic() + time_s)
        except (LinkError, ValueError) as error:
            self._is_unanswered |= self._is_asking()
            # A setting of this machine's is one fault, however many servers it is between.
            is_setting = isinstance(error, LinkError) and error.is_setting
            reason = str(error) if is_setting else f"{self.destination.server}: {error}"
            needs_person = not isinstance(error, LinkError) or error.needs_person
            wish_s = float("inf") if needs_person else 0.0
            outcome = Outcome(WAITING, reason, needs_person=needs_person)
            resets = (BrokenPipeError, ConnectionResetError)
            outcome.is_cut_off = isinstance(error.__cause__, resets)
            return outcome, wish_s
        finally:
            self.last_try_s = time.monotonic() - begin
        outcome, wish_s = self._judge(response)
        self._link.is_asking = outcome.result == DELIVERED  # until the worker knows it, too
        return outcome, wish_s

    def _has_credentials(self) -> bool:
        return any(name.lower() == "authorization" for name in self.destination.headers)

    def _judge(self, response: Response) -> tuple[Outcome, float]:
        server, status = self.destination.server, response.status
        limit = _number(response.headers.get("ping-body-limit", ""))
        if limit is not None:
            self.body_limit_bytes = min(limit, 10_000_000)
        if 200 <= status < 300:
            if response.body.lstrip()[:1] == b"<":
                # A captive portal or a wrong URL says 200 to anything.
                reason = f"{server} answered with a web page: is that URL right?"
                return Outcome(WAITING, reason, needs_person=True), float("inf")
            return Outcome(DELIVERED), 0.0
        reason = _describe(server, response)
        if status in _RETRIABLE:
            return Outcome(WAITING, reason, status=status), _retry_after_s(response)
        if 400 <= status < 500 and status not in (401, 403, 407):
            return Outcome(REJECTED, reason, status=status), 0.0
        # A wrong key, a moved server: a person will mend the setting, and then it goes through.
        return Outcome(WAITING, reason, needs_person=True, status=status), float("inf")


def _lighter(ping: Ping) -> "Iterator[Ping]":
    """The ping with less text, then with next to none: the outcome matters more."""
    from radar_cli.core.text import cut

    if len(ping.body) > _LESS_BYTES:
        yield _with_body(ping, cut(ping.body, _LESS_BYTES)[0], dict(ping.fields))
    texts = ("message", "reason", "command", "url", "name", "tags")
    fields = {k: v[:_LESS_CHARACTERS] if k in texts else v for k, v in ping.fields.items()}
    if ping.body or fields != ping.fields:
        yield _with_body(ping, b"", fields)


def _with_body(ping: Ping, body: bytes, fields: dict[str, str]) -> Ping:
    gone = len(ping.body) - len(body)
    if gone:
        fields["omitted"] = str(int(fields.get("omitted") or "0") + gone)
    return Ping(
        ping.kind,
        ping.monitor,
        run_id=ping.run_id,
        time_us=ping.time_us,
        fields=fields,
        body=body,
        ping_id=ping.id,
    )


def _retry_after_s(response: Response) -> float:
    """Seconds of a Retry-After header; its form with a date is left to the outbox."""
    wish = response.headers.get("retry-after", "")
    if not wish:
        return 0.0
    seconds = _number(wish)
    return float("inf") if seconds is None else float(seconds)


def _number(text: str) -> int | None:
    """A header's number, or None; whatever is longer than any that means something is as good."""
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text[:_DIGITS_MAX])  # `int` refuses more than 4300 digits


def _is_token(monitor: str) -> bool:
    """Whether a monitor is named by its secret token, a UUID, which needs no key."""
    return len(monitor) == 36 and monitor.count("-") == 4


def _describe(server: str, response: Response) -> str:
    """Describe what a server answered instead of taking the ping, with a hint."""
    from radar_cli.core.text import printable

    message = response.body[:200].decode("utf-8", "replace").replace("\n", " ").strip()
    reason = f"{server} answered {response.status}"
    if message:
        reason += f": {printable(message)}"
    hint = _HINTS.get(response.status, "")
    if 300 <= response.status < 400:
        target = printable(response.headers.get("location", ""))[:200]
        hint = f"it has moved to {target}: make that the server" if target else "is the URL right?"
    return f"{reason} ({hint})" if hint else reason
