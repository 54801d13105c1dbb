"""Those who listen to the log: bounded in number, with one clock for all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ..errors import BusyError
from .log import Event, EventLog, Subscription

MOST = 5000
BEAT_SECONDS = 15.0  # proxies commonly cut what is silent for a minute or half of one
LOOK_SECONDS = 1.0  # how soon the place of a client that went away is free again
AT_ONCE = 256  # events handed over in one piece, so that a long way back needs little memory


class PositionLostError(Exception):
    """The log no longer reaches back to the listener's position."""


class Listener:
    """One stream. `position` is the number of the last event that it has been given."""

    def __init__(
        self, log: EventLog, topic: str | None, position: int, gone: Callable[[], bool], beat: float
    ) -> None:
        self.position = position
        self.heartbeat_at = time.monotonic() + beat
        self.disconnected = gone
        self.subscription: Subscription | None = None
        self._log = log
        self._topic = topic
        self._beat = beat

    async def next(self) -> list[Event]:
        """The next events, in order; none of them when it is time for a heartbeat, or when the client is
        gone. Raises LostError."""
        while True:
            if not self._log.reaches(self.position):
                raise PositionLostError
            events = self._log.since(self.position, self._topic)[:AT_ONCE]
            # Nothing of this topic lies between the last of them and the end of the log.
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
    def __init__(self, log: EventLog, most: int = MOST, beat: float = BEAT_SECONDS) -> None:
        self._log = log
        self._most = most
        self._beat = beat
        self._all: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._all)

    def join(self, topic: str | None, position: int, gone: Callable[[], bool]) -> Listener:
        """`gone` says whether the client has left. Raises BusyError."""
        if len(self._all) >= self._most:
            self._wake_due()
            if sum(not listener.disconnected() for listener in self._all) >= self._most:
                raise BusyError(
                    f"{self._most} clients listen to events already, which is the limit. Try again later, or "
                    "poll GET /generations/{id}."
                )
        listener = Listener(self._log, topic, position, gone, self._beat)
        self._all.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._all.discard(listener)

    async def run(self) -> None:
        """Wake those that have something to do although nothing happened, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._wake_due()

    def _wake_due(self) -> None:
        now = time.monotonic()
        for listener in self._all:
            if listener.subscription is not None and (
                now >= listener.heartbeat_at or listener.disconnected()
            ):
                self._log.unsubscribe(listener.subscription)
