"""What a process that dies between the disk and the database leaves, and what the next start makes of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from disks import CallingDisk, DyingDisk, Killed
from pictures import picture
from services import Product, product
from sqlalchemy import Connection, update

from avatarforge.db import files as queries
from avatarforge.db.tables import files as table
from avatarforge.forge.errors import NotFoundError
from avatarforge.forge.generations.outputs import outputs_entry
from avatarforge.forge.maintenance.recovery import recover
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.store.blobs import hash_file
from avatarforge.forge.store.files import Received

pytestmark = pytest.mark.slow

Scenario = Callable[[Product, list[Received]], Awaitable[None]]


async def receive(forge: Product, seed: int) -> Received:
    async def whole() -> AsyncIterator[bytes]:
        yield picture(seed)

    return await forge.files.receive(whole(), "a.png")


def stored(forge: Product) -> dict[str, Path]:
    return {path.stem: path for path in forge.blobs.blobs.rglob("*") if path.is_file()}


def unfinished(forge: Product) -> list[str]:
    return [path.name for path in forge.blobs.incoming.iterdir()]


async def upload(forge: Product, acknowledged: list[Received]) -> None:
    acknowledged.append(await receive(forge, 7))


async def upload_again(forge: Product, acknowledged: list[Received]) -> None:
    acknowledged.append(await receive(forge, 1))


async def delete(forge: Product, acknowledged: list[Received]) -> None:
    victim = acknowledged.pop()
    await forge.files.delete(victim.file.id, force=True)


async def clean_up(forge: Product, acknowledged: list[Received]) -> None:
    acknowledged.clear()

    def age(connection: Connection) -> None:
        connection.execute(update(table).values(last_used_at=1))

    await forge.database.write(age)
    await forge.files.clean_up(1)


@pytest.mark.parametrize("scenario", [upload, upload_again, delete, clean_up])
async def test_a_kill_before_any_operation_of_the_disk_leaves_nothing_half(
    tmp_path: Path, scenario: Scenario
) -> None:
    survived, prepared = False, tmp_path / "prepared"
    async with product(prepared) as forge:
        before = [await receive(forge, 1), await receive(forge, 2)]
    for last in itertools.count():
        folder, disk, acknowledged = tmp_path / str(last), DyingDisk(), list(before)
        shutil.copytree(prepared, folder)
        async with product(folder, disk=disk) as forge:
            disk.kill_after(last)
            with contextlib.suppress(Killed):
                await scenario(forge, acknowledged)
                survived = not disk.dead
        async with product(folder) as forge:
            assert unfinished(forge) == []
            report = await forge.verifier.run(repair=False)
            assert report.clean, report.problems
            for item in acknowledged:
                assert (await forge.files.get(item.file.id)).content_hash == item.file.content_hash
        if survived:
            break
        shutil.rmtree(folder)
    assert last > 1, "the disk was never asked for anything"


async def test_bytes_that_were_put_and_never_written_down_go_at_the_next_start(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        incoming = forge.blobs.begin()
        content_hash = incoming.finish(picture())
        forge.blobs.put(incoming, content_hash, "png")
        assert list(stored(forge)) == [content_hash]
    async with product(tmp_path) as forge:
        assert stored(forge) == {}
        assert unfinished(forge) == []


async def test_bytes_that_no_note_names_stay_though_no_row_names_them(tmp_path: Path) -> None:
    """The database may have been restored from a backup that is older than the storage."""
    database, backup = tmp_path / "avatarforge.db", tmp_path / "backup.db"
    async with product(tmp_path):
        pass
    shutil.copy(database, backup)
    async with product(tmp_path) as forge:
        later = await receive(forge, 1)
    shutil.copy(backup, database)
    async with product(tmp_path) as forge:
        assert await forge.files.find(later.file.content_hash) is None
        assert list(stored(forge)) == [later.file.content_hash]


async def test_a_row_that_went_before_the_kill_takes_its_bytes_with_it_at_the_next_start(
    tmp_path: Path,
) -> None:
    async with product(tmp_path) as forge:
        gone, stays = await receive(forge, 1), await receive(forge, 2)
        for received in (gone, stays):
            forge.blobs.journal.add(f"{received.file.content_hash}.png")
        await forge.database.write(lambda connection: queries.remove(connection, [gone.file]))
    async with product(tmp_path) as forge:
        assert list(stored(forge)) == [stays.file.content_hash]
        assert unfinished(forge) == []


async def test_pictures_of_a_generation_that_was_being_deleted_go_at_the_next_start(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        kept = await forge.generations.submit(AvatarRequest("a knight"), "avatar", ("front",))
        forge.host.succeed(kept.id)
        await forge.until(kept.id, "completed")
        gone = forge.outputs.folder_of("11111111-1111-4111-8111-111111111111")
        gone.mkdir()
        (gone / "avatar_00001.png").write_bytes(picture())
        for generation_id in (kept.id, gone.name):
            forge.blobs.journal.add(outputs_entry(generation_id))
    async with product(tmp_path, forge.host) as forge:
        assert not gone.exists()
        assert forge.outputs.folder_of(kept.id).is_dir()
        assert unfinished(forge) == []


@pytest.mark.parametrize("name", ["..", "x.png", "../../x.outputs", "0" * 64 + ".", "a.b.c"])
async def test_a_note_of_another_name_removes_nothing(tmp_path: Path, name: str) -> None:
    async with product(tmp_path) as forge:
        victim = tmp_path / "x.png"
        victim.write_bytes(b"mine")
        (forge.blobs.incoming / f"{name.replace('/', '_')}.unsettled").touch()
        recover(forge.database, forge.blobs, forge.outputs)
        assert victim.read_bytes() == b"mine"
        assert unfinished(forge) == []


async def test_a_picture_that_was_being_written_is_swept_and_the_finished_ones_stay(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        running = await forge.generations.submit(AvatarRequest("a knight"), "avatar", ("front", "back"))
        folder = forge.outputs.folder_of(running.id)
        folder.mkdir(parents=True)
        part = folder / ".11111111-1111-4111-8111-111111111111.part"
        part.write_bytes(b"half")
        finished = folder / "avatar_00001.png"
        finished.write_bytes(picture())
    async with product(tmp_path):
        assert not part.exists()
        assert finished.exists()


async def test_an_upload_whose_caller_goes_away_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """Cancelled at each operation of the disk in turn."""
    loop, disk = asyncio.get_running_loop(), CallingDisk()
    async with product(tmp_path, disk=disk) as forge:
        for last in itertools.count():
            task = asyncio.ensure_future(receive(forge, last))
            disk.call_at(last, partial(loop.call_soon_threadsafe, task.cancel))
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await forge.workers.disk(lambda: None)
            assert unfinished(forge) == []
            rows = (await forge.files.page(limit=100, cursor=None)).files
            assert {item.file.content_hash for item in rows} == set(stored(forge))
            if not task.cancelled():
                break
        assert (await forge.verifier.run(repair=False)).clean
    assert last > 5, "it was hardly ever cancelled"


async def test_the_database_refuses_and_the_bytes_go_at_once(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        await forge.database.write(
            lambda connection: connection.exec_driver_sql(
                "CREATE TRIGGER no BEFORE INSERT ON files BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        )
        with pytest.raises(Exception, match="no"):
            await receive(forge, 1)
        assert stored(forge) == {}
        assert unfinished(forge) == []


@pytest.mark.parametrize("damage", ["gone", "shorter", "same size"])
async def test_an_upload_heals_lost_and_altered_bytes(tmp_path: Path, damage: str) -> None:
    async with product(tmp_path) as forge:
        record = (await receive(forge, 1)).file
        path = forge.files.path(record)
        data = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(data[:-9] if damage == "shorter" else data[:-9] + bytes(9))
        with pytest.raises(NotFoundError, match="Upload it again"):
            forge.files.locate(record.id)
        again = await receive(forge, 1)
        assert (again.file.id, again.is_duplicate) == (record.id, True)
        assert hash_file(forge.files.locate(record.id)[1]) == (record.content_hash, len(data))


@pytest.mark.parametrize("size_kept", [False, True])
async def test_the_hash_check_does_not_promise_bytes_that_are_gone(tmp_path: Path, size_kept: bool) -> None:
    async with product(tmp_path) as forge:
        record = (await receive(forge, 1)).file
        assert await forge.files.find(record.content_hash) == record
        if not size_kept:
            forge.files.path(record).write_bytes(b"short")
            assert await forge.files.find(record.content_hash) is None
        forge.files.path(record).unlink()
        assert await forge.files.find(record.content_hash) is None


async def test_identical_uploads_at_once_make_one_file_and_one_row(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        for round_ in range(20):
            results = await asyncio.gather(*(receive(forge, round_) for _ in range(32)))
            assert len({result.file.id for result in results}) == 1
            assert sum(result.is_duplicate for result in results) == 31
        assert (await forge.files.page(limit=1, cursor=None)).total == 20
        assert len(stored(forge)) == 20
        assert unfinished(forge) == []
