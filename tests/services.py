"""The product put together on a fake host, the way `bootstrap` does it on ComfyUI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fake_host import FakeHost

from avatarforge.db.engine import Database, open_database
from avatarforge.db.records import GenerationRecord
from avatarforge.forge.generations.outputs import OutputFolder
from avatarforge.forge.generations.service import GenerationService
from avatarforge.forge.generations.tracker import GenerationTracker
from avatarforge.forge.health import HealthService
from avatarforge.forge.maintenance.run import Parts
from avatarforge.forge.maintenance.settle import settle
from avatarforge.forge.maintenance.verify import Verifier
from avatarforge.forge.settings import Settings
from avatarforge.forge.store.blobs import BlobStore
from avatarforge.forge.store.contents import Contents
from avatarforge.forge.store.disk import Disk
from avatarforge.forge.store.files import FileStore
from avatarforge.forge.store.images import ImageLimits
from avatarforge.forge.store.quota import Quota
from avatarforge.forge.workers import Workers


@dataclass
class Product:
    settings: Settings
    database: Database
    blobs: BlobStore
    files: FileStore
    generations: GenerationService
    health: HealthService
    tracker: GenerationTracker
    host: FakeHost
    workers: Workers
    contents: Contents
    verifier: Verifier
    outputs: OutputFolder

    async def until(self, generation_id: str, *statuses: str) -> GenerationRecord:
        """The generation once it is in one of these states. The tracker writes on its own task."""
        while (record := await self.generations.get(generation_id)).status not in statuses:
            pass  # every look gives the loop away; pytest's own timeout bounds this
        return record


@asynccontextmanager
async def product(
    folder: Path,
    host: FakeHost | None = None,
    settings: Settings | None = None,
    disk: Disk | None = None,
) -> AsyncIterator[Product]:
    """Open everything in `folder`, with the tracker running; close it at the end, as a restart would."""
    settings = settings or Settings()
    host = host or FakeHost(folder)
    blobs = BlobStore(settings.storage_folder(folder), disk)
    blobs.open()
    database = open_database("", folder)
    outputs = OutputFolder(host.output_folder)
    settle(database, blobs, outputs)
    workers = Workers()
    limits = ImageLimits(settings.min_image_dimension, settings.max_image_dimension)
    quota = Quota(settings.storage_quota_bytes, settings.storage_quota_files)
    contents = Contents(database, blobs, workers, quota)
    files = FileStore(database, contents, workers, limits, settings.max_file_size)
    verifier = Verifier(Parts(database, blobs, contents, workers, limits, outputs))
    tracker = GenerationTracker(database, host, workers, outputs)
    generations = GenerationService(
        settings=settings,
        database=database,
        files=files,
        host=host,
        workers=workers,
        outputs=outputs,
        tracker=tracker,
    )
    health = HealthService(database, blobs, workers, host, settings)
    following = asyncio.create_task(tracker.run())
    try:
        yield Product(
            settings,
            database,
            blobs,
            files,
            generations,
            health,
            tracker,
            host,
            workers,
            contents,
            verifier,
            outputs,
        )
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        workers.close()
        database.close()
