"""Decides what a character's file becomes here, and writes it: one transaction, all or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection

from ...db import characters as queries
from ...db.records import CharacterVersionRecord, FileRecord
from ..characters.content import content_values, make_content
from ..characters.saved import SavedCharacter
from ..characters.service import character_rows, get_saved, require_free_name, require_room, use_files
from ..errors import ConflictError, UnprocessableError
from ..spec.character_content import CharacterContent
from .imported_poses import PosePlan, StoredPose, add_poses, plan_poses
from .manifest import ManifestPose, ReadVersion, refuse

#: "created": with the id of the file. "copied": with a new id. "restored": it had been deleted here.
#: "replaced": the one that is here has a new version. "unchanged": it was here already.
Outcome = Literal["created", "copied", "restored", "replaced", "unchanged"]


@dataclass(frozen=True)
class ImportOptions:
    """What the client chose. `format` is that of the file. `name` is another name for the character.
    `as_copy` gives it a new id, and `replace` makes the file's newest version a new version of the character
    that has its id."""

    name: str | None = None
    as_copy: bool = False
    replace: bool = False
    format: Literal["avatarforge", "omnichar"] = "avatarforge"


@dataclass(frozen=True)
class Limits:
    characters: int
    versions: int
    poses: int


@dataclass(frozen=True)
class ReadCharacter:
    """A character as a file has it, checked."""

    character_id: str
    versions: tuple[ReadVersion, ...]
    poses: tuple[ManifestPose, ...]


@dataclass(frozen=True)
class StoredParts:
    """What of a file is stored here: the file's file_id -> that of its content here, and its poses."""

    file_ids: Mapping[str, str]
    poses: Mapping[str, StoredPose]


@dataclass(frozen=True)
class Restored:
    """The character as it is now. `poses_added` is the number of poses that the library did not have."""

    saved: SavedCharacter
    outcome: Outcome
    poses_added: int


def check_conflicts(
    connection: Connection, character: ReadCharacter, options: ImportOptions, limits: Limits
) -> None:
    """Refuse early what `restore` would refuse by names and limits. Raises ConflictError."""
    if options.as_copy or queries.find_any(connection, character.character_id) is None:
        name = options.name or character.versions[-1].values["name"]
        _require_free(connection, name, None)
        require_room(connection, limits.characters)


def restore(
    connection: Connection,
    character: ReadCharacter,
    parts: StoredParts,
    options: ImportOptions,
    limits: Limits,
    now: int,
) -> tuple[Restored, list[FileRecord]]:
    """Save a character of a file, whose pictures are stored. Returns files that are released by that, too.
    Raises ConflictError, RejectedUploadError."""
    plan = plan_poses(connection, character.poses, parts.poses, now)
    contents = {version.number: _content(version, parts.file_ids, plan) for version in character.versions}
    times = {version.number: min(version.created_at, now) for version in character.versions}
    newest = max(contents)
    present = None if options.as_copy else queries.find_any(connection, character.character_id)
    character_id = str(uuid.uuid4()) if options.as_copy else character.character_id
    added = dict(contents)
    outcome: Outcome = "copied" if options.as_copy else "created"
    if present is not None:
        highest, deleted = present
        stored = {item.number: item.content for item in queries.all_versions(connection, character_id)}
        agrees = _agree(stored, contents)
        if not deleted and agrees and newest in stored:
            return Restored(get_saved(connection, character_id, None), "unchanged", 0), []
        if deleted and agrees and max(stored, default=0) <= newest:
            outcome, added = "restored", {n: item for n, item in contents.items() if n not in stored}
        elif not options.replace:
            raise _differs(character_id, deleted=deleted)
        elif not deleted and _same(stored[highest], _renamed(contents[newest], options.name)):
            return Restored(get_saved(connection, character_id, None), "unchanged", 0), []
        else:
            outcome = "replaced"
            added = {highest + 1: _renamed(contents[newest], options.name)}
            times[highest + 1] = now
    if outcome != "replaced" and options.name not in (None, contents[newest].name):
        # The versions of the file stay as they are: the new name is a version of its own.
        added[newest + 1] = _renamed(contents[newest], options.name)
        times[newest + 1] = now
    if present is None or present[1]:
        require_room(connection, limits.characters)
    add_poses(connection, plan, limits.poses)
    released = _save(connection, character_id, {**contents, **added}, added, times, limits.versions, now)
    return Restored(get_saved(connection, character_id, None), outcome, len(plan.added)), released


def _save(
    connection: Connection,
    character_id: str,
    contents: Mapping[int, CharacterContent],
    added: Mapping[int, CharacterContent],
    times: Mapping[int, int],
    keep: int,
    now: int,
) -> list[FileRecord]:
    number = max(added, default=max(contents))
    _require_free(connection, contents[number].name, character_id)
    rows: list[tuple[CharacterVersionRecord, Sequence[str]]] = []
    for version, content in sorted(added.items()):
        use_files(connection, content, now)
        row = CharacterVersionRecord(character_id, version, content.to_json(), times[version])
        rows.append((row, content.file_ids))
    record, _ = character_rows(character_id, contents[number], number, created_at=now, now=now)
    return queries.restore(connection, record, rows, keep)


def _content(version: ReadVersion, file_ids: Mapping[str, str], plan: PosePlan) -> CharacterContent:
    """The content with the ids that files and poses have here. Raises RejectedUploadError."""
    values: dict[str, Any] = dict(version.values)
    for name in ("references", "outfits"):
        values[name] = [
            {**item, "file_id": file_ids[item["file_id"]]} if item.get("file_id") is not None else item
            for item in values.get(name) or ()
        ]
    if version.pose is not None:
        values["defaults"] = {**values["defaults"], "pose_id": plan.value(version.pose)}
    try:
        return make_content(values)
    except UnprocessableError as error:
        raise refuse(f"Version {version.number}: {error}") from error


def _agree(stored: Mapping[int, CharacterContent], contents: Mapping[int, CharacterContent]) -> bool:
    return all(_same(stored[number], contents[number]) for number in stored.keys() & contents.keys())


def _same(one: CharacterContent, other: CharacterContent) -> bool:
    return content_values(one) == content_values(other)


def _renamed(content: CharacterContent, name: str | None) -> CharacterContent:
    return content if name is None else replace(content, name=name.strip())


def _differs(character_id: str, *, deleted: bool) -> ConflictError:
    kept = "it was deleted here, and generations keep others of it"
    state = kept if deleted else "it is here with others"
    return ConflictError(
        f"The versions of the character {character_id} differ: {state}. Send as_copy=true to save the file "
        "as another character, or replace=true to make its newest version a new version of this one.",
        code="character_differs",
        parameters={"character_id": character_id},
    )


def _require_free(connection: Connection, name: str, character_id: str | None) -> None:
    try:
        require_free_name(connection, name, character_id)
    except ConflictError as error:
        raise ConflictError(
            f"A character {name!r} exists. Choose another name with ?name=.",
            code="character_exists",
            parameters={"name": name},
        ) from error
