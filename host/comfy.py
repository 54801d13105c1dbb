"""ComfyUI as `forge.ports.Host`: queue, folders, models and system, put together."""

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
# A look at the models takes a thread and some files' times of change.
REMEMBERED_SECONDS = 1.0
Result = TypeVar("Result")


def data_folder() -> Path:
    """Where our data lies: ComfyUI's own place for data that no HTTP route of it serves."""
    return Path(folder_paths.get_system_user_directory(NAME))


def output_folder() -> Path:
    return Path(folder_paths.get_output_directory()) / NAME


def metadata_wanted() -> bool:
    """False when ComfyUI was started with --disable-metadata."""
    return not args.disable_metadata


def current_prompt_id() -> str:
    """The prompt_id of the prompt that the calling node runs in; empty outside of one."""
    context = get_executing_context()
    return "" if context is None else str(context.prompt_id)


def server() -> PromptServer:
    return PromptServer.instance


def on_server_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """For nodes, which run in ComfyUI's worker thread: do it on the server's loop, and wait for it."""
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
    """Whether other machines may reach this ComfyUI. Blocks: names are looked up."""
    return reaches_network(args.listen)


async def system_stats() -> Mapping[str, Any]:
    """Asks ComfyUI's own `/system_stats` handler, so that the answer is that route's answer."""
    for route in server().routes:
        if isinstance(route, web.RouteDef) and route.path == "/system_stats":
            # The handler reads nothing of the request.
            response = await route.handler(cast(web.Request, None))
            stats: Mapping[str, Any] = json.loads(cast(web.Response, response).text or "{}")
            return stats
    return {}


class ComfyHost:
    """Implements `forge.ports.Host` on a running ComfyUI."""

    def __init__(self, workers: Workers, reported_url: str) -> None:
        self._queue = ComfyQueue(server())
        self._models = ModelScanner()
        self._workers = workers
        self._url = reported_url or url()
        self._seen: InstalledModels | None = None
        self._seen_at = 0.0

    @property
    def output_folder(self) -> Path:
        return output_folder()

    @property
    def url(self) -> str:
        return self._url

    async def installed_models(self, *, fresh: bool = True) -> InstalledModels:
        if not fresh and self._seen is not None and time.monotonic() - self._seen_at < REMEMBERED_SECONDS:
            return self._seen
        looked_at = time.monotonic()
        self._seen = await self._workers.disk(self._models.scan)
        self._seen_at = looked_at
        return self._seen

    async def batch_fits(self, checkpoint: str, width: int, height: int, count: int) -> bool:
        def fits() -> bool:
            path = folder_paths.get_full_path("checkpoints", checkpoint)
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
