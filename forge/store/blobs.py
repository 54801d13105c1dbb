"""Content-addressed files, `blobs/ab/abcd....png`, written atomically.

To survive a power cut, a put writes and fsyncs a temp file on the same disk, renames it into place, and
fsyncs the folder and every new parent folder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ..errors import StorageFullError, UnavailableError
from .disk import Disk, is_refused, open_to_read
from .recovery_journal import SUFFIX, RecoveryJournal

_FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
_PIECE = 1024 * 1024
START = 16  # bytes
PART = ".part"

log = logging.getLogger("avatarforge")


class Incoming:
    """A temp file that is being written, and the SHA-256 of its content.

    The file is created by the first write, so an upload that is aborted early leaves none. One thread writes;
    another may call `discard` at any time, and later writes are ignored. `start` is the first START bytes;
    `discarded` is true once the temp file has been discarded.
    """

    def __init__(self, path: Path, disk: Disk, on_discard: Callable[[Path], None]) -> None:
        self.path = path
        self.size = 0
        self.start = b""
        self._disk = disk
        self._on_discard = on_discard
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._synced = False
        self.discarded = False
        self._lock = threading.Lock()

    def write(self, *pieces: bytes) -> None:
        with self._lock, _storage_errors():
            if self.discarded:
                return
            file = self._open()
            for piece in pieces:
                self._disk.write(file, piece)
                self._hash.update(piece)
                self.size += len(piece)
            if len(self.start) < START:
                self.start += b"".join(pieces)[: START - len(self.start)]

    def finish(self, *pieces: bytes) -> str:
        """Write the last pieces and flush, so that others can read the file. Returns the SHA-256 in
        lower-case hex."""
        self.write(*pieces)
        with self._lock, _storage_errors():
            if not self.discarded:
                self._open().flush()
            return self._hash.hexdigest()

    def sync(self) -> None:
        """Fsync and close the file, if that is not done yet. Others may read it meanwhile."""
        with self._lock, _storage_errors():
            if not self.discarded and not self._synced:
                file = self._open()
                self._disk.sync(file)
                self._disk.close(file)
                self._synced = True

    def discard(self) -> None:
        """Close and remove the file; a no-op if it was moved into place. A file that cannot be removed
        becomes one of `BlobStore.stray_files`."""
        with self._lock:
            self.discarded = True
            with contextlib.suppress(OSError):
                if self._file is not None:
                    self._file.close()
            with contextlib.suppress(OSError):
                self._disk.unlink(self.path)
        self._on_discard(self.path)

    def _open(self) -> BinaryIO:
        if self._file is None:
            self._file = self._disk.create(self.path)
        return self._file


class BlobStore:
    """The folder of blobs. Every method blocks: call it in a thread."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self.blobs = folder / "blobs"
        self.incoming = folder / "incoming"
        self.quarantined = folder / "quarantine"
        self._disk = disk or Disk()
        self.journal = RecoveryJournal(self.incoming, self._disk)
        self._arriving: set[Path] = set()

    def open(self) -> None:
        """Create the folders, check that they are writable, and remove what a crash left behind.

        Raises UnavailableError.
        """
        self.make_folders()
        self._arriving.clear()
        try:
            self.sweep()
        except OSError as error:
            raise _unusable_folder(error) from error
        self.probe()

    def sweep(self) -> int:
        """Remove the stray files and return how many were removed; the system may refuse some. Raises OSError
        if the folder cannot be listed."""
        return sum(self.remove_temporary(path, patient=False) for path in self.stray_files())

    def make_folders(self) -> None:
        """Raises UnavailableError."""
        try:
            for folder in (self.blobs, self.incoming):
                self._disk.make_folder(folder)
        except OSError as error:
            raise _unusable_folder(error) from error

    def probe(self) -> None:
        """Check that the folder is writable. Raises UnavailableError or StorageFullError."""
        probe = self.begin()
        try:
            probe.finish(b"probe")
            probe.sync()
        finally:
            probe.discard()

    def begin(self) -> Incoming:
        """Start an upload. No file is created yet, so this does not block."""
        path = self.incoming / f"{uuid.uuid4()}{PART}"
        self._arriving.add(path)
        return Incoming(path, self._disk, self._arriving.discard)

    def stray_files(self) -> list[Path]:
        """Temp files in `incoming` that belong to no upload in progress. Raises OSError."""
        # List first: an upload that starts later is not in the list, and one that ended before left no file.
        found = [path for path in self.incoming.iterdir() if not path.name.endswith(SUFFIX)]
        return [path for path in found if path not in self._arriving and path.exists()]

    def remove_temporary(self, path: Path, *, patient: bool = True) -> bool:
        """Remove an unfinished file; returns whether it is gone. `patient` retries while it is refused."""
        try:
            self._disk.unlink(path, patient=patient)
        except OSError:
            return False
        return True

    def path(self, content_hash: str, extension: str) -> Path:
        return self.blobs / content_hash[:2] / f"{content_hash}.{extension}"

    def intact(self, content_hash: str, extension: str) -> bool:
        """Whether the blob exists and its bytes still match its hash."""
        try:
            return hash_file(self.path(content_hash, extension))[0] == content_hash
        except OSError:
            return False

    def put(self, incoming: Incoming, content_hash: str, extension: str) -> None:
        """Sync a finished temp file and move it to its final path, replacing a blob whose bytes were altered.
        Call `clear_entry` once its row is committed.

        Raises StorageFullError or UnavailableError.
        """
        target = self.path(content_hash, extension)
        incoming.sync()
        with _storage_errors():
            self.journal.add(target.name)
            self._disk.make_folder(target.parent)
            try:
                self._disk.replace(incoming.path, target)
            except OSError as error:
                # Windows does not rename over an open file. An intact blob can stay.
                if not is_refused(error) or not self.intact(content_hash, extension):
                    raise
            self._disk.sync_folder(target.parent)
        incoming.discard()

    def clear_entry(self, content_hash: str, extension: str) -> None:
        """Clear the journal entry that `put` made: the row is committed."""
        self.journal.clear(f"{content_hash}.{extension}")

    def remove(self, content_hash: str, extension: str, *, patient: bool = True) -> bool:
        """Remove a blob that has no row; returns whether it is gone. If the system refuses, as Windows does
        for an open file, the journal entry stays and the removal is retried later."""
        target = self.path(content_hash, extension)
        try:
            self._disk.unlink(target, patient=patient)
            # If the drive was disconnected, nothing was removed: the blob comes back with the drive.
            self.blobs.stat()
        except OSError as error:
            self.journal.keep(target.name)
            if patient:
                log.warning("AvatarForge: a deleted file cannot be removed yet: %s", error.strerror)
            return False
        self.journal.clear(target.name)
        return True

    def try_quarantine(self, path: Path) -> str | None:
        """Like `quarantine`, but returns None if another program holds the file."""
        try:
            return self.quarantine(path)
        except OSError as error:
            if not is_refused(error):
                raise
            return None

    def quarantine(self, path: Path) -> str:
        """Move a file into `quarantine/` and return its name there. Raises OSError."""
        self._disk.make_folder(self.quarantined)
        name = f"{uuid.uuid4()}-{path.name}"
        try:
            self._disk.replace(path, self.quarantined / name)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # Output files may be on another disk, so a rename is impossible: copy, then remove.
            with open_to_read(path) as source:
                write_whole(self.quarantined / name, partial(shutil.copyfileobj, source), self._disk)
            try:
                self._disk.unlink(path)
            except OSError:
                self.remove_temporary(self.quarantined / name)  # or every retry would leave a copy
                raise
        self._disk.sync_folder(self.quarantined)
        return name


def hash_file(path: Path, *, patient: bool = False) -> tuple[str, int]:
    """(SHA-256 in hex, size in bytes) of the file. `patient` retries while opening is refused. Raises
    OSError."""
    digest, size = hashlib.sha256(), 0
    with open_to_read(path) if patient else path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


def write_whole(
    path: Path,
    write: Callable[[BinaryIO], object],
    disk: Disk | None = None,
    on_leftover: Callable[[], object] | None = None,
) -> None:
    """Atomically create or replace the file at `path` with what `write` writes.

    Raises StorageFullError or UnavailableError. `on_leftover` is called if the write fails and its temp file,
    in the same folder, cannot be removed.
    """
    disk = disk or Disk()
    with _storage_errors():
        disk.make_folder(path.parent)
        temporary = path.with_name(f".{uuid.uuid4()}{PART}")
        try:
            disk.write_whole(path, temporary, write)
        except BaseException:  # also a cancellation must leave no part of a file
            try:
                disk.unlink(temporary)
            except OSError:  # raise the write's error, not this one
                if on_leftover is not None:
                    on_leftover()
            raise


def storage_error(error: OSError) -> StorageFullError | UnavailableError:
    if error.errno in _FULL:
        return StorageFullError(
            "The disk is full: nothing was stored. Free some space and send it again.", code="disk_full"
        )
    return UnavailableError(
        f"The storage cannot be written: {error.strerror or type(error).__name__}.",
        code="storage_unavailable",
    )


def _unusable_folder(error: OSError) -> UnavailableError:
    reason = error.strerror or type(error).__name__
    return UnavailableError(
        f"The storage folder (STORAGE_PATH) cannot be used: {reason}.", code="storage_unavailable"
    )


@contextlib.contextmanager
def _storage_errors() -> Iterator[None]:
    """Turn an OSError into StorageFullError or UnavailableError."""
    try:
        yield
    except OSError as error:
        raise storage_error(error) from error
