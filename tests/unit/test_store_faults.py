"""A failing disk or database, a quota that is used up, a clock that jumps: definite answers, nothing left."""

from __future__ import annotations

import asyncio
import base64
import errno
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from disks import FailingDisk
from pictures import picture
from services import Product, SetClock, product
from sqlalchemy import Connection, update
from sqlalchemy.exc import OperationalError

from avatarforge.db.clock import DAY
from avatarforge.db.engine import Database, open_database
from avatarforge.db.tables import files as table
from avatarforge.forge.errors import AvatarForgeError, StorageFullError, UnavailableError
from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.store.blobs import write_whole
from avatarforge.forge.store.db_errors import database_error
from avatarforge.forge.store.files import Received
from avatarforge.forge.store.folder_lock import lock_folders

pytestmark = pytest.mark.slow


async def receive(forge: Product, seed: int, size: int = 64) -> Received:
    async def whole() -> AsyncIterator[bytes]:
        yield picture(seed, (size, size))

    return await forge.files.receive(whole(), "a.png")


def everything(forge: Product) -> list[str]:
    return sorted(path.name for path in forge.blobs.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("operation", ["create", "write", "sync", "close", "touch", "replace", "sync_folder"])
@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, StorageFullError, "The disk is full"),
        (errno.EIO, UnavailableError, "The storage cannot be written: Input/output error"),
        (errno.EROFS, UnavailableError, "The storage cannot be written: Read-only file system"),
    ],
)
async def test_a_failing_disk_is_never_success_and_leaves_nothing(
    tmp_path: Path, operation: str, number: int, kind: type[Exception], words: str
) -> None:
    disk = FailingDisk()
    async with product(tmp_path, disk=disk) as forge:
        kept = (await receive(forge, 1)).file
        disk.broken = (operation, number)
        for _ in range(2):
            with pytest.raises(kind, match=words):
                await receive(forge, 2)
        forge.files.path(kept).write_bytes(b"altered")  # so that the known content has to be put again
        with pytest.raises(kind, match=words):
            await receive(forge, 1)
        disk.broken = None
        assert everything(forge) == [f"{kept.content_hash}.png"]
        assert (await receive(forge, 1)).is_duplicate
        assert (await forge.verifier.run(repair=False)).clean
        assert not (await receive(forge, 2)).is_duplicate


@pytest.mark.parametrize("operation", ["sync", "touch", "replace", "sync_folder", "make_folder"])
async def test_a_known_content_that_lies_there_intact_is_not_stored_again(
    tmp_path: Path, operation: str
) -> None:
    disk = FailingDisk()
    async with product(tmp_path, disk=disk) as forge:
        kept = (await receive(forge, 1)).file
        disk.broken = (operation, errno.EIO)
        again = await receive(forge, 1)
        assert (again.file.id, again.is_duplicate) == (kept.id, True)
        disk.broken = None
        assert everything(forge) == [f"{kept.content_hash}.png"]


@pytest.mark.parametrize("operation", ["create", "sync", "close", "replace", "sync_folder"])
def test_a_picture_that_cannot_be_saved_leaves_nothing_and_says_no_path(
    tmp_path: Path, operation: str
) -> None:
    disk = FailingDisk()
    disk.broken = (operation, errno.ENOSPC)
    target = tmp_path / "out" / "avatar_00001.png"
    with pytest.raises(StorageFullError, match="The disk is full") as caught:
        write_whole(target, lambda file: file.write(picture()), disk)
    assert str(tmp_path) not in str(caught.value)
    assert [path.name for path in target.parent.iterdir() if path != target] == []


async def test_bytes_that_the_disk_will_not_let_go_of_are_removed_at_the_next_start(tmp_path: Path) -> None:
    """As on Windows, while somebody downloads them."""
    disk = FailingDisk()
    async with product(tmp_path, disk=disk) as forge:
        record = (await receive(forge, 1)).file
        disk.broken = ("unlink", errno.EACCES)
        assert (await forge.files.delete(record.id, force=False)).how == "hard"
        disk.broken = None
        assert (await forge.verifier.run(repair=False)).counts["leftover"] == 1
    async with product(tmp_path) as forge:
        assert everything(forge) == []


async def test_deleting_works_while_no_note_of_it_can_be_made(tmp_path: Path) -> None:
    disk = FailingDisk()
    async with product(tmp_path, disk=disk) as forge:
        record = (await receive(forge, 1)).file
        disk.broken = ("touch", errno.ENOSPC)
        assert (await forge.files.delete(record.id, force=False)).how == "hard"
        assert everything(forge) == []


@pytest.mark.parametrize(
    ("words", "kind", "code", "sentence"),
    [
        ("database or disk is full", StorageFullError, "disk_full", "disk of the database is full"),
        (
            "database is locked",
            UnavailableError,
            "database_locked",
            "Another program holds the database locked",
        ),
        ("attempt to write a readonly database", UnavailableError, "database_read_only", "can only be read"),
        ("disk I/O error", UnavailableError, "database_unavailable", "disk of the database failed"),
        ("database disk image is malformed", UnavailableError, "database_damaged", "damaged"),
        ("/home/me/secret.db exploded", UnavailableError, "database_unavailable", "cannot be used now"),
    ],
)
def test_what_the_database_says_becomes_a_sentence(
    words: str, kind: type[AvatarForgeError], code: str, sentence: str
) -> None:
    cause = sqlite3.OperationalError(words)
    error = OperationalError("INSERT", {}, cause)
    error.__cause__ = cause
    found = database_error(error)
    assert (type(found), found.code) == (kind, code)
    assert sentence in str(found)
    assert "secret" not in str(found)


async def test_a_lock_of_another_program_is_told_and_the_loop_goes_on(tmp_path: Path) -> None:
    database = open_database("", tmp_path, busy_timeout_ms=300)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.005)

    def touch(connection: Connection) -> None:
        connection.execute(update(table).values(size=1))

    with closing(sqlite3.connect(tmp_path / "avatarforge.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        counting = asyncio.create_task(count_turns())
        started = asyncio.get_running_loop().time()
        found = await asyncio.gather(*(database.write(touch) for _ in range(20)), return_exceptions=True)
        waited = asyncio.get_running_loop().time() - started
        counting.cancel()
        assert all("Another program holds" in str(database_error(item)) for item in found), found  # type: ignore[arg-type]
        # 20 that wait 300 ms one after another would be 6 s.
        assert waited < 4
        assert turns > 10
        other.execute("ROLLBACK")
    await database.write(touch)
    database.close()


async def test_sixteen_writers_in_threads_never_find_it_locked(tmp_path: Path) -> None:
    database = open_database("", tmp_path)
    faults: list[Exception] = []

    def write_often(database: Database) -> None:
        try:
            for _ in range(20):
                database.write_here(lambda connection: connection.execute(update(table).values(size=1)))
                database.read_here(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        except OperationalError as error:
            faults.append(error)

    threads = [threading.Thread(target=write_often, args=(database,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    database.close()
    assert faults == []


def test_one_process_at_a_time_on_a_data_folder_and_on_a_storage_folder(tmp_path: Path) -> None:
    item, two, shared = tmp_path / "one", tmp_path / "two", tmp_path / "shared"
    first = lock_folders(item, shared)
    with pytest.raises(UnavailableError, match="Another ComfyUI uses the same user folder"):
        lock_folders(item, item / "storage")
    with pytest.raises(UnavailableError, match="Another ComfyUI uses the same storage folder"):
        lock_folders(two, shared)
    # The refused one holds nothing, so that it can start once the storage is its own.
    for lock in lock_folders(two, two / "storage"):
        lock.release()
    for lock in first:
        lock.release()
    for lock in lock_folders(two, shared):
        lock.release()


def quota(**values: int) -> Settings:
    return Settings(**{f"storage_quota_{name}": value for name, value in values.items()})


async def test_a_quota_on_files_holds_and_says_its_name(tmp_path: Path) -> None:
    async with product(tmp_path, settings=quota(files=2)) as forge:
        first, second = await receive(forge, 1), await receive(forge, 2)
        before = everything(forge)
        with pytest.raises(StorageFullError, match="STORAGE_QUOTA_FILES allows 2 files"):
            await receive(forge, 3)
        assert everything(forge) == before
        assert (await receive(forge, 1)).file.id == first.file.id
        await forge.files.delete(second.file.id, force=False)
        assert not (await receive(forge, 3)).is_duplicate


async def test_a_quota_on_bytes_holds_to_the_byte(tmp_path: Path) -> None:
    room = len(picture(1)) + len(picture(2))
    async with product(tmp_path, settings=quota(bytes=room)) as forge:
        await receive(forge, 1)
        with pytest.raises(StorageFullError, match=f"STORAGE_QUOTA_BYTES allows {room} bytes"):
            await receive(forge, 2, size=66)
        await receive(forge, 2)
        with pytest.raises(StorageFullError, match="STORAGE_QUOTA_BYTES"):
            await receive(forge, 3)


async def test_racing_uploads_cannot_pass_a_quota_together(tmp_path: Path) -> None:
    async with product(tmp_path, settings=quota(files=5)) as forge:
        results = await asyncio.gather(*(receive(forge, seed) for seed in range(24)), return_exceptions=True)
        taken = [result for result in results if isinstance(result, Received)]
        assert len(taken) == 5
        assert all(isinstance(result, (Received, StorageFullError)) for result in results)
        assert len(everything(forge)) == 5


async def test_a_full_quota_lets_deleted_and_lost_contents_come_back(tmp_path: Path) -> None:
    async with product(tmp_path, settings=quota(files=1)) as forge:
        record = (await receive(forge, 1)).file
        await forge.generations.submit(
            AvatarRequest("a knight", reference_file_id=record.id), "avatar", ("front",)
        )
        assert (await forge.files.delete(record.id, force=False)).how == "soft"
        with pytest.raises(StorageFullError):
            await receive(forge, 2)
        assert (await receive(forge, 1)).file.id == record.id
        forge.files.path(record).unlink()
        assert (await receive(forge, 1)).file.id == record.id


async def test_a_quota_that_was_lowered_lets_stored_contents_pass(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        first = (await receive(forge, 1)).file
        await receive(forge, 2)
    async with product(tmp_path, settings=quota(files=1, bytes=1)) as forge:
        again = await receive(forge, 1)
        assert (again.file.id, again.is_duplicate) == (first.id, True)
        with pytest.raises(StorageFullError):
            await receive(forge, 3)


async def test_a_quota_holds_for_base64_and_a_skeleton_that_does_not_fit_is_not_kept(tmp_path: Path) -> None:
    async with product(tmp_path, settings=quota(files=1)) as forge:
        photo = (await receive(forge, 1)).file
        before = everything(forge)
        with pytest.raises(StorageFullError, match="STORAGE_QUOTA_FILES"):
            await forge.files.receive_base64(base64.b64encode(picture(2)).decode(), "a.png")
        assert await forge.files.keep_skeleton(photo.content_hash, "dwpose", "standard", picture(3)) is None
        assert everything(forge) == before


async def test_newest_first_holds_when_the_clock_was_set_back(tmp_path: Path) -> None:
    clock = SetClock()
    now = clock()
    async with product(tmp_path, now=clock) as forge:
        ids = []
        for seed, back in enumerate((0, 3600, 1800, 7200)):
            clock.moment = now - back * 1_000_000
            ids.append((await receive(forge, seed)).file.id)
        first = await forge.files.page(limit=2, cursor=None)
        clock.moment = now - DAY // 2
        await receive(forge, 9)  # between the pages, at a time before all others
        second = await forge.files.page(limit=2, cursor=first.next_cursor)
        assert [item.file.id for item in (*first.files, *second.files)] == ids[::-1]


async def test_one_wrong_year_does_not_stay(tmp_path: Path) -> None:
    clock = SetClock()
    now = clock()
    async with product(tmp_path, now=clock) as forge:
        clock.moment = now + 3650 * DAY
        future = (await receive(forge, 1)).file
        clock.moment = now
        assert (await receive(forge, 2)).file.created_at == now
        # Used ten years from now: the clean-up would wait as long.
        assert await forge.files.clean_up(30) == 0
        clock.moment = now + 31 * DAY
        assert await forge.files.clean_up(30) == 2
        assert await forge.files.find(future.content_hash) is None


async def test_no_generation_ends_before_it_began(tmp_path: Path) -> None:
    clock = SetClock()
    now = clock()
    async with product(tmp_path, now=clock) as forge:
        record = await forge.generations.submit(AvatarRequest("a knight"), "avatar", ("front",))
        clock.moment = now - 3600_000_000
        forge.host.start(record.id)
        await forge.until(record.id, "processing")
        clock.moment = now - 7200_000_000
        forge.host.save(record.id)
        forge.host.end(PromptEvent("succeeded", record.id))
        done = await forge.until(record.id, "completed")
        assert (done.created_at, done.started_at, done.completed_at) == (now, now, now)
