"""The monitors of a server, by its management API: read and managed like those of a store here."""

from typing import TYPE_CHECKING, Any, Collection, Iterator, Mapping, Sequence
from urllib.parse import quote

from radar_cli.client.connection import AnswerError, Connection
from radar_cli.client.wire import (
    decode_alias,
    decode_attention,
    decode_channel,
    decode_flip,
    decode_monitor,
    decode_notice,
    decode_run,
    decode_window,
    encode_declared,
    from_iso,
    iso,
)
from radar_cli.core.errors import UsageError
from radar_cli.core.ids import is_key
from radar_cli.model.alias import Alias
from radar_cli.model.flip import Flip
from radar_cli.model.notice_log import ChannelHealth, Logged
from radar_cli.model.notice_timing import Window
from radar_cli.model.overview import ALARMING, RUNS_SEEN, MonitorOverview
from radar_cli.model.port import (
    ChangedError,
    KeyTakenError,
    MonitorExistsError,
    UnknownMonitorError,
)
from radar_cli.model.record import MonitorRecord
from radar_cli.model.run import Run
from radar_cli.model.state import Status

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_MONITORS = "/api/v1/monitors"
_WINDOWS = "/api/v1/maintenance"
_ALIASES = "/api/v1/aliases"
_PAGE = 500
# With outputs, which may have 10 kB each.
_PAGE_WITH_OUTPUTS = 200
# As many as fit into a URL whatever they are called.
_KEYS_AT_ONCE = 50
_LONGEST_ENDING = 100
_FOUND_MAX = 200  # with their outputs
_FAULTY_MAX = 1000


class ServerStore:
    """See `radar_cli.model.port.MonitorStore`. A context manager, which closes the connection.

    The server goes by its own clock: `now_us` of the methods that change something says nothing
    to it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._requests = requests = _Requests(connection)
        self.monitors = _Monitors(requests)
        self.aliases = _Aliases(requests)
        self.history = _History(requests)
        self.incidents = _Incidents(requests)
        self.windows = _Windows(requests)
        self.notices = _Notices(requests)
        self.channels = _Channels(requests)
        self.outages = _Outages(requests)

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self._connection.close()

    @property
    def place(self) -> str:
        """The place of the monitors, for people."""
        return self._connection.address.server

    def now_us(self) -> int:
        """Return the time by the server's clock (Unix time in microseconds)."""
        return self._connection.now_us()

    def find_loss(self) -> str:
        """See `MonitorStore`."""
        return self._connection.get("/api/v1/status").get("loss") or ""

    def overviews(
        self,
        now_us: int,
        keys: Collection[str] = (),
        *,
        statuses: Collection[Status] = (),
        output_of: Collection[Status] = tuple(Status),
    ) -> Iterator[MonitorOverview]:
        """See `MonitorStore`; a few requests, however many monitors there are."""
        output = "alarming" if set(output_of) <= set(ALARMING) else "1"
        for entry in self._requests.list_monitors(keys, statuses, runs=RUNS_SEEN, output=output):
            known = decode_monitor(entry)
            runs = [decode_run(each) for each in entry["runs"]]
            yield MonitorOverview(known, known.view_at(now_us), runs, decode_attention(entry))


class _Monitors:
    """Monitors, found and changed. What changes several changes all of them, or none."""

    def __init__(self, requests: "_Requests") -> None:
        self._requests = requests

    def all(self, statuses: Sequence[str] = ()) -> Iterator[MonitorRecord]:
        """See `MonitorRepository`."""
        return map(decode_monitor, self._requests.list_monitors((), statuses))

    def find_all(self, keys: Collection[str]) -> dict[str, MonitorRecord]:
        """See `MonitorRepository`."""
        if not keys:
            return {}
        return {entry["key"]: decode_monitor(entry) for entry in self._requests.list_monitors(keys)}

    def keys(self) -> list[str]:
        """See `MonitorRepository`."""
        keys: list[str] = []
        after: str | None = ""
        while after is not None:
            page = self._requests.connection.get("/api/v1/monitor-keys", after=after)
            keys += page["keys"]
            after = page["next"]
        return keys

    def count_by_status(self) -> dict[tuple[str, bool], int]:
        """See `MonitorRepository`."""
        status = self._requests.connection.get("/api/v1/status")
        counts = {}
        for name, count in status["monitors"].items():
            unwatched = status["unwatched"][name]
            counts[name, True], counts[name, False] = count - unwatched, unwatched
        return {what: count for what, count in counts.items() if count}

    def count_faults(self) -> dict[str, int]:
        """See `MonitorRepository`."""
        counts: dict[str, int] = self._requests.connection.get("/api/v1/status").get("faults", {})
        return {kind: count for kind, count in counts.items() if count}

    def faulty(self, limit: int) -> list[MonitorRecord]:
        """See `MonitorRepository`."""
        page = self._requests.connection.get(_MONITORS, fault=True, limit=min(limit, _FAULTY_MAX))
        return [decode_monitor(entry) for entry in page["monitors"]]

    def judge(self, now_us: int) -> int:  # noqa: ARG002 (as a store here has it)
        """Nothing: the server does it all the time."""
        return 0

    def create(self, key: str, declared: Mapping[str, str], now_us: int) -> bool:  # noqa: ARG002 (as above)
        """See `MonitorRepository`."""
        try:
            self._requests.change("POST", _MONITORS, {"key": key, **encode_declared({**declared})})
        except KeyTakenError:
            raise
        except MonitorExistsError:
            return False
        return True

    def update(
        self,
        key: str,
        changes: Mapping[str, str | None],
        now_us: int,  # noqa: ARG002 (as above)
        *,
        fingerprint: str | None = None,
    ) -> MonitorRecord:
        """See `MonitorRepository`."""
        path = f"{_MONITORS}/{quote(key, safe='')}"
        content = encode_declared({**changes})
        return decode_monitor(self._requests.change("PATCH", path, content, if_match=fingerprint))

    def delete(self, keys: Sequence[str]) -> int:
        """See `MonitorRepository`."""
        pings: int = self._requests.change("POST", "/api/v1/batch/delete", {"keys": [*keys]})[
            "pings"
        ]
        return pings

    def pause(self, keys: Sequence[str], now_us: int, until_us: int | None) -> None:
        """See `MonitorRepository`; it begins when the server hears of it, and lasts as long."""
        content: dict[str, Any] = {"keys": [*keys]}
        if until_us is not None:
            content["for_s"] = (until_us - now_us) / 1e6
        self._requests.change("POST", "/api/v1/batch/pause", content)

    def resume(self, keys: Sequence[str], now_us: int) -> list[str]:  # noqa: ARG002 (as above)
        """See `MonitorRepository`."""
        changed = self._requests.change("POST", "/api/v1/batch/resume", {"keys": [*keys]})
        resumed: list[str] = changed["resumed"]
        return resumed


class _Aliases:
    """Keys that monitors had before they were renamed."""

    def __init__(self, requests: "_Requests") -> None:
        self._requests = requests

    def rename(self, key: str, new: str, now_us: int, *, keeps_alias: bool = True) -> None:  # noqa: ARG002 (as above)
        """See `AliasRepository`."""
        path = f"{_MONITORS}/{quote(key, safe='')}/rename"
        self._requests.change("POST", path, {"key": new, "keep_alias": keeps_alias})

    def of(self, monitor: str) -> list[Alias]:
        """See `AliasRepository`."""
        return [decode_alias(each) for each in self._requests.of(monitor, "aliases")["aliases"]]

    def find(self, key: str) -> Alias | None:
        """See `AliasRepository`."""
        try:
            return decode_alias(self._requests.connection.get(f"{_ALIASES}/{quote(key, safe='')}"))
        except AnswerError as error:
            if error.status == 404:  # an older server has no aliases at all
                return None
            raise

    def drop(self, key: str) -> bool:
        """See `AliasRepository`."""
        try:
            self._requests.connection.request("DELETE", f"{_ALIASES}/{quote(key, safe='')}")
        except AnswerError as error:
            if error.status == 404:
                return False
            raise
        return True


class _History:
    """Runs and flips of monitors."""

    def __init__(self, requests: "_Requests") -> None:
        self._requests = requests

    def runs(self, monitor: str, limit: int) -> list[Run]:
        """See `HistoryRepository`."""
        return [decode_run(each) for each in self._requests.newest(monitor, "runs", limit)][::-1]

    def find_runs(self, monitor: str, ending: str | None = None) -> list[Run]:
        """See `HistoryRepository`; of many runs that end like this, only the newest."""
        if ending is not None and not (ending.isascii() and len(ending) <= _LONGEST_ENDING):
            return []  # no id does
        query = {"ended": True} if ending is None else {"ending": ending}
        found = self._requests.of(monitor, "runs", **query)
        return [decode_run(each) for each in reversed(found["runs"])]

    def search_runs(self, monitor: str, text: str, limit: int) -> list[Run]:
        """See `HistoryRepository`."""
        found = self._requests.of(monitor, "runs", search=text, limit=min(limit, _FOUND_MAX))
        return [decode_run(each) for each in reversed(found["runs"])]

    def count_pings(self, *monitors: str) -> int:
        """See `HistoryRepository`."""
        if not monitors:
            return 0
        return sum(entry["pings"] for entry in self._requests.list_monitors(monitors, pings=True))

    def flips(self, monitor: str, limit: int) -> list[Flip]:
        """See `HistoryRepository`."""
        return [
            decode_flip(monitor, each) for each in self._requests.newest(monitor, "flips", limit)
        ]


class _Incidents:
    """Monitors that are down, and who sees to them."""

    def __init__(self, requests: "_Requests") -> None:
        self._requests = requests

    def acknowledge(self, keys: Sequence[str], now_us: int, by: str) -> list[str]:  # noqa: ARG002 (as above)
        """See `IncidentRepository`."""
        changed = self._requests.change("POST", "/api/v1/batch/ack", {"keys": [*keys], "by": by})
        acknowledged: list[str] = changed["acknowledged"]
        return acknowledged

    def snooze(self, keys: Sequence[str], now_us: int, until_us: int, by: str) -> None:
        """See `IncidentRepository`; it begins when the server hears of it, and lasts as long."""
        content = {"keys": [*keys], "by": by, "for_s": (until_us - now_us) / 1e6}
        self._requests.change("POST", "/api/v1/batch/snooze", content)


class _Windows:
    """Maintenance windows."""

    def __init__(self, requests: "_Requests") -> None:
        self._requests = requests

    def not_over(self, now_us: int) -> list[Window]:  # noqa: ARG002 (as above)
        """See `WindowRepository`."""
        return [decode_window(each) for each in self._requests.connection.get(_WINDOWS)["windows"]]

    def add(self, window: Window) -> Window:
        """See `WindowRepository`; it has another id there."""
        content: dict[str, Any] = {
            "name": window.name,
            "monitors": window.monitors,
            "tag": window.tag,
            "begin": iso(window.begin_us),
            "end": iso(window.end_us),
        }
        if window.schedule:
            content |= {"schedule": window.schedule, "tz": window.tz}
            content["for_s"] = window.length_us / 1e6
        return decode_window(self._requests.change("POST", _WINDOWS, content))

    def end(self, window_id: str, now_us: int) -> bool:  # noqa: ARG002 (as above)
        """See `WindowRepository`."""
        try:
            self._requests.change("DELETE", f"{_WINDOWS}/{quote(window_id, safe='')}", None)
        except AnswerError as error:
            if error.status == 404:
                return False
            raise
        return True


class _Notices:
    """The log of the notices."""

    def __init__(self, requests: "_Requests") -> None:
        self._requests = requests

    def newest(
        self, limit: int, *, monitor: str = "", channel: str = "", since_us: int = 0
    ) -> list[Logged]:
        """See `NoticeRepository`."""
        found: list[Logged] = []
        before: str | None = ""
        while before is not None and len(found) < limit:
            page = self._requests.connection.get(
                "/api/v1/notices",
                monitor=monitor,
                channel=channel,
                since=iso(since_us),
                before=before,
                limit=min(limit - len(found), _PAGE),
            )
            found += map(decode_notice, page["notices"])
            before = page["next"]
        return found


class _Channels:
    """The channels, and whether they deliver."""

    def __init__(self, requests: "_Requests") -> None:
        self._requests = requests

    def failing(self) -> list[ChannelHealth]:
        """See `ChannelRepository`."""
        status = self._requests.connection.get("/api/v1/status")
        return [decode_channel(each) for each in status.get("failing_channels", ())]

    def unheard(self) -> list[str]:
        """Return monitors that no channel of the server tells of; not all, if they are many."""
        found: list[str] = self._requests.connection.get("/api/v1/status").get("unheard", [])
        return found


class _Outages:
    """Whether somebody looks all the time."""

    def __init__(self, requests: "_Requests") -> None:
        self._requests = requests

    def find_neglect(self, now_us: int) -> int | None:  # noqa: ARG002 (the server says it)
        """See `OutageRepository`."""
        return from_iso(self._requests.connection.get("/api/v1/status").get("unlooked_since"))


class _Requests:
    """Requests to the management API."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def list_monitors(
        self, keys: Collection[str] = (), statuses: Collection[str] = (), **query: Any
    ) -> Iterator[dict[str, Any]]:
        """The monitors with these keys, or all of them, a page at a time."""
        if not keys:
            yield from self._list_pages(status=[*map(str, statuses)], **query)
            return
        known = sorted({key for key in keys if is_key(key)})
        for start in range(0, len(known), _KEYS_AT_ONCE):
            some = known[start : start + _KEYS_AT_ONCE]
            yield from self._list_pages(key=some, status=[*map(str, statuses)], **query)

    def _list_pages(self, **query: Any) -> Iterator[dict[str, Any]]:
        limit = _PAGE_WITH_OUTPUTS if query.get("output") == "1" else _PAGE
        after: str | None = ""
        while after is not None:
            page = self.connection.get(_MONITORS, after=after or None, limit=limit, **query)
            yield from page["monitors"]
            after = page["next"]

    def newest(self, monitor: str, what: str, limit: int) -> list[dict[str, Any]]:
        """At most so many of something, the newest first, a page at a time."""
        found: list[dict[str, Any]] = []
        before: str | None = None
        while limit > len(found):
            page = self.of(monitor, what, before=before, limit=min(limit - len(found), _PAGE))
            found += page[what]
            before = page["next"]
            if before is None:
                break
        return found

    def of(self, monitor: str, what: str, **query: Any) -> Any:
        """Get something of a monitor. UnknownMonitorError: there is none of that key."""
        path = f"{_MONITORS}/{quote(monitor, safe='')}/{what}"
        try:
            return self.connection.get(path, **query)
        except AnswerError as error:
            raise _as_local(error) from None

    def change(self, method: str, path: str, content: Any, if_match: str | None = None) -> Any:
        headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
        try:
            return self.connection.request(method, path, content=content, headers=headers)
        except AnswerError as error:
            raise _as_local(error) from None


def _as_local(error: AnswerError) -> Exception:
    """The error that a store here would have raised."""
    if error.word == "UNKNOWN_MONITOR":
        return UnknownMonitorError(error.message)
    if error.word == "KEY_TAKEN":
        return KeyTakenError(error.message)
    if error.word == "MONITOR_EXISTS":
        return MonitorExistsError(error.message)
    if error.status == 412:
        return ChangedError(error.message, "look at it again")
    if error.status in (400, 422):
        return UsageError(error.message)
    return error
