"""How often one client may do something: a token bucket for each."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0  # seconds
MOST_CLIENTS = 10_000


@dataclass
class _Bucket:
    tokens: float
    seen: float


class RateLimit:
    """`per_minute` requests of each client, all of them at once if it likes; 0: as many as it likes.

    It remembers `clients` of them. When more come, the one that was quiet longest is forgotten, and
    starts again with a full bucket, so memory stays bounded. Not for several threads.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        clients: int = MOST_CLIENTS,
        # A clock that is set back must lock nobody out.
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = per_minute
        self._clients = clients
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, client: str) -> int:
        """Whole seconds until the client's next request may come; 0: now."""
        if not self._size:
            return 0
        bucket = self._buckets.get(client)
        if bucket is None:
            return 0
        missing = 1.0 - self._filled(bucket)
        return math.ceil(missing * MINUTE / self._size) if missing > 0 else 0

    def take(self, client: str) -> int:
        """Count a request. Gives back 0, or the seconds of `wait` when it came too early; that one is not
        counted."""
        if not self._size:
            return 0
        waiting = self.wait(client)
        bucket = self._buckets.pop(client, None) or _Bucket(float(self._size), self._clock())
        bucket.tokens, bucket.seen = self._filled(bucket), self._clock()
        if not waiting:
            bucket.tokens = max(0.0, bucket.tokens - 1.0)
        self._buckets[client] = bucket
        while len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return waiting

    def _filled(self, bucket: _Bucket) -> float:
        gained = (self._clock() - bucket.seen) * self._size / MINUTE
        return min(float(self._size), bucket.tokens + gained)
