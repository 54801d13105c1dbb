"""What is synced on macOS, by a stand-in for fcntl."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from disk_writers import make_secret, put_blob, save_picture, write_file
from held_files import os_error
from sqlalchemy import Connection

from avatarforge.db.engine import open_database
from avatarforge.forge.store import disk as module
from avatarforge.forge.store.disk import Disk

FULL_SYNC = 51  # F_FULLFSYNC of macOS's fcntl.h


class MacOs:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails_with: int | None = None) -> None:
        self.full: list[int] = []
        self.plain: list[int] = []
        self._fails_with = fails_with
        stand_in = SimpleNamespace(F_FULLFSYNC=FULL_SYNC, fcntl=self._fcntl)
        monkeypatch.setattr(module, "fcntl", stand_in)
        monkeypatch.setattr(os, "fsync", self.plain.append)

    def _fcntl(self, descriptor: int, command: int) -> int:
        assert command == FULL_SYNC
        self.full.append(descriptor)
        if self._fails_with is not None:
            raise os_error(self._fails_with)
        return 0


def sync_both(folder: Path) -> None:
    disk = Disk()
    with (folder / "a").open("wb") as file:
        disk.sync(file)
    disk.sync_folder(folder)


def test_macos_pushes_files_and_folders_to_the_disk_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    macos = MacOs(monkeypatch)
    sync_both(tmp_path)
    assert (len(macos.full), macos.plain) == (2, [])


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_a_file_system_without_it_gets_a_plain_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    macos = MacOs(monkeypatch, number)
    sync_both(tmp_path)
    assert macos.full == macos.plain
    assert len(macos.plain) == 2


def test_a_disk_that_fails_to_sync_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    macos = MacOs(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        sync_both(tmp_path)
    assert macos.plain == []


@pytest.mark.parametrize(
    ("writer", "syncs"),
    # A blob: its bytes; the folders of the new `storage`, `blobs`, `incoming` and `ab`; and `ab` itself.
    [(put_blob, 6), (save_picture, 3), (write_file, 2), (make_secret, 2)],
)
def test_whatever_must_survive_a_power_cut_goes_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Callable[[Path, Disk], None], syncs: int
) -> None:
    macos = MacOs(monkeypatch)
    writer(tmp_path, Disk())
    assert (len(macos.full), macos.plain) == (syncs, [])


def value_of(pragma: str, connection: Connection) -> object:
    return connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()


def test_sqlite_is_told_to_do_the_same(tmp_path: Path) -> None:
    database = open_database("", tmp_path)
    try:
        for pragma in ("fullfsync", "checkpoint_fullfsync"):
            found = database.write_here(partial(value_of, pragma))
            assert (pragma, found) == (pragma, 1)
    finally:
        database.close()
    assert sqlite3.connect(tmp_path / "avatarforge.db").execute("PRAGMA fullfsync").fetchone() == (0,)
