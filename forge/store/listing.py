"""The list of files, page by page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from ...db import files as queries
from ...db.engine import Database
from ...db.records import ListedFile
from ..errors import UnprocessableError

_CURSOR = re.compile(r"([0-9]{1,18})-([0-9a-f-]{36})")


@dataclass(frozen=True)
class FilePage:
    """`next_cursor` is None on the last page."""

    total: int
    files: list[ListedFile]
    next_cursor: str | None


async def read_page(database: Database, limit: int, cursor: str | None) -> FilePage:
    """Newest first, without deleted ones. `cursor` is the `next_cursor` of the page before."""
    before = _read_cursor(cursor)
    total, found = await database.read(partial(queries.page, limit=limit + 1, before=before))
    more = len(found) > limit
    found = found[:limit]
    last = found[-1].file if more else None
    return FilePage(total, found, f"{last.created_at}-{last.id}" if last else None)


def _read_cursor(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise UnprocessableError("cursor must be the next_cursor of an earlier page.", ("query", "cursor"))
    return int(match[1]), match[2]
