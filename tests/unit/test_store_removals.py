"""Whatever the system will not let go of is not forgotten: each place that removes, with each kind of error.

The operation is done as promised, fsck tells of what stays, `--repair` tries again, and so do the minute's
retry and the next start. When it is let go of, nothing is left.
"""

from __future__ import annotations

import asyncio
import errno
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from disks import FailingDisk
from held_files import FAILURES, held, os_error
from operating import make
from pictures import picture
from services import Product, product
from small_disk import small_disk
from sqlalchemy import Connection, update

from avatarforge.db.tables import files as table
from avatarforge.forge.errors import NotFoundError, RejectedUploadError, StorageFullError
from avatarforge.forge.generations.outputs import outputs_entry
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.store.disk import Disk
from avatarforge.forge.store.recovery_journal import RecoveryJournal
from avatarforge.forge.upkeep import retry_removals

pytestmark = pytest.mark.slow

Act = Callable[[Product], Awaitable[object]]
Matches = Callable[[str], object]
BLOB = re.compile(r"[0-9a-f]{64}\.png").fullmatch
PART = re.compile(r"[0-9a-f-]{36}\.part").fullmatch
PICTURE_PART = re.compile(r"\.[0-9a-f-]{36}\.part").fullmatch
NOTE = re.compile(r"[0-9a-f]{64}\.png\.unsettled").fullmatch
LIST = re.compile(r"[0-9a-f-]{36}\.list\.unsettled").fullmatch
PICTURE = re.compile(r"avatarforge_\d+\.png").fullmatch
FOLDER = re.compile(r"[0-9a-f-]{36}").fullmatch


def no_wait() -> Disk:
    return Disk(lambda _: None)


async def whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def receive(forge: Product, seed: int) -> str:
    return (await forge.files.receive(whole(picture(seed)), "a.png")).file.id


async def delete_file(forge: Product) -> None:
    assert (await forge.files.delete(await receive(forge, 1), force=False)).how == "hard"


async def clean_up(forge: Product) -> None:
    for seed in (1, 2, 3):
        await receive(forge, seed)

    def age(connection: Connection) -> None:
        connection.execute(update(table).values(last_used_at=1))

    await forge.database.write(age)
    assert await forge.files.clean_up(1) == 3


async def delete_generation(forge: Product) -> None:
    made = await make(forge)
    await forge.generations.output(made, "avatarforge_00001.png")
    await forge.generations.delete(made, keep_outputs=False)
    with pytest.raises(NotFoundError):
        await forge.generations.get(made)
    with pytest.raises(NotFoundError):
        await forge.generations.output(made, "avatarforge_00001.png")


async def delete_last_use(forge: Product) -> None:
    """The input was deleted before, and goes with the generation that uses it."""
    file_id = await receive(forge, 1)
    made = await make(forge, file_id)
    assert (await forge.files.delete(file_id, force=False)).how == "soft"
    await forge.generations.delete(made, keep_outputs=False)


async def delete_photo(forge: Product) -> None:
    """Its skeleton goes with it."""
    record = (await forge.files.receive(whole(picture(1)), "a.png")).file
    assert await forge.files.keep_skeleton(record.content_hash, "dwpose", "standard", picture(2))
    await forge.files.delete(record.id, force=False)


async def refuse_upload(forge: Product) -> None:
    with pytest.raises(RejectedUploadError):
        await forge.files.receive(whole(b"no picture"), "a.png")


async def fail_commit(forge: Product) -> None:
    """The bytes are in their place when the database refuses their row."""

    def refuse(when: str) -> Callable[[Connection], object]:
        return lambda connection: connection.exec_driver_sql(when)

    await forge.database.write(
        refuse("CREATE TRIGGER no BEFORE INSERT ON files BEGIN SELECT RAISE(ABORT, 'no'); END")
    )
    with pytest.raises(Exception, match="no"):
        await receive(forge, 1)
    await forge.database.write(refuse("DROP TRIGGER no"))


async def take_back_upload(forge: Product) -> None:
    """A request that is refused takes the file back that it brought."""
    received = await forge.files.receive(whole(picture(1)), "a.png")
    await forge.files.withdraw(received)


async def fail_to_save(forge: Product) -> None:
    made = await make(forge)

    def fill_the_disk(_: object) -> None:
        raise os_error(28)

    with pytest.raises(StorageFullError):
        await forge.workers.disk(forge.outputs.write, made, 1, fill_the_disk)


SITES: list[tuple[Act, Matches]] = [
    (delete_file, BLOB),
    (delete_file, NOTE),
    (clean_up, BLOB),
    (clean_up, LIST),
    (delete_generation, PICTURE),
    (delete_generation, FOLDER),
    (delete_last_use, BLOB),
    (delete_last_use, PICTURE),
    (delete_photo, BLOB),
    (refuse_upload, PART),
    (fail_commit, BLOB),
    (take_back_upload, BLOB),
    (fail_to_save, PICTURE_PART),
]


async def retry(forge: Product) -> None:
    assert await forge.verifier.retry_removals() > 0


async def repair(forge: Product) -> None:
    report = await forge.verifier.run(repair=True)
    assert not report.clean
    assert all(problem.repaired for problem in report.problems), report.problems


async def wait_for_the_next_start(_: Product) -> None:
    pass


def left(forge: Product) -> list[str]:
    """What lies in the store and among the pictures, without what a finished generation needs."""
    folders = (forge.blobs.folder, forge.outputs.folder)
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in found if not PICTURE(path.name) or not is_wanted(path, forge))


def is_wanted(path: Path, forge: Product) -> bool:
    def rows(connection: Connection) -> object:
        query = f"SELECT 1 FROM generations WHERE id = '{path.parent.name}'"  # noqa: S608
        return connection.exec_driver_sql(query).first()

    return forge.database.read_here(rows) is not None


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once and copied for each test: making a database takes longer than the tests do."""
    folder = tmp_path_factory.mktemp("empty") / "store"

    async def prepare() -> None:
        async with product(folder):
            pass

    asyncio.run(prepare())
    return folder


CASES: list[tuple[Act, OSError]] = [(retry, error) for error in FAILURES.values()]
CASES += [(mend, FAILURES["sharing violation"]) for mend in (repair, wait_for_the_next_start)]


@pytest.mark.parametrize(("mend", "error"), CASES)
@pytest.mark.parametrize(("act", "is_held"), SITES)
async def test_what_cannot_be_removed_is_noted_told_and_removed_later(
    tmp_path: Path,
    empty: Path,
    act: Act,
    is_held: Matches,
    error: OSError,
    mend: Act,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = tmp_path / "store"
    shutil.copytree(empty, folder)
    async with product(folder, disk=no_wait()) as forge:
        with held(is_held, error) as tried:
            await act(forge)
            assert tried
            assert left(forge) or is_held is FOLDER
            found = await forge.verifier.run(repair=False)
            assert (found.counts["leftover"] > 0, found.clean) == (True, False), "fsck says clean"
            assert {problem.kind for problem in found.problems} == {"leftover"}
            assert str(tmp_path) not in "".join(problem.detail for problem in found.problems)
            tried.clear()
            await forge.verifier.run(repair=True)
            await forge.verifier.retry_removals()
            assert tried or is_held in (NOTE, LIST)
            still = await forge.verifier.run(repair=False)
            assert not still.clean, "forgotten although it is still there"
        await mend(forge)
        if mend is not wait_for_the_next_start:
            assert (await forge.verifier.run(repair=False)).clean
            assert left(forge) == []
        host = forge.host
    async with product(folder, host) as forge:
        assert (await forge.verifier.run(repair=False)).clean
        assert left(forge) == []
    assert str(tmp_path) not in caplog.text


async def test_a_start_with_files_that_are_held_starts(tmp_path: Path) -> None:
    """One temp file that a scanner holds is no reason for no store at all."""
    async with product(tmp_path) as forge:
        part = forge.blobs.incoming / "11111111-1111-4111-8111-111111111111.part"
        part.write_bytes(b"half")
    with held(lambda name: name == part.name, os_error(13)):
        async with product(tmp_path, disk=no_wait()) as forge:
            assert forge.blobs.stray_files() == [part]
            assert (await forge.verifier.run(repair=False)).counts["leftover"] == 1
    async with product(tmp_path) as forge:
        assert forge.blobs.stray_files() == []


async def test_one_held_picture_keeps_no_other(tmp_path: Path) -> None:
    async with product(tmp_path, disk=no_wait()) as forge:
        made = await forge.generations.submit(AvatarRequest("x"), "avatar", ("front", "back", "side"))
        forge.host.succeed(made.id)
        await forge.until(made.id, "completed")
        with held(lambda name: name == "avatarforge_00002.png", os_error(16)):
            await forge.generations.delete(made.id, keep_outputs=False)
        assert [path.name for path in forge.outputs.folder_of(made.id).iterdir()] == ["avatarforge_00002.png"]


async def test_a_bad_note_keeps_no_other_from_being_settled(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        gone = [forge.outputs.folder_of(f"{digit * 8}-1111-4111-8111-111111111111") for digit in "123"]
        for folder in gone:
            folder.mkdir(parents=True)
            (folder / "avatarforge_00001.png").write_bytes(picture())
            forge.blobs.journal.add(outputs_entry(folder.name))
        with held(lambda name: name == gone[0].name, os_error(13)):
            async with product(tmp_path, forge.host, disk=no_wait()) as again:
                assert [folder.exists() for folder in gone] == [True, False, False]
                assert again.blobs.journal.stale() == [outputs_entry(gone[0].name)]


async def test_a_content_that_comes_back_while_its_bytes_are_held_is_kept(tmp_path: Path) -> None:
    async with product(tmp_path, disk=no_wait()) as forge:
        with held(BLOB, os_error(13)):
            await delete_file(forge)
        again = await receive(forge, 1)
        assert await forge.verifier.retry_removals() == 0
        assert forge.files.locate(again)[0].id == again
        assert (await forge.verifier.run(repair=False)).clean


async def test_removals_are_tried_again_by_themselves(tmp_path: Path) -> None:
    async with product(tmp_path, disk=no_wait()) as forge:
        with held(BLOB, os_error(13)):
            await delete_file(forge)
        task = asyncio.create_task(retry_removals(forge.verifier, 0.0))
        while left(forge):
            await forge.workers.disk(lambda: None)  # gives the loop away; pytest's own timeout bounds this
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_batch_waits_once_for_what_is_held(tmp_path: Path) -> None:
    waits: list[float] = []
    async with product(tmp_path, disk=Disk(waits.append)) as forge:
        with held(BLOB, os_error(13)):
            await clean_up(forge)
        assert 1 <= sum(waits) <= 2


async def test_a_disk_of_its_own_among_the_pictures(tmp_path: Path) -> None:
    """A real one: a folder with something mounted in it cannot be removed."""
    async with product(tmp_path, disk=no_wait()) as forge:
        made = await make(forge)
        with small_disk(forge.outputs.folder_of(made) / "mounted", 1):
            await forge.generations.delete(made, keep_outputs=False)
            assert not forge.outputs.file(made, 0).exists()
            (problem,) = (await forge.verifier.run(repair=True)).problems
            assert (problem.kind, problem.repaired) == ("leftover", None)
            assert "cannot be removed now" in problem.detail
        assert await forge.verifier.retry_removals() == 1
        assert not forge.outputs.folder_of(made).exists()
        assert (await forge.verifier.run(repair=False)).clean


def test_a_note_that_finds_no_room_is_known_and_written_when_there_is(tmp_path: Path) -> None:
    notes = RecoveryJournal(tmp_path / "missing", Disk())
    notes.add_removals(["ab.png", "cd.png"])
    notes.add_removals(["ef.png"])
    for name in ("ab.png", "cd.png", "ef.png"):
        notes.keep(name)
        assert notes.is_stale(name)
    (tmp_path / "missing").mkdir()
    assert notes.stale() == ["ab.png", "cd.png", "ef.png"]
    assert RecoveryJournal(tmp_path / "missing", Disk()).stale() == ["ab.png", "cd.png", "ef.png"]
    for name in notes.stale():
        notes.clear(name)
    assert list((tmp_path / "missing").iterdir()) == []


def test_a_failed_note_takes_no_older_one_with_it(tmp_path: Path) -> None:
    """Bytes of a deleted content are held and noted. An upload of it cannot make its own note."""
    disk = FailingDisk()
    notes = RecoveryJournal(tmp_path, disk)
    notes.add_removals(["ab.png"])
    notes.keep("ab.png")
    disk.broken = ("touch", errno.ENOSPC)
    with pytest.raises(OSError):
        notes.add("ab.png")
    assert RecoveryJournal(tmp_path, Disk()).stale() == ["ab.png"]
    assert notes.is_stale("ab.png")
