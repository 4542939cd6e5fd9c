"""The server's time, which doesn't go back: what comes later is told later.

Where a clock that was ahead is set right, a ping of now would be older than those before it, and
a failure in that hour be taken for an old story. Time stands still instead, until the clock has
caught up.
"""

import threading
import time
from typing import Callable

# A clock that was wrong by more is better believed now.
_LONGEST_STILL_US = 86_400 * 1_000_000


class Clock:
    """Unix time in microseconds, for any number of threads."""

    def __init__(self, read: Callable[[], int] = time.time_ns) -> None:
        self._read = read  # in nanoseconds
        self._lock = threading.Lock()
        self._last_us = 0
        self._is_still = False

    @property
    def is_still(self) -> bool:
        """Whether time stands still: nothing is to be waited for by this clock."""
        return self._is_still

    def now_us(self) -> int:
        """The time now; each later than the one before, but for a clock that was a day ahead."""
        read_us = self._read() // 1000
        with self._lock:
            self._is_still = 0 <= self._last_us - read_us < _LONGEST_STILL_US
            if not self._is_still:
                self._last_us = read_us
            else:
                self._last_us += 1
            return self._last_us
