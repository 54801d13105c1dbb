"""What a failing database means for the person who asked."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from ..error_codes import ErrorCode
from ..errors import AvatarForgeError, StorageFullError, UnavailableError

# SQLite's own words (sqlite3_errstr); Python before 3.11 does not hand on its codes.
_SENTENCES: tuple[tuple[str, type[AvatarForgeError], ErrorCode, str], ...] = (
    (
        "disk is full",
        StorageFullError,
        "disk_full",
        "The disk of the database is full: nothing was written. Free some space and try again.",
    ),
    (
        "is locked",
        UnavailableError,
        "database_locked",
        "Another program holds the database locked, and nothing was written. Close it, or try again later.",
    ),
    (
        "readonly",
        UnavailableError,
        "database_read_only",
        "The database can only be read, so nothing was written: its disk is mounted read-only, or its file "
        "may not be changed.",
    ),
    (
        "i/o error",
        UnavailableError,
        "database_unavailable",
        "The disk of the database failed, and nothing was written. ComfyUI's log has the details.",
    ),
    (
        "malformed",
        UnavailableError,
        "database_damaged",
        "The database file is damaged. Stop ComfyUI and restore a backup.",
    ),
)


def database_error(error: SQLAlchemyError) -> AvatarForgeError:
    """The same as an error with a sentence of ours; the database's own words may hold values and paths."""
    words = str(error.__cause__ or error).lower()
    for sign, kind, code, sentence in _SENTENCES:
        if sign in words:
            return kind(sentence, code=code)
    return UnavailableError(
        "The database cannot be used now. Try again; GET /health says more.", code="database_unavailable"
    )
