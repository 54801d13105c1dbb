"""A journal of unfinished work between disk and database, read at the next start after a crash.

A file without a row is not necessarily garbage: a database restored from a backup has fewer rows than the
disk has files. So nothing is removed only because no row names it. Work that a crash could leave half done
gets a journal entry first: an empty file named after what it concerns, created before bytes are moved into
place and before a row is deleted, and removed once disk and database agree again. A removal of many files
writes one list of names instead, because creating an entry costs more than everything else about removing a
file.
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
    """The entries. A name is `<content hash>.<extension>`, or `<generation id>` with `.outputs` or `.parts`.
    Thread-safe; every method blocks briefly.

    Several tasks may add the same name, such as an upload and a delete right after its commit: the entry is
    removed when the last of them clears it.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        # Name -> number of tasks of this process that work on it now.
        self._busy: Counter[str] = Counter()
        # List file -> its names that are not cleared yet.
        self._lists: dict[Path, set[str]] = {}
        # Names that could not be written, on a full disk for example: kept in memory and retried.
        self._unwritten: set[str] = set()
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        """Add an entry. Raises OSError; then there is none."""
        with self._lock:
            self._busy[name] += 1  # before the file exists, so that no other task removes it
        try:
            # Outside the lock: this may be slow, and the database's writer thread needs the lock.
            self._disk.touch(self._path(name), patient=True)
        except OSError:
            with self._lock:
                self._release(name)
            raise

    def add_removals(self, names: Sequence[str]) -> None:
        """Add entries for files that are about to be removed. Never fails, so that deleting works on a full
        disk."""
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
        """End one task's work on a name: disk and database agree again."""
        with self._lock:
            if self._release(name):
                self._unwritten.discard(name)
                # An entry that cannot be removed now becomes stale, and is recovered again.
                with contextlib.suppress(OSError):
                    self._disk.unlink(self._path(name), patient=False)
                self._remove_from_lists(name)

    def keep(self, name: str) -> None:
        """End one task's work on a name without success: the entry stays, and recovery retries it."""
        with self._lock:
            self._write(name)
            self._release(name)

    def stale(self) -> list[str]:
        """The names that no task of this process works on. Raises OSError."""
        with self._lock:
            for name in tuple(self._unwritten):
                self._write(name)
            names = self._unwritten.union(*self._lists.values())
            for path in self._folder.iterdir():
                if path.name.endswith(LIST):
                    names |= self._read_list(path)
                elif path.name.endswith(SUFFIX):
                    names.add(path.name.removesuffix(SUFFIX))
            return sorted(names - self._busy.keys())

    def is_stale(self, name: str) -> bool:
        """Whether a name that `stale` returned is still stale."""
        with self._lock:
            return name not in self._busy and self._has_entry(name)

    def contains(self, name: str) -> bool:
        with self._lock:
            return name in self._busy or self._has_entry(name)

    def _release(self, name: str) -> bool:
        """Decrement the number of tasks on a name; returns whether this was the last."""
        self._busy[name] -= 1
        if self._busy[name] > 0:
            return False
        del self._busy[name]
        return True

    def _write(self, name: str) -> None:
        """Write an entry file for the name, or remember that it is unwritten."""
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
        """The names in a list. A truncated list lacks names, but then their rows were not deleted yet."""
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
        """Remove the name from all lists, and a list once it is empty. A list that cannot be removed now
        keeps its last name, so that the removal is retried."""
        for path, names in tuple(self._lists.items()):
            if names - {name}:
                names.discard(name)
            else:
                with contextlib.suppress(OSError):
                    self._remove_list(path)
