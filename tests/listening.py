"""A client of the event stream of a real ComfyUI, which waits for events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sse

from lab.api import Api

PATIENCE = 120.0


class Listening:
    """A client that listens in a thread of its own."""

    def __init__(self, api: Api, path: str, **options: Any) -> None:
        self.events: list[sse.Event] = []
        self._more = threading.Condition()
        self._answer = api.get(path, stream=True, **{"timeout": (10, PATIENCE), **options})
        assert self._answer.status_code == 200, self._answer.text
        self.headers = self._answer.headers
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for event in sse.read(self._answer.iter_lines(chunk_size=1, decode_unicode=True)):
                with self._more:
                    self.events.append(event)
                    self._more.notify_all()
        except (OSError, AttributeError, ValueError):
            return  # closed meanwhile

    def until(self, kind: str, generation_id: str | None = None) -> sse.Event:
        """The first event of this kind, now or later."""

        def found() -> sse.Event | None:
            mine = (
                event
                for event in self.events
                if event.kind == kind
                and (generation_id is None or event.data["generation_id"] == generation_id)
            )
            return next(mine, None)

        with self._more:
            assert self._more.wait_for(found, PATIENCE), f"no {kind} in {[item.kind for item in self.events]}"
            event = found()
        assert event is not None
        return event

    def close(self) -> None:
        self._answer.close()


@contextmanager
def listening(api: Api, path: str, **options: Any) -> Iterator[Listening]:
    listener = Listening(api, path, **options)
    try:
        yield listener
    finally:
        listener.close()
