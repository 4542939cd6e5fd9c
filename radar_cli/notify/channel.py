"""One way to tell people, whatever it is: what all channels have in common."""

from dataclasses import dataclass
from typing import Protocol

from radar_cli.core import exits
from radar_cli.core.errors import RadarError
from radar_cli.notify.notice import Notice
from radar_cli.settings.channels import ChannelTable


class ChannelError(RadarError):
    """A notice did not get through; `is_retriable` tells whether it may later."""

    slug = "notify"
    exit_code = exits.UNREACHABLE

    def __init__(self, message: str, hint: str = "", *, is_retriable: bool = True) -> None:
        super().__init__(message, hint)
        self.is_retriable = is_retriable


class UnusableChannelError(ChannelError):
    """A channel that works only once a person has edited something, and then does."""

    slug = "notify-config"
    exit_code = exits.USAGE


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer of whoever took a notice, and a remark if it wasn't quite what was meant."""

    answer: str
    remark: str = ""
    is_on_its_way: bool = False  # it was taken, and may yet not arrive


class Channel(Protocol):
    """A channel, as its table in a config file describes it."""

    @property
    def table(self) -> ChannelTable:
        """Its name, its kind, and what it hears of."""

    @property
    def place(self) -> str:
        """Its place for people; no secret is in it."""

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Deliver one notice, within `timeout_s` in all. Raises ChannelError.

        When it raises, the notice may have arrived all the same: its key tells receivers.
        """


class BrokenChannel:
    """A channel whose table makes no sense: what is to go through it waits for a person."""

    def __init__(self, table: ChannelTable) -> None:
        self.table = table

    @property
    def place(self) -> str:
        """The reason why nothing goes anywhere."""
        return f"nowhere: {self.table.fault}"

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Raise UnusableChannelError."""
        del notice, timeout_s
        raise UnusableChannelError(
            f"{self.table.file.path}: notify.{self.table.name}: {self.table.fault}",
            "see 'radar config check'",
        )
