"""A stand-in for packs whose middleware looks at a body before the handler does, for tests.

It looks at requests that say how, in a header, so that other tests of the same ComfyUI are left alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from server import PromptServer

HOW = "X-Stand-In-Reads"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NODE_CLASS_MAPPINGS: dict[str, Any] = {}


@web.middleware
async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
    how = request.headers.get(HOW)
    if how and request.can_read_body:
        # Such packs take no interest in bodies that are not theirs.
        with contextlib.suppress(Exception):
            if how == "form":
                request["fields"] = dict(await request.post())
            elif how == "text":
                await request.text()
            else:
                await request.content.read()
    return await handler(request)


PromptServer.instance.app.middlewares.append(look)
