"""Listeners of the event log: limited in number, with one timer for all heartbeats."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ..errors import BusyError
from .log import Event, EventLog, Subscription

MOST = 5000
BEAT_SECONDS = 15.0  # proxies commonly close connections that are silent for 30 or 60 seconds
CHECK_SECONDS = 1.0  # how soon a disconnected client makes room for another
BATCH = 256  # events per batch, so that a long replay needs little memory


class PositionLostError(Exception):
    """The log no longer reaches back to the listener's position."""


class Listener:
    """One stream of events. `position` is the number of the last event that it received."""

    def __init__(
        self, log: EventLog, topic: str | None, position: int, disconnected: Callable[[], bool], beat: float
    ) -> None:
        self.position = position
        self.heartbeat_at = time.monotonic() + beat
        self.disconnected = disconnected
        self.subscription: Subscription | None = None
        self._log = log
        self._topic = topic
        self._beat = beat

    async def next(self) -> list[Event]:
        """Wait for the next events, in order. An empty list means that a heartbeat is due or that the client
        has disconnected. Raises PositionLostError."""
        while True:
            if not self._log.reaches(self.position):
                raise PositionLostError
            events = self._log.since(self.position, self._topic)[:BATCH]
            # Without events of this topic, skip to the end of the log.
            self.position = events[-1].number if events else self._log.last
            if events or self.disconnected() or time.monotonic() >= self.heartbeat_at:
                self.heartbeat_at = time.monotonic() + self._beat
                return events
            self.subscription = self._log.subscribe(self._topic)
            try:
                await self.subscription.future
            finally:
                self._log.unsubscribe(self.subscription)
                self.subscription = None


class Listeners:
    """All listeners of a log, at most `most`. `beat` is the seconds between heartbeats."""

    def __init__(self, log: EventLog, most: int = MOST, beat: float = BEAT_SECONDS) -> None:
        self._log = log
        self._most = most
        self._beat = beat
        self._all: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._all)

    def join(self, topic: str | None, position: int, disconnected: Callable[[], bool]) -> Listener:
        """Add a listener. `disconnected` tells whether its client has disconnected. Raises BusyError."""
        if len(self._all) >= self._most:
            self._wake_due()
            if sum(not listener.disconnected() for listener in self._all) >= self._most:
                raise BusyError(
                    f"{self._most} clients listen to events already, which is the limit. Try again later, or "
                    "poll GET /generations/{id}."
                )
        listener = Listener(self._log, topic, position, disconnected, self._beat)
        self._all.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._all.discard(listener)

    async def run(self) -> None:
        """Wake listeners that are due for a heartbeat or disconnected, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._wake_due()

    def _wake_due(self) -> None:
        now = time.monotonic()
        for listener in self._all:
            if listener.subscription is not None and (
                now >= listener.heartbeat_at or listener.disconnected()
            ):
                self._log.unsubscribe(listener.subscription)
