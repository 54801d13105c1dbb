"""The endpoints that export pictures, and the schema of their manifest."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from ..forge.export.material import ExportOptions
from ..forge.export.picture_manifest import schema_text
from ..forge.export.selection import Subject
from .content import StreamedContent, not_modified, send_generated, send_streamed
from .context import Call, Endpoint
from .export_requests import PicturesExportQuery, options_of
from .json_body import tag_of

ZIP_TYPE, JSON_TYPE = "application/zip", "application/json"
SCHEMA_TYPE = "application/schema+json"
REFUSALS = (404, 409, 412, 413, 416, 507)


async def export_generation(call: Call) -> web.StreamResponse:
    options = options_of(call.validated_query(PicturesExportQuery))
    selector = call.services.exports.selector
    return await send_export(call, await selector.generation(call.path("generation_id")), options)


async def export_batch(call: Call) -> web.StreamResponse:
    options = options_of(call.validated_query(PicturesExportQuery))
    selector = call.services.exports.selector
    return await send_export(call, await selector.batch(call.path("batch_id")), options)


async def send_export(call: Call, subject: Subject, options: ExportOptions) -> web.StreamResponse:
    """Answer with an export, or with 304, 412 or 416."""
    exports = call.services.exports
    prepared = await exports.prepare(subject, options)
    unchanged = not_modified(call, prepared.tag)
    if unchanged is not None:
        return unchanged
    async with exports.open(prepared, partial(_require_client, call.request)) as opened:
        mime_type = JSON_TYPE if options.format == "manifest" else ZIP_TYPE
        content = StreamedContent(opened.size, opened.pieces, mime_type, prepared.tag, prepared.filename)
        return await send_streamed(call, content)


def _require_client(request: web.Request) -> None:
    """Raises ConnectionResetError once nobody waits for the answer."""
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError("The client has gone.")


async def schema(call: Call) -> web.StreamResponse:
    body = (await call.services.workers.check(schema_text)).encode()

    async def make() -> tuple[bytes, str]:
        return body, SCHEMA_TYPE

    return await send_generated(call, tag_of(body), make)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/generations/{generation_id}/export",
        export_generation,
        "The pictures of a generation, for an engine, a training or another program",
        "exports",
        query=PicturesExportQuery,
        media_types=(ZIP_TYPE, JSON_TYPE),
        linkable=True,
        refusals=REFUSALS,
    ),
    Endpoint(
        "GET",
        "/batch/{batch_id}/export",
        export_batch,
        "The pictures of a batch, for an engine, a training or another program",
        "exports",
        query=PicturesExportQuery,
        media_types=(ZIP_TYPE, JSON_TYPE),
        linkable=True,
        refusals=REFUSALS,
    ),
    Endpoint(
        "GET",
        "/export/schema",
        schema,
        "The JSON Schema of the manifest in every export of pictures",
        "exports",
        media_types=(SCHEMA_TYPE,),
        ranges=False,
    ),
)
