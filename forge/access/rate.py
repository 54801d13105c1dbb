"""Rate limits with a token bucket per client."""

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
    updated: float


class RateLimit:
    """Allows each client `per_minute` requests, also in one burst; 0 means no limit.

    At most `clients` clients are tracked, to bound memory: the least recently active one is dropped, and
    starts again with a full bucket. Not thread-safe.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        clients: int = MOST_CLIENTS,
        # Monotonic, so that setting the clock back locks out no client.
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = per_minute
        self._clients = clients
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, client: str) -> int:
        """Whole seconds until the client's next request is allowed; 0 means now."""
        if not self._size:
            return 0
        bucket = self._buckets.get(client)
        if bucket is None:
            return 0
        missing = 1.0 - self._filled(bucket)
        return math.ceil(missing * MINUTE / self._size) if missing > 0 else 0

    def take(self, client: str) -> int:
        """Count a request and return 0. If it came too early, return the seconds of `wait` and do not count
        it."""
        if not self._size:
            return 0
        waiting = self.wait(client)
        bucket = self._buckets.pop(client, None) or _Bucket(float(self._size), self._clock())
        bucket.tokens, bucket.updated = self._filled(bucket), self._clock()
        if not waiting:
            bucket.tokens = max(0.0, bucket.tokens - 1.0)
        self._buckets[client] = bucket
        while len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return waiting

    def _filled(self, bucket: _Bucket) -> float:
        gained = (self._clock() - bucket.updated) * self._size / MINUTE
        return min(float(self._size), bucket.tokens + gained)
