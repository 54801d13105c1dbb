"""A custom node for benchmarks that times how long ComfyUI takes to load each custom node after it."""

from __future__ import annotations

import time
from typing import Any

import nodes
from aiohttp import web
from server import PromptServer

NODE_CLASS_MAPPINGS: dict[str, type] = {}

_load = nodes.load_custom_node
_seconds: dict[str, float] = {}


async def _timed(module_path: str, *args: Any, **kwargs: Any) -> bool:
    started = time.perf_counter()
    try:
        loaded: bool = await _load(module_path, *args, **kwargs)
        return loaded
    finally:
        _seconds[module_path] = time.perf_counter() - started


nodes.load_custom_node = _timed


@PromptServer.instance.routes.get("/bench/imports")
async def imports(_: web.Request) -> web.Response:
    return web.json_response(_seconds)
