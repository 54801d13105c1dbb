"""An empty database with all tables, migrated once per run: the migrations take longer than most tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from avatarforge.db.engine import DATABASE_NAME, open_database


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        # Closing it moves the write-ahead log into the file.
        open_database("", Path(folder)).close()
        return (Path(folder) / DATABASE_NAME).read_bytes()


def prepare_database(folder: Path) -> None:
    """Put the database into a data folder that has none, as an earlier start would have left it."""
    if not (folder / DATABASE_NAME).exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DATABASE_NAME).write_bytes(_migrated())
