"""What a failing database means for the person who asked."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from ..errors import AvatarForgeError, StorageFullError, UnavailableError

# SQLite's own words (sqlite3_errstr); Python before 3.11 does not hand on its codes.
_SENTENCES = (
    (
        "disk is full",
        StorageFullError,
        "The disk of the database is full: nothing was written. Free some space and try again.",
    ),
    (
        "is locked",
        UnavailableError,
        "Another program holds the database locked, and nothing was written. Close it, or try again later.",
    ),
    (
        "readonly",
        UnavailableError,
        "The database can only be read, so nothing was written: its disk is mounted read-only, or its file "
        "may not be changed.",
    ),
    (
        "i/o error",
        UnavailableError,
        "The disk of the database failed, and nothing was written. ComfyUI's log has the details.",
    ),
    (
        "malformed",
        UnavailableError,
        "The database file is damaged. Stop ComfyUI and restore a backup.",
    ),
)


def database_error(error: SQLAlchemyError) -> AvatarForgeError:
    """The same as an error with a sentence of ours; the database's own words may hold values and paths."""
    words = str(error.__cause__ or error).lower()
    for sign, kind, sentence in _SENTENCES:
        if sign in words:
            return kind(sentence)
    return UnavailableError("The database cannot be used now. Try again; GET /health says more.")
