"""Stored files: rows against bytes, then bytes against rows."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from ...db import files as file_queries
from ...db import verify as queries
from ...db.records import FileRecord
from ..errors import TooLargeError
from ..store.content_store import new_record
from ..store.images import InvalidImage
from ..store.inspect import inspect_file
from .report import Problem
from .run import PAGE, CheckRun, Look, differs, look

_FOLDER = re.compile("[0-9a-f]{2}")
_NAME = re.compile(r"([0-9a-f]{64})\.([a-z0-9]{1,8})")
_BEHIND_ALL = "g"  # sorts behind every hexadecimal digit


async def check_files(run: CheckRun) -> None:
    """One folder of blobs after the other, with the rows that belong into it: memory stays bounded."""
    blobs = run.parts.blobs.blobs
    inside = await run.apart(_inside, blobs)
    folders = {name for name in inside if _FOLDER.fullmatch(name)}
    for name in sorted(folders.union(await run.read(queries.prefixes))):
        await _check_folder(run, name)
    for name in inside:
        if name not in folders:
            await _check_unnamed(run, blobs / name)


async def _check_folder(run: CheckRun, prefix: str) -> None:
    folder = run.parts.blobs.blobs / prefix
    # Names, not paths, which are many objects each: see PAGE.
    unnamed = dict.fromkeys(await run.apart(_inside, folder))
    after: str | None = prefix
    while after is not None:
        find = partial(queries.files_between, after=after, before=prefix + _BEHIND_ALL, limit=PAGE)
        page = await run.read(find)
        async for record, found in run.looks(page, run.parts.contents.path):
            unnamed.pop(run.parts.contents.path(record).name, None)
            if _verdict(record, found) is None:
                _count(run, record, found)
            else:
                await _check_again(run, record)
        after = page[-1].content_hash if len(page) == PAGE else None
    for name in unnamed:
        await _check_unnamed(run, folder / name)


async def _check_again(run: CheckRun, record: FileRecord) -> None:
    path = run.parts.contents.path(record)
    async with run.parts.contents.lock(record.content_hash):
        # It may have been deleted or stored again meanwhile.
        now = await run.read(partial(file_queries.by_hash, content_hash=record.content_hash))
        if now is None or run.parts.contents.path(now) != path:
            return
        found = await run.apart(look, path)
        kind = _verdict(now, found)
        _count(run, now, found)
        if kind is None:
            return
        done = await _repair_row(run, now, kind, found) if run.repair else None
        run.findings.add(Problem(kind, _words(now, kind, found), now.id, name=path.name, repaired=done))


def _verdict(record: FileRecord, found: Look | None) -> str | None:
    if found is None:
        return "missing" if record.lost_at is None else None
    if found.content_hash != record.content_hash:
        return "altered"
    if record.lost_at is not None:
        return "returned"
    return None if found.size == record.size else "miscounted"


def _count(run: CheckRun, record: FileRecord, found: Look | None) -> None:
    run.findings.files += 1
    if found is not None and found.content_hash == record.content_hash:
        run.findings.bytes += found.size
    elif found is None and record.lost_at is not None:
        run.findings.lost_files += 1


def _words(record: FileRecord, kind: str, found: Look | None) -> str:
    if found is None:
        return f"The bytes of file {record.id} are gone."
    if kind == "altered":
        return f"File {record.id} {differs(found)}."
    if kind == "returned":
        return f"The bytes of file {record.id}, which were lost, are there again."
    return f"File {record.id} is written down with {record.size} bytes and has {found.size}."


async def _repair_row(run: CheckRun, record: FileRecord, kind: str, found: Look | None) -> str | None:
    write = run.parts.database.write
    if found is not None and found.content_hash is None:
        return None  # the disk refuses to read it now; that may pass
    if kind == "altered":
        name = await run.apart(run.parts.blobs.try_quarantine, run.parts.contents.path(record))
        if name is None:
            return None
        await write(partial(queries.set_lost, record=record, lost_at=run.parts.database.now()))
        return f"moved to quarantine/{name} and marked lost; uploading that content again brings it back"
    if kind == "missing":
        await write(partial(queries.set_lost, record=record, lost_at=run.parts.database.now()))
        return "marked lost; uploading that content again brings it back"
    size = found.size if found else record.size
    await write(partial(queries.set_found, record=record, size=size))
    return "no longer marked lost" if kind == "returned" else "size corrected"


async def _check_unnamed(run: CheckRun, path: Path) -> None:
    """Bytes that no row seemed to name when they were listed."""
    match = _NAME.fullmatch(path.name)
    if match is None or not _FOLDER.fullmatch(path.parent.name):
        await _report_unnamed(run, path, None)
        return
    content_hash, extension = match.groups()
    async with run.parts.contents.lock(content_hash):
        row = await run.read(partial(file_queries.by_hash, content_hash=content_hash))
        if row is not None and row.extension == extension:
            return
        if not await run.apart(path.exists) or run.parts.blobs.journal.contains(path.name):
            return  # deleted meanwhile, or it stands among the leftovers
        adoptable = None
        if row is None and path.parent.name == content_hash[:2]:
            adoptable = await _describe(run, path, content_hash)
        await _report_unnamed(run, path, adoptable)


async def _report_unnamed(run: CheckRun, path: Path, adoptable: FileRecord | None) -> None:
    done = None
    if run.repair and adoptable is not None:
        await run.parts.database.write(partial(file_queries.add_or_restore, record=adoptable))
        done = f"taken back as file {adoptable.id}"
    elif run.repair:
        name = await run.apart(run.parts.blobs.try_quarantine, path)
        done = f"moved to quarantine/{name}" if name else None
    what = "A stored picture or pose that no row names." if adoptable else "A file that nobody stored here."
    file_id = adoptable.id if adoptable and run.repair else None
    run.findings.add(Problem("orphaned", what, file_id, name=path.name, repaired=done))


async def _describe(run: CheckRun, path: Path, content_hash: str) -> FileRecord | None:
    """The row that these bytes would get; None when they are not what their name says, or not what the store
    takes."""
    found = await run.apart(look, path)
    if found is None or found.content_hash != content_hash:
        return None
    try:
        facts = await run.parts.workers.decode(inspect_file, path, run.parts.limits)
    except (InvalidImage, TooLargeError, OSError):
        return None
    if f"{content_hash}.{facts.extension}" != path.name:
        return None
    return new_record(content_hash, path.name, found.size, facts, run.parts.database.now())


def _inside(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []
