"""Completes or undoes the work that a killed process left half done, and retries removals that were
refused."""

from __future__ import annotations

import contextlib
import logging
from functools import partial

from sqlalchemy import Connection

from ...db import files as file_queries
from ...db import generations as queries
from ...db import takes as take_queries
from ...db import verify
from ...db.engine import Database
from ..generations.outputs import OutputFolder, outputs_entry, parts_entry, take_of_entry
from ..ids import is_canonical_id
from ..store.blobs import BlobStore
from ..store.files import HASH_PATTERN
from .run import CheckedParts

log = logging.getLogger("avatarforge")


def recover(database: Database, blobs: BlobStore, outputs: OutputFolder) -> None:
    """Recover all journal entries at startup, before anything else uses the store. Blocks.

    Entries of files that cannot be removed stay in the journal.
    """
    # The process that wrote these pictures has ended; the generations start again from the beginning.
    for record in database.read_here(queries.active):
        if not outputs.remove_parts(record.id):
            blobs.journal.keep(parts_entry(record.id))
    names: list[str] = []
    with contextlib.suppress(OSError):  # `/health` reports a folder that cannot be read
        names = blobs.journal.stale()
    count = sum(
        database.read_here(partial(recover_entry, name=name, blobs=blobs, outputs=outputs)) for name in names
    )
    if count:
        log.info("AvatarForge: recovered %d interrupted or refused uploads and deletes", count)
    if count < len(names):
        log.warning(
            "AvatarForge: %d deleted files or pictures cannot be removed yet; this is retried",
            len(names) - count,
        )


async def retry_removals(parts: CheckedParts) -> int:
    """Retry removals that the system refused; returns how many succeeded. Raises OSError, SQLAlchemyError."""
    count = await parts.workers.disk(parts.blobs.sweep)
    for name in await parts.workers.disk(parts.blobs.journal.stale):
        async with parts.contents.lock(name.partition(".")[0]):
            # In the database's writer thread, so that no row is added or deleted meanwhile.
            count += await parts.database.write(partial(recover_stale_entry, name=name, parts=parts)) is True
    return count


def recover_stale_entry(connection: Connection, name: str, parts: CheckedParts) -> bool | None:
    """Like `recover_entry`, but returns None if the entry is gone or a task works on it."""
    if not parts.blobs.journal.is_stale(name):
        return None
    return recover_entry(connection, name, parts.blobs, parts.outputs)


def recover_entry(connection: Connection, name: str, blobs: BlobStore, outputs: OutputFolder | None) -> bool:
    """Remove what the entry names unless a row uses it, and clear the entry. Returns False, and keeps the
    entry, if the system refuses the removal. No task may be working on it.

    With `outputs` None, generated pictures and their entries are left alone.
    """
    subject, _, kind = name.partition(".")
    if not (HASH_PATTERN.fullmatch(subject) or is_canonical_id(subject)) or not kind.isalnum():
        blobs.journal.clear(name)
        return True
    if name in (outputs_entry(subject), parts_entry(subject)):
        if outputs is None or not _remove_pictures(connection, name, subject, outputs):
            return False
        blobs.journal.clear(name)
        return True
    take = take_of_entry(name)
    if take is not None:
        if outputs is None or not _remove_take(connection, take, outputs):
            return False
        blobs.journal.clear(name)
        return True
    if file_queries.by_hash(connection, subject) is None:
        return blobs.remove(subject, kind, patient=False)
    blobs.clear_entry(subject, kind)
    return True


def _remove_take(connection: Connection, take: tuple[str, int, int], outputs: OutputFolder) -> bool:
    """Returns whether nothing is left to remove: the delete may not have been committed."""
    return take_queries.exists(connection, *take) or outputs.remove_file(*take, patient=False)


def _remove_pictures(connection: Connection, name: str, generation_id: str, outputs: OutputFolder) -> bool:
    """Returns whether nothing is left to remove."""
    if name == parts_entry(generation_id):
        record = queries.get(connection, generation_id)
        if record is not None and record.status in queries.ACTIVE and outputs.parts(generation_id):
            return False  # one of them may be being written now
        return outputs.remove_parts(generation_id)
    return verify.generation_exists(connection, generation_id) or outputs.remove(generation_id, patient=False)
