"""The endpoints of characters as files: export and import."""

from __future__ import annotations

from aiohttp import web

from ..forge.export.character_import import ImportedCharacter, ImportOptions
from ..forge.settings import Settings
from . import character_requests, responses
from .characters import render_character
from .content import Content, not_modified, send
from .context import BodyLimits, Call, Endpoint
from .export_requests import CHARACTER, CharacterExportQuery, options_of, require_character_fields
from .exports import JSON_TYPE, REFUSALS, ZIP_TYPE, send_export
from .uploads import open_archive

_MESSAGES = {
    "created": "Character imported",
    "copied": "Character imported as another one, with a new id",
    "restored": "Character imported: it had been deleted here, and is back",
    "replaced": "Character imported as a new version of the one that is here",
    "unchanged": "The character is here already, with the same contents: nothing has changed",
}


def _size(settings: Settings) -> int:
    return settings.max_character_file_size


async def export(call: Call) -> web.StreamResponse:
    query = call.validated_query(CharacterExportQuery)
    if query.format != CHARACTER:
        options = options_of(query)
        selector = call.services.exports.selector
        subject = await selector.character(call.path("character_id"), favourites=query.favourites)
        return await send_export(call, subject, options)
    require_character_fields(query)
    exporter = call.services.character_exporter
    prepared = await exporter.prepare(call.path("character_id"), query.versions, query.licence)
    unchanged = not_modified(call, prepared.tag)
    if unchanged is not None:
        return unchanged
    async with exporter.make(prepared) as path:
        return await send(call, Content(path, ZIP_TYPE, prepared.tag, prepared.filename))


async def import_file(call: Call) -> responses.ImportedCharacterAnswer:
    query = call.validated_query(character_requests.ImportQuery)
    imported = await call.services.character_importer.receive(
        await open_archive(call, ZIP_TYPE),
        ImportOptions(query.name, query.as_copy, query.replace, query.format),
        character_requests.read_content,
    )
    return _render(imported)


def _render(imported: ImportedCharacter) -> responses.ImportedCharacterAnswer:
    restored = imported.restored
    return responses.ImportedCharacterAnswer.model_validate(
        {
            **render_character(restored.saved).model_dump(),
            "outcome": restored.outcome,
            "files_added": imported.files_added,
            "poses_added": restored.poses_added,
            "missing": [{"kind": item.kind, "name": item.name} for item in imported.missing],
            "exported_by": imported.exported_by,
            "licence_note": imported.licence_note,
            "message": _MESSAGES[restored.outcome],
        }
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/characters/{character_id}/export",
        export,
        "A character as a file, or the pictures that were made of it",
        "characters",
        query=CharacterExportQuery,
        media_types=(ZIP_TYPE, JSON_TYPE),
        linkable=True,
        refusals=REFUSALS,
    ),
    Endpoint(
        "POST",
        "/characters/import",
        import_file,
        "Restore a character from an exported file: the same ids for the same contents",
        "characters",
        answer=responses.ImportedCharacterAnswer,
        query=character_requests.ImportQuery,
        upload=(ZIP_TYPE, "multipart/form-data"),
        limits=BodyLimits(_size),
        refusals=(400, 404, 408, 409, 413, 415, 507),
    ),
)
