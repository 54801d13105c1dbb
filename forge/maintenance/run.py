"""One run of the check of the store: what its parts work with."""

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

# Small, so that few objects live at once: each that outlives one of Python's young collections brings the
# next full one nearer, and in ComfyUI, whose heap is large, that one holds up the event loop for 0.3 s.
PAGE = 100
# Many small files are looked at in one go; of large ones so few that who ends ComfyUI need not wait.
GO_BYTES = 16 * 1024 * 1024
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Record = TypeVar("Record", FileRecord, OutputRecord)


@dataclass(frozen=True)
class CheckedParts:
    """What is checked. `outputs` None leaves the generated pictures out; `alone`: no ComfyUI runs on it."""

    database: Database
    blobs: BlobStore
    contents: ContentStore
    workers: Workers
    limits: ImageLimits
    outputs: OutputFolder | None
    alone: bool = False


@dataclass(frozen=True)
class CheckRun:
    parts: CheckedParts
    findings: Findings
    repair: bool
    thread: Executor

    async def apart(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Do it on the run's own thread, so that no request waits for it."""
        job = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.thread, job)

    async def looks(
        self, records: Sequence[Record], path_of: Callable[[Record], Path]
    ) -> AsyncIterator[tuple[Record, Look | None]]:
        """Each record with what lies at its path."""
        for go in _goes(records):
            found = await self.apart(_look_at, [path_of(record) for record in go])
            for pair in zip(go, found, strict=True):
                yield pair

    async def read(self, query: Query[Result]) -> Result:
        return await self.apart(self.parts.database.read_here, query)


def _goes(records: Sequence[Record]) -> Iterator[list[Record]]:
    go: list[Record] = []
    size = 0
    for record in records:
        if go and size + record.size > GO_BYTES:
            yield go
            go, size = [], 0
        go.append(record)
        size += record.size
    if go:
        yield go


@dataclass(frozen=True)
class Look:
    """What lies at a path. `content_hash` is None where it cannot be read, and `fault` says why."""

    content_hash: str | None
    size: int
    fault: str = ""


def look(path: Path) -> Look | None:
    """None where nothing is. Blocking, for as long as it takes to read the file."""
    try:
        return Look(*hash_file(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        return Look(None, 0, error.strerror or type(error).__name__)


def _look_at(paths: Sequence[Path]) -> list[Look | None]:
    return [look(path) for path in paths]


def differs(found: Look) -> str:
    """How it is not what it should be, in words."""
    return (
        f"cannot be read: {found.fault}"
        if found.content_hash is None
        else "holds other bytes than were stored"
    )
