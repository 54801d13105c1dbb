"""Time as rows keep it: whole microseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]

DAY = 86_400 * 1_000_000


def system_clock() -> int:
    return time.time_ns() // 1000
