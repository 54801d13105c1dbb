"""Bytes by content: `blobs/ab/abcd....png`, written whole or not at all.

The order that makes a put survive a power cut: write and fsync a temp file on the same disk,
rename it into place, fsync the folder and every folder newly made.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import StorageFullError, UnavailableError

_FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


class Incoming:
    """A temp file that is being written, and the SHA-256 of what it holds. Not for several threads
    at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = path.open("xb")

    def write(self, chunk: bytes) -> None:
        try:
            self._file.write(chunk)
        except OSError as error:
            raise storage_error(error) from error
        self._hash.update(chunk)
        self.size += len(chunk)

    def seal(self) -> str:
        """Push everything to the disk and close; give back the SHA-256, hex, lower case."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise storage_error(error) from error
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Close and remove; harmless when the file has been moved into place."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


class BlobStore:
    """The folder of blobs. Every method blocks: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._blobs = folder / "blobs"
        self._incoming = folder / "incoming"

    def open(self) -> None:
        """Make the folders, prove that they can be written, and sweep what a crash left behind.

        Raises UnavailableError.
        """
        try:
            for folder in (self._blobs, self._incoming):
                _make_folder(folder)
            for leftover in self._incoming.iterdir():
                leftover.unlink()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UnavailableError(f"The storage folder (STORAGE_PATH) cannot be used: {reason}.") from error
        self.probe()

    def probe(self) -> None:
        """Write and remove a file. Raises UnavailableError or StorageFullError."""
        probe = self.begin()
        try:
            probe.write(b"probe")
            probe.seal()
        finally:
            probe.discard()

    def begin(self) -> Incoming:
        try:
            return Incoming(self._incoming / f"{uuid.uuid4()}.part")
        except OSError as error:
            raise storage_error(error) from error

    def path(self, content_hash: str, extension: str) -> Path:
        return self._blobs / content_hash[:2] / f"{content_hash}.{extension}"

    def put(self, incoming: Incoming, content_hash: str, extension: str) -> None:
        """Move a sealed temp file to its final place. Putting what exists is a no-op."""
        target = self.path(content_hash, extension)
        try:
            if target.is_file() and target.stat().st_size == incoming.size:
                return
            _make_folder(target.parent)
            incoming.path.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            raise storage_error(error) from error

    def remove(self, content_hash: str, extension: str) -> None:
        self.path(content_hash, extension).unlink(missing_ok=True)


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Have `write` fill a file that appears at `path` whole, or not at all. Replaces what was there."""
    _make_folder(path.parent)
    temporary = path.with_name(f".{uuid.uuid4()}.part")
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def storage_error(error: OSError) -> StorageFullError | UnavailableError:
    if error.errno in _FULL:
        return StorageFullError("The disk is full: nothing was stored. Free some space and send it again.")
    return UnavailableError(f"The storage cannot be written: {error.strerror or type(error).__name__}.")


def _make_folder(folder: Path) -> None:
    """mkdir -p that also makes the new folders' names survive a power cut."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        if new.exists():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        new.mkdir(exist_ok=True)
        _sync_folder(new.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot fsync a folder; NTFS journals the rename itself.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
