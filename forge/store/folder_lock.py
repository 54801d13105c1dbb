"""Locks that let only one process use a data folder."""

from __future__ import annotations

import errno
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from ..errors import UnavailableError

NAME = "avatarforge.lock"


class InUseError(UnavailableError):
    """Another process uses the folder."""


def lock_folders(data_folder: Path, storage_folder: Path) -> list[BaseFileLock]:
    """Lock the data folder, and the storage folder if it is outside of it.

    Two ComfyUIs on one folder would each treat the other's work as leftovers of a crash. The operating system
    releases a lock when its process ends, even after a crash. A file system without locks is refused: a plain
    lock file would remain after a crash, with no way to tell whether its owner still runs.
    Raises UnavailableError.
    """
    locks = [_lock(data_folder, _DATA)]
    try:
        if not _inside(storage_folder, data_folder):
            # Two user folders can share one STORAGE_PATH.
            locks.append(_lock(storage_folder, _STORAGE))
    except UnavailableError:
        locks[0].release()
        raise
    return locks


_DATA = (
    "Another ComfyUI uses the same user folder; give this one its own with --user-directory.",
    "The data folder cannot be written",
)
_STORAGE = (
    "Another ComfyUI uses the same storage folder; give this one its own STORAGE_PATH.",
    "The storage folder (STORAGE_PATH) cannot be used",
)


_WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)


def _lock(folder: Path, messages: tuple[str, str]) -> BaseFileLock:
    in_use, cannot = messages
    no_locks = UnavailableError(
        f"{cannot}: its file system has no file locks. Choose a folder on a local disk."
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _new_lock(folder / NAME)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise InUseError(in_use) from error
    except NotImplementedError as error:  # filelock raises it for a file system without flock
        raise no_locks from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in _WITHOUT_LOCKS:
            raise no_locks from error
        raise UnavailableError(f"{cannot}: {_reason(error)}.") from error
    if isinstance(lock, SoftFileLock):  # some versions of filelock fall back to it by themselves
        lock.release()
        raise no_locks
    return lock


def _new_lock(path: Path) -> BaseFileLock:
    try:
        # Since filelock 4, a lock can be told not to fall back to a plain lock file.
        return FileLock(path, fallback_to_soft=False)
    except TypeError:
        return FileLock(path)


def _inside(folder: Path, other: Path) -> bool:
    try:
        return folder.resolve().is_relative_to(other.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, until Python 3.12 a RuntimeError
        raise UnavailableError(f"{_STORAGE[1]}: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
