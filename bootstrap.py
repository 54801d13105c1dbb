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
from .forge.access.secret import signing_secret
from .forge.access.signing import Signer
from .forge.error_text import describe_error
from .forge.errors import AvatarForgeError
from .forge.generations.known import KnownGenerations
from .forge.generations.outputs import OutputFolder
from .forge.generations.recorder import GenerationRecorder
from .forge.generations.service import GenerationService
from .forge.generations.tracker import GenerationTracker
from .forge.health import HealthService
from .forge.idempotency import Idempotency
from .forge.live.live import Live
from .forge.live.log import EventLog
from .forge.maintenance.run import Parts
from .forge.maintenance.settle import settle
from .forge.maintenance.verify import Verifier
from .forge.settings import Settings, load_settings
from .forge.store.blobs import BlobStore
from .forge.store.contents import Contents
from .forge.store.files import FileStore
from .forge.store.folder_lock import lock_folders
from .forge.store.images import ImageLimits
from .forge.store.quota import Quota
from .forge.upkeep import clean_up_daily, report_health
from .forge.webhooks.delivery import Deliveries
from .forge.webhooks.outbox import Outbox
from .forge.webhooks.signature import read_secret
from .forge.webhooks.targets import Targets, read_hosts
from .forge.workers import Workers
from .host import comfy
from .host.listening import own_names
from .routes import (
    ACCESS,
    STATE,
    Access,
    Reach,
    Services,
    Unavailable,
    add_routes,
    body_routes,
    build_models,
    rules,
    rules_without_settings,
    warnings_of,
)
from .routes.answers import words
from .routes.happenings import event_words, webhook_words
from .routes.outgoing import WebhookSender

VERSION = "0.1.0"
PACK = Path(__file__).parent

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class _Running:
    """What lives as long as ComfyUI. The locks let go of the data folder when nobody holds them."""

    services: Services
    recorder: GenerationRecorder
    tracker: GenerationTracker
    signer: Signer
    deliveries: Deliveries
    locks: list[BaseFileLock]


async def start() -> None:
    """Load the pack into the ComfyUI that is starting."""
    server = comfy.server()
    server.app.add_routes(body_routes())
    add_routes(server.routes, VERSION)
    reach = Reach(await asyncio.to_thread(comfy.listens_on_network), own_names())
    # Whatever goes wrong from here on, nobody is let in who would not be otherwise.
    server.app[ACCESS] = Access(rules_without_settings(reach))
    try:
        settings = await asyncio.to_thread(load_settings, os.environ, PACK / ".env")
        found = rules(settings, reach)
        server.app[ACCESS] = Access(found)
        running = await asyncio.to_thread(_open, settings)
    except (AvatarForgeError, DatabaseUnavailableError) as error:
        reason = describe_error(error)
        registry.reason = f"AvatarForge is not available: {reason}"
        server.app[STATE] = Unavailable(reason, comfy.url(), comfy.system_stats)
        log.error("AvatarForge is not available: %s", error)
        return
    services = running.services
    server.app[ACCESS] = Access(found, running.signer)
    server.app[STATE] = services
    for warning in warnings_of(found):
        log.warning("AvatarForge: %s", warning)
    registry.files = services.files
    registry.recorder = running.recorder
    tasks: list[asyncio.Task[None]] = []

    async def start_tasks(_: web.Application) -> None:
        tasks.append(asyncio.create_task(asyncio.to_thread(build_models)))
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


def _open(settings: Settings) -> _Running:
    """Everything that blocks. Raises AvatarForgeError or DatabaseUnavailableError with the reason."""
    data_folder = comfy.data_folder()
    storage_folder = settings.storage_folder(data_folder)
    locks = lock_folders(data_folder, storage_folder)
    signer = Signer(signing_secret(settings.secret_key, data_folder))
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
    live = Live(EventLog(event_words), database, host)
    outbox = Outbox(webhook_words)
    targets = Targets(read_hosts(settings.webhook_hosts), settings.webhook_allow_private)
    tracker = GenerationTracker(database, host, workers, outputs, live, outbox)
    known = KnownGenerations(database, words)
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
    recorder = GenerationRecorder(database, outputs, tracker.is_deleted, tracker.begin)
    verifier = Verifier(Parts(database, blobs, contents, workers, limits, outputs))
    idempotency = Idempotency(database)
    # Without a host that may be called, what an earlier start left is given up.
    key = read_secret(settings.webhook_secret) if settings.webhook_secret else b""
    deliveries = Deliveries(database, WebhookSender(targets), targets, key)
    live.at_end(deliveries.look)
    services = Services(settings, files, generations, health, workers, verifier, live, idempotency)
    return _Running(services, recorder, tracker, signer, deliveries, locks)
