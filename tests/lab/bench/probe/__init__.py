"""A custom node pack for benchmarks that measures ComfyUI from the inside.

GET /bench/plain is the cheapest JSON route that this server can have. POST /bench/watch starts to watch the
event loop; POST /bench/seen stops, and returns how late the loop ran each callback that was due, in seconds.
GET /bench/processor returns the CPU time so far. GET /bench/loads counts the model files that were read and
how often weights were loaded. POST /bench/collect runs Python's garbage collector now: with ComfyUI's large
heap that takes 0.3 s, and garbage left from startup would otherwise trigger it during a measurement.
GET /bench/collections lists full collections as (start, end), in seconds of `time.time()`.
The node BenchHold blocks ComfyUI's worker.
"""

from __future__ import annotations

import asyncio
import gc
import time

from aiohttp import web
from comfy.model_management import throw_exception_if_processing_interrupted
from server import PromptServer

from .loads import count_loads, counts

count_loads()


class BenchHold:
    """Blocks ComfyUI's worker without using the CPU, so that later prompts stay queued."""

    RETURN_TYPES = ()
    FUNCTION = "hold"
    CATEGORY = "bench"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, object]:
        return {"required": {"seconds": ("INT", {"default": 1, "min": 1, "max": 3600})}}

    def hold(self, seconds: int) -> tuple[()]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            throw_exception_if_processing_interrupted()
            time.sleep(0.1)
        return ()


NODE_CLASS_MAPPINGS: dict[str, type] = {"BenchHold": BenchHold}

#: Seconds between two callbacks. A stall longer than this counts once for each callback that it delayed, as
#: it would for requests arriving at those times; otherwise the longest stalls would count least.
INTERVAL = 0.002


class Watch:
    def __init__(self) -> None:
        self.late: list[float] = []
        self.started = time.perf_counter()
        self.cpu_at_start = time.process_time()
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._check, self.started + INTERVAL)

    def _check(self, due: float) -> None:
        now = time.perf_counter()
        while due <= now:
            self.late.append(now - due)
            due += INTERVAL
        self._timer = asyncio.get_running_loop().call_later(due - now, self._check, due)

    def end(self) -> dict[str, object]:
        self._timer.cancel()
        return {
            "late": self.late,
            "seconds": time.perf_counter() - self.started,
            "processor_seconds": time.process_time() - self.cpu_at_start,
        }


_watches: list[Watch] = []


@PromptServer.instance.routes.get("/bench/plain")
async def plain(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


@PromptServer.instance.routes.get("/bench/processor")
async def processor(_: web.Request) -> web.Response:
    return web.json_response({"seconds": time.process_time()})


@PromptServer.instance.routes.get("/bench/loads")
async def loads(_: web.Request) -> web.Response:
    return web.json_response(counts)


_collections: list[list[float]] = []


def _record_collection(phase: str, info: dict[str, int]) -> None:
    if info["generation"] == 2:
        if phase == "start":
            _collections.append([time.time(), float("inf")])
        elif _collections:
            _collections[-1][1] = time.time()


gc.callbacks.append(_record_collection)


@PromptServer.instance.routes.get("/bench/collections")
async def collections(_: web.Request) -> web.Response:
    return web.json_response({"spans": [span for span in _collections if span[1] < float("inf")]})


@PromptServer.instance.routes.post("/bench/collect")
async def collect(_: web.Request) -> web.Response:
    gc.collect()
    return web.json_response({})


@PromptServer.instance.routes.post("/bench/watch")
async def watch(_: web.Request) -> web.Response:
    _watches.append(Watch())
    return web.json_response({})


@PromptServer.instance.routes.post("/bench/seen")
async def seen(_: web.Request) -> web.Response:
    return web.json_response(_watches.pop().end())
