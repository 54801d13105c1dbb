"""Copies a store that may be in use: first a snapshot of the database, then the bytes of its rows.

SQLite's online backup gives the snapshot. Bytes are named by their content and never change, so they can be
copied after it. What was deleted in between is removed from the copy, and what was damaged in the store is
marked lost in the copy. So the copy is consistent, whatever happens meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from ...db import files as file_queries
from ...db import generations as generation_queries
from ...db import takes as take_queries
from ...db import verify as queries
from ...db.engine import DATABASE_NAME, Database, open_database
from ...db.records import FileRecord, OutputRecord
from ..errors import ConflictError, NotFoundError
from ..generations.outputs import OutputFolder
from ..generations.take_transactions import delete_take
from ..store.blobs import BlobStore, write_whole
from ..store.disk import open_to_read

STORAGE_NAME, OUTPUT_NAME = "storage", "output"
PAGE = 200
ATTEMPTS = 2
_PIECE = 1024 * 1024
_AFTER_HEX = "g"  # sorts after every hexadecimal digit


@dataclass
class Copied:
    """Counts of a backup. `deleted` were deleted from the store meanwhile; `lost` were damaged in the
    store."""

    files: int = 0
    outputs: int = 0
    bytes: int = 0
    deleted: int = 0
    lost: int = 0


class _NotIntactError(Exception):
    """The file is missing, unreadable, or does not match its row."""


@dataclass(frozen=True)
class _Job:
    source: sqlite3.Connection
    copy: Database
    copied: Copied

    def is_in_source(self, table: str, column: str, value: str) -> bool:
        query = f"SELECT 1 FROM {table} WHERE {column} = ?"  # noqa: S608 - constant names
        return self.source.execute(query, (value,)).fetchone() is not None

    def has_take(self, record: OutputRecord) -> bool:
        """Whether the source still has this take of a picture, current or not."""
        key = (record.generation_id, record.position, record.take)
        return any(
            self.source.execute(
                f"SELECT 1 FROM {table} WHERE generation_id = ? AND position = ? AND take = ?",  # noqa: S608
                key,
            ).fetchone()
            is not None
            for table in ("outputs", "takes")
        )


def copy_store(source: Path, blobs: BlobStore, outputs: OutputFolder | None, target: Path) -> Copied:
    """Copy the SQLite database at `source`, the blobs and the pictures into the folder `target`.

    Blocks until everything is copied. Raises sqlite3.Error,
    DatabaseUnavailableError, StorageFullError and UnavailableError.
    """
    with _reader(source) as live:
        with contextlib.closing(sqlite3.connect(target / DATABASE_NAME)) as copy:
            copy.execute("PRAGMA fullfsync=ON")  # see db/engine.py
            live.backup(copy)
        database = open_database("", target)
        try:
            job = _Job(live, database, Copied())
            if outputs is not None:
                # Before the files: a generation that was deleted meanwhile releases files too.
                _copy_outputs(job, outputs, OutputFolder(target / OUTPUT_NAME))
            _copy_files(job, blobs, BlobStore(target / STORAGE_NAME))
        finally:
            database.close()
    return job.copied


@contextlib.contextmanager
def _reader(source: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(source)) as live:
        # Before SQLite 3.51.3, two connections that checkpoint at the same time can corrupt a WAL, so this
        # one never checkpoints.
        live.execute("PRAGMA wal_autocheckpoint=0")
        live.execute("PRAGMA query_only=ON")
        yield live


def _copy_files(job: _Job, source: BlobStore, target: BlobStore) -> None:
    after = ""
    page_of = partial(queries.files_between, before=_AFTER_HEX, limit=PAGE)
    while page := job.copy.read_here(partial(page_of, after=after)):
        for record in page:
            _copy_file(job, record, source, target)
        after = page[-1].content_hash


def _copy_file(job: _Job, record: FileRecord, source: BlobStore, target: BlobStore) -> None:
    key = (record.content_hash, record.extension)
    for _ in range(ATTEMPTS):
        try:
            _copy_intact(source.path(*key), target.path(*key), record.content_hash)
        except _NotIntactError:
            if not job.is_in_source("files", "content_hash", record.content_hash):
                job.copy.write_here(partial(queries.forget_file, record=record))
                job.copied.deleted += 1
                return
            continue  # retry: it may have just been deleted and uploaded again
        job.copied.files += 1
        job.copied.bytes += record.size
        if record.lost_at is not None:
            job.copy.write_here(partial(queries.set_found, record=record, size=record.size))
        return
    if record.lost_at is None:
        job.copy.write_here(partial(queries.set_lost, record=record, lost_at=job.copy.now()))
    job.copied.lost += 1


def _copy_outputs(job: _Job, source: OutputFolder, target: OutputFolder) -> None:
    after = ("", -1)
    page_of = partial(queries.outputs_after, limit=PAGE, resting=False)
    while page := job.copy.read_here(partial(page_of, after=after)):
        for record in page:
            _copy_output(job, record, source, target)
        after = (page[-1].generation_id, page[-1].position)
    after_take = ("", -1, -1)
    takes_of = partial(take_queries.after, limit=PAGE, resting=False)
    while page := job.copy.read_here(partial(takes_of, after=after_take)):
        for record in page:
            _copy_output(job, record, source, target)
        after_take = (page[-1].generation_id, page[-1].position, page[-1].take)


def _copy_output(job: _Job, record: OutputRecord, source: OutputFolder, target: OutputFolder) -> None:
    path, copy = source.file_of(record), target.file_of(record)
    try:
        _copy_intact(path, copy, record.content_hash)
        current = record
    except _NotIntactError:
        if not job.is_in_source("generations", "id", record.generation_id):
            job.copy.write_here(partial(_forget_generation, generation_id=record.generation_id))
            job.copied.deleted += 1
            return
        if not job.has_take(record) and _forget_take(job, record):
            job.copied.deleted += 1
            return
        try:
            # A graph that was queued by hand, or the retry of a run, may have saved it again: copy the new
            # picture and update the row in the copy.
            _copy_intact(path, copy, None)
            current = target.measure(record.generation_id, record.position, record.view, record.take)
        except (_NotIntactError, NotFoundError):
            lose = partial(queries.set_output_lost, record=record, lost_at=job.copy.now())
            job.copy.write_here(lose)
            job.copied.lost += 1
            return
    if current.content_hash != record.content_hash or record.lost_at is not None:
        job.copy.write_here(partial(queries.replace_picture, record=current))
    job.copied.outputs += 1
    job.copied.bytes += current.size


def _forget_take(job: _Job, record: OutputRecord) -> bool:
    """Delete a take from the copy, because it was deleted from the source meanwhile. Returns False for one
    that is current in the copy: another one was chosen before it was deleted."""
    key = {name: getattr(record, name) for name in ("generation_id", "position", "take")}
    try:
        job.copy.write_here(partial(delete_take, **key))
    except ConflictError:
        return False
    return True


def _forget_generation(connection: Connection, generation_id: str) -> None:
    file_queries.take_released(connection, generation_queries.remove(connection, generation_id))


def _copy_intact(source: Path, target: Path, content_hash: str | None) -> None:
    """Copy a file atomically. Raises _NotIntactError if `source` is missing, unreadable or does not match the
    hash, and the errors of `write_whole`."""
    try:
        file = open_to_read(source)
    except OSError as error:
        raise _NotIntactError from error
    with file:
        write_whole(target, partial(_copy_checked, file, content_hash))


def _copy_checked(source: BinaryIO, content_hash: str | None, target: BinaryIO) -> None:
    digest = hashlib.sha256()
    while piece := _read(source):
        digest.update(piece)
        target.write(piece)
    if content_hash is not None and digest.hexdigest() != content_hash:
        raise _NotIntactError


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(_PIECE)
    except OSError as error:
        raise _NotIntactError from error
