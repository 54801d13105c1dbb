"""The endpoints of characters: create, get, list, change, delete, and make one of a generation."""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic_core import to_json

from ..forge.characters.content import content_values
from ..forge.characters.saved import SavedCharacter
from ..forge.characters.service import CharacterRecord
from ..forge.generations.redraw import RedrawRequest
from ..forge.settings import Settings
from . import character_requests, responses
from .context import PREFIX, Answer, BodyLimits, Call, Endpoint
from .idempotency import HEADERS as IDEMPOTENT
from .idempotency import run_idempotent
from .if_match import expected_version
from .json_body import JsonBody
from .rendering import iso_time

HEADERS = {"If-Match": "The version that the character must have, such as 3. Otherwise: 412."}
#: Bytes of the longest texts that a character can have, each character written as an escape of JSON.
LARGEST_BODY = 2 * 1024 * 1024


def _size(_: Settings) -> int:
    return LARGEST_BODY


LIMITS = BodyLimits(_size, depth=8, values=2_000)
SAVING = (404, 408, 409, 411, 413, 415)


async def create(call: Call) -> responses.CharacterAnswer:
    body = call.validated_body(character_requests.CharacterBody)
    return render_character(await call.services.characters.create(body.model_dump(exclude_unset=True)))


async def change(call: Call) -> responses.CharacterAnswer:
    body = call.validated_body(character_requests.CharacterChangesBody)
    saved = await call.services.characters.change(
        call.path("character_id"),
        body.model_dump(exclude_unset=True),
        expected=expected_version(call, "character"),
    )
    return render_character(saved)


async def make_of_generation(call: Call) -> responses.CharacterAnswer:
    body = call.validated_body(character_requests.CharacterOfGenerationBody)
    values = body.model_dump(exclude_unset=True)
    return render_character(await call.services.character_maker.make(call.path("generation_id"), values))


async def redraw_expressions(call: Call) -> Answer:
    body = call.validated_body(character_requests.RedrawBody)
    values = {name: value for name, value in body.model_dump().items() if value is not None}
    if "expressions" in values:
        values["expressions"] = tuple(values["expressions"])
    redraw = call.services.generations.redraw
    return await run_idempotent(call, partial(redraw, call.path("character_id"), RedrawRequest(**values)))


async def get(call: Call) -> responses.CharacterAnswer:
    version = call.validated_query(character_requests.CharacterQuery).version
    return render_character(await call.services.characters.get(call.path("character_id"), version))


async def list_page(call: Call) -> JsonBody:
    query = call.validated_query(character_requests.CharactersQuery)
    page = await call.services.characters.page(limit=query.limit, cursor=query.cursor, text=query.q)
    cache = call.services.json_cache.character_pages
    answer = cache.get(page)
    if answer is None:
        paging = {"limit": query.limit, "next_cursor": page.next_cursor}
        summaries = [_summary(record) for record in page.characters]
        answer = JsonBody(to_json({"total": page.total, "characters": summaries, **paging}))
        cache.put(page, answer)
    return answer


async def list_versions(call: Call) -> responses.CharacterVersionsAnswer:
    query = call.validated_query(character_requests.VersionsQuery)
    page = await call.services.characters.versions(
        call.path("character_id"), limit=query.limit, cursor=query.cursor
    )
    return responses.CharacterVersionsAnswer(
        total=page.total,
        versions=[
            responses.CharacterVersion(
                version=version.number, name=version.content.name, created_at=iso_time(version.created_at)
            )
            for version in page.versions
        ],
        limit=query.limit,
        next_cursor=page.next_cursor,
    )


async def delete(call: Call) -> responses.CharacterDeletedAnswer:
    character_id = call.path("character_id")
    await call.services.characters.delete(character_id)
    return responses.CharacterDeletedAnswer(
        character_id=character_id,
        deleted=True,
        message="Character deleted; generations that show it keep their version",
    )


def _summary(record: CharacterRecord) -> dict[str, Any]:
    shown = record.portrait
    return {
        "character_id": record.id,
        "name": record.name,
        "version": record.version,
        "description": record.description,
        "thumbnail": f"{PREFIX}/files/{shown}/thumbnail" if shown is not None else None,
        "created_at": iso_time(record.created_at),
        "updated_at": iso_time(record.updated_at),
    }


def render_character(saved: SavedCharacter) -> responses.CharacterAnswer:
    record, version = saved.record, saved.version
    return responses.CharacterAnswer.model_validate(
        {
            **_summary(record),
            **content_values(saved.content),
            "version": version.number,
            "newest_version": record.version,
            "updated_at": iso_time(version.created_at),
        }
    )


ENDPOINTS = (
    Endpoint(
        "POST",
        "/characters",
        create,
        "Save a character",
        "characters",
        answer=responses.CharacterAnswer,
        body=character_requests.CharacterBody,
        limits=LIMITS,
        refusals=SAVING,
    ),
    Endpoint(
        "GET",
        "/characters",
        list_page,
        "List characters, newest first",
        "characters",
        answer=responses.CharactersAnswer,
        query=character_requests.CharactersQuery,
    ),
    Endpoint(
        "GET",
        "/characters/{character_id}",
        get,
        "A character, in its newest version or an older one",
        "characters",
        answer=responses.CharacterAnswer,
        query=character_requests.CharacterQuery,
        refusals=(404,),
    ),
    Endpoint(
        "GET",
        "/characters/{character_id}/versions",
        list_versions,
        "The versions of a character, newest first",
        "characters",
        answer=responses.CharacterVersionsAnswer,
        query=character_requests.VersionsQuery,
        refusals=(404,),
    ),
    Endpoint(
        "PATCH",
        "/characters/{character_id}",
        change,
        "Save a new version of a character, with some fields changed",
        "characters",
        answer=responses.CharacterAnswer,
        body=character_requests.CharacterChangesBody,
        limits=LIMITS,
        headers=HEADERS,
        refusals=(*SAVING, 412),
    ),
    Endpoint(
        "DELETE",
        "/characters/{character_id}",
        delete,
        "Delete a character; generations that show it keep working",
        "characters",
        answer=responses.CharacterDeletedAnswer,
        refusals=(404,),
    ),
    Endpoint(
        "POST",
        "/characters/{character_id}/expressions",
        redraw_expressions,
        "Redraw only the face of a finished picture, once for each expression",
        "characters",
        answer=responses.GenerationAnswer,
        body=character_requests.RedrawBody,
        headers=IDEMPOTENT,
        refusals=(*SAVING, 400, 507),
    ),
    Endpoint(
        "POST",
        "/generations/{generation_id}/character",
        make_of_generation,
        "Save a character of a completed generation: its pictures become references",
        "characters",
        answer=responses.CharacterAnswer,
        body=character_requests.CharacterOfGenerationBody,
        limits=LIMITS,
        refusals=(*SAVING, 400, 507),
    ),
)
