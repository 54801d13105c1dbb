"""Tasks that run for as long as ComfyUI does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from .error_text import summarize_unexpected

log = logging.getLogger("avatarforge")


class BackgroundTasks:
    """Owns long-running tasks. A failure is logged immediately, and a sentence about it is added to
    `faults`."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, name: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Start `work` on the running loop. Never raises, because later tasks do not depend on it.

        `name` says what the task does, as the subject of a sentence.
        """
        try:
            task = asyncio.get_running_loop().create_task(work())
        except Exception as error:  # noqa: BLE001 - no failure may stop ComfyUI's start; health reports it
            self._record(name, error)
            return
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, name))

    def _ended(self, name: str, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._record(name, error)

    def _record(self, name: str, error: BaseException) -> None:
        log.error("AvatarForge: %s stopped unexpectedly", name, exc_info=error)
        self.faults.append(f"{name} stopped ({summarize_unexpected(error)}). Restart ComfyUI.")
