"""All disk operations of the store, in one class that tests can replace with a failing disk.

No other module of the pack renames, removes or syncs files (checked by `tests/unit/test_disk_calls.py`).
Every function blocks, so call it in a thread, and lets the system's OSError through.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

Result = TypeVar("Result")
Sleep = Callable[[float], object]

#: Seconds between the attempts of a refused operation; 1.6 s in all. A virus scanner, an indexer or a backup
#: program holds a new or changed file for a few milliseconds up to about a second.
RETRY_WAITS = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5, 0.5)
#: Errors for a file that another program holds. A missing permission gives the same ones.
REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EBUSY})
#: ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION of winerror.h
REFUSED_BY_WINDOWS = frozenset({5, 32, 33})
#: Errors of F_FULLFSYNC on a file system that does not support it, such as a network share.
NO_FULL_SYNC = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY})


def is_refused(error: OSError) -> bool:
    """Whether a retry a moment later can help."""
    return error.errno in REFUSED or getattr(error, "winerror", None) in REFUSED_BY_WINDOWS


def retry_refused(
    operation: Callable[[], Result],
    sleep: Sleep = time.sleep,
    refused: Callable[[OSError], bool] = is_refused,
    waits: Sequence[float] = RETRY_WAITS,
) -> Result:
    """Run `operation`, and retry it with growing waits while the system refuses it.

    If all attempts fail, raises the first error: later ones can be consequences of it.
    """
    try:
        return operation()
    except OSError as error:
        if not refused(error):
            raise
        first = error
    for wait in waits:
        sleep(wait)
        try:
            return operation()
        except OSError as error:
            if not refused(error):
                break
    raise first


def open_to_read(path: Path, sleep: Sleep = time.sleep) -> BinaryIO:
    """Open a file for reading. Retries, because Windows refuses to open a file while it is being replaced."""
    return retry_refused(lambda: path.open("rb"), sleep)


def sync_descriptor(descriptor: int) -> None:
    """Flush everything written to the physical disk.

    On macOS, fsync only hands the data to the drive, which may keep it in its cache: fsync(2) there says to
    use F_FULLFSYNC for data that must survive a power cut.
    """
    full_sync = getattr(fcntl, "F_FULLFSYNC", None)
    if full_sync is not None:
        try:
            fcntl.fcntl(descriptor, full_sync)
            return
        except OSError as error:
            if error.errno not in NO_FULL_SYNC:
                raise
    os.fsync(descriptor)


class Disk:
    """The real disk. `sleep` is called with seconds between the attempts of a refused operation."""

    def __init__(self, sleep: Sleep = time.sleep) -> None:
        self._sleep = sleep

    def create(self, path: Path) -> BinaryIO:
        """Create a file and open it for writing. Raises FileExistsError."""
        return path.open("xb")

    def touch(self, path: Path, *, patient: bool = False) -> None:
        """Create an empty file if there is none. `patient` retries while it is refused."""
        self._try(path.touch, patient)

    def write(self, file: BinaryIO, data: bytes) -> None:
        file.write(data)

    def sync(self, file: BinaryIO) -> None:
        """Flush and fsync the file."""
        file.flush()
        sync_descriptor(file.fileno())

    def close(self, file: BinaryIO) -> None:
        file.close()

    def replace(self, source: Path, target: Path) -> None:
        """Rename, over what is there. Tries again while it is refused."""
        # os.replace in tests can be given another function, that of Path cannot on Python 3.10.
        retry_refused(lambda: os.replace(source, target), self._sleep)  # noqa: PTH105

    def write_whole(self, path: Path, temporary: Path, write: Callable[[BinaryIO], object]) -> None:
        """Atomically create or replace the file at `path` with what `write` writes. `temporary` is a new file
        in the same folder, which stays if this raises."""
        file = self.create(temporary)
        try:
            write(file)
            self.sync(file)
        finally:
            self.close(file)
        self.replace(temporary, path)
        self.sync_folder(path.parent)

    def unlink(self, path: Path, *, patient: bool = True) -> None:
        """Remove a file; a no-op if there is none. `patient` retries while it is refused."""
        self._try(lambda: _unlink(path), patient)

    def remove_tree(self, folder: Path, *, patient: bool = True) -> None:
        """Remove a folder and its contents, or a link to a folder; a no-op if there is none.

        A refused file does not stop the removal: the first error is raised after the rest is gone.
        """
        operation = partial(_remove_tree, folder)
        if patient:
            retry_refused(operation, self._sleep, _is_tree_refused)
        else:
            operation()

    def make_folder(self, folder: Path) -> None:
        """`mkdir -p`, made durable: the new folders survive a power cut."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            if folder.parent == folder:  # `Z:\` of a disconnected drive, or `.` if the current folder is gone
                raise FileNotFoundError(errno.ENOENT, "Its drive or root folder is not there")
            folder = folder.parent
        for new in reversed(missing):
            if new.exists() and not new.is_dir():  # a folder may have been made by another thread meanwhile
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            new.mkdir(exist_ok=True)
            self.sync_folder(new.parent)

    def sync_folder(self, folder: Path) -> None:
        """Make new and renamed entries of a folder survive a power cut."""
        if os.name == "nt":
            return  # Windows cannot fsync a folder; NTFS journals the rename itself.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            sync_descriptor(descriptor)
        finally:
            os.close(descriptor)

    def _try(self, operation: Callable[[], object], patient: bool) -> None:
        if patient:
            retry_refused(operation, self._sleep)
        else:
            operation()


def _unlink(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - see `Disk.replace`


def _is_tree_refused(error: OSError) -> bool:
    # On Windows a removed file stays in its folder until its last reader closes it.
    return is_refused(error) or error.errno == errno.ENOTEMPTY


def _remove_tree(folder: Path) -> None:
    errors: list[OSError] = []

    def collect(error: BaseException) -> None:
        if not isinstance(error, OSError):
            raise error
        if not isinstance(error, FileNotFoundError):
            errors.append(error)

    def collect_info(_function: Any, _path: Any, info: Any) -> None:
        collect(info[1])

    if folder.is_symlink():
        _unlink(folder)
        return
    if sys.version_info >= (3, 12):
        shutil.rmtree(folder, onexc=lambda _function, _path, error: collect(error))
    else:
        shutil.rmtree(folder, onerror=collect_info)
    if errors:
        raise errors[0]
