"""One run of the check of the store: what its parts work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from ...db.engine import Database, Query
from ..generations.outputs import OutputFolder
from ..store.blobs import BlobStore, hash_file
from ..store.contents import Contents
from ..store.images import ImageLimits
from ..workers import Workers
from .report import Findings

PAGE = 200
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Parts:
    """What is checked. `outputs` None leaves the generated pictures out; `alone`: no ComfyUI runs on it."""

    database: Database
    blobs: BlobStore
    contents: Contents
    workers: Workers
    limits: ImageLimits
    outputs: OutputFolder | None
    alone: bool = False


@dataclass(frozen=True)
class Run:
    parts: Parts
    findings: Findings
    repair: bool
    thread: Executor

    async def apart(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Do it on the run's own thread, so that no request waits for it."""
        job = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.thread, job)

    async def read(self, query: Query[Result]) -> Result:
        return await self.apart(self.parts.database.read_here, query)


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


def differs(found: Look) -> str:
    """How it is not what it should be, in words."""
    return (
        f"cannot be read: {found.fault}"
        if found.content_hash is None
        else "holds other bytes than were stored"
    )
