"""Files of the store: stored once, deleted or hidden, and never lost."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pictures import picture
from receiving import on_disk, receive
from sqlalchemy import Connection, insert

from avatarforge.db.clock import DAY
from avatarforge.db.engine import Database
from avatarforge.db.records import FileRecord
from avatarforge.db.tables import generation_inputs, generations
from avatarforge.forge.errors import NotFoundError, RejectedUploadError, TooLargeError, UnavailableError
from avatarforge.forge.store.blobs import BlobStore
from avatarforge.forge.store.files import FileStore


async def use(database: Database, file_id: str, generation_id: str = "g") -> None:
    def write(connection: Connection) -> None:
        empty = {"spec": "{}", "prompt": "{}", "receipt": "{}", "attempts": 1, "created_at": 1}
        connection.execute(
            insert(generations).values(
                id=generation_id, prompt_id=generation_id, kind="avatar", status="queued", **empty
            )
        )
        connection.execute(
            insert(generation_inputs).values(generation_id=generation_id, role="pose", file_id=file_id)
        )

    await database.write(write)


async def test_a_picture_is_stored_byte_for_byte_under_its_hash(files: FileStore, blobs: BlobStore) -> None:
    data = picture()
    received = await receive(files, data)
    record = received.file
    assert not received.is_duplicate
    assert record.content_hash == hashlib.sha256(data).hexdigest()
    assert (record.size, record.mime_type, record.width, record.height) == (len(data), "image/png", 64, 64)
    assert files.path(record).read_bytes() == data
    assert on_disk(blobs) == [f"{record.content_hash}.png"]


async def test_the_same_content_gives_the_same_file(files: FileStore, blobs: BlobStore) -> None:
    first = await receive(files, picture(), "a.png")
    second = await receive(files, picture(), "b.png")
    assert second.is_duplicate
    assert second.file.id == first.file.id
    assert second.file.filename == "a.png"
    assert len(on_disk(blobs)) == 1


async def test_racing_uploads_of_one_content_make_one_file(files: FileStore, blobs: BlobStore) -> None:
    results = await asyncio.gather(*(receive(files, picture(7)) for _ in range(32)))
    assert len({result.file.id for result in results}) == 1
    assert sum(not result.is_duplicate for result in results) == 1
    assert len(on_disk(blobs)) == 1


async def test_what_is_no_picture_leaves_nothing(files: FileStore, blobs: BlobStore) -> None:
    for data in (b"", b"hello", picture()[:-20]):
        with pytest.raises(RejectedUploadError, match="Invalid image file: "):
            await receive(files, data)
    assert on_disk(blobs) == []


async def test_the_byte_limit_is_exact_and_leaves_nothing(
    database: Database, blobs: BlobStore, files: FileStore
) -> None:
    data = picture()
    files.max_bytes = len(data)
    assert (await receive(files, data)).file.size == len(data)
    files.max_bytes = len(data) - 1
    with pytest.raises(TooLargeError, match="File too large: "):
        await receive(files, data)
    assert len(on_disk(blobs)) == 1


async def test_an_upload_that_breaks_off_leaves_nothing(files: FileStore, blobs: BlobStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield picture()[:100]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.receive(broken(), "a.png")
    assert on_disk(blobs) == []


@pytest.mark.parametrize("dressed", ["{}", "data:image/png;base64,{}", "{}\n", "data:;base64,{}"])
async def test_base64_goes_through_the_same_store(files: FileStore, dressed: str) -> None:
    uploaded = await receive(files, picture())
    text = dressed.format(base64.b64encode(picture()).decode())
    again = await files.receive_base64(text, "pose.png")
    assert (again.file.id, again.is_duplicate) == (uploaded.file.id, True)


async def test_base64_longer_than_one_piece_is_put_together(files: FileStore) -> None:
    files.max_bytes = 10_000_000
    data = picture(size=(900, 900))
    wrapped = base64.encodebytes(data).decode()
    assert (await files.receive_base64(wrapped, "a.png")).file.content_hash == hashlib.sha256(
        data
    ).hexdigest()


@pytest.mark.parametrize(
    "text", ["", "?", "/etc/passwd", "http://x/y.png", "data:image/png,raw", "QUJD", "QUJ", "é"]
)
async def test_what_is_not_base64_of_a_picture_is_refused(
    files: FileStore, blobs: BlobStore, text: str
) -> None:
    with pytest.raises(RejectedUploadError, match="Invalid image file: "):
        await files.receive_base64(text, "a.png")
    assert on_disk(blobs) == []


async def test_base64_has_the_same_byte_limit(files: FileStore) -> None:
    files.max_bytes = 1000
    for length in (1001, 100_000):
        with pytest.raises(TooLargeError):
            await files.receive_base64(base64.b64encode(bytes(length)).decode(), "a.png")


async def test_an_unused_file_is_deleted_for_good(files: FileStore, blobs: BlobStore) -> None:
    record = (await receive(files, picture())).file
    assert (await files.delete(record.id, force=False)).how == "hard"
    assert on_disk(blobs) == []
    with pytest.raises(NotFoundError):
        await files.get(record.id)
    with pytest.raises(NotFoundError):
        await files.delete(record.id, force=False)


async def test_a_used_file_is_hidden_and_its_bytes_stay(
    files: FileStore, blobs: BlobStore, database: Database
) -> None:
    record = (await receive(files, picture())).file
    await use(database, record.id)
    assert (await files.delete(record.id, force=False)).how == "soft"
    with pytest.raises(NotFoundError):
        await files.get(record.id)
    assert await files.find(record.content_hash) is None
    assert files.locate(record.id)[1].is_file()

    back = await receive(files, picture())
    assert (back.file.id, back.is_duplicate) == (record.id, True)
    assert (await files.get(record.id)).deleted_at is None


async def test_force_deletes_whatever_refers_to_it(
    files: FileStore, blobs: BlobStore, database: Database
) -> None:
    record = (await receive(files, picture())).file
    await use(database, record.id)
    assert (await files.delete(record.id, force=True)).how == "hard"
    assert on_disk(blobs) == []
    with pytest.raises(NotFoundError):
        files.locate(record.id)


async def test_clean_up_takes_only_old_files_that_nobody_uses(
    files: FileStore, blobs: BlobStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = database.now()
    monkeypatch.setattr(database, "now", lambda: today - 40 * DAY)
    old = (await receive(files, picture(1))).file
    used = (await receive(files, picture(2))).file
    touched = (await receive(files, picture(3))).file
    await use(database, used.id)
    monkeypatch.setattr(database, "now", lambda: today)
    await receive(files, picture(3))
    fresh = (await receive(files, picture(4))).file

    assert await files.clean_up(30) == 1
    with pytest.raises(NotFoundError):
        await files.get(old.id)
    for kept in (used, touched, fresh):
        assert files.path(await files.get(kept.id)).is_file()
    assert await files.clean_up(30) == 0
    assert len(on_disk(blobs)) == 3


async def test_a_refused_request_takes_its_new_upload_back_but_no_other(
    files: FileStore, blobs: BlobStore
) -> None:
    first = await receive(files, picture(1))
    await files.withdraw(first)
    assert on_disk(blobs) == []

    second = await receive(files, picture(2))
    await receive(files, picture(2))  # somebody else was told that the file exists
    await files.withdraw(second)
    assert (await files.get(second.file.id)).id == second.file.id


async def test_a_delete_that_comes_too_late_leaves_the_next_upload_alone(
    files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = (await receive(files, picture())).file
    await files.delete(stale.id, force=True)
    again = (await receive(files, picture())).file

    async def as_it_was(_: str) -> FileRecord:
        return stale

    monkeypatch.setattr(files, "get", as_it_was)
    with pytest.raises(NotFoundError):
        await files.delete(stale.id, force=True)
    assert files.path(again).is_file()


async def test_deletes_and_uploads_of_one_content_never_lose_bytes(files: FileStore) -> None:
    async def delete(file_id: str) -> None:
        with contextlib.suppress(NotFoundError):
            await files.delete(file_id, force=True)

    for _ in range(10):
        received = await receive(files, picture())
        _, again, _ = await asyncio.gather(
            delete(received.file.id), receive(files, picture()), delete(received.file.id)
        )
        record = await files.find(again.file.content_hash)
        assert record is None or files.path(record).is_file()


async def test_lost_bytes_come_back_with_the_next_upload(files: FileStore) -> None:
    record = (await receive(files, picture())).file
    files.path(record).unlink()
    with pytest.raises(NotFoundError, match="Upload it again"):
        files.locate(record.id)
    again = await receive(files, picture())
    assert (again.file.id, again.is_duplicate) == (record.id, True)
    assert files.locate(record.id)[1].read_bytes() == picture()


def test_leftovers_of_a_crash_are_swept_at_start(blobs: BlobStore) -> None:
    blobs.begin().write(b"half a picture")
    assert len(on_disk(blobs)) == 1
    blobs.open()
    assert on_disk(blobs) == []


@pytest.mark.skipif(os.name == "nt", reason="needs a path that cannot be a folder")
def test_a_storage_folder_that_cannot_be_made_is_refused_without_its_path(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(UnavailableError, match=r"storage folder \(STORAGE_PATH\) cannot be used") as caught:
        BlobStore(blocked / "storage").open()
    assert caught.value.code == "storage_unavailable"
    assert str(tmp_path) not in str(caught.value)
