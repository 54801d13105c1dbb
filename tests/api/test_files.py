from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from pictures import picture
from services import Product

from avatarforge.routes import PREFIX

from .conftest import Client, generate, upload

CASES = {
    path.name: path.read_bytes()
    for path in sorted((Path(__file__).resolve().parents[1] / "data" / "cases").glob("*.png"))
}


@pytest.mark.parametrize("kind", ["pose", "reference"])
async def test_an_upload_answers_with_every_field(client: Client, kind: str) -> None:
    data = picture(3, (80, 64))
    answer = await upload(client, data, kind)
    assert answer == {
        "file_id": answer["file_id"],
        "filename": "a.png",
        "content_hash": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "mime_type": "image/png",
        "dimensions": {"width": 80, "height": 64},
        "url": f"/files/{answer['file_id']}",
        "is_duplicate": False,
        "created_at": answer["created_at"],
    }
    assert answer["created_at"].endswith("Z")


async def test_both_routes_share_one_store(client: Client) -> None:
    first = await upload(client, kind="pose")
    second = await upload(client, kind="reference")
    assert second == {**first, "is_duplicate": True}


async def test_the_hash_check_answers_both_ways(client: Client) -> None:
    content_hash = hashlib.sha256(picture()).hexdigest()
    answer = await (await client.get(f"{PREFIX}/files/hash/{content_hash}")).json()
    assert answer == {"exists": False, "file_id": None, "message": "No file with this content exists"}
    file_id = (await upload(client))["file_id"]
    for written in (content_hash, content_hash.upper()):
        answer = await (await client.get(f"{PREFIX}/files/hash/{written}")).json()
        assert answer == {"exists": True, "file_id": file_id, "message": "File exists: a.png"}


@pytest.mark.parametrize("prefix", ["", PREFIX])
async def test_the_url_resolves_against_the_root_and_the_prefix(client: Client, prefix: str) -> None:
    url = (await upload(client))["url"]
    answer = await client.get(prefix + url)
    assert (answer.status, await answer.read()) == (200, picture())


async def test_a_download_carries_safe_headers(client: Client) -> None:
    file = await upload(client)
    answer = await client.get(PREFIX + file["url"])
    headers = answer.headers
    assert headers["Content-Type"] == "image/png"
    assert headers["ETag"] == f'"{file["content_hash"]}"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Content-Disposition"] == "inline; filename=\"a.png\"; filename*=UTF-8''a.png"
    assert headers["Accept-Ranges"] == "bytes"


async def test_a_name_with_quotes_and_umlauts_is_quoted(client: Client) -> None:
    form = FormData()
    form.add_field("file", picture(), filename='hä"r; x=1.png', content_type="image/png")
    file = await (await client.post(f"{PREFIX}/upload/pose_image", data=form)).json()
    answer = await client.get(PREFIX + file["url"])
    disposition = answer.headers["Content-Disposition"]
    assert disposition.isascii()
    plain = disposition.split("filename=")[1].split(";")[0].strip('"')
    assert not set(plain) & set('";\\\r\n')


@pytest.mark.parametrize(
    ("kind", "sent", "shown"),
    [
        ("JPEG", "portrait.jpeg", "portrait.jpeg"),
        ("JPEG", "Portrait.JFIF", "Portrait.JFIF"),
        ("JPEG", "portrait.png", "portrait.jpg"),
        ("PNG", "PORTRAIT.PNG", "PORTRAIT.PNG"),
        ("PNG", "portrait.jpeg", "portrait.png"),
        ("WEBP", "portrait.WebP", "portrait.WebP"),
        ("JSON", "jump.JSON", "jump.JSON"),
        ("JSON", "jump.jpeg", "jump.json"),
    ],
)
async def test_a_name_that_fits_the_bytes_is_kept_everywhere(
    client: Client, kind: str, sent: str, shown: str
) -> None:
    pose = b'{"canvas_width": 64, "canvas_height": 64, "people": [{"pose_keypoints_2d": [%s]}]}'
    data = pose % b",".join([b"9,9,1"] * 18) if kind == "JSON" else picture(kind=kind)

    async def send(name: str) -> dict[str, Any]:
        form = FormData()
        form.add_field("file", data, filename=name, content_type="application/octet-stream")
        answer = await client.post(f"{PREFIX}/upload/pose_image", data=form)
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found

    first = await send(sent)
    assert first["filename"] == shown
    assert await send("another.bin") == {**first, "is_duplicate": True}
    listed = await (await client.get(f"{PREFIX}/files")).json()
    assert [file["filename"] for file in listed["files"]] == [shown]
    known = await (await client.get(f"{PREFIX}/files/hash/{first['content_hash']}")).json()
    assert known["message"] == f"File exists: {shown}"
    download = await client.get(PREFIX + first["url"])
    assert f'filename="{shown}"' in download.headers["Content-Disposition"]
    assert download.headers["Content-Type"] == first["mime_type"]
    await generate(client, pose_file_id=first["file_id"])
    deleted = await (await client.delete(f"{PREFIX}/files/{first['file_id']}")).json()
    assert deleted["deleted"] == "soft"
    assert await send("third.bin") == {**first, "is_duplicate": True}


@pytest.mark.parametrize("name", CASES)
async def test_pictures_from_the_field_are_stored_as_they_came(client: Client, name: str) -> None:
    data = CASES[name]
    uploaded = await upload(client, data)
    assert (uploaded["mime_type"], uploaded["size"]) == ("image/png", len(data))
    download = await client.get(PREFIX + uploaded["url"])
    assert await download.read() == data
    small = await client.get(f"{PREFIX}/files/{uploaded['file_id']}/thumbnail")
    assert small.status == 200
    await generate(client, pose_file_id=uploaded["file_id"])


async def test_head_gives_the_headers_only(client: Client) -> None:
    url = PREFIX + (await upload(client))["url"]
    answer = await client.head(url)
    assert (answer.status, await answer.read()) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(picture()))


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"If-None-Match": '"{}"'}, 304),
        ({"If-None-Match": 'W/"{}"'}, 304),
        ({"If-None-Match": '"other", "{}"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Match": '"{}"'}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": 'W/"{}"'}, 412),
    ],
)
async def test_conditions_follow_rfc_9110(client: Client, condition: dict[str, str], status: int) -> None:
    file = await upload(client)
    headers = {name: value.replace("{}", file["content_hash"]) for name, value in condition.items()}
    answer = await client.get(PREFIX + file["url"], headers=headers)
    assert answer.status == status
    body = await answer.read()
    if status == 304:
        assert body == b""
        assert answer.headers["ETag"] == f'"{file["content_hash"]}"'


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 9),
        ("bytes=10-", 206, 10, None),
        ("bytes=-7", 206, -7, None),
        ("bytes=0-99999999", 206, 0, None),
        ("bytes=99999999-", 416, None, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("lines=1-2", 200, 0, None),
        ("bytes=9-1", 200, 0, None),
    ],
)
async def test_ranges(client: Client, asked: str, status: int, first: int | None, last: int | None) -> None:
    url = PREFIX + (await upload(client))["url"]
    data = picture()
    answer = await client.get(url, headers={"Range": asked})
    assert answer.status == status
    if status == 416:
        assert answer.headers["Content-Range"] == f"bytes */{len(data)}"
        return
    assert first is not None
    start = first if first >= 0 else len(data) + first
    stop = len(data) if last is None else last + 1
    assert await answer.read() == data[start:stop]
    if status == 206:
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"


async def test_a_range_of_other_bytes_is_not_mixed_in(client: Client) -> None:
    file = await upload(client)
    for tag, status in ((file["content_hash"], 206), ("other", 200)):
        answer = await client.get(
            PREFIX + file["url"], headers={"Range": "bytes=0-9", "If-Range": f'"{tag}"'}
        )
        assert answer.status == status


async def test_delete_says_how(client: Client) -> None:
    file_id = (await upload(client))["file_id"]
    await generate(client, reference_file_id=file_id)
    soft = await (await client.delete(f"{PREFIX}/files/{file_id}")).json()
    assert (soft["file_id"], soft["deleted"]) == (file_id, "soft")
    assert (await client.get(f"{PREFIX}/files/{file_id}")).status == 404
    again = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x", "reference_file_id": file_id})
    assert again.status == 404
    back = await upload(client)
    assert (back["file_id"], back["is_duplicate"]) == (file_id, True)
    hard = await (await client.delete(f"{PREFIX}/files/{file_id}?force=true")).json()
    assert (hard["deleted"], set(hard)) == ("hard", {"file_id", "deleted", "message"})


async def test_clean_up_counts_and_repeats_its_days(client: Client) -> None:
    kept = (await upload(client, picture(1)))["file_id"]
    await generate(client, reference_file_id=kept)
    await upload(client, picture(2))
    default = await (await client.post(f"{PREFIX}/cleanup/orphaned-files")).json()
    assert (default["files_deleted"], default["cleanup_days"]) == (0, 30)
    now = await (await client.post(f"{PREFIX}/cleanup/orphaned-files?days=0")).json()
    assert (now["files_deleted"], now["cleanup_days"]) == (1, 0)
    assert set(now) == {"files_deleted", "cleanup_days", "message"}


def form(*fields: tuple[str, bytes]) -> FormData:
    data = FormData()
    for name, content in fields:
        data.add_field(name, content, filename="a.png", content_type="image/png")
    return data


@pytest.mark.parametrize(
    "body",
    [
        form(("image", picture())),
        form(("file", picture()), ("file", picture(1))),
        form(("file", picture()), ("note", b"hello")),
        form(("file", b"")),
        form(("file", b"GIF89a")),
        form(("file", picture()[:-30])),
        form(("file", picture(size=(63, 64)))),
    ],
    ids=["other field", "two files", "a field more", "empty", "gif", "truncated", "too small"],
)
async def test_a_bad_form_is_refused_and_stores_nothing(
    client: Client, forge: Product, body: FormData
) -> None:
    answer = await client.post(f"{PREFIX}/upload/pose_image", data=body)
    assert answer.status == 400
    assert (await answer.json())["detail"].startswith("Invalid image file: ")
    assert not [path for path in forge.blobs.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
        ("multipart/form-data; boundary=b", b"no boundary at all\r\n" * 50),
        ("multipart/form-data; boundary=b", b"--b\r\nbroken header\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/mixed; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"),
        ("application/octet-stream", picture()),
    ],
)
async def test_what_is_no_form_is_refused(client: Client, content_type: str, body: bytes) -> None:
    answer = await client.post(
        f"{PREFIX}/upload/pose_image", data=body, headers={"Content-Type": content_type}
    )
    assert answer.status == 400
    assert (await answer.json())["detail"].startswith("Invalid image file: ")


async def test_too_many_bytes_are_413(client: Client, forge: Product) -> None:
    forge.files.max_bytes = len(picture()) - 1
    for body in (form(("file", picture())), form(("junk", bytes(200_000)))):
        answer: Any = await client.post(f"{PREFIX}/upload/pose_image", data=body)
        detail = (await answer.json())["detail"]
        assert (answer.status, detail.split(":")[0]) in (
            (413, "File too large"),
            (400, "Invalid image file"),
        )
    answer = await client.post(
        f"{PREFIX}/upload/pose_image",
        data=b"preamble\r\n" * 100_000,
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.status == 413
