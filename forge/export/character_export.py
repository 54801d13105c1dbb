"""Makes the file of a character: everything that another AvatarForge needs to make its pictures."""

from __future__ import annotations

import hashlib
import unicodedata
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection

from ...db import characters as queries
from ...db import files as file_queries
from ...db import pose_library as pose_queries
from ...db import templates as template_queries
from ...db.engine import Database
from ...db.records import CharacterVersionRecord, FileRecord, LibraryPoseRecord, TemplateRecord
from ..characters.content import content_values
from ..characters.service import unknown_character
from ..errors import TooLargeError
from ..ids import canonical_id, is_id
from ..pictures.library.builtin import builtin_pose
from ..settings import Settings
from ..store.disk import open_to_read
from ..store.files import FileStore, lost_bytes, unknown_file
from ..store.spool import Spool
from ..strict_json import InvalidJson, read_json
from ..workers import Slots, Workers
from .archive import MOST_MEMBERS, PIECE, ArchiveWriter, NewMember, archive_size
from .manifest import (
    DEPTH,
    FORMAT,
    FORMAT_VERSION,
    LARGEST,
    MANIFEST,
    MOST_FILES,
    MOST_POSES,
    MOST_VALUES,
    Manifest,
    ManifestFile,
    ManifestPose,
    ManifestTemplate,
    ManifestVersion,
    manifest_bytes,
    written_time,
)

Versions = Literal["all", "newest"]
NO_NOTE = (
    "No licence is stated. To share this file you need the right to share its pictures; to use it, the right "
    "to use them and the models that it names."
)
#: Each copies up to MAX_CHARACTER_FILE_SIZE bytes.
AT_ONCE = 2
WAITING = 32
_LONGEST_STEM = 60  # characters of a name in the name of the file


@dataclass(frozen=True)
class Export:
    """A file that can be made. `tag` identifies its bytes."""

    filename: str
    tag: str
    manifest: bytes
    files: tuple[FileRecord, ...]


@dataclass(frozen=True)
class _Found:
    """The rows of which a file is made."""

    versions: Sequence[CharacterVersionRecord]
    files: Sequence[FileRecord]
    poses: Sequence[LibraryPoseRecord]
    templates: Sequence[TemplateRecord]


class CharacterExporter:
    """What routes do to export a character. Every method raises the errors of `forge.errors`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        files: FileStore,
        spool: Spool,
        workers: Workers,
        *,
        exported_by: str,
    ) -> None:
        self._exported_by = exported_by
        self._most_bytes = settings.max_character_file_size
        self._database = database
        self._files = files
        self._spool = spool
        self._workers = workers
        self._slots = Slots(AT_ONCE, WAITING)

    async def prepare(self, character_id: str, versions: Versions, note: str | None) -> Export:
        """What the file will be. Raises NotFoundError, also for a picture whose bytes are lost, and
        TooLargeError."""
        found = await self._database.read(partial(_find, character_id=character_id, which=versions))
        return await self._workers.check(self._describe, character_id, found, note)

    @asynccontextmanager
    async def make(self, export: Export) -> AsyncIterator[Path]:
        """The file, as long as the context is open. Raises NotFoundError, StorageFullError, BusyError."""
        async with self._slots.take(), self._spool.make(partial(self._pieces, export)) as path:
            yield path

    def _describe(self, character_id: str, found: _Found, note: str | None) -> Export:
        manifest = Manifest(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            exported_by=self._exported_by,
            licence_note=note or NO_NOTE,
            character_id=character_id,
            versions=[
                ManifestVersion(
                    version=version.number,
                    created_at=written_time(version.created_at),
                    content=content_values(version.content),
                )
                for version in found.versions
            ],
            files=[
                ManifestFile(
                    file_id=record.id,
                    sha256=record.content_hash,
                    size=record.size,
                    filename=record.filename,
                    member=_member(record),
                )
                for record in found.files
            ],
            poses=[
                ManifestPose(pose_id=pose.id, name=pose.name, file_id=pose.file_id) for pose in found.poses
            ],
            templates=[
                ManifestTemplate(template_id=template.id, name=template.name) for template in found.templates
            ],
        )
        raw = manifest_bytes(manifest)
        self._check_size(raw, found)
        name = found.versions[-1].content.name
        return Export(f"{_stem(name)}.zip", hashlib.sha256(raw).hexdigest(), raw, tuple(found.files))

    def _check_size(self, raw: bytes, found: _Found) -> None:
        """What is exported can be imported by the same limits."""
        members = [NewMember(MANIFEST, len(raw), 0)]
        members += [NewMember(_member(record), record.size, 0) for record in found.files]
        size = archive_size(members)
        if size > self._most_bytes:
            raise _too_large(f"would have {size} bytes, and MAX_CHARACTER_FILE_SIZE is {self._most_bytes}")
        if len(members) > min(MOST_MEMBERS, MOST_FILES) or len(found.poses) > MOST_POSES:
            raise _too_large(f"would name more than {MOST_FILES} files or {MOST_POSES} poses")
        try:
            if len(raw) > LARGEST:
                raise InvalidJson("It is too long.")
            read_json(raw, max_depth=DEPTH, max_values=MOST_VALUES)
        except InvalidJson as error:
            raise _too_large("would have too many versions for one file") from error

    def _pieces(self, export: Export) -> Iterator[bytes]:
        """The bytes of the archive. Blocks. Raises NotFoundError for a picture whose bytes were altered."""
        archive = ArchiveWriter()
        yield archive.add(MANIFEST, len(export.manifest), zlib.crc32(export.manifest))
        yield export.manifest
        for record in export.files:
            path = self._files.path(record)
            yield archive.add(_member(record), record.size, _checked_crc(path, record))
            yield from _read(path, record)
        yield archive.end()


def _find(connection: Connection, character_id: str, which: Versions) -> _Found:
    record = queries.get(connection, character_id)
    if record is None:
        raise unknown_character(character_id)
    versions = queries.all_versions(connection, character_id)
    if which == "newest":
        versions = [version for version in versions if version.number == record.version]
    contents = [version.content for version in versions]
    poses = _poses(connection, (content.defaults.get("pose_id") for content in contents))
    ids = [file_id for content in contents for file_id in content.file_ids]
    ids += [pose.file_id for pose in poses]
    # Also files that were deleted: they stay for the character that has them.
    stored = file_queries.get_many(connection, list(dict.fromkeys(ids)))
    for file_id in ids:
        if file_id not in stored:
            raise unknown_file(file_id)
        if stored[file_id].lost_at is not None:
            raise lost_bytes(file_id)
    named = {content.template for content in contents if content.template is not None}
    templates = [template_queries.get(connection, canonical_id(name)) for name in named if is_id(name)]
    return _Found(
        versions,
        sorted(stored.values(), key=lambda file: file.content_hash),
        poses,
        sorted((template for template in templates if template), key=lambda template: template.id),
    )


def _poses(connection: Connection, names: Iterable[str | None]) -> list[LibraryPoseRecord]:
    """The saved poses that these are the ids or names of. One that is gone is left out, as models are."""
    found = {}
    for name in dict.fromkeys(names):
        if name is None or builtin_pose(name) is not None:
            continue
        pose = pose_queries.get(connection, canonical_id(name)) if is_id(name) else None
        pose = pose or pose_queries.by_name(connection, name.strip())
        if pose is not None:
            found[pose.id] = pose
    return sorted(found.values(), key=lambda pose: pose.id)


def _member(record: FileRecord) -> str:
    return f"files/{record.content_hash}.{record.extension}"


def _checked_crc(path: Path, record: FileRecord) -> int:
    """The CRC-32 of stored bytes. Raises NotFoundError if they are not those that were stored."""
    crc, content = 0, hashlib.sha256()
    for piece in _read(path, record):
        crc = zlib.crc32(piece, crc)
        content.update(piece)
    if content.hexdigest() != record.content_hash:
        raise lost_bytes(record.id)
    return crc


def _read(path: Path, record: FileRecord) -> Iterator[bytes]:
    try:
        with open_to_read(path) as file:
            while piece := file.read(PIECE):
                yield piece
    except OSError as error:
        raise lost_bytes(record.id) from error


def _stem(name: str) -> str:
    """The name of the file: letters and digits of the character's name, whatever the script."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in unicodedata.normalize("NFC", name))
    return "-".join(part for part in kept.split("-") if part)[:_LONGEST_STEM].strip("-") or "character"


def _too_large(reason: str) -> TooLargeError:
    return TooLargeError(
        f"The file of this character {reason}. Export its newest version alone, with versions=newest.",
        code="character_file_too_large",
    )
