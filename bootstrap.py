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
from filelock import BaseFileLock, FileLock, Timeout

from .avatarforge_nodes.registry import registry
from .db.engine import DatabaseUnavailableError, open_database
from .forge.errors import AvatarForgeError, UnavailableError
from .forge.generations.outputs import OutputFolder
from .forge.generations.recorder import GenerationRecorder
from .forge.generations.service import GenerationService
from .forge.generations.tracker import GenerationTracker
from .forge.health import HealthService
from .forge.idempotency import Idempotency
from .forge.live.live import Live
from .forge.live.log import EventLog
from .forge.settings import load_settings
from .forge.store.blobs import BlobStore
from .forge.store.files import FileStore
from .forge.store.images import ImageLimits
from .forge.upkeep import clean_up_daily, report_health
from .forge.webhooks.delivery import Deliveries
from .forge.webhooks.outbox import Outbox
from .forge.webhooks.signature import read_secret
from .forge.webhooks.targets import Targets, read_hosts
from .forge.workers import Workers
from .host import comfy
from .routes import STATE, Services, Unavailable, add_routes
from .routes.happenings import event_words, webhook_words
from .routes.outgoing import WebhookSender

VERSION = "0.1.0"
PACK = Path(__file__).parent

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class _Running:
    """What lives as long as ComfyUI. The lock lets go of the data folder when nobody holds it."""

    services: Services
    recorder: GenerationRecorder
    tracker: GenerationTracker
    deliveries: Deliveries
    lock: BaseFileLock


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
        tasks.append(asyncio.create_task(services.live.run()))
        tasks.append(asyncio.create_task(running.deliveries.run()))
        tasks.append(asyncio.create_task(report_health(services.health)))
        tasks.append(
            asyncio.create_task(
                clean_up_daily(services.files, services.settings.file_cleanup_days, services.idempotency)
            )
        )

    server.app.on_startup.append(start_tasks)


def _open() -> _Running:
    """Everything that blocks. Raises AvatarForgeError or DatabaseUnavailableError with the reason."""
    settings = load_settings(os.environ, PACK / ".env")
    data_folder = comfy.data_folder()
    lock = _lock(data_folder)
    blobs = BlobStore(settings.storage_folder(data_folder))
    blobs.open()
    database = open_database(settings.database_url, data_folder)
    workers = Workers()
    host = comfy.ComfyHost(workers, settings.comfyui_url)
    limits = ImageLimits(settings.min_image_dimension, settings.max_image_dimension)
    files = FileStore(database, blobs, workers, limits, settings.max_file_size)
    outputs = OutputFolder(host.output_folder)
    live = Live(EventLog(event_words), database, host)
    outbox = Outbox(webhook_words)
    targets = Targets(read_hosts(settings.webhook_hosts), settings.webhook_allow_private)
    tracker = GenerationTracker(database, host, workers, outputs, live, outbox)
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
    )
    health = HealthService(database, blobs, workers, host, settings)
    recorder = GenerationRecorder(database, outputs, tracker.is_deleted)
    idempotency = Idempotency(database)
    # Without a host that may be called, what an earlier start left is given up.
    key = read_secret(settings.webhook_secret) if settings.webhook_secret else b""
    deliveries = Deliveries(database, WebhookSender(targets), targets, key)
    live.at_end(deliveries.look)
    services = Services(settings, files, generations, health, workers, live, idempotency)
    return _Running(services, recorder, tracker, deliveries, lock)


def _lock(data_folder: Path) -> BaseFileLock:
    """Two ComfyUIs on one data folder would each take the other's work for a crash's leftovers."""
    try:
        data_folder.mkdir(parents=True, exist_ok=True)
        # The operating system lets go of it when the process ends, even after a crash.
        lock = FileLock(data_folder / "avatarforge.lock")
        lock.acquire(blocking=False)
        return lock
    except Timeout as error:
        raise UnavailableError(
            "Another ComfyUI uses the same user folder; give this one its own with --user-directory."
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnavailableError(f"The data folder cannot be written: {reason}.") from error
