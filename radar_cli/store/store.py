"""The store: one database, and the repositories over it."""

from itertools import islice
from typing import TYPE_CHECKING, Collection, Iterator

from radar_cli.model.overview import RUNS_SEEN, MonitorOverview
from radar_cli.model.state import Status
from radar_cli.store.alerts import Alerts
from radar_cli.store.channels import Channels
from radar_cli.store.database import Database
from radar_cli.store.declaring import Declarations, Zone
from radar_cli.store.history import History
from radar_cli.store.holding import HeldAlerts
from radar_cli.store.identity import Identity, LostStoreError
from radar_cli.store.incidents import Incidents
from radar_cli.store.ledger import Ledger
from radar_cli.store.monitors import Monitors
from radar_cli.store.notices import Notices
from radar_cli.store.outages import Outages
from radar_cli.store.pings import Pings
from radar_cli.store.reminders import Reminders
from radar_cli.store.renaming import Aliases
from radar_cli.store.retention import Retention, sweep
from radar_cli.store.tokens import Tokens
from radar_cli.store.windows import Windows

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_SEEN_AT_ONCE = 200


class Store:
    """A database with a repository for each kind of thing in it.

    A context manager, which closes the database. From everything: StateError if the database can't
    be used. Times are Unix time in microseconds.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.zone = Zone()
        self.identity: Identity | None = None  # of one that was opened where stores are known
        self.loss: LostStoreError | None = None  # it isn't the one that was known there

        self.monitors = Monitors(database)
        self.aliases = Aliases(database, self.monitors)
        self.declarations = Declarations(database, self.zone)
        self.outages = Outages(database)
        self.pings = Pings(database, self.outages, self.zone)
        self.history = History(database, self.pings)
        self.windows = Windows(database)
        self.alerts = Alerts(database, self.windows)
        self.held_alerts = HeldAlerts(database, self.windows)
        self.reminders = Reminders(database, self.windows)
        self.incidents = Incidents(database, self.windows)
        self.notices = Notices(database)
        self.channels = Channels(database)
        self.tokens = Tokens(database)
        self.ledger = Ledger(database)

    @property
    def place(self) -> str:
        """Its place, for people."""
        return self.database.place

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        # Not in `close`: a server ends without waiting for its database.
        if self.identity is not None and self.loss is None:
            self.identity.leave()
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def find_loss(self) -> str:
        """Return what is wrong if it isn't the store that was known there, "" if it is."""
        return "" if self.loss is None else self.loss.line()

    def overviews(
        self,
        now_us: int,
        keys: Collection[str] = (),
        *,
        statuses: Collection[Status] = (),
        output_of: Collection[Status] = tuple(Status),
        pattern: str = "*",
    ) -> Iterator[MonitorOverview]:
        """All monitors as they were last judged, or those with these keys or in these statuses.

        Or those whose keys are like a `pattern`. Only some are in memory at a time. `output_of` are
        the statuses in which the last run has its output.
        """
        found = self.monitors.all([*statuses], pattern=pattern)
        if keys:
            chosen = self.monitors.find_all(keys)
            found = (chosen[key] for key in sorted(chosen))
        found = iter(found)
        while some := list(islice(found, _SEEN_AT_ONCE)):
            runs = self.history.last_runs([known.key for known in some], RUNS_SEEN)
            attention = self.incidents.attention(some, now_us)
            for known in some:
                view, last = known.view_at(now_us), runs[known.key]
                if view.status in output_of:
                    last = self.history.with_last_output(known.key, last)
                yield MonitorOverview(known, view, last, attention[known.key])

    def sweep(self, now_us: int, retention: Retention, *, every_us: int = 0) -> int:
        """Forget what is too old or too much; see `radar_cli.store.retention.sweep`."""
        return sweep(self.database, now_us, retention, every_us=every_us)
