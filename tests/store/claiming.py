"""Taking alerts to people one by one, as a channel does that isn't told of several together."""

from dataclasses import dataclass

from radar_cli.store.notices import Outgoing
from radar_cli.store.store import Store


@dataclass(frozen=True)
class Claimed:
    outgoing: Outgoing

    @property
    def id(self) -> str:
        return self.outgoing.id

    @property
    def channel(self) -> str:
        return self.outgoing.channel

    @property
    def tries(self) -> int:
        return self.outgoing.tries

    @property
    def monitor(self) -> str:
        return self.outgoing.alerts[0].monitor

    @property
    def notice(self) -> str:
        return self.outgoing.alerts[0].notice


def claim(store: Store, now_us: int, lease_us: int, channel: str) -> Claimed | None:
    outgoing = store.notices.claim(now_us, lease_us, channel, alone=True)
    return None if outgoing is None else Claimed(outgoing)


def settle(store: Store, claimed: Claimed, fate: str, error: str = "") -> None:
    store.notices.settle(claimed.outgoing, fate, error, claimed.outgoing.created_us)


def postpone(store: Store, claimed: Claimed, next_try_us: int, error: str) -> None:
    store.notices.postpone(claimed.outgoing, next_try_us, error, claimed.outgoing.created_us)
