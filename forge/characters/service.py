"""Characters as users know them: create, change, list, get, delete, and use in a generation."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection

from ...db import characters as queries
from ...db import files as file_queries
from ...db import row_counts
from ...db.engine import Database
from ...db.records import CharacterRecord, CharacterVersionRecord, FileRecord
from ..errors import ConflictError, NotFoundError, PreconditionFailedError, UnprocessableError
from ..ids import canonical_id, is_id
from ..settings import Settings
from ..spec.character_content import LONGEST_NAME, CharacterContent
from ..spec.request import AvatarRequest
from ..store.files import FileStore, lost_bytes, unknown_file
from ..store.inspect import JSON_TYPE
from ..store.listing import read_cursor, read_number_cursor
from ..store.versioned_cache import VersionedCache
from .content import change_content, make_content
from .saved import CharacterPage, SavedCharacter, VersionPage
from .use import FilledRequest, check_expression, fill_request

__all__ = ["CharacterRecord", "CharacterService"]

log = logging.getLogger("avatarforge")

PAGES = 32  # cached pages of the list, about 30 KB each
#: What to do where a character is missing.
HOW_TO_SAVE = (
    "POST /characters saves one, and POST /generations/{id}/character makes one of a finished generation. "
    "GET /characters lists those that are saved."
)


class CharacterService:
    """What routes and generations do with characters. Every method raises the errors of `forge.errors`.

    Models, LoRAs and templates that a character names are checked when it is used, because they come and go.
    """

    def __init__(self, settings: Settings, database: Database, files: FileStore) -> None:
        self._settings = settings
        self._database = database
        self._files = files
        self._pages = VersionedCache(database, database.changes.characters, PAGES)

    async def create(self, values: Mapping[str, Any]) -> SavedCharacter:
        """Save a new character from the values of its fields. Raises UnprocessableError, NotFoundError for an
        unknown file, and ConflictError if the name is taken or too many are saved."""
        saved = await self._database.write(
            partial(
                _create,
                character_id=str(uuid.uuid4()),
                content=make_content(values),
                limit=self._settings.max_characters,
                now=self._database.now(),
            )
        )
        log.info("AvatarForge: character %s saved", saved.record.id)
        return saved

    async def change(
        self, character_id: str, values: Mapping[str, Any], *, expected: int | None = None
    ) -> SavedCharacter:
        """Save a new version with some fields changed; None clears a field. `expected` is the version that
        the character must have; None: any. Raises what `create` raises, and PreconditionFailedError."""
        now, keep = self._database.now(), self._settings.max_character_versions
        saved: list[SavedCharacter] = []

        def write(connection: Connection) -> list[FileRecord]:
            before = get_saved(connection, character_id, None)
            _require_version(before.record, expected)
            after, released = _change(connection, before, values, now=now, keep=keep)
            saved.append(after)
            return released

        await self._files.release(write, entries=())
        log.info("AvatarForge: character %s has version %s", character_id, saved[-1].record.version)
        return saved[-1]

    async def get(self, character_id: str, version: int | None = None) -> SavedCharacter:
        """A character with a version of it, the newest if that is None. Raises NotFoundError."""
        return await self._database.read(partial(get_saved, character_id=character_id, number=version))

    async def page(self, *, limit: int, cursor: str | None, text: str | None) -> CharacterPage:
        """Newest first. `text` is searched in names and the beginnings of descriptions. `cursor` is the
        `next_cursor` of the page before."""
        read = partial(_read_page, limit=limit, before=read_cursor(cursor), text=text)
        return await self._pages.read((limit, cursor, text), read)

    async def versions(self, character_id: str, *, limit: int, cursor: str | None) -> VersionPage:
        """The versions of a character, newest first. Raises NotFoundError."""
        before = read_number_cursor(cursor, 9)

        def read(connection: Connection) -> tuple[int, list[CharacterVersionRecord]]:
            if queries.get(connection, character_id) is None:
                raise unknown_character(character_id)
            return queries.versions(connection, character_id, limit=limit + 1, before=before)

        total, records = await self._database.read(read)
        next_cursor = str(records[limit - 1].number) if len(records) > limit else None
        return VersionPage(total, tuple(records[:limit]), next_cursor)

    async def delete(self, character_id: str) -> None:
        """Delete a character. Generations that show it can still be made again. Raises NotFoundError."""
        now = self._database.now()

        def write(connection: Connection) -> list[FileRecord]:
            if queries.get(connection, character_id) is None:
                raise unknown_character(character_id)
            return queries.remove(connection, character_id, now)

        await self._files.release(write, entries=())
        log.info("AvatarForge: character %s deleted", character_id)

    async def find(self, character_id: str, number: int | None) -> CharacterVersionRecord:
        """The version for a request, the newest if `number` is None: one read. Raises NotFoundError."""

        def read(connection: Connection) -> CharacterVersionRecord:
            version = queries.version_for_use(connection, character_id, number)
            return version or get_saved(connection, character_id, number).version

        return await self._database.read(read)

    def locate(self, reference: str, number: int | None) -> CharacterVersionRecord:
        """A version, the newest if `number` is None, by the id or name of its character. Blocks: for nodes,
        which run in ComfyUI's worker thread.

        By id and number, a version of a deleted character is found too, which a generation may still use.
        Raises NotFoundError, and UnprocessableError without a name.
        """
        return self._database.read_here(partial(_locate, reference=reference.strip(), number=number))

    def fill_here(self, reference: str, number: int | None, request: AvatarRequest) -> FilledRequest:
        """A request for one picture with what such a version adds. Blocks, like `locate`. Raises what that
        raises, and UnprocessableError for what does not fit the character."""
        filled = fill_request(request, self.locate(reference, number), "avatar", None, None)
        check_expression(filled)
        return filled


def unknown_character(character_id: str) -> NotFoundError:
    return NotFoundError(
        f"No character {character_id} exists. GET /characters lists them.", code="character_not_found"
    )


def _locate(connection: Connection, reference: str, number: int | None) -> CharacterVersionRecord:
    if not reference:
        raise UnprocessableError(
            f"Enter the name or the id of a saved character. {HOW_TO_SAVE}", ("character",)
        )
    by_id = canonical_id(reference) if is_id(reference) else None
    if by_id is not None and number is not None:
        used = queries.version(connection, by_id, number)
        if used is not None:
            return used
    record = queries.get(connection, by_id) if by_id is not None else None
    record = record or queries.by_name(connection, reference)
    if record is None:
        raise NotFoundError(
            f"No character {reference[:LONGEST_NAME]!r} is saved. {HOW_TO_SAVE}", code="character_not_found"
        )
    return get_saved(connection, record.id, number).version


def _read_page(
    connection: Connection, *, limit: int, before: tuple[int, str] | None, text: str | None
) -> CharacterPage:
    total, records = queries.page(connection, limit=limit + 1, before=before, text=text)
    last = records[limit - 1] if len(records) > limit else None
    next_cursor = f"{last.created_at}-{last.id}" if last else None
    return CharacterPage(total, tuple(records[:limit]), next_cursor)


def get_saved(connection: Connection, character_id: str, number: int | None) -> SavedCharacter:
    """A character with a version of it, the newest if `number` is None. Raises NotFoundError."""
    record = queries.get(connection, character_id)
    if record is None:
        raise unknown_character(character_id)
    wanted = record.version if number is None else number
    version = queries.version(connection, character_id, wanted)
    if version is None:
        raise NotFoundError(
            f"The character {record.name!r} has no version {wanted}. GET /characters/{{id}}/versions lists "
            "those that it has.",
            code="character_version_not_found",
        )
    return SavedCharacter(record, version)


def _create(
    connection: Connection, character_id: str, content: CharacterContent, limit: int, now: int
) -> SavedCharacter:
    require_free_name(connection, content.name, None)
    require_room(connection, limit)
    use_files(connection, content, now)
    record, version = character_rows(character_id, content, 1, created_at=now, now=now)
    queries.add(connection, record, version, content.file_ids)
    return get_saved(connection, character_id, None)


def _change(
    connection: Connection, before: SavedCharacter, values: Mapping[str, Any], *, now: int, keep: int
) -> tuple[SavedCharacter, list[FileRecord]]:
    content = change_content(before.content, values)
    require_free_name(connection, content.name, before.record.id)
    use_files(connection, content, now)
    number = before.record.version + 1
    created_at = before.record.created_at
    record, version = character_rows(before.record.id, content, number, created_at=created_at, now=now)
    released = queries.replace(connection, record, version, content.file_ids, keep)
    return get_saved(connection, record.id, None), released


def character_rows(
    character_id: str, content: CharacterContent, number: int, *, created_at: int, now: int
) -> tuple[CharacterRecord, CharacterVersionRecord]:
    """The rows of a character whose newest version is this one."""
    record = CharacterRecord(
        character_id, content.name, number, content.description, content.portrait, created_at, now
    )
    return record, CharacterVersionRecord(character_id, number, content.to_json(), now)


def use_files(connection: Connection, content: CharacterContent, now: int) -> None:
    """Raises NotFoundError for an unknown, deleted or lost file, and UnprocessableError for one that is no
    picture. The clean-up counts their time from now."""
    named = [(item.file_id, ("references", index)) for index, item in enumerate(content.references)]
    named += [
        (outfit.file_id, ("outfits", index))
        for index, outfit in enumerate(content.outfits)
        if outfit.file_id is not None
    ]
    if not named:
        return
    known = file_queries.live_ones(connection, content.file_ids)
    for file_id, (field, index) in named:
        record = known.get(file_id)
        if record is None:
            raise unknown_file(file_id)
        if record.lost_at is not None:
            raise lost_bytes(file_id)
        if record.mime_type == JSON_TYPE:
            raise UnprocessableError(
                f"The file {file_id} is a pose in JSON; {field} must name a PNG, JPEG or WEBP picture.",
                ("body", field, index, "file_id"),
                code="picture_required",
            )
    file_queries.touch(connection, content.file_ids, now)


def require_free_name(connection: Connection, name: str, character_id: str | None) -> None:
    """Raises ConflictError if another character has the name."""
    taken = queries.by_name(connection, name)
    if taken is not None and taken.id != character_id:
        raise ConflictError(
            f"A character {name!r} exists. Change it with PATCH /characters/{{id}}, or choose another name.",
            code="character_exists",
            parameters={"name": name},
        )


def require_room(connection: Connection, limit: int) -> None:
    """Raises ConflictError if no further character can be saved."""
    if row_counts.listed_characters(connection) >= limit:
        raise ConflictError(
            f"{limit} characters are saved, which is the limit (MAX_CHARACTERS). Delete one first.",
            code="too_many_characters",
            parameters={"limit": limit},
        )


def _require_version(record: CharacterRecord, expected: int | None) -> None:
    if expected is not None and record.version != expected:
        raise PreconditionFailedError(
            f"The character has version {record.version} now, not {expected}. Get it again."
        )
