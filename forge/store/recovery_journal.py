"""Notes of work that stands between the disk and the database, so that a start after a crash finds it.

Bytes without a row are not garbage by themselves: a database that was restored from a backup has fewer
rows than the disk has files. So nothing is removed only because no row names it. What a crash can leave
unowned is noted before it can come about: an empty file named after the thing, made before bytes move into
place and before a row goes, and taken away when both sides agree again. Much that goes together is noted in
one file, a list of names: to make a file costs more than all else that the removal of one takes.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .disk import Disk, open_to_read

SUFFIX = ".unsettled"
LIST = f".list{SUFFIX}"


class RecoveryJournal:
    """The notes. A name is `<content hash>.<extension>`, or `<generation id>` with `.outputs` or `.parts`.
    Every method blocks shortly and may be called from any thread.

    Several pieces of work may note one name, such as an upload and the delete that comes right behind its
    commit: the note goes when the last of them has settled.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        # Work of this process that is under way: not a crash's.
        self._busy: Counter[str] = Counter()
        # Each list that lies there, with those of its names that are not settled.
        self._lists: dict[Path, set[str]] = {}
        # Names whose notes the disk had no room for: written as soon as it has, and known until then.
        self._unwritten: set[str] = set()
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        """Raises OSError; then nothing is noted."""
        with self._lock:
            self._busy[name] += 1  # before the file is there: nobody takes it away from now on
        try:
            # Without the lock: this may take its time, and the thread that writes to the database needs it.
            self._disk.touch(self._path(name), patient=True)
        except OSError:
            with self._lock:
                self._release(name)
            raise

    def add_removals(self, names: Sequence[str]) -> None:
        """The same for what is about to be removed, which has to work on a full disk too."""
        with self._lock:
            try:
                if len(names) == 1:
                    self._disk.touch(self._path(names[0]))
                elif names:
                    self._write_list(names)
            except OSError:
                self._unwritten.update(names)
            self._busy.update(names)

    def clear(self, name: str) -> None:
        """Disk and database agree again."""
        with self._lock:
            if self._release(name):
                self._unwritten.discard(name)
                # An entry that cannot be removed now is stale, and recovered once more.
                with contextlib.suppress(OSError):
                    self._disk.unlink(self._path(name), patient=False)
                self._remove_from_lists(name)

    def keep(self, name: str) -> None:
        """They do not agree, and this work could not help it: the note stays, and is tried again later."""
        with self._lock:
            self._write(name)
            self._release(name)

    def stale(self) -> list[str]:
        """The names that no work of this process is about. Raises OSError."""
        with self._lock:
            for name in tuple(self._unwritten):
                self._write(name)
            noted = self._unwritten.union(*self._lists.values())
            for path in self._folder.iterdir():
                if path.name.endswith(LIST):
                    noted |= self._read_list(path)
                elif path.name.endswith(SUFFIX):
                    noted.add(path.name.removesuffix(SUFFIX))
            return sorted(noted - self._busy.keys())

    def is_stale(self, name: str) -> bool:
        """The same for one name, among those that `stale` has returned."""
        with self._lock:
            return name not in self._busy and self._has_entry(name)

    def contains(self, name: str) -> bool:
        with self._lock:
            return name in self._busy or self._has_entry(name)

    def _release(self, name: str) -> bool:
        """One piece of work less; whether it was the last."""
        self._busy[name] -= 1
        if self._busy[name] > 0:
            return False
        del self._busy[name]
        return True

    def _write(self, name: str) -> None:
        """Give the name a note of its own, or remember that it has none."""
        try:
            self._disk.touch(self._path(name))
        except OSError:
            self._unwritten.add(name)
            return
        self._unwritten.discard(name)
        self._remove_from_lists(name)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"

    def _write_list(self, names: Sequence[str]) -> None:
        path = self._folder / f"{uuid.uuid4()}{LIST}"
        self._lists[path] = set(names)
        file = self._disk.create(path)
        try:
            self._disk.write(file, "\n".join(names).encode("ascii"))
        finally:
            self._disk.close(file)

    def _read_list(self, path: Path) -> set[str]:
        """One that was cut off names less than was meant, but then no row has gone yet."""
        if path not in self._lists:
            with open_to_read(path) as file:
                self._lists[path] = set(file.read().decode("ascii", errors="replace").split())
        names = self._lists[path]
        if not names:
            with contextlib.suppress(OSError):
                self._remove_list(path)
        return names

    def _remove_list(self, path: Path) -> None:
        self._disk.unlink(path, patient=False)
        del self._lists[path]

    def _has_entry(self, name: str) -> bool:
        return (
            name in self._unwritten
            or self._path(name).exists()
            or any(name in names for names in self._lists.values())
        )

    def _remove_from_lists(self, name: str) -> None:
        """Take the name off the lists; a list whose names are all settled goes. One that cannot be removed
        now keeps its last name, so that it is tried again."""
        for path, names in tuple(self._lists.items()):
            if names - {name}:
                names.discard(name)
            else:
                with contextlib.suppress(OSError):
                    self._remove_list(path)
