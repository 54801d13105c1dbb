"""Disks that fail, put in the stead of the real one."""

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
    """The process is gone: nothing of it runs any more, no clean-up either."""


class WatchedDisk(Disk):
    """The real disk; `before` is called with the operation's name, and may raise."""

    def __init__(self, before: Callable[[str], None]) -> None:
        super().__init__()
        for name in OPERATIONS:
            setattr(self, name, _watched(name, getattr(super(), name), before))


def _watched(name: str, operation: Callable[..., Any], before: Callable[[str], None]) -> Callable[..., Any]:
    def watched(*arguments: Any, **named: Any) -> Any:
        before(name)
        return operation(*arguments, **named)

    return watched


class FailingDisk(WatchedDisk):
    """Fails one kind of operation with an errno while it is `broken`."""

    def __init__(self) -> None:
        super().__init__(self._before)
        self.broken: tuple[str, int] | None = None

    def _before(self, name: str) -> None:
        if self.broken is not None and self.broken[0] == name:
            raise OSError(self.broken[1], os.strerror(self.broken[1]))


class DyingDisk(WatchedDisk):
    """Kills the process at one of its operations. From then on nothing works."""

    def __init__(self) -> None:
        super().__init__(self._before)
        self._left: int | None = None
        self._lock = threading.Lock()

    def kill_after(self, operations: int) -> None:
        self._left = operations

    @property
    def dead(self) -> bool:
        return self._left is not None and self._left < 0

    def _before(self, name: str) -> None:
        with self._lock:
            if self._left is not None:
                self._left -= 1
                if self.dead:
                    raise Killed(name)


class CallingDisk(WatchedDisk):
    """Calls something at one of its operations, counted from 0."""

    def __init__(self) -> None:
        super().__init__(self._before)
        self._left = -1
        self._call: Callable[[], object] = int

    def call_at(self, operation: int, call: Callable[[], object]) -> None:
        self._left, self._call = operation, call

    def _before(self, name: str) -> None:
        self._left -= 1
        if self._left == -1:
            self._call()
