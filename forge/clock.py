"""Times, as whole microseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAY = 86_400 * 1_000_000


def now() -> int:
    return time.time_ns() // 1000


def to_datetime(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
