"""Checks for leftovers of a crash: temp files, stale journal entries, and inconsistent rows."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ...db import files as file_queries
from ...db import row_counts
from ...db import verify as queries
from ..generations.outputs import OutputFolder
from ..store.files import HASH_PATTERN
from .recovery import recover_stale_entry
from .report import MOST, Problem
from .run import PAGE, CheckRun

# A younger temp file may still be in use while ComfyUI runs. A saving node writes a picture in far less time.
BEING_WRITTEN_SECONDS = 600.0
REFUSED = "It cannot be removed now; another program may have it open."


async def check_database(run: CheckRun) -> None:
    for damage in await run.read(queries.damages):
        run.findings.add(Problem("database", f"The database is damaged: {damage}."))
    for mismatch in await run.read(row_counts.find_mismatches):
        run.findings.add(Problem("tally", mismatch, repaired="counted" if run.repair else None))
    if run.repair and run.findings.counts["tally"]:
        await run.parts.database.write(row_counts.update_counts)


async def check_temp_files(run: CheckRun) -> None:
    for path in await run.in_thread(run.parts.blobs.stray_files):
        await _report(run, path, "An upload that was never finished.")
    outputs = run.parts.outputs
    if outputs is None:
        return
    folders = _folders(outputs)
    while batch := await run.in_thread(lambda: list(itertools.islice(folders, PAGE))):
        for path in await run.in_thread(_parts_in, batch, outputs, alone=run.parts.alone):
            await _report(run, path, "A picture that was never finished.", path.parent.name)


async def check_journal(run: CheckRun) -> None:
    for name in await run.in_thread(run.parts.blobs.journal.stale):
        async with run.parts.contents.lock(name.partition(".")[0]):
            # In the database's writer thread, so that no row is added or deleted meanwhile.
            recovered = await run.parts.database.write(partial(_recover, name=name, run=run))
        if recovered is not None:
            done = "recovered: what has no row is removed" if recovered else None
            detail = (
                "An upload or a delete that was interrupted between the disk and the database, or bytes that "
                "the system refused to remove."
            )
            if run.repair and not recovered:
                is_left_out = run.parts.outputs is None and not HASH_PATTERN.match(name)
                detail += " Pictures are left out of this check." if is_left_out else f" {REFUSED}"
            run.findings.add(Problem("leftover", detail, name=name, repaired=done))


async def check_rows(run: CheckRun) -> None:
    """Check for rows that refer to missing rows, and for deleted files without references."""
    for reference in await run.read(partial(queries.dangling, limit=MOST)):
        run.findings.add(Problem("dangling", reference, repaired="removed" if run.repair else None))
    if run.repair and run.findings.counts["dangling"]:
        await run.parts.database.write(queries.remove_dangling)
    after = ""
    while page := await run.read(partial(queries.unreleased, after=after, limit=PAGE)):
        after = page[-1].id
        removed = set()
        if run.repair:
            delete_rows = partial(file_queries.take_released, file_ids=[record.id for record in page])
            removed = {record.id for record in await run.parts.contents.remove(delete_rows)}
        for record in page:
            detail = f"File {record.id} was deleted and is no longer used."
            done = "removed" if record.id in removed else None
            run.findings.add(Problem("unreleased", detail, record.id, name=record.filename, repaired=done))


def _recover(connection: Connection, name: str, run: CheckRun) -> bool | None:
    """Recover the entry if this run repairs; returns whether it is done, or None if it is no longer stale."""
    if run.repair:
        return recover_stale_entry(connection, name, run.parts)
    return False if run.parts.blobs.journal.is_stale(name) else None


async def _report(run: CheckRun, path: Path, detail: str, generation_id: str | None = None) -> None:
    removed = run.repair and await run.in_thread(run.parts.blobs.remove_temporary, path)
    if run.repair and not removed:
        detail += f" {REFUSED}"
    done = "removed" if removed else None
    run.findings.add(Problem("leftover", detail, generation_id=generation_id, name=path.name, repaired=done))


def _folders(outputs: OutputFolder) -> Iterator[str]:
    try:
        yield from (path.name for path in outputs.folder.iterdir())
    except FileNotFoundError:
        return


def _parts_in(generation_ids: list[str], outputs: OutputFolder, *, alone: bool) -> list[Path]:
    parts = [path for generation_id in generation_ids for path in outputs.parts(generation_id)]
    return parts if alone else [path for path in parts if _is_old(path)]


def _is_old(path: Path) -> bool:
    try:
        return abs(time.time() - path.stat().st_mtime) > BEING_WRITTEN_SECONDS
    except OSError:
        return False
