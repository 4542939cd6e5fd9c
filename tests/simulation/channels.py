"""The channels of a simulated world, which fail, hang, and deliver what they say they haven't."""

import random
from collections.abc import Callable

from radar_cli.notify.channel import ChannelError, Receipt
from radar_cli.notify.notice import Notice
from radar_cli.settings.channels import ChannelTable
from radar_cli.settings.files import ConfigFile

_FILE = ConfigFile("simulated", "", {}, 0, 0o600)


class SimulatedChannel:
    """A channel; `hang` lets half a minute pass for all the others."""

    def __init__(
        self, name: str, chance: random.Random, hang: Callable[[], None], **values: list[str]
    ) -> None:
        self.table = ChannelTable(name, _FILE, "webhook", {"together": False, **values})
        self._chance = chance
        self._hang = hang
        self.mood = "well"  # or fails, or hangs
        self.arrived: list[Notice] = []
        self.excused: set[str] = set()  # the keys of those that may arrive again

    @property
    def place(self) -> str:
        """See `Channel`."""
        return "nowhere"

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """See `Channel`."""
        del timeout_s
        if self.mood == "well":
            self.arrived.append(notice)
            return Receipt("taken")
        # It may have arrived all the same.
        if self._chance.random() < 0.3:
            self.arrived.append(notice)
            self.excused.add(notice.key)
        if self.mood == "hangs":
            self._hang()
            raise ChannelError("no answer for 30 s")
        raise ChannelError("refused")
