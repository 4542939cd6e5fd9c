"""What radar is measured against: the curls that it replaces, and a peer."""

from collections.abc import Mapping

from tests.benchmarks.measure import Costs, UnmeasurableError, ratios
from tests.benchmarks.results import Result
from tests.benchmarks.workplace import Server, Workplace, program


def two_curls(place: Workplace, server: Server, options: str = "") -> str:
    """What people put into a crontab: a ping before the job and one after it."""
    curl = program("curl", place.python, "Debian: curl")
    ping = f'{curl} -fsS -m 10 {options} "{server.url}/ping/job/%s" >/dev/null'
    return f"{ping % 'start'}; true; {ping % 'complete'}"


class Sentry:
    """The peer, if it is there."""

    def __init__(self, path: str, missing: str) -> None:
        self.path = path
        self.run = [path, "monitors", "run", "job", "--"]
        self._missing = missing

    def result(
        self, what: str, costs: Mapping[str, list[Costs]], baseline: list[Costs], measured: str
    ) -> Result:
        if not self.path:
            return Result(what, note=self._missing)
        return Result(what, ratios(costs["sentry"], baseline, measured))


def find_sentry(place: Workplace) -> Sentry:
    try:
        return Sentry(program("sentry-cli", place.python, "pip install --group bench"), "")
    except UnmeasurableError as reason:
        return Sentry("", str(reason))
