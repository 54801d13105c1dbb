"""The names of stored files, and the extensions that fit their bytes."""

from __future__ import annotations

import pytest
from pictures import picture
from receiving import on_disk, receive

from avatarforge.forge.store.blobs import BlobStore
from avatarforge.forge.store.files import FileStore
from avatarforge.forge.store.inspect import display_name


@pytest.mark.parametrize(
    ("kind", "mime_type", "extension"),
    [("PNG", "image/png", "png"), ("JPEG", "image/jpeg", "jpg"), ("WEBP", "image/webp", "webp")],
)
async def test_type_and_extension_follow_the_bytes(
    files: FileStore, kind: str, mime_type: str, extension: str
) -> None:
    record = (await receive(files, picture(kind=kind), "lies.gif")).file
    assert (record.mime_type, record.filename) == (mime_type, f"lies.{extension}")
    assert files.path(record).suffix == f".{extension}"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd.png"),
        ("C:\\windows\\evil.png", "evil.png"),
        ("a\r\nb\x00.png", "ab.png"),
        ("", "image.png"),
        (None, "image.png"),
        ("...", "image.png"),
        (".htaccess.png", "htaccess.png"),
        ("a. .png", "a.png"),
        ("C:evil.png", "evil.png"),
        ("notes:stream.png", "notes_stream.png"),
        ('a<b>|"?*.png', "a_b_____.png"),
        ("NUL", "_NUL.png"),
        ("aux.tar.png", "_aux.tar.png"),
        ("com1 .png", "_com1.png"),
        ("\u202egnp.exe.png", "gnp.exe.png"),
        ("\ud800.png", "image.png"),
        ("\u00e4" * 300, "\u00e4" * 100 + ".png"),
        ("x" * 300 + ".png", "x" * 200 + ".png"),
    ],
)
async def test_names_are_for_showing_only(
    files: FileStore, blobs: BlobStore, sent: str | None, shown: str
) -> None:
    record = (await receive(files, picture(), sent)).file
    assert record.filename == shown
    assert on_disk(blobs) == [f"{record.content_hash}.png"]


FITTING = {
    "PNG": ("png", "PNG", "Png"),
    "JPEG": ("jpg", "JPG", "jpeg", "JPEG", "Jpeg", "jpe", "JPE", "jfif", "JFIF", "jif", "pjpeg", "pjp"),
    "WEBP": ("webp", "WEBP", "WebP"),
}
USUAL = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
EXTENSIONS = sorted(
    {written for fitting in FITTING.values() for written in fitting} | {"gif", "json", "jpeg2"}
)


@pytest.mark.parametrize("kind", FITTING)
@pytest.mark.parametrize("written", EXTENSIONS)
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("portrait.{}", "portrait.{}"),
        ("C:\\pictures\\a.b.c.{}", "a.b.c.{}"),
        ("trailing.{} ", "trailing.{}"),
        ("trailing.{}. .", "trailing.{}"),
        (".{}", "image.{}"),
        ("..{}", "image.{}"),
        ("con.{}", "_con.{}"),
        ("\u9a0e\u58eb \u00e9\u00e9.{}", "\u9a0e\u58eb \u00e9\u00e9.{}"),
        ("hidden.\u202e{}", "hidden.{}"),
        ("y" * 4000 + ".{}", "y" * 200 + ".{}"),
        ("\u00e4" * 101 + ".{}", "\u00e4" * 100 + ".{}"),
    ],
)
def test_an_extension_that_fits_the_bytes_is_kept_and_another_is_replaced(
    kind: str, written: str, sent: str, shown: str
) -> None:
    expected = written if written in FITTING[kind] else USUAL[kind]
    assert display_name(sent.format(written), USUAL[kind]) == shown.format(expected)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("portrait", "portrait.jpg"),
        ("jpeg", "jpeg.jpg"),
        ("portrait.", "portrait.jpg"),
        ("portrait.jpeg.png", "portrait.jpeg.jpg"),
        ("portrait.jpeg/", "portrait.jpeg"),
        ("portrait.jp eg", "portrait.jpg"),
        ("portrait.jpeg;.exe", "portrait.jpeg;.jpg"),
        (" .jpeg", "image.jpeg"),
        (None, "image.jpg"),
    ],
)
def test_a_name_without_a_fitting_extension_gets_the_usual_one(sent: str | None, shown: str) -> None:
    assert display_name(sent, "jpg") == shown


def test_a_pose_keeps_its_extension_as_it_is_written() -> None:
    for sent, shown in (("jump.JSON", "jump.JSON"), ("jump.json", "jump.json"), ("jump.txt", "jump.json")):
        assert display_name(sent, "json") == shown


async def test_the_kept_name_stays_and_the_blob_goes_by_its_type(files: FileStore, blobs: BlobStore) -> None:
    first = (await receive(files, picture(kind="JPEG"), "Portrait.JPEG")).file
    assert first.filename == "Portrait.JPEG"
    assert on_disk(blobs) == [f"{first.content_hash}.jpg"]
    second = await receive(files, picture(kind="JPEG"), "other.jfif")
    assert (second.is_duplicate, second.file.filename) == (True, "Portrait.JPEG")
