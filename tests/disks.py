"""Disks for fault tests: they act like the real one until they fail."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from avatarforge.forge.store.disk import Disk

OPERATIONS = (
    "create",
    "touch",
    "write",
    "sync",
    "close",
    "replace",
    "unlink",
    "remove_tree",
    "make_folder",
    "sync_folder",
)


class Killed(BaseException):
    """Simulates the death of the process: no code of it runs any more, not even clean-up."""


class WatchedDisk(Disk):
    """The real disk, but calls `before` with the name of each operation; `before` may raise."""

    def __init__(self, before: Callable[[str], None]) -> None:
        super().__init__()
        for name in OPERATIONS:
            setattr(self, name, _watched(name, getattr(super(), name), before))


def _watched(name: str, operation: Callable[..., Any], before: Callable[[str], None]) -> Callable[..., Any]:
    def watched(*args: Any, **kwargs: Any) -> Any:
        before(name)
        return operation(*args, **kwargs)

    return watched


class FailingDisk(WatchedDisk):
    """Fails one kind of operation while `broken` is set to its name and an errno."""

    def __init__(self) -> None:
        super().__init__(self._before)
        self.broken: tuple[str, int] | None = None

    def _before(self, name: str) -> None:
        if self.broken is not None and self.broken[0] == name:
            raise OSError(self.broken[1], os.strerror(self.broken[1]))


class DyingDisk(WatchedDisk):
    """Raises Killed at one operation, and at every later one."""

    def __init__(self) -> None:
        super().__init__(self._before)
        self._remaining: int | None = None
        self._lock = threading.Lock()

    def kill_after(self, operations: int) -> None:
        self._remaining = operations

    @property
    def dead(self) -> bool:
        return self._remaining is not None and self._remaining < 0

    def _before(self, name: str) -> None:
        with self._lock:
            if self._remaining is not None:
                self._remaining -= 1
                if self.dead:
                    raise Killed(name)


class CallingDisk(WatchedDisk):
    """Calls a function before one operation, counted from 0."""

    def __init__(self) -> None:
        super().__init__(self._before)
        self._remaining = -1
        self._call: Callable[[], object] = int

    def call_at(self, operation: int, call: Callable[[], object]) -> None:
        self._remaining, self._call = operation, call

    def _before(self, name: str) -> None:
        self._remaining -= 1
        if self._remaining == -1:
            self._call()
