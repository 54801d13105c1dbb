"""Poses in the store: OpenPose JSON, the kind of a pose, and skeletons that are kept with their photo."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from pictures import picture
from PIL import Image
from sqlalchemy import Connection, func, insert, select, update

from avatarforge.db.engine import Database
from avatarforge.db.records import FileRecord
from avatarforge.db.tables import extracted_poses, generation_inputs, generations
from avatarforge.db.tables import files as files_table
from avatarforge.forge.errors import NotFoundError, RejectedUploadError, TooLargeError, UnprocessableError
from avatarforge.forge.pictures.openpose_json import MAX_BYTES
from avatarforge.forge.pictures.skeleton import KEYPOINT_NAMES, draw_skeleton, view_skeleton
from avatarforge.forge.store.blobs import BlobStore
from avatarforge.forge.store.content_store import ContentStore
from avatarforge.forge.store.files import FileStore
from avatarforge.forge.store.images import ImageLimits
from avatarforge.forge.store.poses import require_picture
from avatarforge.forge.workers import Workers


def pose_json(width: float = 512, height: float = 768, **more: Any) -> bytes:
    points = view_skeleton("front").keypoints
    numbers = [value for point in points if point for value in (point.x * width, point.y * height, 1.0)]
    assert len(numbers) == 3 * len(KEYPOINT_NAMES)
    canvas = {"canvas_width": width, "canvas_height": height}
    return json.dumps({**canvas, "people": [{"pose_keypoints_2d": numbers}], **more}).encode()


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def skeleton_png(view: str = "front") -> bytes:
    return png(draw_skeleton(view_skeleton(view), 256, 384))


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def receive(files: FileStore, data: bytes, **options: Any) -> FileRecord:
    return (await files.receive(chunks(data), "sent.txt", **options)).file


async def rows(database: Database, table: Any) -> int:
    def count(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()

    return await database.read(count)


def on_disk(blobs: BlobStore) -> set[str]:
    return {path.stem for path in blobs.folder.rglob("*") if path.is_file()}


async def test_a_pose_in_json_is_stored_byte_for_byte(files: FileStore) -> None:
    data = b"\xef\xbb\xbf\r\n " + pose_json()
    record = await receive(files, data)
    assert (record.mime_type, record.extension, record.filename) == ("application/json", "json", "sent.json")
    assert (record.width, record.height, record.size) == (512, 768, len(data))
    assert files.path(record).read_bytes() == data
    again = await files.receive(chunks(data), "again.json")
    assert (again.file.id, again.is_duplicate) == (record.id, True)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b'{"people": [', "not a valid JSON document"),
        (b"[]", "not in OpenPose format"),
        (b'{"people": []}', "shows nobody"),
        (pose_json(4097, 64), "canvas is 4097x64 pixels; each side must be from 64 to 4096"),
        (pose_json(512, 63), "canvas is 512x63 pixels"),
    ],
)
async def test_json_that_is_no_pose_is_refused_with_its_sentence(
    files: FileStore, blobs: BlobStore, data: bytes, sentence: str
) -> None:
    with pytest.raises(RejectedUploadError, match=sentence) as refused:
        await receive(files, data)
    assert refused.value.detail.startswith("Invalid image file: ")
    assert on_disk(blobs) == set()


async def test_a_long_pose_is_too_large(database: Database, contents: ContentStore, workers: Workers) -> None:
    roomy = FileStore(database, contents, workers, ImageLimits(), max_bytes=10 * MAX_BYTES)
    assert (await receive(roomy, pose_json().ljust(MAX_BYTES))).size == MAX_BYTES
    with pytest.raises(TooLargeError, match=f"a pose in JSON may have {MAX_BYTES} bytes"):
        await receive(roomy, pose_json().ljust(MAX_BYTES + 1))


async def test_where_only_pictures_are_wanted_json_is_refused_also_as_a_duplicate(files: FileStore) -> None:
    with pytest.raises(RejectedUploadError, match="pose in JSON"):
        await receive(files, pose_json(), pictures_only=True)
    record = await receive(files, pose_json())
    with pytest.raises(RejectedUploadError, match="pose in JSON"):
        await receive(files, pose_json(), pictures_only=True)
    assert (await files.get(record.id)).id == record.id
    assert (await receive(files, picture(), pictures_only=True)).mime_type == "image/png"


async def test_a_pose_in_json_is_no_reference(files: FileStore) -> None:
    with pytest.raises(UnprocessableError, match="PNG, JPEG or WEBP") as refused:
        require_picture(await receive(files, pose_json()), "reference_file_id")
    assert refused.value.location == ("body", "reference_file_id")
    require_picture(await receive(files, picture()), "reference_file_id")


async def test_the_kind_is_recognised_from_the_content(files: FileStore) -> None:
    drawing = draw_skeleton(view_skeleton("back"), 256, 384)
    clear = drawing.convert("RGBA")
    clear.putalpha(drawing.convert("L").point([0] + [255] * 255))
    for data, kind in (
        (pose_json(), "json"),
        (png(drawing), "skeleton"),
        (png(clear), "skeleton"),
        (picture(), "photo"),
    ):
        assert await files.pose_kind(await receive(files, data)) == kind


async def test_the_kind_is_looked_at_once(files: FileStore) -> None:
    record = await receive(files, skeleton_png())
    assert record.pose_kind is None
    await files.pose_kind(record)
    known = await files.get(record.id)
    assert known.pose_kind == "skeleton"
    files.path(record).unlink()
    assert await files.pose_kind(known) == "skeleton"
    with pytest.raises(NotFoundError, match="Upload it again"):
        await files.pose_kind(replace(known, pose_kind=None))


async def keep(
    files: FileStore, source: FileRecord, bones: str = "standard", view: str = "front"
) -> FileRecord:
    kept = await files.keep_skeleton(source.content_hash, "dwpose", bones, skeleton_png(view))
    assert kept is not None
    return kept


async def test_a_kept_skeleton_is_found_by_its_photo_and_bones(files: FileStore) -> None:
    photo = await receive(files, picture())
    assert await files.extracted_pose(photo.content_hash) is None
    kept = await keep(files, photo)
    assert (kept.mime_type, kept.width, kept.height) == ("image/png", 256, 384)
    found = await files.extracted_pose(photo.content_hash)
    assert found is not None
    assert found.id == kept.id
    assert await files.pose_kind(found) == "skeleton"
    assert await files.extracted_pose(photo.content_hash, "xinsir") is None
    thick = await keep(files, photo, "xinsir", "side")
    again = await files.extracted_pose(photo.content_hash, "xinsir")
    assert again is not None
    assert again.id == thick.id


async def test_keeping_again_keeps_one(files: FileStore, database: Database) -> None:
    photo = await receive(files, picture())
    kept = await asyncio.gather(*(keep(files, photo) for _ in range(8)))
    assert len({item.id for item in kept}) == 1
    assert (await rows(database, files_table), await rows(database, extracted_poses)) == (2, 1)


async def test_a_clean_up_leaves_the_skeleton_of_a_photo_that_stays(
    files: FileStore, database: Database
) -> None:
    photo = await receive(files, picture())
    kept = await keep(files, photo)
    await database.write(
        lambda connection: connection.execute(
            update(files_table).where(files_table.c.id == kept.id).values(last_used_at=1)
        )
    )
    assert await files.clean_up(1) == 0
    assert (await files.get(kept.id)).id == kept.id


async def delete(files: FileStore, database: Database, photo: FileRecord) -> None:
    await files.delete(photo.id, force=False)


async def delete_by_force(files: FileStore, database: Database, photo: FileRecord) -> None:
    await files.delete(photo.id, force=True)


async def clean_up(files: FileStore, database: Database, photo: FileRecord) -> None:
    await database.write(lambda connection: connection.execute(update(files_table).values(last_used_at=1)))
    assert await files.clean_up(1) == 2


@pytest.mark.parametrize("remove", [delete, delete_by_force, clean_up])
async def test_the_skeleton_goes_with_its_photo(
    files: FileStore, database: Database, blobs: BlobStore, remove: Any
) -> None:
    photo = await receive(files, picture())
    kept = await keep(files, photo)
    await remove(files, database, photo)
    for gone in (photo, kept):
        with pytest.raises(NotFoundError):
            await files.get(gone.id)
    assert on_disk(blobs) == set()
    assert await rows(database, extracted_poses) == 0


async def test_a_skeleton_of_two_photos_goes_when_one_batch_takes_both(
    files: FileStore, database: Database, blobs: BlobStore
) -> None:
    first, second = await receive(files, picture(1)), await receive(files, picture(2))
    assert (await keep(files, first)).id == (await keep(files, second)).id
    await database.write(lambda connection: connection.execute(update(files_table).values(last_used_at=1)))
    assert await files.clean_up(1) == 3
    assert on_disk(blobs) == set()


async def test_a_skeleton_of_two_photos_stays_when_one_of_them_stays(
    files: FileStore, database: Database
) -> None:
    first, second = await receive(files, picture(1)), await receive(files, picture(2))
    kept = await keep(files, first)
    await keep(files, second)
    old = files_table.c.id != second.id
    await database.write(
        lambda connection: connection.execute(update(files_table).where(old).values(last_used_at=1))
    )
    assert await files.clean_up(1) == 1
    assert (await files.get(kept.id)).id == kept.id


async def test_a_hidden_photo_keeps_its_skeleton_until_it_goes(
    files: FileStore, database: Database, blobs: BlobStore
) -> None:
    photo = await receive(files, picture())
    kept = await keep(files, photo)
    await use(database, photo.id)
    assert (await files.delete(photo.id, force=False)).how == "soft"
    assert on_disk(blobs) == {photo.content_hash, kept.content_hash}
    assert (await files.delete((await receive(files, picture())).id, force=True)).how == "hard"
    assert on_disk(blobs) == set()


async def test_a_skeleton_that_somebody_uploaded_too_is_theirs(files: FileStore, blobs: BlobStore) -> None:
    photo = await receive(files, picture())
    kept = await keep(files, photo)
    assert kept.derived
    mine = await receive(files, skeleton_png())
    assert (mine.id, mine.derived) == (kept.id, False)
    await files.delete(photo.id, force=False)
    assert on_disk(blobs) == {mine.content_hash}


async def test_an_uploaded_skeleton_stays_its_owners_when_a_photo_gives_the_same(
    files: FileStore, blobs: BlobStore
) -> None:
    mine = await receive(files, skeleton_png())
    photo = await receive(files, picture())
    assert (await keep(files, photo)).id == mine.id
    await files.delete(photo.id, force=False)
    assert on_disk(blobs) == {mine.content_hash}


async def test_two_photos_share_a_skeleton_until_both_are_gone(files: FileStore, blobs: BlobStore) -> None:
    first, second = await receive(files, picture(1)), await receive(files, picture(2))
    kept = await keep(files, first)
    assert (await keep(files, second)).id == kept.id
    await files.delete(first.id, force=False)
    assert on_disk(blobs) == {second.content_hash, kept.content_hash}
    await files.delete(second.id, force=False)
    assert on_disk(blobs) == set()


async def test_a_deleted_skeleton_is_read_anew(files: FileStore, database: Database) -> None:
    photo = await receive(files, picture())
    kept = await keep(files, photo)
    await use(database, kept.id)
    assert (await files.delete(kept.id, force=False)).how == "soft"
    assert await files.extracted_pose(photo.content_hash) is None
    assert (await keep(files, photo)).id == kept.id
    found = await files.extracted_pose(photo.content_hash)
    assert found is not None
    assert found.id == kept.id


async def test_a_skeleton_without_its_bytes_is_read_anew(files: FileStore) -> None:
    photo = await receive(files, picture())
    files.path(await keep(files, photo)).unlink()
    assert await files.extracted_pose(photo.content_hash) is None
    await keep(files, photo)
    assert await files.extracted_pose(photo.content_hash) is not None


async def test_what_cannot_be_kept_leaves_nothing(
    files: FileStore, database: Database, blobs: BlobStore
) -> None:
    assert await files.keep_skeleton("00" * 32, "dwpose", "standard", skeleton_png()) is None
    photo = await receive(files, picture())
    tiny = png(Image.new("RGB", (8, 8)))
    assert await files.keep_skeleton(photo.content_hash, "dwpose", "standard", tiny) is None
    assert on_disk(blobs) == {photo.content_hash}
    assert (await rows(database, files_table), await rows(database, extracted_poses)) == (1, 0)


async def use(database: Database, file_id: str) -> None:
    """Let a generation use the file."""

    def write(connection: Connection) -> None:
        empty = {"spec": "{}", "prompt": "{}", "receipt": "{}", "attempts": 1, "created_at": 1}
        connection.execute(
            insert(generations).values(id="g", prompt_id="g", kind="avatar", status="queued", **empty)
        )
        connection.execute(insert(generation_inputs).values(generation_id="g", role="pose", file_id=file_id))

    await database.write(write)
