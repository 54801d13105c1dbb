"""A store, and each kind of damage that can be done to it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from engines import writer_of
from pictures import picture
from services import Product, product
from sqlalchemy import delete, insert, text, update

from avatarforge.db import pose_library
from avatarforge.db.records import FileRecord, GenerationRecord, LibraryPoseRecord
from avatarforge.db.tables import extracted_poses, files, outputs, tallies
from avatarforge.forge.spec.request import AvatarRequest
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


async def fill(folder: Path) -> Rows:
    """Make the store in this folder; its rows, in the order of `Store`."""
    async with product(folder) as forge:
        free, used = (await receive(forge, 1)).file, (await receive(forge, 2)).file
        request = AvatarRequest("a knight", reference_file_id=used.id)
        made = await forge.generations.submit(request, "avatar", ("front",))
        forge.host.succeed(made.id)
        done = await forge.until(made.id, "completed")
        return free, await forge.files.get(used.id), done


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


async def dangle_take(store: Store) -> None:
    without_keys(
        store,
        "INSERT INTO takes "
        "(generation_id, position, take, filename, size, width, height, content_hash, made) "
        "VALUES ('nobody', 0, 1, 'a.png', 1, 1, 1, 'x', '{}')",
    )


async def dangle_scores(store: Store) -> None:
    without_keys(
        store,
        "INSERT INTO picture_scores (generation_id, position, take, scores) VALUES ('nobody', 0, 1, '{}')",
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


async def dangle_pose(store: Store) -> None:
    record = LibraryPoseRecord("a pose", "mine", store.used.id, "{}", 1)
    await store.forge.database.write(lambda connection: pose_library.add(connection, record))
    without_keys(store, "UPDATE library_poses SET file_id = 'nobody'")


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
    (dangle_take, "dangling"),
    (dangle_scores, "dangling"),
    (dangle_skeleton, "dangling"),
    (dangle_pose, "dangling"),
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
