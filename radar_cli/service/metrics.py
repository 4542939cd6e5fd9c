"""The monitors as metrics (Prometheus's text format 0.0.4), of a server and of `radar check`."""

from typing import Callable, Iterable, Mapping

from radar_cli.core.prometheus import Sample, check_labels, format_family
from radar_cli.model.fault import BAD, BEWARE, worst
from radar_cli.model.overview import MonitorOverview
from radar_cli.model.state import Status


def _seconds(time_us: int | None) -> float | None:
    return None if time_us is None else time_us / 1e6


def _last_success(seen: MonitorOverview) -> float | None:
    """Return when a run last went well: its end or, of one that is long ago, its start."""
    ended = [run.ended_us for run in seen.runs if run.outcome == "success"]
    return _seconds(max(filter(None, ended), default=seen.known.state.succeeded_start_us) or None)


_METRICS: tuple[tuple[str, str, Callable[[MonitorOverview], float | None]], ...] = (
    ("status", "1 with what it says as a label", lambda _: 1.0),
    ("up", "1 unless the monitor is down", lambda s: float(s.view.status != Status.DOWN)),
    (
        "fault",
        "2 if it is declared wrongly, 1 if it may be",
        lambda s: float(("", BEWARE, BAD).index(worst(s.known.faults))),
    ),
    ("late", "1 if a run is late", lambda s: float(s.view.status == Status.LATE)),
    ("running", "1 if a run is in progress", lambda s: float(s.view.is_running)),
    (
        "expected_timestamp_seconds",
        "when the next run is due",
        lambda s: _seconds(s.view.expected_us),
    ),
    (
        "last_run_timestamp_seconds",
        "when the last run ended",
        lambda s: None if s.last_ended is None else _seconds(s.last_ended.ended_us),
    ),
    ("last_success_timestamp_seconds", "when a run last went well", _last_success),
    (
        "last_run_duration_seconds",
        "how long the last run took",
        lambda s: None if s.last_ended is None else s.last_ended.duration_s,
    ),
    (
        "last_run_exit_code",
        "exit code of the last run",
        lambda s: None if s.last_ended is None else s.last_ended.exit_code,
    ),
)


class Metrics:
    """The metrics of monitors, sample by sample."""

    def __init__(self) -> None:
        self._samples: dict[str, list[Sample]] = {name: [] for name, _, _ in _METRICS}
        self._stores: list[Sample] = []

    def add(self, seen: MonitorOverview, user: str = "") -> None:
        """Add a monitor; `user` is whose it is, if not one's own."""
        named = {"monitor": seen.known.key} | ({"user": user} if user else {})
        with_status = {**named, "status": str(seen.view.status)}
        for name, _, value_of in _METRICS:
            if (value := value_of(seen)) is not None:
                self._samples[name].append((with_status if name == "status" else named, value))

    def add_store(self, user: str, *, is_judged: bool) -> None:
        """Add whether a store could be judged: if not, nothing is said of its monitors."""
        self._stores.append(({"user": user} if user else {}, float(is_judged)))

    def samples(self) -> dict[str, list[Sample]]:
        """The samples of monitors, as `absorb` takes them."""
        return self._samples

    def absorb(self, samples: Mapping[str, Iterable[Sample]]) -> None:
        """Add what another process has gathered. ValueError, TypeError: it makes no sense."""
        for name, own in self._samples.items():
            some = [({**labels}, float(value)) for labels, value in samples[name]]
            for labels, _ in some:
                check_labels(labels)
                if not all(isinstance(text, str) for text in labels.values()):
                    raise TypeError("a label is no text")
            own.extend(some)

    def text(self) -> str:
        """All of them."""
        families = [
            format_family(f"monitor_{name}", "gauge", help_text, self._samples[name])
            for name, help_text, _ in _METRICS
        ]
        if self._stores:
            help_text = "1 if the store of a user could be judged"
            families.append(format_family("store_judged", "gauge", help_text, self._stores))
        return "\n".join(families)
