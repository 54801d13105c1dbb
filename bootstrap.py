"""Startup in ComfyUI: settings -> product -> routes -> background tasks.

An error here never stops ComfyUI: the log and `/health` give the reason. If an error happens before the
routes are registered, `__init__` passes it to `fallback`.
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
from .db.engine import DatabaseUnavailableError
from .forge.background import BackgroundTasks
from .forge.error_text import error_message, summarize_unexpected
from .forge.errors import AvatarForgeError
from .forge.product import Environment, Product, lock_store, open_product
from .forge.settings import Settings, load_settings
from .forge.upkeep import clean_up_daily, report_health, retry_removals
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
    services_of,
    warnings_of,
)
from .routes.event_payloads import event_json, webhook_json
from .routes.webhook_sender import WebhookSender

VERSION = "0.1.0"
PACK = Path(__file__).parent
MAX_REASON_LENGTH = 1000  # characters

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class _Running:
    """What lives as long as ComfyUI. `resources` closes everything, and releases the folder locks last."""

    product: Product
    services: Services
    resources: ExitStack


async def start() -> None:
    """Start the pack in ComfyUI. Raises only errors that prevent the registration of the routes; the routes
    report all later ones."""
    server = comfy.server()
    background = BackgroundTasks()

    def other_faults() -> list[str]:
        return [*copies.faults(server), *background.faults]

    # The strictest rules first, so that an error below never grants more access.
    server.app[ACCESS] = Access(rules_without_settings(NetworkExposure()))
    server.app[STATE] = Unavailable("AvatarForge could not start.", "", comfy.system_stats, other_faults)
    _add_routes(server)
    running = None
    try:
        exposure = NetworkExposure(await asyncio.to_thread(comfy.listens_on_network), own_names())
        server.app[ACCESS] = Access(rules_without_settings(exposure))
        settings = await asyncio.to_thread(load_settings, os.environ, PACK / ".env")
        access_rules = rules(settings, exposure)
        server.app[ACCESS] = Access(access_rules)
        warnings = warnings_of(access_rules)
        running = await asyncio.to_thread(_open, settings, other_faults)
        server.app.on_startup.append(partial(_start_tasks, running, background))
    except Exception as error:  # no error may stop ComfyUI or the nodes; /health gives the reason
        if running is not None:
            running.resources.close()
        reason = _reason(error)
        registry.reason = f"AvatarForge is not available: {reason}"
        server.app[STATE] = Unavailable(reason, _url(), comfy.system_stats, other_faults)
        expected = isinstance(error, (AvatarForgeError, DatabaseUnavailableError))
        log.error("AvatarForge is not available: %s", reason, exc_info=None if expected else error)
        return
    server.app[ACCESS] = Access(access_rules, running.product.signer)
    server.app[STATE] = running.services
    for warning in warnings:
        log.warning("AvatarForge: %s", warning)
    registry.files = running.product.files
    registry.recorder = running.product.recorder
    registry.poses = running.product.poses
    registry.characters = running.product.characters


async def _start_tasks(running: _Running, background: BackgroundTasks, _: web.Application) -> None:
    """Start the background tasks. Called after all nodes are loaded, because resumed prompts are validated
    against them. Must not raise, because ComfyUI would not start."""
    product = running.product
    background.start("The preparation of the request models", partial(asyncio.to_thread, build_models))
    background.start("The generation tracker", product.tracker.run)
    background.start("The dispatcher of batches", product.dispatcher.run)
    background.start("The dispatcher of re-rolls", product.rerolls.run)
    background.start("The event stream", product.live.run)
    background.start("Webhook delivery", product.deliveries.run)
    background.start("The first health check", partial(report_health, product.health))
    background.start("The retry of removals", partial(retry_removals, product.verifier))
    days = product.settings.file_cleanup_days
    background.start("The daily clean-up", partial(clean_up_daily, product.files, days, product.idempotency))


def _add_routes(server: Any) -> None:
    """Register all routes with ComfyUI's server, or none if one of them cannot be built."""
    table = web.RouteTableDef()
    add_routes(table, VERSION)
    server.app.add_routes(body_routes())
    server.app.on_response_prepare.append(note_answer)
    for route in table:
        if isinstance(route, web.RouteDef):
            server.routes.route(route.method, route.path, **route.kwargs)(route.handler)


def _reason(error: Exception) -> str:
    """Why the pack could not start, as a sentence."""
    if isinstance(error, (AvatarForgeError, DatabaseUnavailableError)) and str(error):
        return error_message(error)[:MAX_REASON_LENGTH]
    return f"AvatarForge could not start: {summarize_unexpected(error)}."


def _url() -> str:
    try:
        return comfy.url()
    except Exception:  # must not hide why the start failed
        log.exception("AvatarForge: the address of ComfyUI could not be read")
        return ""


def _open(settings: Settings, other_faults: Callable[[], Sequence[str]]) -> _Running:
    """Open the store and build the services. Blocks. If it raises, everything is closed."""
    with ExitStack() as resources:
        data_folder = comfy.data_folder()
        lock_store(settings, data_folder, resources)
        environment = Environment(
            make_host=partial(comfy.ComfyHost, reported_url=settings.comfyui_url),
            event_json=event_json,
            webhook_json=webhook_json,
            make_sender=WebhookSender,
            other_faults=other_faults,
            version=VERSION,
        )
        product = open_product(settings, data_folder, environment, resources)
        return _Running(product, services_of(product), resources.pop_all())
