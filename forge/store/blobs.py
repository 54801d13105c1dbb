"""Bytes by content: `blobs/ab/abcd....png`, written whole or not at all.

The order that makes a put survive a power cut: write and fsync a temp file on the same disk,
rename it into place, fsync the folder and every folder newly made.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import StorageFullError, UnavailableError
from .disk import Disk, is_refused, open_to_read
from .recovery_journal import SUFFIX, RecoveryJournal

_FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
_PIECE = 1024 * 1024
START = 16
PART = ".part"

log = logging.getLogger("avatarforge")


class Incoming:
    """A temp file that is being written, and the SHA-256 of what it holds.

    Made when it is first written to, so that a caller who goes away early leaves no file. One thread
    writes; another may discard at any moment, and what comes after that is dropped. `start` are its first
    bytes, up to START; `discarded` says that nothing is left to discard.
    """

    def __init__(self, path: Path, disk: Disk, gone: Callable[[Path], None]) -> None:
        self.path = path
        self.size = 0
        self.start = b""
        self._disk = disk
        self._gone = gone
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._safe = False
        self.discarded = False
        self._lock = threading.Lock()

    def write(self, *pieces: bytes) -> None:
        with self._lock, _translated():
            if self.discarded:
                return
            file = self._opened()
            for piece in pieces:
                self._disk.write(file, piece)
                self._hash.update(piece)
                self.size += len(piece)
            if len(self.start) < START:
                self.start += b"".join(pieces)[: START - len(self.start)]

    def finish(self, *pieces: bytes) -> str:
        """Write the last pieces, so that others can read it all; give back the SHA-256, hex, lower case."""
        self.write(*pieces)
        with self._lock, _translated():
            if not self.discarded:
                self._opened().flush()
            return self._hash.hexdigest()

    def sync(self) -> None:
        """Push everything to the disk and close, unless that is done. Others may read the file meanwhile."""
        with self._lock, _translated():
            if not self.discarded and not self._safe:
                file = self._opened()
                self._disk.sync(file)
                self._disk.close(file)
                self._safe = True

    def discard(self) -> None:
        """Close and remove; harmless when the file has been moved into place. A file that the system will not
        let go of is one of `BlobStore.stray` from now on."""
        with self._lock:
            self.discarded = True
            with contextlib.suppress(OSError):
                if self._file is not None:
                    self._file.close()
            with contextlib.suppress(OSError):
                self._disk.unlink(self.path)
        self._gone(self.path)

    def _opened(self) -> BinaryIO:
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
        self.unsettled = RecoveryJournal(self.incoming, self._disk)
        self._arriving: set[Path] = set()

    def open(self) -> None:
        """Make the folders, prove that they can be written, and sweep what a crash left behind.

        Raises UnavailableError.
        """
        self.make_folders()
        self._arriving.clear()  # nobody sends anything before a start
        try:
            self.sweep()
        except OSError as error:
            raise _cannot_be_used(error) from error
        self.probe()

    def sweep(self) -> int:
        """Remove the stray files; give back how many have gone. What is refused stays stray. Raises OSError
        where the folder cannot be listed."""
        return sum(self.remove_temporary(path, patient=False) for path in self.orphan_path())

    def make_folders(self) -> None:
        """Raises UnavailableError."""
        try:
            for folder in (self.blobs, self.incoming):
                self._disk.make_folder(folder)
        except OSError as error:
            raise _cannot_be_used(error) from error

    def probe(self) -> None:
        """Write and remove a file. Raises UnavailableError or StorageFullError."""
        probe = self.begin()
        try:
            probe.finish(b"probe")
            probe.sync()
        finally:
            probe.discard()

    def begin(self) -> Incoming:
        """A place for an upload; no file is made yet, so this does not block."""
        path = self.incoming / f"{uuid.uuid4()}{PART}"
        self._arriving.add(path)
        return Incoming(path, self._disk, self._arriving.discard)

    def orphan_path(self) -> list[Path]:
        """Files among the uploads under way that belong to none of them. Raises OSError."""
        # Listed first: what begins after that is not in the list, and what ended before is gone from both.
        found = [path for path in self.incoming.iterdir() if not path.name.endswith(SUFFIX)]
        return [path for path in found if path not in self._arriving and path.exists()]

    def remove_temporary(self, path: Path, *, patient: bool = True) -> bool:
        """Remove a file that was begun and never finished; say whether it is gone."""
        try:
            self._disk.unlink(path, patient=patient)
        except OSError:
            return False
        return True

    def path(self, content_hash: str, extension: str) -> Path:
        return self.blobs / content_hash[:2] / f"{content_hash}.{extension}"

    def intact(self, content_hash: str, extension: str) -> bool:
        """Whether bytes of that content lie there, and are still what their name says."""
        try:
            return hash_file(self.path(content_hash, extension))[0] == content_hash
        except OSError:
            return False

    def put(self, incoming: Incoming, content_hash: str, extension: str) -> None:
        """Push a finished temp file to the disk and move it to its final place, also over altered bytes of
        that content. Call `settle` when its row is committed.

        Raises StorageFullError or UnavailableError.
        """
        target = self.path(content_hash, extension)
        incoming.sync()
        with _translated():
            self.unsettled.add(target.name)
            self._disk.make_folder(target.parent)
            try:
                self._disk.replace(incoming.path, target)
            except OSError as error:
                # Windows does not rename over a file that somebody reads. Good bytes may stay.
                if not is_refused(error) or not self.intact(content_hash, extension):
                    raise
            self._disk.sync_folder(target.parent)
        incoming.discard()

    def clear_entry(self, content_hash: str, extension: str) -> None:
        """The row of these bytes is committed."""
        self.unsettled.clear(f"{content_hash}.{extension}")

    def remove(self, content_hash: str, extension: str, *, patient: bool = True) -> bool:
        """Remove bytes that have no row; say whether they are gone. Where the system will not let go of
        them, such as on Windows while somebody reads them, they stay noted, and are tried again later."""
        target = self.path(content_hash, extension)
        try:
            self._disk.unlink(target, patient=patient)
            # Where the drive is gone, the bytes are not: they will be back with it.
            self.blobs.stat()
        except OSError as error:
            self.unsettled.keep(target.name)
            if patient:
                log.warning("AvatarForge: a deleted file stays for now: %s", error.strerror)
            return False
        self.unsettled.clear(target.name)
        return True

    def try_quarantine(self, path: Path) -> str | None:
        """`quarantine`; None where somebody holds the file, so that it cannot be moved now."""
        try:
            return self.quarantine(path)
        except OSError as error:
            if not is_refused(error):
                raise
            return None

    def quarantine(self, path: Path) -> str:
        """Move a file out of the way without losing it; give back its name in `quarantine/`.
        Raises OSError."""
        self._disk.make_folder(self.quarantined)
        name = f"{uuid.uuid4()}-{path.name}"
        try:
            self._disk.replace(path, self.quarantined / name)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # The output folder may lie on another disk, to which nothing can be renamed.
            with open_to_read(path) as source:
                write_whole(self.quarantined / name, lambda file: _copy(source, file), self._disk)
            try:
                self._disk.unlink(path)
            except OSError:
                self.remove_temporary(self.quarantined / name)  # else each further try would leave a copy
                raise
        self._disk.sync_folder(self.quarantined)
        return name


def hash_file(path: Path, *, patient: bool = False) -> tuple[str, int]:
    """(SHA-256 in hex, size in bytes) of what the file really holds. `patient` tries again while it cannot be
    opened. Raises OSError."""
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
    left_over: Callable[[], object] | None = None,
) -> None:
    """Have `write` fill a file that appears at `path` whole, or not at all. Replaces what was there.

    Raises StorageFullError or UnavailableError. `left_over` is called where the temp file beside `path`
    cannot be removed after a failure.
    """
    disk = disk or Disk()
    with _translated():
        disk.make_folder(path.parent)
        temporary = path.with_name(f".{uuid.uuid4()}{PART}")
        try:
            file = disk.create(temporary)
            try:
                write(file)
                disk.sync(file)
            finally:
                disk.close(file)
            disk.replace(temporary, path)
            disk.sync_folder(path.parent)
        except BaseException:
            try:
                disk.unlink(temporary)
            except OSError:  # what is raised is why it could not be written
                if left_over is not None:
                    left_over()
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


def _cannot_be_used(error: OSError) -> UnavailableError:
    reason = error.strerror or type(error).__name__
    return UnavailableError(
        f"The storage folder (STORAGE_PATH) cannot be used: {reason}.", code="storage_unavailable"
    )


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error(error) from error


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    while piece := source.read(_PIECE):
        target.write(piece)
