"""A custom node pack for benchmarks alone: looks at ComfyUI's event loop from inside.

GET /bench/plain is the cheapest JSON route that this server can have. POST /bench/watch begins to watch the
event loop, POST /bench/seen ends it and tells how late the loop came to a callback that was due, in seconds.
GET /bench/loads counts the model files that were read and the times that weights were loaded.
POST /bench/collect has Python collect its garbage now: in ComfyUI, whose heap is large, that takes 0.3 s, and
what its start has left would bring it on in the middle of something. GET /bench/collections tells when such
full collections took place, as (begin, end) in seconds of `time.time()`.
The node BenchHold keeps ComfyUI's worker waiting.
"""

from __future__ import annotations

import asyncio
import gc
import time

from aiohttp import web
from comfy.model_management import throw_exception_if_processing_interrupted
from server import PromptServer

from .loads import count_loads, counted

count_loads()


class BenchHold:
    """Holds ComfyUI's worker without using the processor: what is queued behind it stays queued."""

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

#: How often the loop is asked for, in seconds. A wait that hides several of these counts for each of them, as
#: it would for requests that come at such moments; else the longest stalls would count least.
EVERY = 0.002


class Watch:
    def __init__(self) -> None:
        self.late: list[float] = []
        self.begun = time.perf_counter()
        self.processor = time.process_time()
        self._timer = asyncio.get_running_loop().call_later(EVERY, self._look, self.begun + EVERY)

    def _look(self, due: float) -> None:
        now = time.perf_counter()
        while due <= now:
            self.late.append(now - due)
            due += EVERY
        self._timer = asyncio.get_running_loop().call_later(due - now, self._look, due)

    def end(self) -> dict[str, object]:
        self._timer.cancel()
        return {
            "late": self.late,
            "seconds": time.perf_counter() - self.begun,
            "processor_seconds": time.process_time() - self.processor,
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
    return web.json_response(counted)


_collections: list[list[float]] = []


def _note_collection(phase: str, about: dict[str, int]) -> None:
    if about["generation"] == 2:
        if phase == "start":
            _collections.append([time.time(), float("inf")])
        elif _collections:
            _collections[-1][1] = time.time()


gc.callbacks.append(_note_collection)


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
