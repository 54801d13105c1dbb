"""At a start: take away what a process that was killed left half done."""

from __future__ import annotations

import contextlib
import logging
import re
from functools import partial

from sqlalchemy import Connection

from ...db import files as file_queries
from ...db import generations as queries
from ...db import verify
from ...db.engine import Database
from ..generations.outputs import OutputFolder, note_of_outputs
from ..store.blobs import BlobStore
from ..store.files import HASH_PATTERN

UUID_PATTERN = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

log = logging.getLogger("avatarforge")


def settle(database: Database, blobs: BlobStore, outputs: OutputFolder) -> None:
    """Bring disk and database to agree where notes say that they may not, before anything else begins.

    Blocking. What the disk refuses to remove stays noted.
    """
    count = 0
    with contextlib.suppress(OSError):
        for name in blobs.unsettled.abandoned():
            database.read_here(partial(settle_note, name=name, blobs=blobs, outputs=outputs))
            count += 1
    if count:
        log.info("AvatarForge: settled %d uploads and deletes that the last end of ComfyUI cut off", count)
    # Whoever wrote these pictures is dead: they are begun anew.
    for record in database.read_here(queries.active):
        for part in outputs.parts(record.id):
            with contextlib.suppress(OSError):
                part.unlink()


def settle_note(connection: Connection, name: str, blobs: BlobStore, outputs: OutputFolder | None) -> None:
    """Where no row holds what the note names, it goes. Nobody else may be working on it.

    `outputs` None leaves the generated pictures, and notes of them, alone.
    """
    subject, _, kind = name.partition(".")
    if not (HASH_PATTERN.fullmatch(subject) or UUID_PATTERN.fullmatch(subject)) or not kind.isalnum():
        blobs.unsettled.settle(name)
    elif name == note_of_outputs(subject):
        if outputs is None:
            return
        if not verify.generation_exists(connection, subject):
            outputs.remove(subject)
        blobs.unsettled.settle(name)
    elif file_queries.by_hash(connection, subject) is None:
        blobs.remove(subject, kind)
    else:
        blobs.settle(subject, kind)
