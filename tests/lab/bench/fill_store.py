"""Puts many small files, and their rows, into the store of a stopped ComfyUI.

``fill`` runs in its own process, so that its memory is freed.
"""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DAY = 86_400 * 1_000_000  # microseconds
COLUMNS = (
    "id, content_hash, filename, size, mime_type, extension, width, height, created_at, last_used_at, derived"
)


def fill(data_folder: Path, name: str, files: int, days: int) -> None:
    """Add ``files`` files of 100 to 200 bytes that are unused and were last used ``days`` days ago.

    Their contents derive from ``name``, so different names make different files.
    """
    subprocess.run([sys.executable, __file__, data_folder, name, str(files), str(days)], check=True)


def _rows(blobs: Path, name: str, files: int, days: int) -> Iterator[tuple[Any, ...]]:
    last_used = time.time_ns() // 1000 - days * DAY
    for number in range(files):
        content = f"{name} {number} ".encode().ljust(100 + number % 100, b".")
        content_hash = hashlib.sha256(content).hexdigest()
        (blobs / content_hash[:2] / f"{content_hash}.png").write_bytes(content)
        metadata = (f"{number}.png", len(content), "image/png", "png", 64, 64)
        yield (str(uuid.uuid4()), content_hash, *metadata, last_used + number, last_used + number, False)


def _fill(data_folder: Path, name: str, files: int, days: int) -> None:
    blobs = data_folder / "storage" / "blobs"
    for number in range(256):
        (blobs / f"{number:02x}").mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(data_folder / "avatarforge.db") as connection:
        placeholders = ", ".join("?" * (COLUMNS.count(",") + 1))
        statement = f"INSERT INTO files ({COLUMNS}) VALUES ({placeholders})"  # noqa: S608
        connection.executemany(statement, _rows(blobs, name, files, days))
    connection.close()


if __name__ == "__main__":
    _fill(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
