"""Measures what works, and why the rest does not."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from ..db import files as file_queries
from ..db import generations as generation_queries
from ..db.engine import Database
from .errors import AvatarForgeError
from .graphs.capabilities import Capabilities, capabilities_of, is_usable
from .ports import Host, InstalledModels, QueueState
from .settings import Settings
from .store.blobs import BlobStore
from .workers import Workers

DATABASE_FAULT = "The database cannot be read."
STORAGE_FAULT = "The storage cannot be checked."
MODELS_FAULT = "The installed models cannot be listed."
QUEUE_FAULT = "ComfyUI's queue cannot be read."
STATS_FAULT = "ComfyUI's statistics cannot be read."
GIGABYTE = 2**30

Result = TypeVar("Result")

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Health:
    """A fault is None if that part works; `reasons` has all faults.

    A missing ControlNet or extractor is not a fault, because much works without it: `capabilities` lists it.
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


@dataclass(frozen=True)
class Gpu:
    """`memory` is in gigabytes (2^30 bytes)."""

    name: str
    memory: float


def gpu_of(stats: Mapping[str, Any]) -> Gpu | None:
    """The first device in what ComfyUI's `/system_stats` returns, which another pack may have changed."""
    devices = stats.get("devices")
    first = devices[0] if isinstance(devices, list) and devices else None
    if not isinstance(first, dict) or first.get("type") == "cpu":
        return None
    total = first.get("vram_total")
    if not isinstance(total, int | float) or total <= 0:
        return None
    # ComfyUI names it "cuda:0 NVIDIA GeForce RTX 3060 : cudaMallocAsync".
    name = re.sub(r"^\w+:\d+ | : \w+$", "", str(first.get("name") or first.get("type") or ""))
    return Gpu(name.encode("utf-8", "replace").decode(), round(total / GIGABYTE, 2))


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
        """`other_faults` returns sentences about faults elsewhere, such as a task that stopped."""
        self._database = database
        self._blobs = blobs
        self._workers = workers
        self._host = host
        self._settings = settings
        self._other_faults = other_faults
        self._next: asyncio.Task[Health] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def capabilities(self) -> Capabilities:
        """What works with the installed models."""
        return capabilities_of(await self._host.installed_models(), self._settings)

    async def gpu(self) -> Gpu | None:
        """The first GPU of ComfyUI; None if there is none, or ComfyUI does not say."""
        stats, _ = await _ask(self._host.system_stats(), {}, STATS_FAULT)
        return gpu_of(stats)

    async def measure(self) -> Health:
        """Measure the current health. This writes a file and scans the models, so all requests that come
        during a measurement share the next one."""
        if self._next is None:
            self._next = asyncio.create_task(self._measure_next())
        return await asyncio.shield(self._next)

    async def _measure_next(self) -> Health:
        async with self._one_at_a_time:
            self._next = None  # later requests need a newer measurement
            return await self._measure()

    async def _measure(self) -> Health:
        (counts, stored), database_fault = await _ask(self._counts(), ({}, (0, 0)), DATABASE_FAULT)
        _, storage_fault = await _ask(self._workers.disk(self._blobs.probe), None, STORAGE_FAULT)
        without_models = capabilities_of(InstalledModels((), (), (), ()), self._settings)
        capabilities, models_fault = await _ask(self.capabilities(), without_models, MODELS_FAULT)
        stats, stats_fault = await _ask(self._host.system_stats(), {}, STATS_FAULT)
        (queue, stopped), queue_fault = await _ask(
            self._queue(), (QueueState((), frozenset()), None), QUEUE_FAULT
        )
        usable = any(
            is_usable(model)
            for model in capabilities.models
            if not model.drawn or model.family == self._settings.default_family
        )
        # The first reason of `capabilities` is a missing model.
        faults = (
            database_fault,
            storage_fault,
            queue_fault or stopped,
            models_fault or (None if usable else capabilities.reasons[0]),
            stats_fault,
            *self._other_faults(),
        )
        return Health(
            url=self._host.url,
            stats=stats,
            database_fault=database_fault,
            storage_fault=storage_fault,
            queue_fault=queue_fault or stopped,
            stored_files=stored[0],
            stored_bytes=stored[1],
            waiting=len(queue.waiting),
            running=len(queue.running),
            generations=counts,
            reasons=tuple(fault for fault in faults if fault),
            capabilities=capabilities,
        )

    async def _counts(self) -> tuple[Mapping[str, int], tuple[int, int]]:
        counts = await self._database.read(generation_queries.count_by_status)
        return counts, await self._database.read(file_queries.totals)

    async def _queue(self) -> tuple[QueueState, str | None]:
        return self._host.queue_state(), self._host.stopped()


async def _ask(part: Awaitable[Result], default: Result, fault: str) -> tuple[Result, str | None]:
    """(result of a part or `default`, its fault or None): one failing part does not hide the others."""
    try:
        return await part, None
    except AvatarForgeError as error:
        return default, error.detail
    except SQLAlchemyError:
        return default, fault
    except Exception:  # health reports any failure as a fault, not as a 500
        log.warning("AvatarForge: %s", fault, exc_info=True)
        return default, fault
