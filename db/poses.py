"""Queries on poses: their kind, and the skeletons that were read from photos.

A row of `extracted_poses` is a reference from the photo to its skeleton: while it stands, no clean-up
takes the skeleton.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from .records import FileRecord
from .tables import extracted_poses, files, generation_inputs

# Made once: to put a statement together costs more than to run it.
_STYLES_KEPT = (
    select(extracted_poses.c.bones)
    .where(extracted_poses.c.source_hash == bindparam("source_hash"))
    .distinct()
    .order_by(extracted_poses.c.bones)
)


def set_kind(connection: Connection, file_id: str, kind: str) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(pose_kind=kind))


def skeleton_of(connection: Connection, source_hash: str, bones: str) -> FileRecord | None:
    """The kept skeleton of that content, with bones of that style, whatever extracted it."""
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
    """The bone styles in which skeletons of that content were kept."""
    return tuple(connection.execute(_STYLES_KEPT, {"source_hash": source_hash}).scalars())


def link(connection: Connection, source_hash: str, extractor: str, bones: str, file_id: str) -> bool:
    """Keep the skeleton for its source, in place of an earlier one; False when one of the two is gone."""
    there = connection.execute(
        select(exists().where(files.c.content_hash == source_hash), exists().where(files.c.id == file_id))
    ).one()
    if not all(there):
        return False
    key = {"source_hash": source_hash, "extractor": extractor, "bones": bones}
    connection.execute(delete(extracted_poses).filter_by(**key))
    connection.execute(insert(extracted_poses).values(**key, file_id=file_id))
    return True


def take_skeletons(connection: Connection, sources: Sequence[FileRecord]) -> list[FileRecord]:
    """Remove the derived skeletons of files that are about to be removed, and give them back.

    Those that a generation or another source uses stay.
    """
    hashes = [source.content_hash for source in sources]
    links = select(extracted_poses.c.file_id).where(extracted_poses.c.source_hash.in_(hashes))
    linked = connection.execute(links).scalars().all()
    if not linked:
        return []
    used = exists().where(generation_inputs.c.file_id == files.c.id)
    elsewhere = exists().where(
        extracted_poses.c.file_id == files.c.id, extracted_poses.c.source_hash.not_in(hashes)
    )
    not_themselves = files.c.id.not_in([source.id for source in sources])
    found = select(files).where(files.c.id.in_(linked), not_themselves, files.c.derived, ~used, ~elsewhere)
    gone = [FileRecord(**row._mapping) for row in connection.execute(found)]
    connection.execute(delete(files).where(files.c.id.in_([record.id for record in gone])))
    return gone
