"""Startup in ComfyUI: settings -> product -> routes -> background tasks.

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
LONGEST_REASON = 1000  # characters

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class _Running:
    """What lives as long as ComfyUI. `resources` closes what was opened, the locks of the folders last."""

    product: Product
    services: Services
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
    server.app[ACCESS] = Access(found, running.product.signer)
    server.app[STATE] = running.services
    for warning in warnings:
        log.warning("AvatarForge: %s", warning)
    registry.files = running.product.files
    registry.recorder = running.product.recorder


async def _start_tasks(running: _Running, background: BackgroundTasks, _: web.Application) -> None:
    """Called when all nodes are loaded, so that what is resumed can be validated. Must not raise: ComfyUI
    would not start."""
    product = running.product
    background.start("The preparation of the request models", partial(asyncio.to_thread, build_models))
    background.start("The generation tracker", product.tracker.run)
    background.start("The event stream", product.live.run)
    background.start("Webhook delivery", product.deliveries.run)
    background.start("The first health check", partial(report_health, product.health))
    background.start("The retry of removals", partial(retry_removals, product.verifier))
    days = product.settings.file_cleanup_days
    background.start("The daily clean-up", partial(clean_up_daily, product.files, days, product.idempotency))


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
        return error_message(error)[:LONGEST_REASON]
    return f"AvatarForge could not start: {summarize_unexpected(error)}."


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
        lock_store(settings, data_folder, resources)
        environment = Environment(
            make_host=partial(comfy.ComfyHost, reported_url=settings.comfyui_url),
            event_json=event_json,
            webhook_json=webhook_json,
            make_sender=WebhookSender,
            other_faults=other_faults,
        )
        product = open_product(settings, data_folder, environment, resources)
        return _Running(product, services_of(product), resources.pop_all())
