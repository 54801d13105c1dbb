"""Reads the list of files in pages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection

from ...db import files as queries
from ...db.records import ListedFile
from ..errors import UnprocessableError
from ..ids import canonical_id

_CURSOR = re.compile(r"([0-9]{1,18})-([0-9A-Fa-f-]{36})")


@dataclass(frozen=True, eq=False)
class FilePage:
    """One reading of a page. `next_cursor` is None on the last page."""

    total: int
    files: tuple[ListedFile, ...]
    next_cursor: str | None


def read_page(connection: Connection, limit: int, before: tuple[int, str] | None) -> FilePage:
    """A page of files, newest first, without deleted ones. `before` comes from `read_cursor`."""
    total, found = queries.page(connection, limit=limit + 1, before=before)
    more = len(found) > limit
    found = found[:limit]
    last = found[-1].file if more else None
    return FilePage(total, tuple(found), f"{last.created_at}-{last.id}" if last else None)


def read_number_cursor(cursor: str | None, digits: int) -> int | None:
    """The number of the last entry of the earlier page, of at most so many digits. Raises
    UnprocessableError."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= digits):
        raise _invalid_cursor()
    return int(cursor)


def read_cursor(cursor: str | None) -> tuple[int, str] | None:
    """(created_at, id) of the last entry of the earlier page. Raises UnprocessableError."""
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise _invalid_cursor()
    return int(match[1]), canonical_id(match[2])


def _invalid_cursor() -> UnprocessableError:
    return UnprocessableError(
        "cursor must be the next_cursor of an earlier page.", ("query", "cursor"), code="invalid_cursor"
    )
