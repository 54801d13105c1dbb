"""A prompt of ours in ComfyUI's queue, as far as the tracker knows it."""

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
    """`record`: its row as it was written last. `end` is kept until it is written down, because ComfyUI's
    history can be cleared; `due`: it stands among the events. `pictures`: those that it has saved, by
    position. `deleted`: its row is gone."""

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
        """Record that it was started, once: for the worker thread or for its event. What
        failed is tried again. From any thread."""
        with self._lock:
            begun = self._start_write
            if begun is None or (begun.done() and begun.exception() is not None):
                write = partial(_write_start, record=self.record, now=database.now())
                begun = self._start_write = database.writing(write)
            return begun


def _write_start(connection: Connection, record: GenerationRecord, now: int) -> GenerationRecord | None:
    """The row once this prompt has begun; None where it is its prompt no more."""
    queries.set_started(connection, record.prompt_id, now)
    begun = queries.get(connection, record.id)
    return begun if begun is not None and begun.prompt_id == record.prompt_id else None
