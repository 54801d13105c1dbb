"""What works now, and why the rest does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from ..db import files as file_queries
from ..db import generations as generation_queries
from ..db.engine import Database
from .errors import AvatarForgeError
from .graphs.capabilities import Capabilities, capabilities_of, missing_checkpoint
from .ports import Host
from .settings import Settings
from .store.blobs import BlobStore
from .workers import Workers


@dataclass(frozen=True)
class Health:
    """The faults of `database`, `storage` and `queue` are None where all is well; `reasons` holds every
    fault.

    A missing ControlNet or extractor is no fault, since much works without: `capabilities` names it.
    """

    url: str
    stats: Mapping[str, Any]
    database_fault: str | None
    storage_fault: str | None
    queue_fault: str | None
    stored_files: int
    stored_bytes: int
    waiting: int
    running: int
    generations: Mapping[str, int]
    reasons: tuple[str, ...]
    capabilities: Capabilities


class HealthService:
    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        workers: Workers,
        host: Host,
        settings: Settings,
        other_faults: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`other_faults`: sentences about what is wrong elsewhere, such as a task that stopped."""
        self._database = database
        self._blobs = blobs
        self._workers = workers
        self._host = host
        self._settings = settings
        self._other_faults = other_faults
        self._next: asyncio.Task[Health] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def capabilities(self) -> Capabilities:
        """What works with the models that are installed now."""
        return capabilities_of(await self._host.installed_models(), self._settings)

    async def measure(self) -> Health:
        """How things stand now. A file is written for it, and the models are looked at: so all who ask while
        one is being measured share the next one."""
        if self._next is None:
            self._next = asyncio.create_task(self._measure_next())
        return await asyncio.shield(self._next)

    async def _measure_next(self) -> Health:
        async with self._one_at_a_time:
            self._next = None  # who asks from now on may want to know of what comes about meanwhile
            return await self._measure()

    async def _measure(self) -> Health:
        counts: Mapping[str, int] = {}
        stored = (0, 0)
        database_fault = None
        try:
            counts = await self._database.read(generation_queries.count_by_status)
            stored = await self._database.read(file_queries.totals)
        except SQLAlchemyError:
            database_fault = "The database cannot be read."
        storage_fault = None
        try:
            await self._workers.disk(self._blobs.probe)
        except AvatarForgeError as error:
            storage_fault = error.detail
        capabilities = await self.capabilities()
        queue = self._host.queue_state()
        usable = any(checkpoint.supported for checkpoint in capabilities.checkpoints)
        queue_fault = self._host.stopped()
        no_model = None if usable else missing_checkpoint()
        faults = [database_fault, storage_fault, queue_fault, no_model, *self._other_faults()]
        return Health(
            url=self._host.url,
            stats=await self._host.system_stats(),
            database_fault=database_fault,
            storage_fault=storage_fault,
            queue_fault=queue_fault,
            stored_files=stored[0],
            stored_bytes=stored[1],
            waiting=len(queue.waiting),
            running=len(queue.running),
            generations=counts,
            reasons=tuple(fault for fault in faults if fault),
            capabilities=capabilities,
        )
