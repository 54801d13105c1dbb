"""The previews of a running generation, and its graph."""

from __future__ import annotations

from aiohttp import web

from ..forge.errors import NotFoundError
from . import queries, responses
from .context import Call, Endpoint


async def preview(call: Call) -> web.Response:
    text = call.path("position")
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise NotFoundError(
            "The position of a preview is a whole number from 0, in the order of the views.",
            code="preview_not_found",
        )
    jpeg = call.services.live.preview(call.path("generation_id"), int(text))
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=jpeg, content_type="image/jpeg", headers=headers)


async def prompt(call: Call) -> responses.PromptAnswer:
    return responses.PromptAnswer(prompt=await call.services.generations.prompt(call.path("generation_id")))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/generations/{generation_id}/previews/{position}",
        preview,
        "What there is so far of one picture of a running generation",
        "live",
        query=queries.PreviewQuery,
        media_types=("image/jpeg",),
        ranges=False,
        refusals=(404,),
    ),
    Endpoint(
        "GET",
        "/generations/{generation_id}/prompt",
        prompt,
        "The graph that made it, as ComfyUI takes it",
        "generations",
        answer=responses.PromptAnswer,
        refusals=(404,),
    ),
)
