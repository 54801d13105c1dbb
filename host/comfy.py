"""Implements `forge.ports.Host` with ComfyUI's queue, folders, models and system information."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import folder_paths
from aiohttp import web
from comfy.cli_args import args
from comfy_execution.utils import get_executing_context
from server import PromptServer

from ..forge.model_overrides import ModelOverrides, with_overrides
from ..forge.ports import (
    CheckedPrompt,
    InstalledModels,
    PreviewPicture,
    Prompt,
    PromptEvent,
    PromptProgress,
    QueueState,
)
from ..forge.workers import Workers
from .listening import reaches_network
from .memory import batch_fits
from .models import ModelScanner
from .queue import ComfyQueue

NAME = "avatarforge"
# Even an unchanged scan takes a thread and reads the modification times of files.
SCAN_CACHE_SECONDS = 1.0
Result = TypeVar("Result")


def data_folder() -> Path:
    """AvatarForge's data folder, in ComfyUI's place for data that none of its HTTP routes serves."""
    return Path(folder_paths.get_system_user_directory(NAME))


def output_folder() -> Path:
    return Path(folder_paths.get_output_directory()) / NAME


def metadata_wanted() -> bool:
    """False when ComfyUI was started with --disable-metadata."""
    return not args.disable_metadata


def current_prompt_id() -> str:
    """The id of the prompt that the calling node runs in; empty outside of a prompt."""
    context = get_executing_context()
    return "" if context is None else str(context.prompt_id)


def server() -> PromptServer:
    return PromptServer.instance


def on_server_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on the server's event loop and wait for it. For nodes, which run in ComfyUI's worker
    thread."""
    return asyncio.run_coroutine_threadsafe(work, server().loop).result()


def url() -> str:
    host = args.listen.split(",")[0].strip()
    if host in ("0.0.0.0", ""):  # noqa: S104 - compared with, never bound
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    scheme = "https" if args.tls_keyfile and args.tls_certfile else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{args.port}"


def listens_on_network() -> bool:
    """Whether other machines can reach this ComfyUI. Blocks: it resolves host names."""
    return reaches_network(args.listen)


async def system_stats() -> Mapping[str, Any]:
    """What ComfyUI's `/system_stats` answers, by calling the handler of that route."""
    for route in server().routes:
        if isinstance(route, web.RouteDef) and route.path == "/system_stats":
            # The handler does not use the request.
            response = await route.handler(cast(web.Request, None))
            stats: Mapping[str, Any] = json.loads(cast(web.Response, response).text or "{}")
            return stats
    return {}


class ComfyHost:
    """Implements `forge.ports.Host` on a running ComfyUI."""

    def __init__(self, workers: Workers, overrides: ModelOverrides, reported_url: str) -> None:
        self._queue = ComfyQueue(server())
        self._models = ModelScanner()
        self._workers = workers
        self._overrides = overrides
        self._url = reported_url or url()
        self._installed: InstalledModels | None = None
        self._scanned_at = 0.0

    @property
    def output_folder(self) -> Path:
        return output_folder()

    @property
    def url(self) -> str:
        return self._url

    async def installed_models(self, *, fresh: bool = True) -> InstalledModels:
        age = time.monotonic() - self._scanned_at
        if not fresh and self._installed is not None and age < SCAN_CACHE_SECONDS:
            return self._installed
        started = time.monotonic()
        installed = await self._workers.disk(self._scan)
        if started >= self._scanned_at:  # a later scan may have ended earlier
            self._installed, self._scanned_at = installed, started
        return installed

    def _scan(self) -> InstalledModels:
        return with_overrides(self._models.scan(), self._overrides.load())

    async def batch_fits(self, folder: str, name: str, width: int, height: int, count: int) -> bool:
        def fits() -> bool:
            path = folder_paths.get_full_path(folder, name)
            return path is None or batch_fits(Path(path), width, height, count)

        return await self._workers.disk(fits)

    async def check(self, prompt_id: str, prompt: Prompt) -> CheckedPrompt:
        return await self._queue.check(prompt_id, prompt)

    def enqueue(self, checked: CheckedPrompt) -> None:
        self._queue.enqueue(checked)

    def cancel(self, prompt_id: str) -> None:
        self._queue.cancel(prompt_id)

    def queue_state(self) -> QueueState:
        return self._queue.state()

    def verdict(self, prompt_id: str) -> PromptEvent | None:
        return self._queue.verdict(prompt_id)

    def stopped(self) -> str | None:
        return self._queue.stopped()

    def listen(self, listener: Callable[[PromptEvent], None]) -> None:
        self._queue.events.listen(listener)

    def watch(self, watcher: Callable[[PromptProgress | PreviewPicture], None]) -> None:
        self._queue.events.watch(watcher)

    async def system_stats(self) -> Mapping[str, Any]:
        return await system_stats()
