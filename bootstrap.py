"""The one composition root: settings -> database -> services -> host -> routes.

Whatever goes wrong here leaves ComfyUI running: the reason goes to the log and to `/health`. What goes wrong
before the routes are registered, `__init__` hands to `fallback`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from .avatarforge_nodes.registry import registry
from .db.engine import DatabaseUnavailableError, open_database
from .forge.access.secret import signing_secret
from .forge.access.signing import Signer
from .forge.background import BackgroundTasks
from .forge.error_text import describe_error
from .forge.errors import AvatarForgeError, describe
from .forge.generations.cache import GenerationCache
from .forge.generations.outputs import OutputFolder
from .forge.generations.recorder import GenerationRecorder
from .forge.generations.service import GenerationService
from .forge.generations.tracker import GenerationTracker
from .forge.health import HealthService
from .forge.idempotency import Idempotency
from .forge.live.live import Live
from .forge.live.log import EventLog
from .forge.maintenance.recovery import recover
from .forge.maintenance.run import CheckedParts
from .forge.maintenance.verify import Verifier
from .forge.settings import Settings, load_settings
from .forge.store.blobs import BlobStore
from .forge.store.content_store import ContentStore
from .forge.store.files import FileStore
from .forge.store.folder_lock import lock_folders
from .forge.store.images import ImageLimits
from .forge.store.quota import Quota
from .forge.upkeep import clean_up_daily, report_health, retry_removals
from .forge.webhooks.delivery import Deliveries
from .forge.webhooks.outbox import Outbox
from .forge.webhooks.signature import read_secret
from .forge.webhooks.targets import Targets, read_hosts
from .forge.workers import Workers
from .host import comfy, copies
from .host.listening import own_names
from .routes import (
    ACCESS,
    STATE,
    Access,
    NetworkExposure,
    Services,
    Unavailable,
    add_routes,
    body_routes,
    build_models,
    note_answer,
    rules,
    rules_without_settings,
    warnings_of,
)
from .routes.event_payloads import event_json, webhook_json
from .routes.rendering import render_static_parts
from .routes.webhook_sender import WebhookSender

VERSION = "0.1.0"
PACK = Path(__file__).parent
LONGEST_REASON = 1000  # characters

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class _Running:
    """What lives as long as ComfyUI. `resources` closes what was opened, the locks of the folders last."""

    services: Services
    recorder: GenerationRecorder
    tracker: GenerationTracker
    signer: Signer
    deliveries: Deliveries
    resources: ExitStack


async def start() -> None:
    """Load the pack into the ComfyUI that is starting. Raises only what keeps the routes from being
    registered; everything later is reported through them."""
    server = comfy.server()
    background = BackgroundTasks()

    def other_faults() -> list[str]:
        return [*copies.faults(server), *background.faults]

    # Whatever goes wrong from here on, nobody is let in who would not be otherwise.
    server.app[ACCESS] = Access(rules_without_settings(NetworkExposure()))
    server.app[STATE] = Unavailable("AvatarForge could not start.", "", comfy.system_stats, other_faults)
    _add_routes(server)
    running = None
    try:
        reach = NetworkExposure(await asyncio.to_thread(comfy.listens_on_network), own_names())
        server.app[ACCESS] = Access(rules_without_settings(reach))
        settings = await asyncio.to_thread(load_settings, os.environ, PACK / ".env")
        found = rules(settings, reach)
        server.app[ACCESS] = Access(found)
        warnings = warnings_of(found)
        running = await asyncio.to_thread(_open, settings, other_faults)
        server.app.on_startup.append(partial(_start_tasks, running, background))
    except Exception as error:  # whatever it is, ComfyUI and the nodes stay, and /health gives the reason
        if running is not None:
            running.resources.close()
        reason = _reason(error)
        registry.reason = f"AvatarForge is not available: {reason}"
        server.app[STATE] = Unavailable(reason, _url(), comfy.system_stats, other_faults)
        expected = isinstance(error, (AvatarForgeError, DatabaseUnavailableError))
        log.error("AvatarForge is not available: %s", reason, exc_info=None if expected else error)
        return
    server.app[ACCESS] = Access(found, running.signer)
    server.app[STATE] = running.services
    for warning in warnings:
        log.warning("AvatarForge: %s", warning)
    registry.files = running.services.files
    registry.recorder = running.recorder


async def _start_tasks(running: _Running, background: BackgroundTasks, _: web.Application) -> None:
    """Called when all nodes are loaded, so that what is resumed can be validated. Must not raise: ComfyUI
    would not start."""
    services = running.services
    background.start("The preparation of the request models", partial(asyncio.to_thread, build_models))
    background.start("The generation tracker", running.tracker.run)
    background.start("The event stream", services.live.run)
    background.start("Webhook delivery", running.deliveries.run)
    background.start("The first health check", partial(report_health, services.health))
    background.start("The retry of removals", partial(retry_removals, services.verifier))
    days = services.settings.file_cleanup_days
    background.start(
        "The daily clean-up", partial(clean_up_daily, services.files, days, services.idempotency)
    )


def _add_routes(server: Any) -> None:
    """Register all routes with ComfyUI's server or, when one of them cannot be made, none."""
    table = web.RouteTableDef()
    add_routes(table, VERSION)
    server.app.add_routes(body_routes())
    server.app.on_response_prepare.append(note_answer)
    for route in table:
        if isinstance(route, web.RouteDef):
            server.routes.route(route.method, route.path, **route.kwargs)(route.handler)


def _reason(error: Exception) -> str:
    """Why the pack could not start: our own sentence, or one about what nobody expected."""
    if isinstance(error, (AvatarForgeError, DatabaseUnavailableError)) and str(error):
        return describe_error(error)[:LONGEST_REASON]
    return f"AvatarForge could not start: {describe(error)}."


def _url() -> str:
    try:
        return comfy.url()
    except Exception:  # the reason of the start's failure matters more
        log.exception("AvatarForge: the address of ComfyUI could not be read")
        return ""


def _open(settings: Settings, other_faults: Callable[[], Sequence[str]]) -> _Running:
    """Everything that blocks. What it raises leaves nothing open."""
    with ExitStack() as resources:
        data_folder = comfy.data_folder()
        storage_folder = settings.storage_folder(data_folder)
        for lock in lock_folders(data_folder, storage_folder):
            resources.callback(lock.release)
        signer = Signer(signing_secret(settings.secret_key, data_folder))
        blobs = BlobStore(storage_folder)
        blobs.open()
        database = open_database(settings.database_url, data_folder)
        resources.callback(database.close)
        workers = Workers()
        resources.callback(workers.close)
        host = comfy.ComfyHost(workers, settings.comfyui_url)
        limits = ImageLimits(settings.min_image_dimension, settings.max_image_dimension)
        outputs = OutputFolder(host.output_folder, blobs.unsettled)
        recover(database, blobs, outputs)
        quota = Quota(settings.storage_quota_bytes, settings.storage_quota_files)
        contents = ContentStore(database, blobs, workers, quota)
        files = FileStore(database, contents, workers, limits, settings.max_file_size)
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
        health = HealthService(database, blobs, workers, host, settings, other_faults)
        recorder = GenerationRecorder(database, outputs, tracker.is_deleted, tracker.record_start)
        verifier = Verifier(CheckedParts(database, blobs, contents, workers, limits, outputs))
        idempotency = Idempotency(database)
        # Without a host that may be called, what an earlier start left is given up.
        key = read_secret(settings.webhook_secret) if settings.webhook_secret else b""
        deliveries = Deliveries(database, WebhookSender(targets), targets, key)
        live.on_end(deliveries.wake)
        services = Services(settings, files, generations, health, workers, verifier, live, idempotency)
        return _Running(services, recorder, tracker, signer, deliveries, resources.pop_all())
