"""How many requests a minute a caller may make: a token bucket for each, in this process.

Each worker process counts by itself: with `--workers 4` a caller may come to four times its rate.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KNOWN = 10_000  # callers; who has not come for the longest time is forgotten


class Rates:
    """Buckets that hold a minute's requests and are filled evenly."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when

    def wait(self, caller: str, a_minute: int) -> float:
        """Take one request from a caller's bucket; 0, or the seconds after which there will be one."""
        now = self._clock()
        left, before = self._buckets.pop(caller, (float(a_minute), now))
        left = min(float(a_minute), left + (now - before) * a_minute / 60)
        waits = max(0.0, (1 - left) * 60 / a_minute)
        self._buckets[caller] = (left if waits else left - 1, now)
        if len(self._buckets) > MOST_KNOWN:
            self._buckets.popitem(last=False)
        return waits
