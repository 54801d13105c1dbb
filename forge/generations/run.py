"""The tracker's state of one prompt in ComfyUI's queue."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord
from ..ports import PromptEvent
from .outputs import Measured
from .run_log import Stopwatch


@dataclass
class ActiveRun:
    """A queued or running prompt of a generation.

    `record` is its row as last written. `pictures` are the saved ones, by position. `end` is kept until it is
    written to the database, because ComfyUI's history can be cleared; `end_queued` means that it waits among
    the tracker's events. `finished` is set once the end is written. `deleted` means that the row is gone.
    """

    record: GenerationRecord
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    pictures: dict[int, Measured] = field(default_factory=dict)
    end: PromptEvent | None = None
    end_queued: bool = False
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False
    deleted: bool = False
    _start_write: Future[GenerationRecord | None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record_start(self, database: Database) -> Future[GenerationRecord | None]:
        """Write the start to the row, once: both the worker thread and the `started` event call this. Tries
        again if the last write failed. The future has the new row, or None if the prompt was replaced.
        Thread-safe."""
        with self._lock:
            future = self._start_write
            if future is None or (future.done() and future.exception() is not None):
                write = partial(_write_start, record=self.record, now=database.now())
                future = self._start_write = database.writing(write)
            return future


def _write_start(connection: Connection, record: GenerationRecord, now: int) -> GenerationRecord | None:
    queries.set_started(connection, record.prompt_id, now)
    started = queries.get(connection, record.id)
    return started if started is not None and started.prompt_id == record.prompt_id else None
