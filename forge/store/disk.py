"""What the store asks of the disk, in one place: a test can put a failing disk in its stead.

Every method blocks, and raises OSError as the operating system does.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO


class Disk:
    """The real one."""

    def create(self, path: Path) -> BinaryIO:
        """A new file, open for writing. Raises FileExistsError."""
        return path.open("xb")

    def touch(self, path: Path) -> None:
        """An empty file, unless there is one."""
        path.touch()

    def write(self, file: BinaryIO, data: bytes) -> None:
        file.write(data)

    def sync(self, file: BinaryIO) -> None:
        """Push everything that was written to the disk."""
        file.flush()
        os.fsync(file.fileno())

    def close(self, file: BinaryIO) -> None:
        file.close()

    def replace(self, source: Path, target: Path) -> None:
        """Rename, over what is there."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Remove; harmless where nothing is."""
        path.unlink(missing_ok=True)

    def make_folder(self, folder: Path) -> None:
        """mkdir -p that also makes the new folders' names survive a power cut."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            if new.exists() and not new.is_dir():  # a folder may have come from another thread meanwhile
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            new.mkdir(exist_ok=True)
            self.sync_folder(new.parent)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder survive a power cut."""
        if os.name == "nt":
            return  # Windows cannot fsync a folder; NTFS journals the rename itself.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
