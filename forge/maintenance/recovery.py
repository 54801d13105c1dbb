"""Take away what a process that was killed left half done, and what the system would not let go of."""

from __future__ import annotations

import contextlib
import logging
from functools import partial

from sqlalchemy import Connection

from ...db import files as file_queries
from ...db import generations as queries
from ...db import verify
from ...db.engine import Database
from ..generations.outputs import OutputFolder, note_of_parts, outputs_entry
from ..ids import is_canonical_id
from ..store.blobs import BlobStore
from ..store.files import HASH_PATTERN
from .run import CheckedParts

log = logging.getLogger("avatarforge")


def recover(database: Database, blobs: BlobStore, outputs: OutputFolder) -> None:
    """Bring disk and database to agree where notes say that they may not, before anything else begins.

    Blocking. What the disk refuses to remove stays noted.
    """
    # The process that wrote these pictures is gone: they are written again from the start.
    for record in database.read_here(queries.active):
        if not outputs.remove_parts(record.id):
            blobs.journal.keep(note_of_parts(record.id))
    names: list[str] = []
    with contextlib.suppress(OSError):  # `/health` tells of a folder that cannot be read
        names = blobs.journal.stale()
    count = sum(
        database.read_here(partial(recover_entry, name=name, blobs=blobs, outputs=outputs)) for name in names
    )
    if count:
        log.info("AvatarForge: settled %d uploads and deletes that were cut off or refused", count)
    if count < len(names):
        log.warning(
            "AvatarForge: %d deleted files or pictures cannot be removed yet; it is tried again",
            len(names) - count,
        )


async def retry_removals(parts: CheckedParts) -> int:
    """Try again to remove what was refused; give back how much has gone. Raises OSError, SQLAlchemyError."""
    count = await parts.workers.disk(parts.blobs.sweep)
    for name in await parts.workers.disk(parts.blobs.journal.stale):
        async with parts.contents.lock(name.partition(".")[0]):
            # In the thread that writes, so that no row can come or go meanwhile.
            count += await parts.database.write(partial(settle_abandoned, name=name, parts=parts)) is True
    return count


def settle_abandoned(connection: Connection, name: str, parts: CheckedParts) -> bool | None:
    """`settle_note`; None where it is no longer noted, or somebody works on it."""
    if not parts.blobs.journal.is_stale(name):
        return None
    return recover_entry(connection, name, parts.blobs, parts.outputs)


def recover_entry(connection: Connection, name: str, blobs: BlobStore, outputs: OutputFolder | None) -> bool:
    """Where no row holds what the note names, it goes. Nobody else may be working on it. Says whether it is
    settled: what the system will not let go of stays noted.

    `outputs` None leaves the generated pictures, and notes of them, alone.
    """
    subject, _, kind = name.partition(".")
    if not (HASH_PATTERN.fullmatch(subject) or is_canonical_id(subject)) or not kind.isalnum():
        blobs.journal.clear(name)
        return True
    if name in (outputs_entry(subject), note_of_parts(subject)):
        if outputs is None or not _remove_pictures(connection, name, subject, outputs):
            return False
        blobs.journal.clear(name)
        return True
    if file_queries.by_hash(connection, subject) is None:
        return blobs.remove(subject, kind, patient=False)
    blobs.clear_entry(subject, kind)
    return True


def _remove_pictures(connection: Connection, name: str, generation_id: str, outputs: OutputFolder) -> bool:
    """Say whether nothing is left that has to go."""
    if name == note_of_parts(generation_id):
        record = queries.get(connection, generation_id)
        if record is not None and record.status in queries.ACTIVE and outputs.parts(generation_id):
            return False  # among them may be what is being written now
        return outputs.remove_parts(generation_id)
    return verify.generation_exists(connection, generation_id) or outputs.remove(generation_id, patient=False)
