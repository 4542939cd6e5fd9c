"""`radar check --notify`: tell people of what has flipped, by the channels of the config files."""

import os
import time
from dataclasses import dataclass

from radar_cli.cli.everybody import as_oneself
from radar_cli.cli.notify import load_channels
from radar_cli.cli.opening import Opened
from radar_cli.cli.options import Session
from radar_cli.core.errors import ConfigError
from radar_cli.notify.channel import Channel, Receipt
from radar_cli.notify.composing import Composer, tell_of_channels
from radar_cli.notify.delivering import deliver_alerts, deliver_in_turn
from radar_cli.notify.notice import Notice
from radar_cli.store.store import Store

# A cron line starts every few minutes; what isn't delivered by then waits for the next one.
_DELIVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Told:
    """How many notices went out, a line for each channel that failed, and who else tells people."""

    delivered: int = 0
    failures: tuple[str, ...] = ()
    by_others: tuple[str, ...] = ()

    def and_also(self, other: "Told") -> "Told":
        """Both together."""
        failures = dict.fromkeys((*self.failures, *other.failures))
        return Told(
            self.delivered + other.delivered,
            tuple(failures),
            (*self.by_others, *other.by_others),
        )


def tell_people(session: Session, opened: Opened, now_us: int) -> Told:
    """Tell what nobody was told of yet, and try again what could not be delivered before.

    The monitors of a server are the server's to tell of. ConfigError: there is no channel.
    """
    store = opened.local
    if store is None:
        return Told(by_others=(f"people are told by {opened.store.place} itself",))
    with as_oneself():
        config = session.load_config()
        channels = load_channels(config)
        profile = config.resolve(session.profile, explicit=session.profile is not None)
    if not channels:
        raise ConfigError(
            "no channel to notify through", "radar config set notify.mail.email you@example.com"
        )
    compose = Composer(store, channels, profile.host or os.uname().nodename)
    store.judge(now_us)
    store.enqueue_alerts(now_us, compose, calms_flaps=True)
    store.enqueue_faults(now_us, compose.compose_fault)
    tell_of_channels(store, compose, now_us)
    deadline = time.monotonic() + _DELIVERY_S
    if opened.user:
        # A process can't be two users at once, and so not in two threads.
        delivered = deliver_in_turn(store, [_Own(channel) for channel in channels], deadline)
    else:
        delivered = deliver_alerts(store, channels, deadline)
    failures = [*delivered.failures, *_without_channel(store, {c.table.name for c in channels})]
    return Told(delivered.count, tuple(failures))


class _Own:
    """A channel of root's, for what another user's store has to tell."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.table = channel.table
        self.place = channel.place

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        with as_oneself():
            return self._channel.send(notice, timeout_s=timeout_s)


def _without_channel(store: Store, names: set[str]) -> list[str]:
    """What waits for channels that are gone."""
    lost = sorted({channel for _, channel, _, _ in store.waiting_alerts()} - names)
    return [f"notices wait for channel {name!r}, which no config file has" for name in lost]
