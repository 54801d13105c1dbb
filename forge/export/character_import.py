"""Receives the file of a character and restores it. A file comes from a stranger: nothing in it is
trusted."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from ...db import pose_library, templates
from ...db.engine import Database
from ...db.records import FileRecord
from ..errors import RejectedUploadError, TooLargeError, UnprocessableError
from ..families import FAMILIES
from ..ids import canonical_id, is_id
from ..model_names import find_model
from ..pictures.library.builtin import builtin_pose
from ..ports import Host
from ..poses.entry import drawing_of
from ..poses.reading import read_stored
from ..settings import Settings
from ..store.files import FileStore
from ..store.spool import Spool
from ..workers import Slots, Workers
from .archive import ArchiveReader, InvalidArchive
from .character_export import AT_ONCE, WAITING
from .imported_poses import StoredPose
from .manifest import (
    LARGEST,
    MANIFEST,
    Manifest,
    ManifestFile,
    ReadContent,
    ReadVersion,
    read_manifest,
    refuse,
)
from .omnichar import read_omnichar
from .restore import (
    ImportOptions,
    Limits,
    Outcome,
    ReadCharacter,
    Restored,
    StoredParts,
    check_conflicts,
    restore,
)

__all__ = ["CharacterImporter", "ImportOptions", "ImportedCharacter", "Missing", "Outcome"]

log = logging.getLogger("avatarforge")

#: The bytes of a member, by its name. Blocks. Raises InvalidArchive.
Pieces = Callable[[str], Iterator[bytes]]


@dataclass(frozen=True)
class Missing:
    """What a version names and is not installed or saved here. `kind` is the field that names it."""

    kind: str
    name: str


@dataclass(frozen=True)
class ImportedCharacter:
    """The character, and what came with it. `files_added` are contents that were not stored before."""

    restored: Restored
    files_added: int
    missing: tuple[Missing, ...]
    exported_by: str
    licence_note: str


@dataclass(frozen=True)
class _Opened:
    """A file that was read: its manifest, the versions to keep, the files that these need, and the bytes of
    its members. `loras` are in it, too, and are not stored."""

    pieces: Pieces
    manifest: Manifest
    versions: tuple[ReadVersion, ...]
    files: tuple[ManifestFile, ...]
    loras: tuple[str, ...] = ()


class CharacterImporter:
    """What routes do to import a character. Every method raises the errors of `forge.errors`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        files: FileStore,
        spool: Spool,
        workers: Workers,
        host: Host,
    ) -> None:
        self._most_bytes = settings.max_character_file_size
        self._limits = Limits(
            settings.max_characters, settings.max_character_versions, settings.max_library_poses
        )
        self._database = database
        self._files = files
        self._spool = spool
        self._workers = workers
        self._host = host
        self._slots = Slots(AT_ONCE, WAITING)

    async def receive(
        self, chunks: AsyncIterator[bytes], options: ImportOptions, read_content: ReadContent
    ) -> ImportedCharacter:
        """Restore the character of a file. An error leaves nothing behind.

        Raises TooLargeError, RejectedUploadError, ConflictError, StorageFullError, BusyError,
        UnavailableError, and UnprocessableError for options that contradict each other.
        """
        if options.as_copy and options.replace:
            raise UnprocessableError(
                "as_copy and replace contradict each other: send one of them.",
                ("query", "replace"),
                code="conflicting_fields",
                parameters={"field": "replace", "other": "as_copy"},
            )
        if options.name is not None and not options.name.strip():
            raise UnprocessableError("A character needs a name that is not only spaces.", ("query", "name"))
        too_large = TooLargeError(
            f"The file has more than {self._most_bytes} bytes, which is the limit (MAX_CHARACTER_FILE_SIZE).",
            code="character_file_too_large",
            parameters={"limit": self._most_bytes},
        )
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._slots.take())
            path = await stack.enter_async_context(self._spool.receive(chunks, self._most_bytes, too_large))
            file: BinaryIO = await self._workers.disk(path.open, "rb")
            stack.push_async_callback(self._workers.disk, file.close)
            if options.format == "omnichar":
                opened = await self._workers.decode(self._open_omnichar, path, file, read_content)
            else:
                opened = await self._workers.decode(self._open, file, read_content)
            return await self._restore(opened, options)

    def _open_omnichar(self, path: Path, file: BinaryIO, read_content: ReadContent) -> _Opened:
        character = read_omnichar(path, file, self._files.max_bytes, self._most_bytes)
        manifest, versions = read_manifest(character.manifest, read_content, self._limits.versions)
        return replace(_opened(character.pieces, manifest, versions), loras=character.loras)

    def _open(self, file: BinaryIO, read_content: ReadContent) -> _Opened:
        try:
            reader = ArchiveReader(file, self._most_bytes)
            if MANIFEST not in reader.members:
                raise refuse(f"It has no {MANIFEST}.")
            raw = reader.read(MANIFEST, LARGEST)
        except InvalidArchive as error:
            raise refuse(str(error)) from error
        manifest, versions = read_manifest(raw, read_content, self._limits.versions)
        expected = {MANIFEST, *(item.member for item in manifest.files)}
        if extra := sorted(reader.members.keys() - expected):
            raise refuse(f"{MANIFEST} does not name its member {extra[0]!r}.")
        for item in manifest.files:
            member = reader.members.get(item.member)
            if member is None or member.size != item.size:
                raise refuse(f"{item.member} is missing, or has another size than {MANIFEST} says.")
            if member.size > self._files.max_bytes:
                raise refuse(
                    f"{item.member} has {member.size} bytes; the limit is {self._files.max_bytes} "
                    "(MAX_FILE_SIZE)."
                )
        return _opened(reader.pieces, manifest, versions)

    async def _restore(self, opened: _Opened, options: ImportOptions) -> ImportedCharacter:
        manifest = opened.manifest
        character = ReadCharacter(manifest.character_id, opened.versions, tuple(manifest.poses))
        early = partial(check_conflicts, character=character, options=options, limits=self._limits)
        await self._database.read(early)
        results: list[Restored] = []
        async with AsyncExitStack() as undo:
            stored, added = await self._store_files(opened, undo)
            parts = await self._parts(manifest, stored)
            now = self._database.now()

            def write(connection: Connection) -> list[FileRecord]:
                restored, released = restore(connection, character, parts, options, self._limits, now)
                results.append(restored)
                return released

            await self._files.release(write, entries=())
            restored = results[-1]
            if restored.outcome == "unchanged":
                added = 0  # withdrawn
            else:
                undo.pop_all()
        log.info("AvatarForge: character %s imported: %s", restored.saved.record.id, restored.outcome)
        return ImportedCharacter(
            restored,
            added,
            await self._missing(restored, opened.loras),
            manifest.exported_by,
            manifest.licence_note,
        )

    async def _store_files(self, opened: _Opened, undo: AsyncExitStack) -> tuple[dict[str, FileRecord], int]:
        """(the file's file_id -> its file here, how many are new). `undo` withdraws the new ones."""
        stored, added = {}, 0
        for item in opened.files:
            try:
                received = await self._files.receive(
                    self._member(opened.pieces, item.member),
                    item.filename,
                    announced=item.sha256,
                    pictures_only=not item.member.endswith(".json"),
                    file_id=item.file_id,
                )
            except RejectedUploadError as error:
                raise refuse(f"{item.member}: {error}") from error
            undo.push_async_callback(self._files.withdraw, received)
            if f"{item.sha256}.{received.file.extension}" != item.member.removeprefix("files/"):
                raise refuse(f"{item.member} is a file of the type {received.file.mime_type}.")
            stored[item.file_id] = received.file
            added += not received.is_duplicate
        return stored, added

    async def _member(self, pieces: Pieces, name: str) -> AsyncIterator[bytes]:
        rest = pieces(name)
        try:
            while piece := await self._workers.disk(_next, rest):
                yield piece
        except InvalidArchive as error:
            raise refuse(str(error)) from error

    async def _parts(self, manifest: Manifest, stored: dict[str, FileRecord]) -> StoredParts:
        poses = {}
        for pose in manifest.poses:
            if (record := stored.get(pose.file_id)) is not None and pose.file_id not in poses:
                document = await self._workers.decode(read_stored, self._files.path(record), record.id)
                poses[pose.file_id] = StoredPose(record.id, drawing_of(document).to_json())
        return StoredParts({file_id: record.id for file_id, record in stored.items()}, poses)

    async def _missing(self, restored: Restored, loras: Sequence[str]) -> tuple[Missing, ...]:
        """What the newest version names and is not here: a request would say so. Also `loras`, which came
        along."""
        content = restored.saved.content
        installed = await self._host.installed_models(fresh=False)
        missing = []
        model = content.model
        if model is not None and not _is_drawn(model) and find_model(installed.models, model) is None:
            missing.append(Missing("model", model))
        if content.family is not None and content.family not in FAMILIES:
            missing.append(Missing("family", content.family))
        names = dict.fromkeys((*(lora.name for lora in content.loras), *loras))
        missing += [Missing("lora", name) for name in names if find_model(installed.loras, name) is None]
        pose = content.defaults.get("pose_id")
        return (*missing, *await self._database.read(partial(_unsaved, template=content.template, pose=pose)))


def _opened(pieces: Pieces, manifest: Manifest, versions: tuple[ReadVersion, ...]) -> _Opened:
    """Raises RejectedUploadError if a version names a file that is not there."""
    known = {item.file_id: item for item in manifest.files}
    used: dict[str, ManifestFile] = {}
    for version in versions:
        for file_id in sorted(version.file_ids):
            item = known.get(file_id)
            if item is None or item.member.endswith(".json"):
                raise refuse(
                    f"Version {version.number} names the picture {file_id[:64]!r}, which is not in it."
                )
            used[file_id] = item
    used.update({pose.file_id: known[pose.file_id] for pose in manifest.poses})
    return _Opened(pieces, manifest, versions, tuple(used.values()))


def _is_drawn(model: str) -> bool:
    """Whether it is the name of a family that needs no file."""
    names = (family.model for family in FAMILIES.values() if family.model)
    return model.strip().casefold() in {name.casefold() for name in names}


def _next(pieces: Iterator[bytes]) -> bytes:
    return next((piece for piece in pieces if piece), b"")


def _unsaved(connection: Connection, template: str | None, pose: str | None) -> list[Missing]:
    missing = []
    if template is not None:
        found = templates.get(connection, canonical_id(template)) if is_id(template) else None
        if found is None and templates.by_name(connection, template) is None:
            missing.append(Missing("template", template))
    if pose is not None and builtin_pose(pose) is None:
        saved = pose_library.get(connection, canonical_id(pose)) if is_id(pose) else None
        if saved is None and pose_library.by_name(connection, pose.strip()) is None:
            missing.append(Missing("pose", pose))
    return missing
