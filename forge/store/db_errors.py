"""Turns database errors into errors with a sentence for the user."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from ..error_codes import ErrorCode
from ..errors import AvatarForgeError, StorageFullError, UnavailableError

# Parts of SQLite's messages (sqlite3_errstr): Python before 3.11 does not expose its error codes.
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
    """The error to show the user. The database's own message is left out: it may contain values and paths."""
    message = str(error.__cause__ or error).lower()
    for part, kind, code, sentence in _SENTENCES:
        if part in message:
            return kind(sentence, code=code)
    return UnavailableError(
        "The database cannot be used now. Try again; GET /health says more.", code="database_unavailable"
    )
