"""The check of the store: each kind of damage is found, repaired, and not found again."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from engines import writer_of
from pictures import picture
from services import Product, product
from sqlalchemy import delete, insert, text, update

from avatarforge.db.records import FileRecord, GenerationRecord
from avatarforge.db.tables import extracted_poses, files, generation_inputs, outputs, tallies
from avatarforge.forge.errors import ConflictError, NotFoundError
from avatarforge.forge.maintenance import run as run_module
from avatarforge.forge.maintenance.report import KINDS, MOST, Findings, Problem
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.store.blobs import hash_file
from avatarforge.forge.store.files import Received


@dataclass
class Store:
    """One file that nobody uses, one that a finished generation uses, and that generation."""

    forge: Product
    free: FileRecord
    used: FileRecord
    made: GenerationRecord

    @property
    def picture(self) -> Path:
        return self.forge.outputs.file(self.made.id, 0)

    def blob(self, record: FileRecord) -> Path:
        return self.forge.files.path(record)

    def quarantined(self) -> list[bytes]:
        folder = self.forge.blobs.quarantined
        return [path.read_bytes() for path in folder.iterdir()] if folder.is_dir() else []


async def receive(forge: Product, seed: int) -> Received:
    async def whole() -> AsyncIterator[bytes]:
        yield picture(seed)

    return await forge.files.receive(whole(), "a.png")


Rows = tuple[FileRecord, FileRecord, GenerationRecord]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """Made once and copied for each test: making a database takes longer than the tests do."""
    folder = tmp_path_factory.mktemp("prepared") / "store"

    async def prepare() -> Rows:
        async with product(folder) as forge:
            free, used = (await receive(forge, 1)).file, (await receive(forge, 2)).file
            request = AvatarRequest("a knight", reference_file_id=used.id)
            made = await forge.generations.submit(request, "avatar", ("front",))
            forge.host.succeed(made.id)
            done = await forge.until(made.id, "completed")
            return free, await forge.files.get(used.id), done

    return folder, asyncio.run(prepare())


@pytest.fixture
async def store(tmp_path: Path, prepared: tuple[Path, Rows]) -> AsyncIterator[Store]:
    folder, rows = prepared
    shutil.copytree(folder, tmp_path / "store")
    async with product(tmp_path / "store") as forge:
        yield Store(forge, *rows)


async def lose_free(store: Store) -> None:
    store.blob(store.free).unlink()


async def lose_used(store: Store) -> None:
    store.blob(store.used).unlink()


async def alter(store: Store) -> None:
    path = store.blob(store.used)
    path.write_bytes(path.read_bytes()[:-5] + b"other")


async def shorten(store: Store) -> None:
    store.blob(store.free).write_bytes(b"")


async def lose_row(store: Store) -> None:
    await store.forge.database.write(
        lambda connection: connection.execute(delete(files).where(files.c.id == store.free.id))
    )


async def put_stranger(store: Store) -> None:
    store.blob(store.free).with_name("notes.txt").write_text("not of the store")


async def put_stranger_on_top(store: Store) -> None:
    (store.forge.blobs.blobs / "stray.png").write_bytes(picture(3))


async def put_liar(store: Store) -> None:
    (store.blob(store.free).parent / f"{store.free.content_hash[:2]}{'0' * 62}.png").write_bytes(picture(3))


async def put_other_extension(store: Store) -> None:
    store.blob(store.free).with_suffix(".jpg").write_bytes(picture(1))


async def miscount(store: Store) -> None:
    await store.forge.database.write(
        lambda connection: connection.execute(update(files).where(files.c.id == store.free.id).values(size=7))
    )


async def return_lost(store: Store) -> None:
    await store.forge.database.write(
        lambda connection: connection.execute(
            update(files).where(files.c.id == store.free.id).values(lost_at=1)
        )
    )


async def leave_deleted(store: Store) -> None:
    await store.forge.database.write(
        lambda connection: connection.execute(
            update(files).where(files.c.id == store.free.id).values(deleted_at=1)
        )
    )


def without_keys(store: Store, *statements: str) -> None:
    """As a tool that knows nothing of foreign keys would change the database."""
    engine = writer_of(store.forge.database)
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            for statement in statements:
                connection.execute(text(statement))
        connection.connection.cursor().execute("PRAGMA foreign_keys=ON")


async def dangle_input(store: Store) -> None:
    without_keys(store, "UPDATE generation_inputs SET file_id = 'nobody'")


async def dangle_output(store: Store) -> None:
    without_keys(
        store,
        "INSERT INTO outputs (generation_id, position, filename, size, width, height, content_hash) "
        "VALUES ('nobody', 0, 'a.png', 1, 1, 1, 'x')",
    )


async def dangle_skeleton(store: Store) -> None:
    await store.forge.database.write(
        lambda connection: connection.execute(
            insert(extracted_poses).values(
                source_hash=store.free.content_hash,
                extractor="dwpose",
                bones="standard",
                file_id=store.used.id,
            )
        )
    )
    without_keys(store, "UPDATE extracted_poses SET source_hash = 'nobody'")


async def lose_picture(store: Store) -> None:
    store.picture.unlink()


async def change_picture(store: Store) -> None:
    store.picture.write_bytes(picture(55))


async def break_picture(store: Store) -> None:
    store.picture.write_bytes(b"no picture")


async def return_picture(store: Store) -> None:
    await store.forge.database.write(lambda connection: connection.execute(update(outputs).values(lost_at=1)))


async def leave_part(store: Store) -> None:
    (store.forge.blobs.incoming / "11111111-1111-4111-8111-111111111111.part").write_bytes(b"half")


async def leave_note(store: Store) -> None:
    name = f"{store.free.content_hash}.png"
    store.forge.blobs.journal.add(name)
    store.forge.blobs.journal.keep(name)


async def leave_noted_bytes(store: Store) -> None:
    await lose_row(store)
    await leave_note(store)


async def leave_picture_part(store: Store) -> None:
    part = store.picture.with_name(".11111111-1111-4111-8111-111111111111.part")
    part.write_bytes(b"half")
    os.utime(part, (1, 1))


async def mistake_total(store: Store) -> None:
    by_hand = update(tallies).where(tallies.c.what == "completed").values(number=77)
    await store.forge.database.write(lambda connection: connection.execute(by_hand))


Damage = Callable[[Store], Awaitable[None]]
DAMAGES: list[tuple[Damage, str]] = [
    (lose_free, "missing"),
    (lose_used, "missing"),
    (alter, "altered"),
    (shorten, "altered"),
    (lose_row, "orphaned"),
    (put_stranger, "orphaned"),
    (put_stranger_on_top, "orphaned"),
    (put_liar, "orphaned"),
    (put_other_extension, "orphaned"),
    (miscount, "miscounted"),
    (return_lost, "returned"),
    (leave_deleted, "unreleased"),
    (dangle_input, "dangling"),
    (dangle_output, "dangling"),
    (dangle_skeleton, "dangling"),
    (lose_picture, "output_missing"),
    (change_picture, "output_altered"),
    (break_picture, "output_altered"),
    (return_picture, "output_returned"),
    (mistake_total, "tally"),
    (leave_part, "leftover"),
    (leave_note, "leftover"),
    (leave_noted_bytes, "leftover"),
    (leave_picture_part, "leftover"),
]


async def test_a_store_that_is_well_is_clean(store: Store) -> None:
    report = await store.forge.verifier.run(repair=False)
    assert report.clean
    assert report.problems == ()
    assert (report.files, report.outputs) == (2, 1)
    assert report.bytes == store.free.size + store.used.size
    assert report.output_bytes == store.picture.stat().st_size


def test_every_kind_but_a_damaged_database_is_tried() -> None:
    assert {kind for _, kind in DAMAGES} == set(KINDS) - {"database"}


@pytest.mark.parametrize(("damage", "kind"), DAMAGES)
async def test_damage_is_found_repaired_and_not_found_again(store: Store, damage: Damage, kind: str) -> None:
    await damage(store)
    found = await store.forge.verifier.run(repair=False)
    assert {name: count for name, count in found.counts.items() if count} == {kind: 1}
    assert [(problem.kind, problem.repaired) for problem in found.problems] == [(kind, None)]
    assert str(store.forge.blobs.folder) not in found.problems[0].detail
    looked_only = await store.forge.verifier.run(repair=False)
    assert looked_only.counts == found.counts

    repaired = await store.forge.verifier.run(repair=True)
    assert repaired.counts == found.counts
    assert all(problem.repaired for problem in repaired.problems)
    again = await store.forge.verifier.run(repair=False)
    assert again.clean, again.problems


@pytest.mark.parametrize("damage", [lose_used, alter])
async def test_a_lost_file_is_hidden_until_its_content_is_uploaded_again(
    store: Store, damage: Damage
) -> None:
    forge, used = store.forge, store.used
    await damage(store)
    await forge.verifier.run(repair=True)
    assert (await forge.verifier.run(repair=False)).lost_files == 1
    for refused in (
        forge.files.get(used.id),
        forge.generations.submit(AvatarRequest("x", reference_file_id=used.id), "avatar", ("front",)),
    ):
        with pytest.raises(NotFoundError, match="Upload it again"):
            await refused
    assert await forge.files.find(used.content_hash) is None
    assert used.id not in [one.file.id for one in (await forge.files.page(limit=9, cursor=None)).files]

    back = await receive(forge, 2)
    assert (back.file.id, back.is_duplicate) == (used.id, True)
    assert hash_file(forge.files.locate(used.id)[1])[0] == used.content_hash
    report = await forge.verifier.run(repair=False)
    assert (report.clean, report.lost_files) == (True, 0)


async def test_altered_bytes_are_kept_in_quarantine(store: Store) -> None:
    await alter(store)
    altered = store.blob(store.used).read_bytes()
    await store.forge.verifier.run(repair=True)
    assert store.quarantined() == [altered]
    assert not store.blob(store.used).exists()


async def test_a_lost_file_can_be_deleted(store: Store) -> None:
    await lose_free(store)
    await store.forge.verifier.run(repair=True)
    assert (await store.forge.files.delete(store.free.id, force=False)).how == "hard"
    report = await store.forge.verifier.run(repair=False)
    assert (report.clean, report.lost_files) == (True, 0)


async def test_a_picture_without_a_row_is_taken_back(store: Store) -> None:
    await lose_row(store)
    (problem,) = (await store.forge.verifier.run(repair=True)).problems
    assert problem.file_id is not None
    back = await store.forge.files.get(problem.file_id)
    assert (back.content_hash, back.size, back.width) == (store.free.content_hash, store.free.size, 64)
    assert (await receive(store.forge, 1)).file.id == back.id


async def test_what_is_no_picture_of_the_store_is_kept_in_quarantine(store: Store) -> None:
    await put_liar(store)
    await store.forge.verifier.run(repair=True)
    assert store.quarantined() == [picture(3)]


async def test_bytes_that_were_being_deleted_are_not_taken_back(store: Store) -> None:
    await leave_noted_bytes(store)
    await store.forge.verifier.run(repair=True)
    assert not store.blob(store.free).exists()
    assert await store.forge.files.find(store.free.content_hash) is None


async def test_a_changed_picture_is_taken_as_it_is_and_a_broken_one_is_lost(store: Store) -> None:
    await change_picture(store)
    await store.forge.verifier.run(repair=True)
    (taken,) = (await store.forge.generations.get(store.made.id)).outputs
    assert (taken.content_hash, taken.size) == hash_file(store.picture)
    await break_picture(store)
    await store.forge.verifier.run(repair=True)
    assert store.quarantined() == [b"no picture"]
    assert (await store.forge.verifier.run(repair=False)).lost_outputs == 1


async def test_a_damaged_database_is_told(store: Store) -> None:
    # In one transaction: a reader that looks in between would remember the index, and find nothing wrong.
    without_keys(
        store,
        "CREATE INDEX lame ON files (filename)",
        "PRAGMA writable_schema=ON",
        "DELETE FROM sqlite_master WHERE name = 'lame'",
        "PRAGMA writable_schema=OFF",
    )
    report = await store.forge.verifier.run(repair=True)
    assert report.counts["database"] >= 1
    assert "The database is damaged: " in report.problems[0].detail


async def test_pictures_of_a_generation_that_runs_are_left_alone(store: Store) -> None:
    running = await store.forge.generations.submit(AvatarRequest("x"), "avatar", ("front", "back"))
    store.forge.host.start(running.id)
    store.forge.host.save(running.id)
    while len((await store.forge.generations.get(running.id)).outputs) < 2:
        pass  # every look gives the loop away; pytest's own timeout bounds this
    store.forge.outputs.file(running.id, 0).write_bytes(b"half of the next one")
    store.picture.with_name(".11111111-1111-4111-8111-111111111111.part").write_bytes(b"being written")
    assert (await store.forge.verifier.run(repair=True)).clean


@pytest.mark.parametrize(("page", "go"), [(1, 1), (3, 1), (3, 100_000)])
async def test_a_page_ends_anywhere_and_nothing_is_left_out(
    store: Store, monkeypatch: pytest.MonkeyPatch, page: int, go: int
) -> None:
    for module in ("check_files", "check_outputs", "check_leftovers"):
        monkeypatch.setattr(f"{run_module.__package__}.{module}.PAGE", page)
    monkeypatch.setattr(run_module, "BATCH_BYTES", go)
    for seed in range(10, 30):
        store.blob((await receive(store.forge, seed)).file).unlink()
    report = await store.forge.verifier.run(repair=True)
    assert (report.files, report.counts["missing"], report.outputs) == (22, 20, 1)
    assert (await store.forge.verifier.run(repair=False)).clean


async def test_one_check_at_a_time(store: Store) -> None:
    first = asyncio.ensure_future(store.forge.verifier.run(repair=False))
    await asyncio.sleep(0)
    with pytest.raises(ConflictError, match="running already"):
        await store.forge.verifier.run(repair=False)
    assert (await first).clean
    assert (await store.forge.verifier.run(repair=False)).clean


async def test_a_check_beside_uploads_and_deletes_finds_nothing_wrong(store: Store) -> None:
    forge, busy = store.forge, True

    async def keep_busy(worker: int) -> None:
        seed = worker * 1000
        while busy:
            seed += 1
            received = await receive(forge, seed % 7 if seed % 2 else seed)
            if seed % 3:
                await asyncio.gather(forge.files.delete(received.file.id, force=True), return_exceptions=True)
            if seed % 5 == 0:
                await forge.files.clean_up(0)

    workers = [asyncio.ensure_future(keep_busy(number)) for number in range(3)]
    reports = [await forge.verifier.run(repair=number % 2 == 1) for number in range(6)]
    busy = False
    await asyncio.gather(*workers)
    assert [report.problems for report in reports] == [()] * 6
    assert (await forge.verifier.run(repair=False)).clean


def test_a_report_stays_small_however_much_is_wrong() -> None:
    findings = Findings()
    for _ in range(MOST + 5):
        findings.add(Problem("missing", "gone"))
    report = findings.report(repair=False, seconds=0.0)
    assert (len(report.problems), report.problems_total, report.clean) == (MOST, MOST + 5, False)


async def test_references_are_the_rows_after_a_repair(store: Store) -> None:
    await dangle_input(store)
    await store.forge.verifier.run(repair=True)
    left = await store.forge.database.read(
        lambda connection: connection.execute(generation_inputs.select()).all()
    )
    assert left == []
