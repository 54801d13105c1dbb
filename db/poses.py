"""Queries on poses: their kind, and the skeletons that were extracted from photos.

A row of `extracted_poses` refers from a photo to its skeleton; while it exists, no clean-up deletes the
skeleton.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, exists, insert, or_, select, update

from .records import FileRecord
from .tables import (
    character_files,
    extracted_poses,
    files,
    generation_inputs,
    library_poses,
    template_files,
)

# Built once, because building the statement takes longer than running it.
_STYLES_KEPT = (
    select(extracted_poses.c.bones)
    .where(extracted_poses.c.source_hash == bindparam("source_hash"))
    .distinct()
    .order_by(extracted_poses.c.bones)
)


def set_kind(connection: Connection, file_id: str, kind: str) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(pose_kind=kind))


def skeleton_of(connection: Connection, source_hash: str, bones: str) -> FileRecord | None:
    """The stored skeleton of that content with bones of that style, from any extractor."""
    row = connection.execute(
        select(files)
        .join(extracted_poses, extracted_poses.c.file_id == files.c.id)
        .where(
            extracted_poses.c.source_hash == source_hash,
            extracted_poses.c.bones == bones,
            files.c.deleted_at.is_(None),
        )
        .order_by(extracted_poses.c.extractor)
        .limit(1)
    ).one_or_none()
    return FileRecord(**row._mapping) if row is not None else None


def styles_kept(connection: Connection, source_hash: str) -> tuple[str, ...]:
    """The bone styles of the stored skeletons of that content."""
    return tuple(connection.execute(_STYLES_KEPT, {"source_hash": source_hash}).scalars())


def link(connection: Connection, source_hash: str, extractor: str, bones: str, file_id: str) -> bool:
    """Link a skeleton to its source, replacing an earlier one. Returns False if either file is gone."""
    existing = connection.execute(
        select(exists().where(files.c.content_hash == source_hash), exists().where(files.c.id == file_id))
    ).one()
    if not all(existing):
        return False
    key = {"source_hash": source_hash, "extractor": extractor, "bones": bones}
    connection.execute(delete(extracted_poses).filter_by(**key))
    connection.execute(insert(extracted_poses).values(**key, file_id=file_id))
    return True


def take_skeletons(connection: Connection, sources: Sequence[FileRecord]) -> list[FileRecord]:
    """Delete and return the derived skeletons of files that are about to be deleted.

    Skeletons that a generation, a template, a character, the pose library or another source uses stay.
    """
    hashes = [source.content_hash for source in sources]
    links = select(extracted_poses.c.file_id).where(extracted_poses.c.source_hash.in_(hashes))
    linked = connection.execute(links).scalars().all()
    if not linked:
        return []
    used = or_(
        exists().where(generation_inputs.c.file_id == files.c.id),
        exists().where(template_files.c.file_id == files.c.id),
        exists().where(library_poses.c.file_id == files.c.id),
        exists().where(character_files.c.file_id == files.c.id),
    )
    elsewhere = exists().where(
        extracted_poses.c.file_id == files.c.id, extracted_poses.c.source_hash.not_in(hashes)
    )
    no_source = files.c.id.not_in([source.id for source in sources])
    query = select(files).where(files.c.id.in_(linked), no_source, files.c.derived, ~used, ~elsewhere)
    skeletons = [FileRecord(**row._mapping) for row in connection.execute(query)]
    connection.execute(delete(files).where(files.c.id.in_([record.id for record in skeletons])))
    return skeletons
