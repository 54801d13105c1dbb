"""File systems on which the folders cannot be locked."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from avatarforge.forge.errors import UnavailableError
from avatarforge.forge.store.folder_lock import lock_folders

NO_LOCKS = "its file system has no file locks"


@pytest.mark.skipif(sys.platform == "win32", reason="flock is POSIX's")
@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """With every version of filelock: some raise NotImplementedError, some take a file for a lock instead,
    which would stay after a crash."""
    import fcntl

    def no_flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", no_flock)
    with pytest.raises(UnavailableError, match=f"The data folder cannot be written: {NO_LOCKS}"):
        lock_folders(tmp_path / "data", tmp_path / "storage")
    monkeypatch.undo()
    for lock in lock_folders(tmp_path / "data", tmp_path / "storage"):  # nothing is left behind
        lock.release()


def test_a_lock_that_is_not_implemented_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_implemented(*_: object, **__: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(FileLock, "acquire", not_implemented)
    with pytest.raises(UnavailableError, match=NO_LOCKS):
        lock_folders(tmp_path, tmp_path / "storage")


def test_a_storage_folder_that_leads_in_a_circle_is_reported_and_nothing_stays_locked(tmp_path: Path) -> None:
    data, circle = tmp_path / "data", tmp_path / "circle"
    circle.symlink_to(circle)
    with pytest.raises(UnavailableError, match=r"The storage folder \(STORAGE_PATH\) cannot be used"):
        lock_folders(data, circle / "storage")
    for lock in lock_folders(data, data / "storage"):
        lock.release()
