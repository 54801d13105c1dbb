"""What the store asks of the disk, in one place: a test can put a failing disk in its stead.

No other module of the pack renames, removes or syncs (`tests/unit/test_disk_calls.py` looks for it). Every
function blocks: call it in a thread. All raise OSError as the operating system does.
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

#: Seconds between the tries of an operation that was refused; 1.6 s in all. A virus scanner, an indexer or a
#: backup program holds a file that is new or has changed for some milliseconds up to about a second.
RETRY_WAITS = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5, 0.5)
#: The errors of a file that somebody else holds. A missing permission has the same number.
REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EBUSY})
#: ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION of winerror.h
REFUSED_BY_WINDOWS = frozenset({5, 32, 33})
#: What F_FULLFSYNC gives on a file system that does not have it, such as a network share.
NO_FULL_SYNC = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY})


def is_refused(error: OSError) -> bool:
    """Whether trying again in a moment can help."""
    return error.errno in REFUSED or getattr(error, "winerror", None) in REFUSED_BY_WINDOWS


def retry_refused(
    operation: Callable[[], Result],
    sleep: Sleep = time.sleep,
    refused: Callable[[OSError], bool] = is_refused,
    waits: Sequence[float] = RETRY_WAITS,
) -> Result:
    """Try again, with growing waits, while the system refuses it.

    Raises the first error in the end: a later one can be a consequence of it.
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
    """Open a file that somebody may be replacing just now: Windows refuses it for a moment then."""
    return retry_refused(lambda: path.open("rb"), sleep)


def sync_descriptor(descriptor: int) -> None:
    """Push everything that was written to the disk itself.

    fsync of macOS ends at the drive, which may keep the data in its cache: fsync(2) there says to use
    F_FULLFSYNC where a power cut must lose nothing.
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
    """The real one. `sleep` takes seconds, and is called between the tries of what is refused."""

    def __init__(self, sleep: Sleep = time.sleep) -> None:
        self._sleep = sleep

    def create(self, path: Path) -> BinaryIO:
        """A new file, open for writing. Raises FileExistsError."""
        return path.open("xb")

    def touch(self, path: Path, *, patient: bool = False) -> None:
        """An empty file, unless there is one. `patient` tries again while it is refused."""
        self._try(path.touch, patient)

    def write(self, file: BinaryIO, data: bytes) -> None:
        file.write(data)

    def sync(self, file: BinaryIO) -> None:
        """Push everything that was written to the disk."""
        file.flush()
        sync_descriptor(file.fileno())

    def close(self, file: BinaryIO) -> None:
        file.close()

    def replace(self, source: Path, target: Path) -> None:
        """Rename, over what is there. Tries again while it is refused."""
        # os.replace in tests can be given another function, that of Path cannot on Python 3.10.
        retry_refused(lambda: os.replace(source, target), self._sleep)  # noqa: PTH105

    def unlink(self, path: Path, *, patient: bool = True) -> None:
        """Remove a file; harmless where nothing is. `patient` tries again while it is refused."""
        self._try(lambda: _unlink(path), patient)

    def remove_tree(self, folder: Path, *, patient: bool = True) -> None:
        """Remove a folder with all that is in it, or a link to one; harmless where nothing is.

        What is refused does not keep the rest: the first error is raised when all else is gone.
        """
        operation = partial(_remove_tree, folder)
        if patient:
            retry_refused(operation, self._sleep, _is_tree_refused)
        else:
            operation()

    def make_folder(self, folder: Path) -> None:
        """mkdir -p that also makes the new folders' names survive a power cut."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            if folder.parent == folder:  # `Z:\` of a drive that is gone, and `.` of a folder that is gone
                raise FileNotFoundError(errno.ENOENT, "Its drive or root folder is not there")
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
    # On Windows a removed file keeps its folder from being removed until its last reader has closed it.
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
