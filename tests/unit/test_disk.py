"""The one place that renames and removes: refusals that pass, and refusals that do not."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from disk_writers import make_secret, move_to_quarantine, put_blob, save_picture, write_file
from held_files import REFUSALS, SharingViolation, os_error

from avatarforge.forge.errors import SettingsError, UnavailableError
from avatarforge.forge.generations.outputs import OutputFolder, parts_entry
from avatarforge.forge.store.blobs import hash_file
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


# Each goes on when the refusal passes, and says what was refused when it does not.
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


def test_the_hash_of_a_missing_file_is_no_matter_of_waiting(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        hash_file(tmp_path / "missing", patient=True)
