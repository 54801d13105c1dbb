"""A disk that really is full or read-only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pictures import picture
from services import Product, product
from small_disk import SmallDisk, small_disk
from sqlalchemy.exc import SQLAlchemyError

from avatarforge.db.engine import DatabaseUnavailableError, open_database
from avatarforge.forge.errors import StorageFullError, UnavailableError
from avatarforge.forge.settings import Settings
from avatarforge.forge.store.blobs import BlobStore, hash_file, write_whole
from avatarforge.forge.store.db_errors import database_error
from avatarforge.forge.store.files import Received


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 4) as mounted:
        yield mounted


async def receive(forge: Product, seed: int, side: int = 64) -> Received:
    async def whole() -> AsyncIterator[bytes]:
        data = picture(seed, (side, side))
        for start in range(0, len(data), 65536):
            yield data[start : start + 65536]

    return await forge.files.receive(whole(), "a.png")


def files_of(forge: Product) -> list[str]:
    return sorted(path.name for path in forge.blobs.folder.rglob("*") if path.is_file())


async def test_a_full_storage_refuses_leaves_nothing_and_works_again(tmp_path: Path, disk: SmallDisk) -> None:
    settings = Settings(storage_path=str(disk.folder / "storage"))
    async with product(tmp_path, settings=settings) as forge:
        kept = (await receive(forge, 1)).file
        before = files_of(forge)
        for left in (0, 4096, 64 * 1024):
            disk.fill(leave=left)
            with pytest.raises(StorageFullError, match="The disk is full") as refused:
                await receive(forge, 2, side=512)
            assert refused.value.code == "disk_full"
            assert files_of(forge) == before
            disk.empty()
        disk.fill()
        assert (await forge.health.measure()).storage_fault is not None
        assert hash_file(forge.files.locate(kept.id)[1])[0] == kept.content_hash
        # Room is made by deleting, also while there is none.
        await forge.files.delete(kept.id, force=False)
        disk.empty()
        assert not (await receive(forge, 2, side=512)).is_duplicate
        assert (await forge.verifier.run(repair=False)).clean


async def test_a_full_disk_under_the_database_refuses_and_loses_nothing(
    tmp_path: Path, disk: SmallDisk
) -> None:
    data = disk.folder / "data"
    data.mkdir()
    settings = Settings(storage_path=str(tmp_path / "storage"))
    async with product(data, settings=settings) as forge:
        acknowledged = []
        disk.fill()
        with pytest.raises((StorageFullError, SQLAlchemyError)) as caught:
            # What the write-ahead log has room for is still taken.
            for seed in range(2000):
                acknowledged.append(await receive(forge, seed))
        error = caught.value
        received = database_error(error) if isinstance(error, SQLAlchemyError) else error
        assert isinstance(received, StorageFullError)
        assert len([name for name in files_of(forge) if name.endswith(".png")]) == len(acknowledged)
        disk.empty()
        assert not (await receive(forge, 3000)).is_duplicate
    async with product(data, settings=settings) as forge:
        for item in acknowledged:
            assert (await forge.files.get(item.file.id)).id == item.file.id
        assert (await forge.verifier.run(repair=False)).clean


async def test_a_disk_that_becomes_read_only_is_told_and_reading_goes_on(
    tmp_path: Path, disk: SmallDisk
) -> None:
    settings = Settings(storage_path=str(disk.folder / "storage"))
    async with product(tmp_path, settings=settings) as forge:
        kept = (await receive(forge, 1)).file
        disk.set_read_only(True)
        with pytest.raises(UnavailableError, match="Read-only file system"):
            await receive(forge, 2)
        assert forge.files.locate(kept.id)[0].id == kept.id
        health = await forge.health.measure()
        assert "Read-only file system" in (health.storage_fault or "")
        disk.set_read_only(False)
        assert not (await receive(forge, 2)).is_duplicate
        assert (await forge.verifier.run(repair=False)).clean


def test_a_start_on_a_read_only_disk_says_why(disk: SmallDisk) -> None:
    disk.set_read_only(True)
    with pytest.raises(UnavailableError, match=r"STORAGE_PATH.*Read-only file system"):
        BlobStore(disk.folder / "storage").open()
    with pytest.raises(DatabaseUnavailableError, match="cannot be opened"):
        open_database("", disk.folder)
    disk.set_read_only(False)


async def test_a_picture_that_finds_no_room_leaves_nothing(disk: SmallDisk) -> None:
    target = disk.folder / "output" / "avatar.png"
    await asyncio.to_thread(write_whole, target, lambda file: file.write(picture(1)))
    disk.fill()
    with pytest.raises(StorageFullError, match="The disk is full"):
        write_whole(target, lambda file: file.write(picture(2, (512, 512))))
    assert [path.name for path in target.parent.iterdir()] == ["avatar.png"]
    assert target.read_bytes() == picture(1)
