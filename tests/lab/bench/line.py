"""A status line that stays below other output."""

from __future__ import annotations

import threading
from types import TracebackType

from ..progress import TICK, Status


class StatusLine:
    """Shows a title and the elapsed time, and prints lines above them.

    Without a terminal, it prints the title once and the time at intervals.
    """

    def __init__(self, title: str) -> None:
        self._status = Status(title)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def say(self, text: str) -> None:
        with self._lock:
            self._status.above(text)

    def __enter__(self) -> StatusLine:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        self._status.done("done" if kind is None else "interrupted")

    def _tick(self) -> None:
        while not self._ended.wait(TICK):
            with self._lock:
                self._status.show()
