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
from avatarforge.forge.generations.cache import GenerationCache
from avatarforge.forge.generations.outputs import OutputFolder
from avatarforge.forge.generations.service import GenerationService
from avatarforge.forge.generations.tracker import GenerationTracker
from avatarforge.forge.health import HealthService
from avatarforge.forge.idempotency import Idempotency
from avatarforge.forge.live.live import Live
from avatarforge.forge.live.log import EventLog
from avatarforge.forge.maintenance.recovery import recover
from avatarforge.forge.maintenance.run import CheckedParts
from avatarforge.forge.maintenance.verify import Verifier
from avatarforge.forge.settings import Settings
from avatarforge.forge.store.blobs import BlobStore
from avatarforge.forge.store.content_store import ContentStore
from avatarforge.forge.store.disk import Disk
from avatarforge.forge.store.files import FileStore
from avatarforge.forge.store.images import ImageLimits
from avatarforge.forge.store.quota import Quota
from avatarforge.forge.webhooks.outbox import Outbox
from avatarforge.forge.webhooks.targets import Targets, read_hosts
from avatarforge.forge.workers import Workers
from avatarforge.routes import Services
from avatarforge.routes.event_payloads import event_json, webhook_json
from avatarforge.routes.rendering import render_static_parts


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
    contents: ContentStore
    verifier: Verifier
    outputs: OutputFolder
    live: Live
    idempotency: Idempotency
    known: GenerationCache

    @property
    def services(self) -> Services:
        """What the routes work with."""
        return Services(
            self.settings,
            self.files,
            self.generations,
            self.health,
            self.workers,
            self.verifier,
            self.live,
            self.idempotency,
        )

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
    outputs = OutputFolder(host.output_folder, blobs.journal, disk)
    recover(database, blobs, outputs)
    workers = Workers()
    limits = ImageLimits(settings.min_image_dimension, settings.max_image_dimension)
    quota = Quota(settings.storage_quota_bytes, settings.storage_quota_files)
    contents = ContentStore(database, blobs, workers, quota)
    files = FileStore(database, contents, workers, limits, settings.max_file_size)
    verifier = Verifier(CheckedParts(database, blobs, contents, workers, limits, outputs))
    live = Live(EventLog(event_json), database, host)
    outbox = Outbox(webhook_json)
    targets = Targets(read_hosts(settings.webhook_hosts), settings.webhook_allow_private)
    tracker = GenerationTracker(database, host, workers, outputs, live, outbox)
    known = GenerationCache(database, render_static_parts)
    generations = GenerationService(
        settings=settings,
        database=database,
        files=files,
        host=host,
        workers=workers,
        outputs=outputs,
        tracker=tracker,
        live=live,
        targets=targets,
        known=known,
    )
    health = HealthService(database, blobs, workers, host, settings)
    tasks = [asyncio.create_task(tracker.run()), asyncio.create_task(live.run())]
    idempotency = Idempotency(database)
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
            live,
            idempotency,
            known,
        )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        workers.close()
        database.close()
