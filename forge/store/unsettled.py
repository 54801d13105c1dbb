"""Notes of work that stands between the disk and the database, so that a start after a crash finds it.

Bytes without a row are not garbage by themselves: a database that was restored from a backup has fewer
rows than the disk has files. So nothing is removed only because no row names it. What a crash can leave
unowned is noted before it can come about: an empty file named after the thing, made before bytes move into
place and before a row goes, and taken away when both sides agree again.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from .disk import Disk

SUFFIX = ".unsettled"


class Unsettled:
    """The notes. A name is `<content hash>.<extension>` or `<generation id>.outputs`. Every method blocks
    shortly and may be called from any thread."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        # Work of this process that is under way: not a crash's.
        self._busy: set[str] = set()

    def note(self, name: str) -> None:
        """Raises OSError."""
        self._busy.add(name)
        self._disk.touch(self._path(name))

    def note_going(self, name: str) -> None:
        """The same for what is about to be removed, which has to work on a full disk too."""
        with contextlib.suppress(OSError):
            self.note(name)

    def settle(self, name: str) -> None:
        """Disk and database agree again."""
        with contextlib.suppress(OSError):
            self._disk.unlink(self._path(name))
        self._busy.discard(name)

    def leave(self, name: str) -> None:
        """They do not agree, and this work could not help it: the note stays for the next start."""
        self._busy.discard(name)

    def abandoned(self) -> list[str]:
        """The names that no work of this process is about. Raises OSError."""
        names = (path.name for path in self._folder.iterdir() if path.name.endswith(SUFFIX))
        return [name for name in (noted.removesuffix(SUFFIX) for noted in names) if name not in self._busy]

    def noted(self, name: str) -> bool:
        return self._path(name).exists()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"
