"""What a crash leaves: temp files, notes of unsettled work, and rows that agree with no other row."""

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
from .recovery import settle_abandoned
from .report import MOST, Problem
from .run import PAGE, CheckRun

# A saving node writes a picture in far less; only beside a running ComfyUI it matters.
BEING_WRITTEN_SECONDS = 600.0
REFUSED = "It cannot be removed now; somebody may have it open."


async def check_database(run: CheckRun) -> None:
    for damage in await run.read(queries.damages):
        run.findings.add(Problem("database", f"The database is damaged: {damage}."))
    for words in await run.read(row_counts.find_mismatches):
        run.findings.add(Problem("tally", words, repaired="counted" if run.repair else None))
    if run.repair and run.findings.counts["tally"]:
        await run.parts.database.write(row_counts.update_counts)


async def check_temp_files(run: CheckRun) -> None:
    for path in await run.apart(run.parts.blobs.stray_files):
        await _report(run, path, "An upload that was begun and never finished.")
    outputs = run.parts.outputs
    if outputs is None:
        return
    folders = _folders(outputs)
    while batch := await run.apart(lambda: list(itertools.islice(folders, PAGE))):
        for path in await run.apart(_parts_in, batch, outputs, alone=run.parts.alone):
            await _report(run, path, "A picture that was begun and never finished.", path.parent.name)


async def check_journal(run: CheckRun) -> None:
    for name in await run.apart(run.parts.blobs.journal.stale):
        async with run.parts.contents.lock(name.partition(".")[0]):
            # In the thread that writes, so that no row can come or go meanwhile.
            found = await run.parts.database.write(partial(_recover, name=name, run=run))
        if found is not None:
            done = "settled: what no row holds is removed" if found else None
            detail = (
                "An upload or a delete that was cut off between the disk and the database, or bytes that the "
                "system refused to remove."
            )
            if run.repair and not found:
                is_left_out = run.parts.outputs is None and not HASH_PATTERN.match(name)
                detail += " Pictures are left out of this check." if is_left_out else f" {REFUSED}"
            run.findings.add(Problem("leftover", detail, name=name, repaired=done))


async def check_rows(run: CheckRun) -> None:
    """Rows that name others that do not exist, and deleted files that nobody uses any more."""
    for words in await run.read(partial(queries.dangling, limit=MOST)):
        run.findings.add(Problem("dangling", words, repaired="removed" if run.repair else None))
    if run.repair and run.findings.counts["dangling"]:
        await run.parts.database.write(queries.remove_dangling)
    after = ""
    while page := await run.read(partial(queries.unreleased, after=after, limit=PAGE)):
        after = page[-1].id
        gone = set()
        if run.repair:
            take = partial(file_queries.take_released, file_ids=[record.id for record in page])
            gone = {record.id for record in await run.parts.contents.remove(take)}
        for record in page:
            detail = f"File {record.id} was deleted, and nobody uses it any more."
            done = "removed" if record.id in gone else None
            run.findings.add(Problem("unreleased", detail, record.id, name=record.filename, repaired=done))


def _recover(connection: Connection, name: str, run: CheckRun) -> bool | None:
    """Whether it is settled now, which is done where it is asked for; None where it is noted no longer."""
    if run.repair:
        return settle_abandoned(connection, name, run.parts)
    return False if run.parts.blobs.journal.is_stale(name) else None


async def _report(run: CheckRun, path: Path, detail: str, generation_id: str | None = None) -> None:
    gone = run.repair and await run.apart(run.parts.blobs.remove_temporary, path)
    if run.repair and not gone:
        detail += f" {REFUSED}"
    done = "removed" if gone else None
    run.findings.add(Problem("leftover", detail, generation_id=generation_id, name=path.name, repaired=done))


def _folders(outputs: OutputFolder) -> Iterator[str]:
    try:
        yield from (path.name for path in outputs.folder.iterdir())
    except FileNotFoundError:
        return


def _parts_in(generation_ids: list[str], outputs: OutputFolder, *, alone: bool) -> list[Path]:
    found = [path for one in generation_ids for path in outputs.parts(one)]
    return found if alone else [path for path in found if _is_old(path)]


def _is_old(path: Path) -> bool:
    try:
        return abs(time.time() - path.stat().st_mtime) > BEING_WRITTEN_SECONDS
    except OSError:
        return False
