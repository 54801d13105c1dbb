"""A log of the newest events in memory, numbered, for any number of listeners.

A listener has a position in the log, not a queue: an idle one costs little, and a slow one delays nobody
else. A client that reconnects sends the id of the last event that it received, and gets the later ones.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .state import BatchEvent, GenerationEvent

STATES = 4096  # queued, started, output, completed, failed, deleted, the end of a batch
STATE_BYTES = 16 * 1024 * 1024
TRANSIENT = 2048  # progress, previews, queue positions, counts of batches: newer ones replace older ones


@dataclass(frozen=True)
class Event:
    """A numbered event. `topic` is the id of its generation or batch, `data` is JSON."""

    number: int
    kind: str
    topic: str
    data: str


class Subscription:
    """A listener that waits for an event of its topic, or of any topic if that is None."""

    __slots__ = ("future", "topic")

    def __init__(self, topic: str | None, future: asyncio.Future[None]) -> None:
        self.topic = topic
        self.future = future


class EventLog:
    """The log. All methods run on the event loop. `render` is called once per event and returns its JSON."""

    def __init__(self, render: Callable[[GenerationEvent | BatchEvent], str]) -> None:
        # Numbers restart with ComfyUI; the id tells a position of an earlier start from a current one.
        self.id = secrets.token_hex(4)
        self.last = 0
        self._render = render
        self._states: deque[Event] = deque()
        self._transient: deque[Event] = deque(maxlen=TRANSIENT)
        self._bytes = 0
        self._dropped = 0
        self._subscriptions: dict[str | None, set[Subscription]] = {}

    def add(self, published: GenerationEvent | BatchEvent, *, transient: bool = False) -> None:
        """Add an event and wake its listeners. `transient`: a later event replaces it, so it may be dropped
        before others."""
        self.last += 1
        event = Event(self.last, published.kind, published.topic, self._render(published))
        if transient:
            self._transient.append(event)
        else:
            self._states.append(event)
            self._bytes += len(event.data)
            while len(self._states) > STATES or (self._bytes > STATE_BYTES and len(self._states) > 1):
                oldest = self._states.popleft()
                self._bytes -= len(oldest.data)
                self._dropped = oldest.number
        for topic in (None, published.topic):
            for subscription in self._subscriptions.pop(topic, ()):
                _wake(subscription)

    def reaches(self, position: int) -> bool:
        """Whether every non-transient event after this position is still in the log."""
        return self._dropped <= position <= self.last

    def position(self, event_id: str | None) -> int | None:
        """The position of an event id; None if this log does not reach back to it."""
        log_id, _, number = (event_id or "").partition("-")
        if log_id.lower() != self.id or not (number.isascii() and number.isdigit() and len(number) <= 18):
            return None
        return int(number) if self.reaches(int(number)) else None

    def event_id(self, number: int) -> str:
        return f"{self.id}-{number}"

    def since(self, position: int, topic: str | None) -> list[Event]:
        """The events after a position, in order."""
        found = [*_after(self._states, position, topic), *_after(self._transient, position, topic)]
        return sorted(found, key=lambda event: event.number)

    def subscribe(self, topic: str | None) -> Subscription:
        """A subscription whose future is done at the topic's next event, or after `unsubscribe`."""
        subscription = Subscription(topic, asyncio.get_running_loop().create_future())
        self._subscriptions.setdefault(topic, set()).add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription and wake its listener."""
        others = self._subscriptions.get(subscription.topic)
        if others is not None:
            others.discard(subscription)
            if not others:
                del self._subscriptions[subscription.topic]
        _wake(subscription)


def _wake(subscription: Subscription) -> None:
    if not subscription.future.done():
        subscription.future.set_result(None)


def _after(events: deque[Event], position: int, topic: str | None) -> Iterable[Event]:
    """Newest first, because the events that a listener has not received are at the end."""
    for event in reversed(events):
        if event.number <= position:
            return
        if topic is None or event.topic == topic:
            yield event
