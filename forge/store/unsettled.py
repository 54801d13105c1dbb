"""Notes of work that stands between the disk and the database, so that a start after a crash finds it.

Bytes without a row are not garbage by themselves: a database that was restored from a backup has fewer
rows than the disk has files. So nothing is removed only because no row names it. What a crash can leave
unowned is noted before it can come about: an empty file named after the thing, made before bytes move into
place and before a row goes, and taken away when both sides agree again.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from pathlib import Path

from .disk import Disk

SUFFIX = ".unsettled"


class Unsettled:
    """The notes. A name is `<content hash>.<extension>` or `<generation id>.outputs`. Every method blocks
    shortly and may be called from any thread.

    Several pieces of work may note one name, such as an upload and the delete that comes right behind its
    commit: the note goes when the last of them has settled.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        # Work of this process that is under way: not a crash's.
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, name: str) -> None:
        """Raises OSError; then nothing is noted."""
        with self._lock:
            self._disk.touch(self._path(name))
            self._busy[name] += 1

    def note_going(self, name: str) -> None:
        """The same for what is about to be removed, which has to work on a full disk too."""
        with self._lock:
            with contextlib.suppress(OSError):
                self._disk.touch(self._path(name))
            self._busy[name] += 1

    def settle(self, name: str) -> None:
        """Disk and database agree again."""
        with self._lock:
            if self._done(name):
                with contextlib.suppress(OSError):
                    self._disk.unlink(self._path(name))

    def leave(self, name: str) -> None:
        """They do not agree, and this work could not help it: the note stays for the next start."""
        with self._lock:
            with contextlib.suppress(OSError):
                self._disk.touch(self._path(name))
            self._done(name)

    def abandoned(self) -> list[str]:
        """The names that no work of this process is about. Raises OSError."""
        with self._lock:
            noted = [path.name for path in self._folder.iterdir() if path.name.endswith(SUFFIX)]
            return [name for name in (one.removesuffix(SUFFIX) for one in noted) if name not in self._busy]

    def noted(self, name: str) -> bool:
        return self._path(name).exists()

    def _done(self, name: str) -> bool:
        """One piece of work less; whether it was the last."""
        self._busy[name] -= 1
        if self._busy[name] > 0:
            return False
        del self._busy[name]
        return True

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"
