"""Resolves the pictures of a request to stored files, and checks them again before a re-roll or a retry."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from ...db import files as file_queries
from ...db import poses as pose_queries
from ...db.engine import Database
from ...db.records import FileRecord
from ..errors import ConflictError, NotFoundError, UnprocessableError
from ..poses.service import PoseLibrary
from ..spec.avatar import AvatarSpec
from ..spec.pose import LIBRARY_KIND
from ..spec.reference import REFERENCE_STRENGTH, RequestedReference
from ..spec.request import AvatarRequest
from ..store.files import FileStore, lost_bytes, unknown_file
from ..store.poses import require_picture
from .references import GivenReference
from .resolve import GivenPose, NamedPose
from .transactions import used_files


@dataclass(frozen=True)
class _InputFile:
    """A file, and the bone styles in which a skeleton extracted from it is stored."""

    record: FileRecord
    bone_styles: tuple[str, ...]


@dataclass(frozen=True)
class NamedReference:
    """A reference by its file id, and where the request names it: nowhere if it is of the character."""

    wanted: RequestedReference
    field: tuple[str | int, ...] | None

    def given(self, record: FileRecord) -> GivenReference:
        wanted = self.wanted
        given = GivenReference(record, wanted.role, wanted.strength, wanted.view)
        if self.field is None:
            return replace(given, from_character=True)
        return replace(given, field=self.field)


@dataclass(frozen=True)
class InputNames:
    """The ids of the pictures of a request. `library_pose` is the id or name of a pose of the library."""

    pose_id: str | None
    library_pose: str | None
    references: tuple[NamedReference, ...]


class GivenFiles:
    """The files of one or more requests as read, and their poses that were found so far."""

    def __init__(self, found: Mapping[str, _InputFile]) -> None:
        self._found = found
        self.poses: dict[str, GivenPose] = {}
        self.library: dict[str, GivenPose] = {}

    def require(self, file_id: str, where: str = "") -> _InputFile:
        """Raises NotFoundError for an unknown, deleted or lost file; `where` is put before its message."""
        file = self._found.get(file_id)
        if file is None or file.record.deleted_at is not None:
            error = unknown_file(file_id)
            raise NotFoundError(where + error.detail, code=error.code) if where else error
        if file.record.lost_at is not None:
            raise lost_bytes(file_id)
        return file

    def reference(self, item: NamedReference) -> GivenReference:
        """The reference with its file. Raises what `Inputs.given` raises."""
        if item.field is None:
            record = self._require_of_character(item.wanted.file_id)
            require_picture(record, "character_id")
            return item.given(record)
        in_list = "" if len(item.field) == 1 else f"references[{item.field[1]}]: "
        record = self.require(item.wanted.file_id, in_list).record
        require_picture(record, *item.field, *(["file_id"] if in_list else []))
        return item.given(record)

    def _require_of_character(self, file_id: str) -> FileRecord:
        """A file that was deleted stays for the characters that have it, unless that was forced."""
        file = self._found.get(file_id)
        if file is None:
            raise ConflictError(
                f"The character uses file {file_id}, which was deleted. Upload it again.",
                code="input_file_deleted",
            )
        if file.record.lost_at is not None:
            raise lost_bytes(file_id)
        return file.record


class Inputs:
    def __init__(self, database: Database, files: FileStore, poses: PoseLibrary) -> None:
        self._database = database
        self._files = files
        self._poses = poses

    async def resolve(
        self,
        request: AvatarRequest,
        undo: AsyncExitStack,
        character_references: Sequence[RequestedReference] = (),
    ) -> tuple[GivenPose | None, tuple[GivenReference, ...]]:
        """The pose and the references of a request, and those of its character that it does not name itself.
        A pose may also be one of the library. Stores base64 pictures, and adds their withdrawal to `undo`.

        Raises UnprocessableError, NotFoundError, ConflictError if a picture of the character is gone, and
        what receiving a file raises.
        """
        names = await self.name(request, undo, character_references)
        return await self.given(names, await self.read([names]))

    async def name(
        self,
        request: AvatarRequest,
        undo: AsyncExitStack,
        character_references: Sequence[RequestedReference] = (),
    ) -> InputNames:
        """What pictures a request names. Stores base64 pictures, and adds their withdrawal to `undo`. Raises
        UnprocessableError and what receiving a file raises."""
        _check_references(request)
        _check_library_pose(request)
        pose_id = await self._id_of("pose", request.pose_file_id, request.pose_image, undo)
        reference_id = await self._id_of(
            "reference", request.reference_file_id, request.reference_image, undo
        )
        named = _named_references(request, reference_id, character_references)
        return InputNames(pose_id, request.pose_id, named)

    async def read(self, names: Collection[InputNames]) -> GivenFiles:
        """Read the files that requests name, in one read however many there are."""
        poses = {item.pose_id for item in names if item.pose_id is not None}
        others = {reference.wanted.file_id for item in names for reference in item.references}
        if not poses and not others:
            return GivenFiles({})
        return GivenFiles(await self._database.read(partial(_read_files, poses=poses, others=others)))

    async def given(
        self, names: InputNames, files: GivenFiles
    ) -> tuple[GivenPose | None, tuple[GivenReference, ...]]:
        """The pose and the references that a request names, with their files. The kind of a pose is detected
        once for each of `files`.

        Raises NotFoundError for an unknown, deleted or lost file, UnprocessableError for a reference that is
        no picture, and ConflictError if a picture of the character is gone.
        """
        pose_file = files.require(names.pose_id) if names.pose_id is not None else None
        references = tuple(files.reference(item) for item in names.references)
        if pose_file is not None:
            key = pose_file.record.id
            if key not in files.poses:
                files.poses[key] = await self._recognise(pose_file)
            return files.poses[key], references
        if names.library_pose is None:
            return None, references
        if names.library_pose not in files.library:
            files.library[names.library_pose] = await self._library_pose(names.library_pose)
        return files.library[names.library_pose], references

    async def _library_pose(self, name: str) -> GivenPose:
        """The pose of the library with this id or name. Raises NotFoundError."""
        found = await self._poses.find(name)
        # In a thread, because a built-in pose is drawn to get its hash.
        file = await asyncio.to_thread(found.pose_file)
        return GivenPose(found.file, LIBRARY_KIND, {}, NamedPose(found.entry.id, found.entry.name, file))

    async def _id_of(
        self, role: str, file_id: str | None, text: str | None, undo: AsyncExitStack
    ) -> str | None:
        if file_id is not None and text is not None:
            raise UnprocessableError(
                f"Give {role}_file_id or {role}_image, not both.",
                ("body", f"{role}_image"),
                code="conflicting_fields",
                parameters={"field": f"{role}_image", "other": f"{role}_file_id"},
            )
        if text is None:
            return file_id
        pictures_only = role == "reference"
        received = await self._files.receive_base64(text, f"{role}.png", pictures_only=pictures_only)
        undo.push_async_callback(self._files.withdraw, received)
        return received.file.id

    async def _recognise(self, pose: _InputFile) -> GivenPose:
        """Detect the kind of a pose image, and find the skeletons that were extracted from it earlier."""
        skeletons = {}
        for style in pose.bone_styles:
            skeleton = await self._files.extracted_pose(pose.record.content_hash, style)
            if skeleton is not None:
                skeletons[style] = skeleton.id
        return GivenPose(pose.record, await self._files.pose_kind(pose.record), skeletons)

    async def check_present(self, spec: AvatarSpec) -> None:
        """Raises ConflictError if a picture of the spec has been deleted by force."""
        for file_id in used_files(spec).values():
            if await self._database.read(partial(file_queries.get_any, file_id=file_id)) is None:
                raise ConflictError(
                    f"This generation uses file {file_id}, which was deleted. Upload it again.",
                    code="input_file_deleted",
                )


def _check_references(request: AvatarRequest) -> None:
    """Raises UnprocessableError for a list next to its short form, and for a picture that it has twice."""
    if request.references is None:
        return
    for name in ("reference_file_id", "reference_image", "reference_strength"):
        if getattr(request, name) is not None:
            raise _conflict(f"Give references or {name}, not both.", (name,), "references")
    seen = set()
    for number, item in enumerate(request.references):
        if (item.file_id, item.role) in seen:
            raise _conflict(
                f"The file {item.file_id} is a reference of the role {item.role} twice: give it once, or in "
                "another role.",
                ("references", number, "file_id"),
                "references",
            )
        seen.add((item.file_id, item.role))


def _conflict(detail: str, field: tuple[str | int, ...], other: str) -> UnprocessableError:
    return UnprocessableError(
        detail,
        ("body", *field),
        code="conflicting_fields",
        parameters={"field": str(field[0]), "other": other},
    )


def _named_references(
    request: AvatarRequest, short: str | None, of_character: Sequence[RequestedReference]
) -> tuple[NamedReference, ...]:
    """The references of a request, then those of its character that it does not name itself. `short` is the
    file id of the short form."""
    named = [
        NamedReference(item, ("references", number)) for number, item in enumerate(request.references or ())
    ]
    if short is not None:
        strength = request.reference_strength
        whole = RequestedReference(short, strength=REFERENCE_STRENGTH if strength is None else strength)
        named.append(NamedReference(whole, ("reference_file_id",)))
    known = {(item.wanted.file_id, item.wanted.role) for item in named}
    for item in of_character:
        if (item.file_id, item.role) not in known:
            known.add((item.file_id, item.role))
            named.append(NamedReference(item, None))
    return tuple(named)


def _check_library_pose(request: AvatarRequest) -> None:
    """Raises UnprocessableError for a pose of the library next to another pose, and for fields that need
    it."""
    if request.pose_id is None:
        if request.pose_mirrored:
            raise UnprocessableError(
                "pose_mirrored is about a pose of the library: send pose_id, too.",
                ("body", "pose_mirrored"),
                code="field_not_applicable",
                parameters={"field": "pose_mirrored"},
            )
        return
    for name in ("pose_file_id", "pose_image"):
        if getattr(request, name) is not None:
            raise UnprocessableError(
                f"Give pose_id or {name}, not both.",
                ("body", "pose_id"),
                code="conflicting_fields",
                parameters={"field": "pose_id", "other": name},
            )


def _read_files(connection: Connection, poses: set[str], others: set[str]) -> dict[str, _InputFile]:
    """Those of the files that exist, by id, soft-deleted ones too."""
    records = file_queries.get_many(connection, sorted(poses | others))
    return {
        file_id: _InputFile(
            record, pose_queries.styles_kept(connection, record.content_hash) if file_id in poses else ()
        )
        for file_id, record in records.items()
    }
