"""The one composition root: settings -> database -> services -> host -> routes.

Whatever goes wrong here leaves ComfyUI running: the reason goes to the log and to `/health`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from filelock import BaseFileLock

from .avatarforge_nodes.registry import registry
from .db.engine import DatabaseUnavailableError, open_database
from .forge.errors import AvatarForgeError
from .forge.generations.outputs import OutputFolder
from .forge.generations.recorder import GenerationRecorder
from .forge.generations.service import GenerationService
from .forge.generations.tracker import GenerationTracker
from .forge.health import HealthService
from .forge.maintenance.run import Parts
from .forge.maintenance.settle import settle
from .forge.maintenance.verify import Verifier
from .forge.settings import load_settings
from .forge.store.blobs import BlobStore
from .forge.store.contents import Contents
from .forge.store.files import FileStore
from .forge.store.folder_lock import lock_folders
from .forge.store.images import ImageLimits
from .forge.store.quota import Quota
from .forge.upkeep import clean_up_daily, report_health
from .forge.workers import Workers
from .host import comfy
from .routes import STATE, Services, Unavailable, add_routes

VERSION = "0.1.0"
PACK = Path(__file__).parent

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class _Running:
    """What lives as long as ComfyUI. The locks let go of the data folder when nobody holds them."""

    services: Services
    recorder: GenerationRecorder
    tracker: GenerationTracker
    locks: list[BaseFileLock]


async def start() -> None:
    """Load the pack into the ComfyUI that is starting."""
    server = comfy.server()
    add_routes(server.routes, VERSION)
    try:
        running = await asyncio.to_thread(_open)
    except (AvatarForgeError, DatabaseUnavailableError) as error:
        registry.reason = f"AvatarForge is not available: {error}"
        server.app[STATE] = Unavailable(str(error), comfy.url(), comfy.system_stats)
        log.error("AvatarForge is not available: %s", error)
        return
    services = running.services
    server.app[STATE] = services
    registry.files = services.files
    registry.recorder = running.recorder
    tasks: list[asyncio.Task[None]] = []

    async def start_tasks(_: web.Application) -> None:
        # Only now are all nodes loaded, so that what is resumed can be validated.
        tasks.append(asyncio.create_task(running.tracker.run()))
        tasks.append(asyncio.create_task(report_health(services.health)))
        tasks.append(asyncio.create_task(clean_up_daily(services.files, services.settings.file_cleanup_days)))

    server.app.on_startup.append(start_tasks)


def _open() -> _Running:
    """Everything that blocks. Raises AvatarForgeError or DatabaseUnavailableError with the reason."""
    settings = load_settings(os.environ, PACK / ".env")
    data_folder = comfy.data_folder()
    storage_folder = settings.storage_folder(data_folder)
    locks = lock_folders(data_folder, storage_folder)
    blobs = BlobStore(storage_folder)
    blobs.open()
    database = open_database(settings.database_url, data_folder)
    workers = Workers()
    host = comfy.ComfyHost(workers, settings.comfyui_url)
    limits = ImageLimits(settings.min_image_dimension, settings.max_image_dimension)
    outputs = OutputFolder(host.output_folder)
    settle(database, blobs, outputs)
    quota = Quota(settings.storage_quota_bytes, settings.storage_quota_files)
    contents = Contents(database, blobs, workers, quota)
    files = FileStore(database, contents, workers, limits, settings.max_file_size)
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
    recorder = GenerationRecorder(database, outputs)
    verifier = Verifier(Parts(database, blobs, contents, workers, limits, outputs))
    services = Services(settings, files, generations, health, workers, verifier)
    return _Running(services, recorder, tracker, locks)
