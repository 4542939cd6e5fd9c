"""The monitors as metrics, for node_exporter's textfile collector (text format 0.0.4)."""

from typing import Callable

from radar_cli.cli.render import clean
from radar_cli.model.fault import BAD, BEWARE, worst
from radar_cli.monitors.state import Status
from radar_cli.store.overview import Seen


def _seconds(time_us: int | None) -> float | None:
    return None if time_us is None else time_us / 1e6


_METRICS: tuple[tuple[str, str, Callable[[Seen], float | None]], ...] = (
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
        self._samples: dict[str, list[str]] = {name: [] for name, _, _ in _METRICS}
        self._stores: list[str] = []

    def add(self, seen: Seen, user: str = "") -> None:
        """Add a monitor; `user` is whose it is, if not one's own."""
        labels = f'monitor="{clean(seen.known.key)}"' + (f',user="{clean(user)}"' if user else "")
        for name, _, value_of in _METRICS:
            if (value := value_of(seen)) is not None:
                self._samples[name].append(f"radar_monitor_{name}{{{labels}}} {value:.15g}")

    def add_store(self, user: str, *, is_judged: bool) -> None:
        """Add whether a store could be judged: if not, nothing is said of its monitors."""
        labels = f'{{user="{clean(user)}"}}' if user else ""
        self._stores.append(f"radar_store_judged{labels} {is_judged:d}")

    def samples(self) -> dict[str, list[str]]:
        """The samples of monitors, as `absorb` takes them."""
        return self._samples

    def absorb(self, samples: dict[str, list[str]]) -> None:
        """Add what another process has gathered; whatever it is, each is one line."""
        for name, lines in self._samples.items():
            lines += [clean(line) for line in samples[name]]

    def text(self) -> str:
        """All of them."""
        lines = []
        for name, help_text, _ in _METRICS:
            full = f"radar_monitor_{name}"
            lines += [f"# HELP {full} {help_text}", f"# TYPE {full} gauge", *self._samples[name]]
        if self._stores:
            lines += ["# HELP radar_store_judged 1 if the store of a user could be judged"]
            lines += ["# TYPE radar_store_judged gauge", *self._stores]
        return "\n".join(lines)
