"""`radar check --notify`: tell people of what has flipped, by the channels of the config files."""

import os
import time
from dataclasses import asdict, dataclass
from typing import Any, Callable, Sequence

from radar_cli.cli.apart import Ask
from radar_cli.cli.notify import load_channels
from radar_cli.cli.opening import Opened
from radar_cli.cli.options import Session
from radar_cli.core.errors import ConfigError
from radar_cli.notify.channel import Channel, ChannelError, Receipt
from radar_cli.notify.notice import Notice, decode_notice, encode_notice
from radar_cli.service.composing import Composer, enqueue_news
from radar_cli.service.delivering import deliver_alerts, deliver_in_turn
from radar_cli.settings.channels import ChannelTable
from radar_cli.store.store import Store

# A cron line starts every few minutes; what isn't delivered by then waits for the next one.
_DELIVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The result: notices that went out, a line for each failed channel, who else sends some."""

    delivered: int = 0
    failures: tuple[str, ...] = ()
    by_others: tuple[str, ...] = ()

    def and_also(self, other: "Deliveries") -> "Deliveries":
        """Both together."""
        failures = dict.fromkeys((*self.failures, *other.failures))
        return Deliveries(
            self.delivered + other.delivered,
            tuple(failures),
            (*self.by_others, *other.by_others),
        )


@dataclass(frozen=True, slots=True)
class People:
    """The channels that lead to people, and this machine's name to them."""

    channels: Sequence[Channel]
    host: str

    def through(self, ask: Ask) -> "People":
        """The same for a process of another user: it asks root's for each notice."""
        return People([_Asking(channel, ask) for channel in self.channels], self.host)

    def answer(self, asked: Any) -> dict[str, Any]:
        """Send a notice that such a process asks for; return its receipt, or why there is none."""
        channel = {each.table.name: each for each in self.channels}[asked["channel"]]
        try:
            notice = decode_notice(asked["notice"], asked["key"])
            receipt = channel.send(notice, timeout_s=min(_DELIVERY_S, asked["timeout_s"]))
        except ChannelError as error:
            return {"undelivered": error.line(), "is_retriable": error.is_retriable}
        except Exception as error:  # noqa: BLE001 (such a notice stops no other)
            return {"poisoned": f"{type(error).__name__}: {error}"}
        return {"receipt": asdict(receipt)}


def find_people(session: Session) -> People:
    """The people whom root, or whoever we are, tells. ConfigError: there is no channel."""
    config = session.load_config()
    channels = load_channels(config)
    profile = config.resolve(session.profile, explicit=session.profile is not None)
    if not channels:
        raise ConfigError(
            "no channel to notify through", "radar config set notify.mail.email you@example.com"
        )
    return People(channels, profile.host or os.uname().nodename)


def notify_people(
    find: Callable[[], People], opened: Opened, now_us: int, *, remind_every_us: int = 0
) -> Deliveries:
    """Send notices of what is new, and try again what could not be delivered before.

    With `remind_every_us` what is still down is told again after that time, ever more rarely.
    The monitors of a server are the server's to tell of: then nobody is to be found.
    """
    store = opened.local
    if store is None:
        return Deliveries(by_others=(f"{opened.store.place} sends the notices itself",))
    people = find()
    channels = people.channels
    compose = Composer(store, channels, people.host)
    store.monitors.judge(now_us)
    if remind_every_us:
        store.reminders.begin(now_us, remind_every_us)
    enqueue_news(store, compose, now_us, remind_every_us=remind_every_us)
    store.reminders.enqueue(now_us, remind_every_us, compose.at(now_us))
    deadline = time.monotonic() + _DELIVERY_S
    if opened.user:
        # There is one link to root's process, for one question at a time.
        delivered = deliver_in_turn(store, channels, deadline)
    else:
        delivered = deliver_alerts(store, channels, deadline)
    failures = [*delivered.failures, *_without_channel(store, {c.table.name for c in channels})]
    return Deliveries(delivered.count, tuple(failures))


class _Asking:
    """A channel of root's, for what another user's store has to tell."""

    def __init__(self, channel: Channel, ask: Ask) -> None:
        self._ask = ask
        self.table: ChannelTable = channel.table
        self.place = channel.place

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        answer = self._ask(
            {
                "channel": self.table.name,
                "key": notice.key,
                "notice": encode_notice(notice),
                "timeout_s": timeout_s,
            }
        )
        if reason := answer.get("undelivered"):
            raise ChannelError(reason, is_retriable=answer["is_retriable"])
        if reason := answer.get("poisoned"):
            raise ValueError(reason)
        return Receipt(**answer["receipt"])


def _without_channel(store: Store, names: set[str]) -> list[str]:
    """Count what waits for channels that are gone."""
    lost = sorted({channel for _, channel, _, _ in store.alerts.waiting()} - names)
    return [f"notices wait for channel {name!r}, which no config file has" for name in lost]
