"""The one place that renames, removes and syncs: refusals that pass, drives that go, and macOS."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import pytest
from held_files import REFUSALS, SharingViolation, os_error
from pictures import picture
from services import product
from sqlalchemy import Connection

from avatarforge.db.engine import open_database
from avatarforge.forge.access.secret import signing_secret
from avatarforge.forge.errors import SettingsError, UnavailableError
from avatarforge.forge.generations.outputs import OutputFolder, parts_entry
from avatarforge.forge.store import disk as module
from avatarforge.forge.store.blobs import BlobStore, hash_file, write_whole
from avatarforge.forge.store.disk import RETRY_WAITS, Disk, is_refused, open_to_read
from avatarforge.forge.store.recovery_journal import RecoveryJournal


class Refusing:
    """Takes the place of a function of `os`, and refuses its first calls."""

    def __init__(self, real: Callable[..., Any], error: OSError, times: int) -> None:
        self._real = real
        self._error = error
        self.left = times

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self.left:
            self.left -= 1
            raise self._error
        return self._real(*arguments, **named)


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, error: OSError, times: int) -> Refusing:
    refusing = Refusing(getattr(os, name), error, times)
    monkeypatch.setattr(os, name, refusing)
    return refusing


def patient_disk() -> tuple[Disk, list[float]]:
    waits: list[float] = []
    return Disk(waits.append), waits


Act = Callable[[Disk, Path], None]


def rename(disk: Disk, folder: Path) -> None:
    disk.replace(folder / "a", folder / "b")


def remove(disk: Disk, folder: Path) -> None:
    disk.unlink(folder / "a")


def remove_folder(disk: Disk, folder: Path) -> None:
    disk.remove_tree(folder)


OPERATIONS = [(rename, "replace"), (remove, "unlink"), (remove_folder, "rmdir")]


def test_the_waits_are_between_one_and_two_seconds_and_grow() -> None:
    assert 1 <= sum(RETRY_WAITS) <= 2
    assert list(RETRY_WAITS) == sorted(RETRY_WAITS)


@pytest.mark.parametrize("error", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize(("act", "name"), OPERATIONS)
@pytest.mark.parametrize("times", [1, 3, len(RETRY_WAITS)])
def test_what_is_refused_for_a_moment_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Act, name: str, error: OSError, times: int
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    disk, waits = patient_disk()
    refusing = refuse(monkeypatch, name, error, times)
    act(disk, tmp_path)
    assert (refusing.left, waits) == (0, list(RETRY_WAITS[:times]))
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("error", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize(("act", "name"), OPERATIONS)
def test_what_is_refused_for_good_raises_the_first_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Act, name: str, error: OSError
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    disk, waits = patient_disk()
    refuse(monkeypatch, name, error, 10_000)
    with pytest.raises(OSError) as caught:
        act(disk, tmp_path)
    assert (caught.value, waits) == (error, list(RETRY_WAITS))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.ENOENT, errno.EXDEV])
def test_what_waiting_cannot_help_is_raised_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    disk, waits = patient_disk()
    refuse(monkeypatch, "replace", os_error(number), 1)
    with pytest.raises(OSError) as caught:
        rename(disk, tmp_path)
    assert (caught.value.errno, waits) == (number, [])
    assert not is_refused(caught.value)


def test_a_file_that_a_scanner_takes_away_meanwhile_is_told_as_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    disk = Disk(lambda _: (tmp_path / "a").unlink())
    refuse(monkeypatch, "replace", SharingViolation(32), 1)
    with pytest.raises(PermissionError):
        rename(disk, tmp_path)


def test_a_file_is_opened_when_its_moment_has_passed(tmp_path: Path) -> None:
    class Held(type(tmp_path)):  # type: ignore[misc]
        left = 2

        def open(self, *arguments: Any, **named: Any) -> Any:
            if Held.left:
                Held.left -= 1
                raise SharingViolation(32)
            return super().open(*arguments, **named)

    (tmp_path / "a").write_bytes(b"x")
    waits: list[float] = []
    with open_to_read(Held(tmp_path / "a"), waits.append) as file:
        assert file.read() == b"x"
    assert waits == list(RETRY_WAITS[:2])


# What renames, from the outside: each goes on when the refusal passes, and says what was refused when not.


def put_blob(folder: Path, disk: Disk) -> None:
    blobs = BlobStore(folder / "storage", disk)
    blobs.make_folders()
    incoming = blobs.begin()
    content_hash = incoming.finish(picture())
    try:
        blobs.put(incoming, content_hash, "png")
    finally:
        incoming.discard()
    assert blobs.intact(content_hash, "png")


def save_picture(folder: Path, disk: Disk) -> None:
    saved = OutputFolder(folder, disk=disk).write("one", 0, lambda file: file.write(picture()))
    assert saved.read_bytes() == picture()


def write_file(folder: Path, disk: Disk) -> None:
    write_whole(folder / "file", lambda file: file.write(b"x"), disk)
    assert (folder / "file").read_bytes() == b"x"


def move_to_quarantine(folder: Path, disk: Disk) -> None:
    blobs = BlobStore(folder / "storage", disk)
    (folder / "altered").write_bytes(b"x")
    name = blobs.quarantine(folder / "altered")
    assert (blobs.quarantined / name).read_bytes() == b"x"


def make_secret(folder: Path, disk: Disk) -> None:
    assert signing_secret("", folder, disk) == signing_secret("", folder, disk)


RENAMERS = [put_blob, save_picture, write_file, move_to_quarantine, make_secret]


@pytest.mark.parametrize("error", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("renamer", RENAMERS)
def test_whatever_renames_waits_for_its_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamer: Callable[[Path, Disk], None], error: OSError
) -> None:
    disk, waits = patient_disk()
    refusing = refuse(monkeypatch, "replace", error, 3)
    renamer(tmp_path, disk)
    assert (refusing.left, waits) == (0, list(RETRY_WAITS[:3]))
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("error", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("renamer", RENAMERS)
def test_whatever_cannot_rename_names_the_refusal_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamer: Callable[[Path, Disk], None], error: OSError
) -> None:
    disk, waits = patient_disk()
    refuse(monkeypatch, "replace", error, 10_000)
    with pytest.raises((UnavailableError, SettingsError, OSError), match=str(error.strerror)) as caught:
        renamer(tmp_path, disk)
    assert waits == list(RETRY_WAITS)
    found: BaseException | None = caught.value
    while not isinstance(found, OSError):
        assert found is not None
        found = found.__cause__
    assert found is error
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".part", ".new")]


def test_a_temp_file_that_is_held_does_not_hide_why_the_picture_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = RecoveryJournal(tmp_path, Disk())
    disk, _ = patient_disk()
    refuse(monkeypatch, "unlink", SharingViolation(32), 10_000)
    outputs = OutputFolder(tmp_path / "out", notes, disk)

    def fill_the_disk(_: object) -> None:
        raise os_error(errno.ENOSPC)

    with pytest.raises(Exception, match="The disk is full"):
        outputs.write("one", 0, fill_the_disk)
    assert len(outputs.parts("one")) == 1
    assert notes.stale() == [parts_entry("one")]


# A drive that is gone.


class GoneDrive(PureWindowsPath):
    """A path of Windows on a drive that is not there: nothing exists, not even its root."""

    def is_dir(self) -> bool:
        return False

    exists = is_dir

    def mkdir(self, *_: object, **__: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "The system cannot find the path specified")


@pytest.mark.parametrize(
    "text",
    [
        "Z:\\avatars\\storage",
        "Z:\\",
        "Z:",
        "Z:storage",
        "\\\\nas\\share\\storage",
        "\\\\?\\Z:\\a\\b",
        "storage",
        ".",
    ],
)
def test_a_drive_that_is_gone_ends_the_walk_to_its_root(text: str) -> None:
    with pytest.raises(FileNotFoundError, match="drive or root folder is not there"):
        Disk().make_folder(GoneDrive(text))  # type: ignore[arg-type]


def test_a_store_on_a_drive_that_is_gone_says_so_without_naming_it() -> None:
    blobs = BlobStore(GoneDrive("Z:\\secret\\storage"))  # type: ignore[arg-type]
    with pytest.raises(UnavailableError, match=r"STORAGE_PATH.*drive or root folder is not there") as caught:
        blobs.make_folders()
    assert "secret" not in str(caught.value)


def test_a_root_and_a_folder_that_is_there_are_no_fault(tmp_path: Path) -> None:
    disk = Disk()
    disk.make_folder(Path(tmp_path.anchor))
    disk.make_folder(tmp_path / "a" / "b")
    disk.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


async def test_a_storage_that_goes_while_it_is_open_degrades_and_comes_back(tmp_path: Path) -> None:
    async def chunks() -> Any:
        yield picture(1)

    async with product(tmp_path) as forge:
        shutil.move(forge.blobs.folder, tmp_path / "away")
        assert "No such file or directory" in ((await forge.health.measure()).storage_fault or "")
        with pytest.raises(UnavailableError, match="The storage cannot be written") as refused:
            await forge.files.receive(chunks(), "a.png")
        assert refused.value.code == "storage_unavailable"
        shutil.rmtree(forge.blobs.folder, ignore_errors=True)
        shutil.move(tmp_path / "away", forge.blobs.folder)
        assert (await forge.health.measure()).storage_fault is None
        assert not (await forge.files.receive(chunks(), "a.png")).is_duplicate


async def test_what_lies_on_a_storage_that_is_gone_is_not_counted_as_removed(tmp_path: Path) -> None:
    async def chunks() -> Any:
        yield picture(1)

    async with product(tmp_path) as forge:
        record = (await forge.files.receive(chunks(), "a.png")).file
        shutil.move(forge.blobs.folder, tmp_path / "away")
        await forge.files.delete(record.id, force=True)
        shutil.move(tmp_path / "away", forge.blobs.folder)
        assert forge.files.path(record).exists()
        assert await forge.verifier.retry_removals() == 1
        assert not forge.files.path(record).exists()
        assert (await forge.verifier.run(repair=False)).clean


# macOS, by a stand-in for fcntl.

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


def test_the_hash_of_a_missing_file_is_no_matter_of_waiting(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        hash_file(tmp_path / "missing", patient=True)
