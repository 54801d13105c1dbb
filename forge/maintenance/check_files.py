"""Checks stored files: rows against bytes, then bytes against rows."""

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
from .run import PAGE, CheckRun, FileState, describe_difference, file_state

_FOLDER = re.compile("[0-9a-f]{2}")
_NAME = re.compile(r"([0-9a-f]{64})\.([a-z0-9]{1,8})")
_AFTER_HEX = "g"  # sorts after every hexadecimal digit


async def check_files(run: CheckRun) -> None:
    """Check one folder of blobs after the other, with its rows, which bounds memory."""
    blobs = run.parts.blobs.blobs
    names = await run.in_thread(_names_in, blobs)
    folders = {name for name in names if _FOLDER.fullmatch(name)}
    for name in sorted(folders.union(await run.read(queries.prefixes))):
        await _check_folder(run, name)
    for name in names:
        if name not in folders:
            await _check_orphan(run, blobs / name)


async def _check_folder(run: CheckRun, prefix: str) -> None:
    folder = run.parts.blobs.blobs / prefix
    # Names, because paths are many objects each: see PAGE.
    orphans = dict.fromkeys(await run.in_thread(_names_in, folder))
    after: str | None = prefix
    while after is not None:
        find = partial(queries.files_between, after=after, before=prefix + _AFTER_HEX, limit=PAGE)
        page = await run.read(find)
        async for record, state in run.file_states(page, run.parts.contents.path):
            orphans.pop(run.parts.contents.path(record).name, None)
            if _verdict(record, state) is None:
                _count(run, record, state)
            else:
                await _check_again(run, record)
        after = page[-1].content_hash if len(page) == PAGE else None
    for name in orphans:
        await _check_orphan(run, folder / name)


async def _check_again(run: CheckRun, record: FileRecord) -> None:
    path = run.parts.contents.path(record)
    async with run.parts.contents.lock(record.content_hash):
        # It may have been deleted or stored again meanwhile.
        current = await run.read(partial(file_queries.by_hash, content_hash=record.content_hash))
        if current is None or run.parts.contents.path(current) != path:
            return
        state = await run.in_thread(file_state, path)
        kind = _verdict(current, state)
        _count(run, current, state)
        if kind is None:
            return
        done = await _repair_row(run, current, kind, state) if run.repair else None
        detail = _describe(current, kind, state)
        run.findings.add(Problem(kind, detail, current.id, name=path.name, repaired=done))


def _verdict(record: FileRecord, state: FileState | None) -> str | None:
    if state is None:
        return "missing" if record.lost_at is None else None
    if state.content_hash != record.content_hash:
        return "altered"
    if record.lost_at is not None:
        return "returned"
    return None if state.size == record.size else "miscounted"


def _count(run: CheckRun, record: FileRecord, state: FileState | None) -> None:
    run.findings.files += 1
    if state is not None and state.content_hash == record.content_hash:
        run.findings.bytes += state.size
    elif state is None and record.lost_at is not None:
        run.findings.lost_files += 1


def _describe(record: FileRecord, kind: str, state: FileState | None) -> str:
    if state is None:
        return f"The bytes of file {record.id} are gone."
    if kind == "altered":
        return f"File {record.id} {describe_difference(state)}."
    if kind == "returned":
        return f"The bytes of file {record.id}, which were lost, are back."
    return f"File {record.id} is recorded with {record.size} bytes and has {state.size}."


async def _repair_row(run: CheckRun, record: FileRecord, kind: str, state: FileState | None) -> str | None:
    write = run.parts.database.write
    if state is not None and state.content_hash is None:
        return None  # a read error may be temporary
    if kind == "altered":
        name = await run.in_thread(run.parts.blobs.try_quarantine, run.parts.contents.path(record))
        if name is None:
            return None
        await write(partial(queries.set_lost, record=record, lost_at=run.parts.database.now()))
        return f"moved to quarantine/{name} and marked lost; uploading that content again brings it back"
    if kind == "missing":
        await write(partial(queries.set_lost, record=record, lost_at=run.parts.database.now()))
        return "marked lost; uploading that content again brings it back"
    size = state.size if state else record.size
    await write(partial(queries.set_found, record=record, size=size))
    return "no longer marked lost" if kind == "returned" else "size corrected"


async def _check_orphan(run: CheckRun, path: Path) -> None:
    """Check a file that had no row when the folder was listed."""
    match = _NAME.fullmatch(path.name)
    if match is None or not _FOLDER.fullmatch(path.parent.name):
        await _report_orphan(run, path, None)
        return
    content_hash, extension = match.groups()
    async with run.parts.contents.lock(content_hash):
        row = await run.read(partial(file_queries.by_hash, content_hash=content_hash))
        if row is not None and row.extension == extension:
            return
        if not await run.in_thread(path.exists) or run.parts.blobs.journal.contains(path.name):
            return  # deleted meanwhile, or reported as a leftover
        adoptable = None
        if row is None and path.parent.name == content_hash[:2]:
            adoptable = await _new_row(run, path, content_hash)
        await _report_orphan(run, path, adoptable)


async def _report_orphan(run: CheckRun, path: Path, adoptable: FileRecord | None) -> None:
    done = None
    if run.repair and adoptable is not None:
        await run.parts.database.write(partial(file_queries.add_or_restore, record=adoptable))
        done = f"restored as file {adoptable.id}"
    elif run.repair:
        name = await run.in_thread(run.parts.blobs.try_quarantine, path)
        done = f"moved to quarantine/{name}" if name else None
    detail = (
        "A stored picture or pose without a row." if adoptable else "A file that AvatarForge did not store."
    )
    file_id = adoptable.id if adoptable and run.repair else None
    run.findings.add(Problem("orphaned", detail, file_id, name=path.name, repaired=done))


async def _new_row(run: CheckRun, path: Path, content_hash: str) -> FileRecord | None:
    """A new row for these bytes; None if they do not match their name or are not a valid upload."""
    found = await run.in_thread(file_state, path)
    if found is None or found.content_hash != content_hash:
        return None
    try:
        facts = await run.parts.workers.decode(inspect_file, path, run.parts.limits)
    except (InvalidImage, TooLargeError, OSError):
        return None
    if f"{content_hash}.{facts.extension}" != path.name:
        return None
    return new_record(content_hash, path.name, found.size, facts, run.parts.database.now())


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []
