"""Storage on a drive that is gone, or that goes while it is in use."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from pictures import picture
from services import product

from avatarforge.forge.errors import UnavailableError
from avatarforge.forge.store.blobs import BlobStore
from avatarforge.forge.store.disk import Disk


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
