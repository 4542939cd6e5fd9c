"""The port to monitors: what commands need of them, wherever they are kept.

`radar_cli.store.store.Store` and `radar_cli.client.server_store.ServerStore` both have it, so that
a command prints the same of either.
"""

from typing import TYPE_CHECKING, Collection, Iterator, Mapping, Protocol, Sequence

from radar_cli.core.errors import UsageError
from radar_cli.model.alias import Alias
from radar_cli.model.flip import Flip
from radar_cli.model.notice_log import ChannelHealth, Logged
from radar_cli.model.notice_timing import Window
from radar_cli.model.record import MonitorRecord
from radar_cli.model.run import Run
from radar_cli.model.state import Status

if TYPE_CHECKING:
    from radar_cli.model.overview import MonitorOverview


class MonitorRepository(Protocol):
    """Monitors, found and changed. What changes several changes all of them, or none."""

    def all(self, statuses: Sequence[str] = ()) -> Iterator[MonitorRecord]:
        """Every monitor as it was last judged, or those that said one of these, by key."""

    def find_all(self, keys: Collection[str]) -> dict[str, MonitorRecord]:
        """Those of the keys that belong to a monitor, each with it."""

    def keys(self) -> list[str]:
        """The keys of all monitors, in order."""

    def count_by_status(self) -> dict[tuple[str, bool], int]:
        """Count monitors by what they said when last judged, and by whether they are watched."""

    def count_faults(self) -> dict[str, int]:
        """Return how many monitors have a fault, by the worst of each."""

    def faulty(self, limit: int) -> list[MonitorRecord]:
        """Return the monitors that have a fault, at most so many, the bad ones first."""

    def judge(self, now_us: int) -> int:
        """Let time pass until `now_us` for those monitors that it may change; return how many."""

    def create(self, key: str, declared: Mapping[str, str], now_us: int) -> bool:
        """Create a monitor that is watched from now on; False if there is one of that key.

        KeyTakenError: another one had this key, and it goes on counting for that.
        """

    def update(
        self,
        key: str,
        changes: Mapping[str, str | None],
        now_us: int,
        *,
        fingerprint: str | None = None,
    ) -> MonitorRecord:
        """Change what a monitor is declared as (None takes a field out), and judge it anew.

        UnknownMonitorError: there is none of that key. ChangedError: it has another fingerprint.
        """

    def delete(self, keys: Sequence[str]) -> int:
        """Delete monitors with their pings; return how many pings went.

        UnknownMonitorError: there is none of one of these keys, and nothing was deleted.
        """

    def pause(self, keys: Sequence[str], now_us: int, until_us: int | None) -> None:
        """Pause monitors; one that is paused already gets this end.

        UnknownMonitorError: there is none of one of these keys, and nothing was paused.
        """

    def resume(self, keys: Sequence[str], now_us: int) -> list[str]:
        """End the pauses of monitors; return the keys of those that were paused.

        UnknownMonitorError: there is none of one of these keys, and nothing was resumed.
        """


class AliasRepository(Protocol):
    """Keys that monitors had before they were renamed."""

    def rename(self, key: str, new: str, now_us: int, *, keeps_alias: bool = True) -> None:
        """Give a monitor another key, with all that is kept of it.

        UnknownMonitorError: there is none of that key. MonitorExistsError, KeyTakenError: the new
        one is taken.
        """

    def of(self, monitor: str) -> list[Alias]:
        """Return the keys that a monitor had before, the newest first."""

    def find(self, key: str) -> Alias | None:
        """Return what is known of an old key; None if no monitor had it."""

    def drop(self, key: str) -> bool:
        """Remove an alias: what comes under this key is no longer the monitor's; False: no alias.

        With a schedule it makes a new monitor, as any ping does.
        """


class HistoryRepository(Protocol):
    """Runs and flips of monitors."""

    def runs(self, monitor: str, limit: int) -> list[Run]:
        """The newest runs of a monitor, the oldest of them first, without their outputs."""

    def find_runs(self, monitor: str, ending: str | None = None) -> list[Run]:
        """The runs whose ids end like this; without it the newest that ended, if there is one.

        The oldest comes first, and the last one has its output.
        """

    def search_runs(self, monitor: str, text: str, limit: int) -> list[Run]:
        """The newest runs whose output or message has a text in it, in any case, oldest first.

        They have their outputs.
        """

    def count_pings(self, *monitors: str) -> int:
        """Count the pings of monitors that are kept."""

    def flips(self, monitor: str, limit: int) -> list[Flip]:
        """The newest flips of a monitor, the newest first."""


class IncidentRepository(Protocol):
    """Monitors that are down, and who sees to them."""

    def acknowledge(self, keys: Sequence[str], now_us: int, by: str) -> list[str]:
        """Note that somebody sees to monitors that are down: no more is told until they are up.

        Return the keys of those that are down. UnknownMonitorError: there is none of one of them.
        """

    def snooze(self, keys: Sequence[str], now_us: int, until_us: int, by: str) -> None:
        """Tell nothing of monitors until then; what is still so is told at its end.

        UnknownMonitorError: there is none of one of these keys, and nothing was changed.
        """


class WindowRepository(Protocol):
    """Maintenance windows."""

    def not_over(self, now_us: int) -> list[Window]:
        """The maintenance windows that aren't over."""

    def add(self, window: Window) -> Window:
        """Keep a maintenance window; return it as it is kept. UsageError: it is impossible."""

    def end(self, window_id: str, now_us: int) -> bool:
        """End a maintenance window, and what would come of it; whether there was one."""


class NoticeRepository(Protocol):
    """The log of the notices."""

    def newest(
        self, limit: int, *, monitor: str = "", channel: str = "", since_us: int = 0
    ) -> list[Logged]:
        """The newest notices, the newest first; only those of a monitor, or through a channel."""


class ChannelRepository(Protocol):
    """The channels, and whether they deliver."""

    def failing(self) -> list[ChannelHealth]:
        """Return the channels that deliver nothing."""


class OutageRepository(Protocol):
    """Whether somebody looks all the time."""

    def find_neglect(self, now_us: int) -> int | None:
        """Return since when nobody has looked, if that is longer than it should be; else None."""


class MonitorStore(Protocol):
    """Monitors to read and to manage. Times are Unix time in microseconds.

    From everything: StateError or UnreachableError where they can't be had.
    """

    @property
    def place(self) -> str:
        """The place of the monitors, for people."""

    @property
    def monitors(self) -> MonitorRepository:
        """Monitors, found and changed. What changes several changes all of them, or none."""

    @property
    def aliases(self) -> AliasRepository:
        """Keys that monitors had before they were renamed."""

    @property
    def history(self) -> HistoryRepository:
        """Runs and flips of monitors."""

    @property
    def incidents(self) -> IncidentRepository:
        """Monitors that are down, and who sees to them."""

    @property
    def windows(self) -> WindowRepository:
        """Maintenance windows."""

    @property
    def notices(self) -> NoticeRepository:
        """The log of the notices."""

    @property
    def channels(self) -> ChannelRepository:
        """The channels, and whether they deliver."""

    @property
    def outages(self) -> OutageRepository:
        """Whether somebody looks all the time."""

    def find_loss(self) -> str:
        """Return what is wrong if it isn't the store that was known there, "" if it is."""

    def overviews(
        self,
        now_us: int,
        keys: Collection[str] = (),
        *,
        statuses: Collection[Status] = (),
        output_of: Collection[Status] = tuple(Status),
    ) -> Iterator["MonitorOverview"]:
        """All monitors as they were last judged, or those with these keys or in these statuses.

        `output_of` are the statuses in which the last run has its output.
        """


class UnknownMonitorError(UsageError):
    """A monitor that the store doesn't hold."""

    slug = "unknown-monitor"


class MonitorExistsError(UsageError):
    """A monitor that is to be created and is there already."""

    slug = "monitor-exists"


class ChangedError(UsageError):
    """A monitor that isn't any more what it was when somebody decided to change it."""

    slug = "changed-meanwhile"


class KeyTakenError(MonitorExistsError):
    """A key that another monitor had, and that goes on counting for it."""

    slug = "key-taken"
