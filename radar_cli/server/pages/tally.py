"""A count of monitors by status: made for everybody who looks, but not too often."""

import threading
import time
from collections import Counter

from radar_cli.store.database import Database
from radar_cli.store.searching import count_by_status

# Of a million monitors it takes half a second: then it is counted every ten. Of few monitors it is
# quick, and told as it is.
_QUICK_S = 0.02
_SHARE_OF_TIME = 1 / 20
_PATTERNS_MAX = 100


class Tally:
    """Counts by status, which are remembered for a while if they take long."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Counter[str]]] = {}

    def count(self, pattern: str) -> Counter[str]:
        """Count monitors with such keys by status; as of a little ago, if there are very many."""
        with self._lock:
            began = time.monotonic()
            good_until, counts = self._known.get(pattern, (began, Counter()))
            if began < good_until:
                return counts
            counts = count_by_status(self._database, pattern)
            took_s = time.monotonic() - began
            if took_s > _QUICK_S:
                if len(self._known) >= _PATTERNS_MAX:
                    self._known.clear()
                self._known[pattern] = (began + took_s / _SHARE_OF_TIME, counts)
            return counts
