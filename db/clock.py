"""Time as rows keep it: whole microseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]

DAY = 86_400 * 1_000_000


def after_newest(newest: int | None, now: int) -> int:
    """A creation time after that of the newest row, even if the clock was set back by up to a day. If it
    differs by more, the present clock counts: otherwise one wrong year would affect all later rows."""
    return newest + 1 if newest is not None and now <= newest < now + DAY else now


def system_clock() -> int:
    return time.time_ns() // 1000
