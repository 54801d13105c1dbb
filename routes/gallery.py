"""The endpoints of many generations at once: the values of filters, favourites and tags, deletion, export."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from ..forge.export.pictures import PictureExporter
from ..forge.generations.gallery import Offered
from ..forge.waiting import wait_at_most
from . import gallery_requests, responses
from .content import WRITE_SECONDS
from .context import Call, Endpoint

ZIP_TYPE = "application/zip"
EXPORT_NAME = "avatarforge-pictures.zip"


async def filters(call: Call) -> responses.GalleryFiltersAnswer:
    offers = await call.services.gallery.offers()

    def render(offered: Sequence[Offered]) -> list[dict[str, object]]:
        return [vars(item) for item in offered]

    lists = {name: value if isinstance(value, int) else render(value) for name, value in vars(offers).items()}
    return responses.GalleryFiltersAnswer.model_validate(lists)


async def mark(call: Call) -> responses.MarksAnswer:
    body = call.validated_body(gallery_requests.MarksBody)
    chosen = await call.services.gallery.mark(
        body.generation_ids, favourite=body.favourite, added=body.add_tags, removed=body.remove_tags
    )
    return responses.MarksAnswer(
        generations=[
            responses.Marked(generation_id=record.id, favourite=record.favourite, tags=list(record.tags))
            for record in chosen.records
        ],
        missing=chosen.missing,
        message="Generations marked",
    )


async def delete(call: Call) -> responses.ChosenDeletedAnswer:
    body = call.validated_body(gallery_requests.DeleteChosenBody)
    chosen = await call.services.gallery.delete(body.generation_ids, keep_outputs=body.keep_outputs)
    return responses.ChosenDeletedAnswer(
        deleted=len(chosen.records), missing=chosen.missing, message="Generations deleted"
    )


async def export(call: Call) -> web.StreamResponse:
    body = call.validated_body(gallery_requests.ChosenBody)
    exporter: PictureExporter = call.services.picture_exporter
    chosen = await call.services.gallery.chosen(body.generation_ids)
    pictures = exporter.check(chosen.records)
    async with exporter.admitted():
        response = web.StreamResponse(
            headers={
                **call.caller.headers,
                "Content-Type": ZIP_TYPE,
                "Content-Disposition": f'attachment; filename="{EXPORT_NAME}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'; sandbox",
            }
        )
        await response.prepare(call.request)
        try:
            async for piece in exporter.pieces(pictures):
                await wait_at_most(response.write(piece), WRITE_SECONDS)
            await response.write_eof()
        except (ConnectionError, asyncio.TimeoutError, TimeoutError):
            # The client is gone or too slow. It sees that it has no whole archive, as the end is missing.
            if call.request.transport is not None:
                call.request.transport.abort()
        return response


ENDPOINTS = (
    Endpoint(
        "GET",
        "/gallery/filters",
        filters,
        "The values that the filters of GET /generations can have now",
        "gallery",
        answer=responses.GalleryFiltersAnswer,
    ),
    Endpoint(
        "POST",
        "/gallery/marks",
        mark,
        "Note favourites and tags on up to 500 generations",
        "gallery",
        answer=responses.MarksAnswer,
        body=gallery_requests.MarksBody,
        refusals=(408, 411, 413, 415),
    ),
    Endpoint(
        "POST",
        "/gallery/delete",
        delete,
        "Delete up to 500 generations; queued and running ones are cancelled first",
        "gallery",
        answer=responses.ChosenDeletedAnswer,
        body=gallery_requests.DeleteChosenBody,
        refusals=(408, 411, 413, 415),
    ),
    Endpoint(
        "POST",
        "/gallery/export",
        export,
        "The pictures of up to 500 generations as a zip archive",
        "gallery",
        body=gallery_requests.ChosenBody,
        media_types=(ZIP_TYPE,),
        ranges=False,
        refusals=(404, 408, 411, 413, 415),
        changes=False,
    ),
)
