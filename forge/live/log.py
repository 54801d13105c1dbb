"""The newest events in memory, numbered, for any number of listeners.

A listener holds a position, not a queue: one that waits costs little, and one that reads slowly holds
nothing back. A listener that comes again says what it saw last and gets what came since.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .state import GenerationEvent

STATES = 4096  # queued, started, output, completed, failed, deleted
STATE_BYTES = 16 * 1024 * 1024
TRANSIENT = 2048  # progress, previews, moved places: what is older is told by what is newer


@dataclass(frozen=True)
class Event:
    """`data` is JSON."""

    number: int
    kind: str
    generation_id: str
    data: str


class Subscription:
    """One listener that waits. `topic` None hears everything."""

    __slots__ = ("future", "topic")

    def __init__(self, topic: str | None, future: asyncio.Future[None]) -> None:
        self.topic = topic
        self.future = future


class EventLog:
    """All methods run on the event loop. `words` makes the JSON of an event, once."""

    def __init__(self, words: Callable[[GenerationEvent], str]) -> None:
        # Numbers start again with ComfyUI, so a position of an earlier start must not be taken for ours.
        self.id = secrets.token_hex(4)
        self.last = 0
        self._render = words
        self._states: deque[Event] = deque()
        self._transient: deque[Event] = deque(maxlen=TRANSIENT)
        self._bytes = 0
        self._dropped = 0
        self._subscriptions: dict[str | None, set[Subscription]] = {}

    def add(self, happening: GenerationEvent, *, transient: bool = False) -> None:
        """`transient`: a later event replaces what it says, so it may be dropped before the others."""
        self.last += 1
        event = Event(self.last, happening.kind, happening.generation_id, self._render(happening))
        if transient:
            self._transient.append(event)
        else:
            self._states.append(event)
            self._bytes += len(event.data)
            while len(self._states) > STATES or (self._bytes > STATE_BYTES and len(self._states) > 1):
                oldest = self._states.popleft()
                self._bytes -= len(oldest.data)
                self._dropped = oldest.number
        for topic in (None, happening.generation_id):
            for waiting in self._subscriptions.pop(topic, ()):
                _wake(waiting)

    def reaches(self, position: int) -> bool:
        """Whether every state after this position is still there."""
        return self._dropped <= position <= self.last

    def position(self, event_id: str | None) -> int | None:
        """The position that an event's id names; None where this log does not reach back to it."""
        log_id, _, number = (event_id or "").partition("-")
        if log_id.lower() != self.id or not (number.isascii() and number.isdigit() and len(number) <= 18):
            return None
        return int(number) if self.reaches(int(number)) else None

    def event_id(self, number: int) -> str:
        return f"{self.id}-{number}"

    def since(self, position: int, topic: str | None) -> list[Event]:
        """What came after a position, in order."""
        found = [*_after(self._states, position, topic), *_after(self._transient, position, topic)]
        return sorted(found, key=lambda event: event.number)

    def subscribe(self, topic: str | None) -> Subscription:
        """Something to await until the topic's next event, or until `forget`."""
        waiting = Subscription(topic, asyncio.get_running_loop().create_future())
        self._subscriptions.setdefault(topic, set()).add(waiting)
        return waiting

    def unsubscribe(self, waiting: Subscription) -> None:
        """Wake a listener although nothing happened."""
        others = self._subscriptions.get(waiting.topic)
        if others is not None:
            others.discard(waiting)
            if not others:
                del self._subscriptions[waiting.topic]
        _wake(waiting)


def _wake(waiting: Subscription) -> None:
    if not waiting.future.done():
        waiting.future.set_result(None)


def _after(events: deque[Event], position: int, topic: str | None) -> Iterable[Event]:
    """Newest first: those that a listener has missed stand at the end."""
    for event in reversed(events):
        if event.number <= position:
            return
        if topic is None or event.generation_id == topic:
            yield event
