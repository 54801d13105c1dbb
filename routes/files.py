"""The endpoints of stored files: upload, download, list, hash check, delete and clean-up."""

from __future__ import annotations

from aiohttp import web

from ..forge.errors import UnprocessableError
from ..forge.ids import UUID_PATTERN
from ..forge.store.files import HASH_PATTERN
from ..forge.store.inspect import JSON_TYPE
from ..forge.store.thumbnails import VERSION
from . import precheck, queries, rendering, responses
from .content import Content, send, send_generated
from .context import Answer, Call, Endpoint
from .uploads import receive_form, receive_json

UPLOAD_REFUSALS = (400, 408, 413, 415, 422, 507)
FILE_TYPES = ("image/png", "image/jpeg", "image/webp", JSON_TYPE)


async def upload_pose(call: Call) -> responses.UploadAnswer:
    if call.request.content_type == JSON_TYPE:
        return rendering.render_upload(await receive_json(call))
    return rendering.render_upload(await receive_form(call, pictures_only=False))


async def upload_reference(call: Call) -> responses.UploadAnswer:
    return rendering.render_upload(await receive_form(call, pictures_only=True))


async def download(call: Call) -> web.StreamResponse:
    files = call.services.files
    record = await files.get(call.path("file_id"))
    content = Content(files.path(record), record.mime_type, record.content_hash, record.filename, record.size)
    return await send(call, content)


async def thumbnail(call: Call) -> web.StreamResponse:
    files = call.services.files
    record = await files.get(call.path("file_id"))
    size = call.validated_query(queries.ThumbnailQuery).size

    async def make() -> tuple[bytes, str]:
        picture = await files.thumbnail(record, size)
        return picture.content, picture.mime_type

    return await send_generated(call, f"{record.content_hash}-{size}-{VERSION}", make)


async def list_files(call: Call) -> Answer:
    query = call.validated_query(queries.FilesQuery)
    page = await call.services.files.page(limit=query.limit, cursor=query.cursor)
    return rendering.render_files(page, query.limit, call.services.json_cache)


async def check_hash(call: Call) -> responses.HashAnswer:
    content_hash = call.path("content_hash").lower()
    if not HASH_PATTERN.fullmatch(content_hash):
        raise UnprocessableError(
            "content_hash must be a SHA-256: 64 hexadecimal characters.", ("path", "content_hash")
        )
    record = await call.services.files.find(content_hash)
    if record is None:
        return responses.HashAnswer(exists=False, file_id=None, message="No file with this content exists")
    return responses.HashAnswer(exists=True, file_id=record.id, message=f"File exists: {record.filename}")


async def delete(call: Call) -> responses.FileDeletedAnswer:
    query = call.validated_query(queries.ForceQuery)
    deleted = await call.services.files.delete(call.path("file_id"), force=query.force)
    message = {
        "hard": "File deleted",
        "soft": "File hidden: generations still use it; its bytes go with the last of them",
    }
    return responses.FileDeletedAnswer.model_validate(
        {"file_id": deleted.file_id, "deleted": deleted.how, "message": message[deleted.how]}
    )


async def clean_up(call: Call) -> responses.CleanupAnswer:
    days = call.validated_query(queries.CleanupQuery).days
    if days is None:
        days = call.services.settings.file_cleanup_days
    count = await call.services.files.clean_up(days)
    return responses.CleanupAnswer(
        files_deleted=count,
        cleanup_days=days,
        message=f"Deleted {count} files that no generation uses and nobody used for {days} days",
    )


ENDPOINTS = (
    Endpoint(
        "POST",
        "/upload/pose_image",
        upload_pose,
        "Upload a pose: a picture or OpenPose JSON; the same content gives the same file_id",
        "files",
        answer=responses.UploadAnswer,
        upload=("multipart/form-data", JSON_TYPE),
        headers=precheck.HEADERS,
        early=precheck.answer_early,
        refusals=UPLOAD_REFUSALS,
    ),
    Endpoint(
        "POST",
        "/upload/reference_image",
        upload_reference,
        "Upload a reference image; the same content gives the same file_id",
        "files",
        answer=responses.UploadAnswer,
        upload=("multipart/form-data",),
        headers=precheck.HEADERS,
        early=precheck.answer_early,
        refusals=UPLOAD_REFUSALS,
    ),
    Endpoint(
        "GET",
        "/files/hash/{content_hash}",
        check_hash,
        "Ask whether a content is stored, by its SHA-256",
        "files",
        answer=responses.HashAnswer,
        refusals=(422,),
    ),
    Endpoint(
        "GET",
        "/files",
        list_files,
        "List stored files, newest first",
        "files",
        answer=responses.FilesAnswer,
        query=queries.FilesQuery,
    ),
    Endpoint(
        "GET",
        "/files/{file_id}/thumbnail",
        thumbnail,
        "A small picture of a stored file",
        "files",
        query=queries.ThumbnailQuery,
        media_types=("image/jpeg", "image/png"),
        ranges=False,
        refusals=(404,),
        root_path=f"/files/{{file_id:{UUID_PATTERN}}}/thumbnail",
    ),
    Endpoint(
        "GET",
        "/files/{file_id}",
        download,
        "Download a stored file",
        "files",
        media_types=FILE_TYPES,
        refusals=(404, 412, 416),
        root_path=f"/files/{{file_id:{UUID_PATTERN}}}",
    ),
    Endpoint(
        "DELETE",
        "/files/{file_id}",
        delete,
        "Delete a file: for good, or hidden while generations use it",
        "files",
        answer=responses.FileDeletedAnswer,
        query=queries.ForceQuery,
        refusals=(404,),
    ),
    Endpoint(
        "POST",
        "/cleanup/orphaned-files",
        clean_up,
        "Delete files that nobody refers to and nobody used lately",
        "utility",
        answer=responses.CleanupAnswer,
        query=queries.CleanupQuery,
    ),
)
