from __future__ import annotations

import io
from typing import Any

import pytest
from pictures import picture
from PIL import Image
from services import Product
from sqlalchemy import Connection, update

from avatarforge.db.tables import files
from avatarforge.routes import PREFIX

from .conftest import Client, generate, upload

ORIENTATION = 0x0112


async def listed(client: Client, query: str = "") -> dict[str, Any]:
    answer = await client.get(f"{PREFIX}/files{query}")
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


async def thumbnail(client: Client, data: bytes, query: str = "") -> Image.Image:
    file = await upload(client, data)
    answer = await client.get(f"{PREFIX}{file['url']}/thumbnail{query}")
    assert answer.status == 200, await answer.text()
    made = Image.open(io.BytesIO(await answer.read()))
    assert answer.headers["Content-Type"] == Image.MIME[str(made.format)]
    return made


async def test_nothing_stored_is_an_empty_page(client: Client) -> None:
    assert await listed(client) == {"total": 0, "files": [], "limit": 50, "next_cursor": None}


async def test_a_listed_file_has_the_fields_of_its_upload(client: Client) -> None:
    uploaded = await upload(client)
    await generate(client, pose_file_id=uploaded["file_id"], reference_file_id=uploaded["file_id"])
    (file,) = (await listed(client))["files"]
    del uploaded["is_duplicate"]
    assert file == {**uploaded, "references": 1, "last_used_at": file["last_used_at"]}
    assert file["last_used_at"] >= uploaded["created_at"]


async def test_each_generation_that_uses_a_file_counts(client: Client) -> None:
    used, unused = await upload(client, picture(1)), await upload(client, picture(2))
    for _ in range(2):
        await generate(client, reference_file_id=used["file_id"])
    counts = {file["file_id"]: file["references"] for file in (await listed(client))["files"]}
    assert counts == {used["file_id"]: 2, unused["file_id"]: 0}


async def test_pages_are_newest_first_and_arrivals_do_not_shift_them(client: Client) -> None:
    uploaded = [(await upload(client, picture(number)))["file_id"] for number in range(5)]
    first = await listed(client, "?limit=2")
    await upload(client, picture(99))
    second = await listed(client, f"?limit=2&cursor={first['next_cursor']}")
    third = await listed(client, f"?limit=2&cursor={second['next_cursor']}")
    seen = [file["file_id"] for page in (first, second, third) for file in page["files"]]
    assert seen == uploaded[::-1]
    assert [page["total"] for page in (first, second, third)] == [5, 6, 6]
    assert third["next_cursor"] is None


async def test_files_of_the_same_moment_are_neither_repeated_nor_skipped(
    client: Client, forge: Product
) -> None:
    uploaded = {(await upload(client, picture(number)))["file_id"] for number in range(3)}

    def at_once(connection: Connection) -> None:
        connection.execute(update(files).values(created_at=7))

    await forge.database.write(at_once)
    seen: list[str] = []
    query = "?limit=1"
    for _ in uploaded:
        page = await listed(client, query)
        seen += [file["file_id"] for file in page["files"]]
        query = f"?limit=1&cursor={page['next_cursor']}"
    assert sorted(seen) == sorted(uploaded)
    assert page["next_cursor"] is None


async def test_a_deleted_file_is_not_listed_even_while_generations_use_it(client: Client) -> None:
    uploaded = await upload(client)
    await generate(client, pose_file_id=uploaded["file_id"])
    deleted = await (await client.delete(PREFIX + uploaded["url"])).json()
    assert deleted["deleted"] == "soft"
    assert await listed(client) == {"total": 0, "files": [], "limit": 50, "next_cursor": None}


@pytest.mark.parametrize(
    "query",
    ["?limit=0", "?limit=101", "?limit=x", "?cursor=x", "?cursor=1", "?cursor=-1-" + "0" * 36, "?offset=1"],
)
async def test_a_wrong_query_is_422_and_names_the_field(client: Client, query: str) -> None:
    answer = await client.get(f"{PREFIX}/files{query}")
    assert answer.status == 422
    (problem,) = (await answer.json())["detail"]
    assert problem["loc"] == ["query", query[1:].split("=")[0]]


@pytest.mark.parametrize(
    ("query", "size"), [("", (256, 128)), ("?size=64", (64, 32)), ("?size=512", (300, 150))]
)
async def test_a_thumbnail_fits_and_is_never_enlarged(
    client: Client, query: str, size: tuple[int, int]
) -> None:
    assert (await thumbnail(client, picture(1, (300, 150)), query)).size == size


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_every_kind_of_picture_has_a_thumbnail(client: Client, kind: str) -> None:
    assert (await thumbnail(client, picture(1, (100, 80), kind))).format == "JPEG"


async def test_a_thumbnail_stands_upright(client: Client) -> None:
    tall = Image.new("RGB", (100, 200), "red")
    tall.paste("blue", (0, 100, 100, 200))
    exif = Image.Exif()
    exif[ORIENTATION] = 3
    buffer = io.BytesIO()
    tall.save(buffer, "JPEG", exif=exif)
    made = (await thumbnail(client, buffer.getvalue(), "?size=64")).convert("RGB")
    assert made.size == (32, 64)
    top, bottom = made.getpixel((16, 5)), made.getpixel((16, 58))
    assert isinstance(top, tuple) and isinstance(bottom, tuple)
    assert top[2] > 200 > top[0]
    assert bottom[0] > 200 > bottom[2]


async def test_a_thumbnail_keeps_transparent_parts(client: Client) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (80, 80), (255, 0, 0, 0)).save(buffer, "PNG")
    made = await thumbnail(client, buffer.getvalue())
    assert made.format == "PNG"
    assert made.getpixel((40, 40)) == (255, 0, 0, 0)


async def test_a_thumbnail_that_the_client_has_is_304(client: Client) -> None:
    url = f"{PREFIX}{(await upload(client))['url']}/thumbnail"
    answer = await client.get(url)
    tag = answer.headers["ETag"]
    assert not tag.startswith("W/")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = await client.get(url, headers={"If-None-Match": tag})
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", tag)
    other = await client.get(f"{url}?size=64", headers={"If-None-Match": tag})
    assert other.status == 200
    head = await client.head(url)
    assert (head.status, head.headers["ETag"], await head.read()) == (200, tag, b"")


@pytest.mark.parametrize("size", ["63", "513", "x", ""])
async def test_a_thumbnail_of_another_size_is_422(client: Client, size: str) -> None:
    answer = await client.get(f"{PREFIX}{(await upload(client))['url']}/thumbnail?size={size}")
    assert answer.status == 422
    assert (await answer.json())["detail"][0]["loc"] == ["query", "size"]


async def test_no_thumbnail_of_what_is_unknown_gone_or_no_picture(client: Client, forge: Product) -> None:
    uploaded = await upload(client)
    url = f"{PREFIX}{uploaded['url']}/thumbnail"
    assert (await client.get(f"{PREFIX}/files/nothing/thumbnail")).status == 404

    def rename(connection: Connection) -> None:
        connection.execute(update(files).values(mime_type="text/plain"))

    await forge.database.write(rename)
    answer = await client.get(url)
    assert (answer.status, await answer.json()) == (
        404,
        {"detail": "There is no thumbnail of a file of the type text/plain.", "code": "not_found"},
    )

    def restore(connection: Connection) -> None:
        connection.execute(update(files).values(mime_type="image/png"))

    await forge.database.write(restore)
    forge.blobs.remove(uploaded["content_hash"], "png")
    assert (await client.get(url)).status == 404
