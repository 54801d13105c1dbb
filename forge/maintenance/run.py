"""What the parts of a check share: the store, the findings, and a thread that reads files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from ...db.engine import Database, Query
from ...db.records import FileRecord, OutputRecord
from ..generations.outputs import OutputFolder
from ..store.blobs import BlobStore, hash_file
from ..store.content_store import ContentStore
from ..store.images import ImageLimits
from ..workers import Workers
from .report import Findings

# Small, so that few objects survive a young garbage collection: each brings the next full collection nearer,
# which blocks the event loop for 0.3 s in ComfyUI, whose heap is large.
PAGE = 100
# Limits the bytes read per batch: many small files, but so few large ones that shutdown need not wait.
BATCH_BYTES = 16 * 1024 * 1024
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Record = TypeVar("Record", FileRecord, OutputRecord)


@dataclass(frozen=True)
class CheckedParts:
    """What is checked. With `outputs` None, generated pictures are not. `alone`: no ComfyUI uses the
    store."""

    database: Database
    blobs: BlobStore
    contents: ContentStore
    workers: Workers
    limits: ImageLimits
    outputs: OutputFolder | None
    alone: bool = False


@dataclass(frozen=True)
class CheckRun:
    """One check, and with `repair` also a repair."""

    parts: CheckedParts
    findings: Findings
    repair: bool
    thread: Executor

    async def in_thread(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Call the function in the run's own thread, so that no request waits for it."""
        job = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.thread, job)

    async def file_states(
        self, records: Sequence[Record], path_of: Callable[[Record], Path]
    ) -> AsyncIterator[tuple[Record, FileState | None]]:
        """Yield each record with the state of the file at its path."""
        for batch in _batches(records):
            states = await self.in_thread(_file_states, [path_of(record) for record in batch])
            for pair in zip(batch, states, strict=True):
                yield pair

    async def read(self, query: Query[Result]) -> Result:
        return await self.in_thread(self.parts.database.read_here, query)


def _batches(records: Sequence[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in records:
        if batch and size + record.size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += record.size
    if batch:
        yield batch


@dataclass(frozen=True)
class FileState:
    """The content of a file. `content_hash` is None if it cannot be read; then `error` says why."""

    content_hash: str | None
    size: int
    error: str = ""


def file_state(path: Path) -> FileState | None:
    """Read the file; None if there is none. Blocks until it is read."""
    try:
        return FileState(*hash_file(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        return FileState(None, 0, error.strerror or type(error).__name__)


def _file_states(paths: Sequence[Path]) -> list[FileState | None]:
    return [file_state(path) for path in paths]


def describe_difference(state: FileState) -> str:
    """How the file differs from its row, phrased to follow its name."""
    return (
        f"cannot be read: {state.error}" if state.content_hash is None else "has other bytes than were stored"
    )
