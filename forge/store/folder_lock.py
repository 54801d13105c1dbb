"""Who may use a data folder: one process at a time."""

from __future__ import annotations

from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from ..errors import UnavailableError

NAME = "avatarforge.lock"


class InUseError(UnavailableError):
    """Another process has the folder."""


def lock_folders(data_folder: Path, storage_folder: Path) -> list[BaseFileLock]:
    """Lock the data folder, and the storage folder where that lies elsewhere.

    Two ComfyUIs on one folder would each take the other's work for a crash's leftovers. The operating system
    lets go of a lock when the process ends, even after a crash. Raises UnavailableError.
    """
    locks = [_lock(data_folder, _DATA)]
    if not _lies_inside(storage_folder, data_folder):
        # Two user folders can share one STORAGE_PATH.
        try:
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


def _lies_inside(folder: Path, outer: Path) -> bool:
    try:
        return folder.resolve().is_relative_to(outer.resolve())
    except (OSError, RuntimeError):  # links in a circle; `_lock` says so where the folder cannot be used
        return False


def _lock(folder: Path, words: tuple[str, str]) -> BaseFileLock:
    in_use, cannot = words
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / NAME)
        lock.acquire(blocking=False)
        return lock
    except Timeout as error:
        raise InUseError(in_use) from error
    except OSError as error:
        raise UnavailableError(f"{cannot}: {error.strerror or type(error).__name__}.") from error
