"""Forms that are broken, endless, nested or packed: a 4xx with a sentence, and nothing is stored."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import picture
from services import Product

from avatarforge.routes import PREFIX
from avatarforge.routes.multipart import MAX_AROUND, MAX_HEADER_BYTES, BrokenForm, FormReader, boundary_of
from avatarforge.routes.reading import FORM_OVERHEAD

from .conftest import Client

B = "xYzZY"
FILE = 'Content-Disposition: form-data; name="file"; filename="a.png"'
TYPE = f"multipart/form-data; boundary={B}"


def part(*headers: str, data: bytes | None = None, boundary: str = B) -> bytes:
    head = "".join(f"{header}\r\n" for header in headers or (FILE,))
    return f"--{boundary}\r\n{head}\r\n".encode() + (picture() if data is None else data) + b"\r\n"


def form(*parts: bytes, boundary: str = B) -> bytes:
    return b"".join(parts or (part(boundary=boundary),)) + f"--{boundary}--\r\n".encode()


async def send(client: Client, body: Any, kind: str = TYPE, **headers: str) -> tuple[int, Any]:
    answer = await client.post(
        f"{PREFIX}/upload/pose_image", data=body, headers={"Content-Type": kind, **headers}
    )
    return answer.status, (await answer.json()).get("detail")


def stored(forge: Product) -> list[str]:
    return [path.name for path in forge.blobs.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "body",
    [
        form(),
        form()[:-2],
        b"\r\n" + form(),
        b"p" * (MAX_AROUND - 4) + b"\r\n" + form(),
        form() + b"e" * (MAX_AROUND - 4),
        form(part(FILE, "Content-Type: image/png", "Content-Transfer-Encoding: BINARY")),
        form(part(FILE, "Content-Length: 5")),
        form(part('content-disposition:form-data;name=file;filename="a.png"')),
        form(part(FILE, "X-Long: " + "x" * (MAX_HEADER_BYTES - len(FILE) - 12))),
        form(part(FILE, *(f"X-{number}: y" for number in range(15)))),
        form().replace(f"--{B}\r\n".encode(), f"--{B} \t\r\n".encode()),
    ],
    ids=[
        "plain",
        "no last line end",
        "empty preamble",
        "preamble",
        "epilogue",
        "binary",
        "a part's length is no one's business",
        "no white space",
        "long headers",
        "many headers",
        "padding",
    ],
)
async def test_what_the_rfc_allows_is_taken(client: Client, body: bytes) -> None:
    status, detail = await send(client, body)
    assert (status, detail) == (200, None)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ('filename="my \\"best\\" pose.png"', "my _best_ pose.png"),
        ('filename="C:\\Users\\me\\pose.png"', "pose.png"),
        ('filename="../../etc/passwd"', "passwd.png"),
        ('filename="p\u00f6se;1.png" ;', "p\u00f6se;1.png"),
        ("filename=pose.png", "pose.png"),
        ("filename=x.png; filename*=UTF-8''p%C3%B6se.png", "p\u00f6se.png"),
        ("filename*=UTF-8''a%00%0d%0Ab%FF.png", "ab\ufffd.png"),
        ('filename="' + "x" * 4000 + '.png"', "x" * 200 + ".png"),
        ('filename=""', "image.png"),
        ("", "image.png"),
    ],
)
async def test_a_file_name_is_read_as_programs_write_it(client: Client, sent: str, shown: str) -> None:
    body = form(part(f"Content-Disposition: form-data; name=file; {sent}"))
    answer = await client.post(f"{PREFIX}/upload/pose_image", data=body, headers={"Content-Type": TYPE})
    assert (answer.status, (await answer.json()).get("filename")) == (200, shown)


@pytest.mark.parametrize(
    "boundary", ["b", "'()+_,-./:=?", "a b", "x" * 70, "----WebKitFormBoundary7MA4YWxkTrZu0gW"]
)
async def test_every_boundary_of_the_rfc_is_taken_in_quotation_marks(client: Client, boundary: str) -> None:
    kind = f'Multipart/Form-Data; charset=utf-8; boundary="{boundary}"'
    assert (await send(client, form(boundary=boundary), kind))[0] == 200


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("multipart/form-data", "one boundary of 1 to 70"),
        ("multipart/form-data; boundary=", "one boundary of 1 to 70"),
        ('multipart/form-data; boundary=""', "one boundary of 1 to 70"),
        ("multipart/form-data; boundary=" + "x" * 71, "one boundary of 1 to 70"),
        ('multipart/form-data; boundary="x "', "one boundary of 1 to 70"),
        ('multipart/form-data; boundary="x\u00e9"', "one boundary of 1 to 70"),
        ("multipart/form-data; boundary=a; boundary=b", "one boundary of 1 to 70"),
        ("multipart/form-data; boundary*=utf-8''x%0d%0a", "one boundary of 1 to 70"),
        ("multipart/mixed; boundary=b", "send multipart/form-data"),
        ("text/plain", "send multipart/form-data"),
        ("", "send multipart/form-data"),
        (";;;=", "send multipart/form-data"),
    ],
)
async def test_a_content_type_without_a_usable_boundary_is_refused(
    client: Client, forge: Product, kind: str, said: str
) -> None:
    status, detail = await send(client, form(boundary="x"), kind)
    assert (status, said in detail) == (400, True), detail
    assert stored(forge) == []


def test_a_doubled_content_type_is_no_form() -> None:
    assert boundary_of([TYPE, TYPE]) is None
    assert boundary_of([]) is None
    assert boundary_of([TYPE]) == B.encode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "ends before its last boundary"),
        (b"x" * 100, "ends before its last boundary"),
        (b"p" * (MAX_AROUND + 1) + b"\r\n" + form(), "too much before its first boundary"),
        (b"line\r\n" * 10_000 + form(), "too much before its first boundary"),
        (form() + b"e" * (MAX_AROUND + 1), "too much after its last boundary"),
        (form()[:-6], "ends before its last boundary"),
        (part(), "ends before its last boundary"),
        (f"--{B}--\r\n".encode(), "no field 'file'"),
        (f"--{B}junk\r\n\r\n\r\n--{B}--\r\n".encode(), "where a boundary must end"),
        (form(part(data=b"x")).replace(b"\r\n", b"\n"), "ends before its last boundary"),
        (form(part("X: y")), "Content-Disposition"),
        (form(part("Content-Disposition: attachment; name=file")), "Content-Disposition"),
        (form(part("Content-Disposition: form-data; filename=a.png")), "unexpected field 'None'"),
        (form(part('Content-Disposition: form-data; name=""')), "unexpected field ''"),
        (form(part("Content-Disposition: form-data; name=" + "x" * 2000)), "unexpected field 'xxx"),
        (form(part("Content-Disposition: form-data; name*=nope''%66ile")), "'None'"),
        (form(part("Content-Disposition: form-data; name=file; name=other")), "broken Content-Disposition"),
        (form(part('Content-Disposition: form-data; name="file')), "broken Content-Disposition"),
        (form(part("Content-Disposition: form-data; file")), "broken Content-Disposition"),
        (form(part("Content-Disposition: form-data; name=file;;;;x" + '"\\' * 3000)), "broken Content-Disp"),
        (form(part("Content-Disposition: form-data; name*0*=rot13''%66ile")), "'None'"),
        (form(part('Content-Disposition: form-data; name="_charset_"', data=b"u" * 99)), "'_charset_'"),
        (form(part(FILE, FILE.replace("a.png", "b.png"))), "header given twice"),
        (form(part(FILE, "X-Long: " + "x" * MAX_HEADER_BYTES)), "too long headers"),
        (form(part(FILE, "X-Endless: " + "x" * 1_000_000)), "too long headers"),
        (form(part(FILE, *(f"X-{number}: y" for number in range(16)))), "too many headers"),
        (form(part(FILE, "no colon")), "broken header"),
        (form(part(FILE, "X Y: z")), "broken header"),
        (form(part(FILE, ": z")), "broken header"),
        (form(part(FILE, "X: a\0b")), "broken header"),
        (form(part(FILE, "X: a", " folded: b")), "broken header"),
        (form(part(FILE, "Content-Type: multipart/mixed; boundary=b")), "another form in it"),
        (form(part(FILE, "Content-Transfer-Encoding: base64")), "Content-Transfer-Encoding"),
        (form(part(FILE, "Content-Transfer-Encoding: quoted-printable")), "Content-Transfer-Encoding"),
        (form(part(FILE, "Content-Transfer-Encoding: x-nothing")), "Content-Transfer-Encoding"),
        (form(part(FILE, "Content-Encoding: gzip", data=gzip.compress(picture()))), "Content-Encoding"),
        (form(part(), part()), "unexpected field 'file'"),
        (form(part(), part('Content-Disposition: form-data; name="more"')), "unexpected field 'more'"),
        (form(part(data=b"")), "empty"),
    ],
)
async def test_a_form_that_breaks_a_bound_is_refused_and_stores_nothing(
    client: Client, forge: Product, body: bytes, said: str
) -> None:
    status, detail = await send(client, body)
    assert (status, said in detail) == (400, True), detail
    assert detail.startswith("Invalid image file: ")
    assert stored(forge) == []
    assert forge.workers.uploads.taken == 0


async def test_a_flood_of_parts_ends_at_the_second(client: Client, forge: Product) -> None:
    small = part('Content-Disposition: form-data; name="x"', data=b"")
    assert (await send(client, form(part(), *[small] * 5000)))[0] == 400
    status, detail = await send(client, form(*[small] * 5000))
    assert (status, "unexpected field 'x'" in detail) == (400, True)
    assert stored(forge) == []


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "nonsense"])
@pytest.mark.parametrize("path", ["/upload/pose_image", "/upload/reference_image", "/generate/avatar"])
async def test_a_packed_request_is_refused_unread(
    client: Client, forge: Product, path: str, coding: str
) -> None:
    body = zlib.compress(bytes(1_000_000)) if coding == "deflate" else gzip.compress(bytes(1_000_000))
    answer = await client.post(
        PREFIX + path, data=body, headers={"Content-Type": TYPE, "Content-Encoding": coding}
    )
    assert answer.status in (415, 400)  # what aiohttp cannot unpack here ends before it comes to us
    if answer.status == 415 or coding in ("gzip", "deflate"):
        assert answer.status == 415
        assert "Content-Encoding" in (await answer.json())["detail"]
    assert stored(forge) == []


async def test_the_limit_holds_to_the_byte(client: Client, forge: Product) -> None:
    data = picture()
    forge.files.max_bytes = len(data)
    assert (await send(client, form(part(data=data))))[0] == 200
    status, detail = await send(client, form(part(data=data + b"\0")))
    assert (status, detail) == (413, f"File too large: the limit is {len(data)} bytes.")
    assert len([name for name in stored(forge) if name.endswith(".png")]) == len(stored(forge)) == 1


async def test_the_limit_holds_for_a_body_without_a_length(client: Client, forge: Product) -> None:
    data = picture()
    forge.files.max_bytes = len(data)
    read = 0

    async def chunks(body: bytes) -> Any:
        nonlocal read
        for start in range(0, len(body), 1000):
            read += 1000
            yield body[start : start + 1000]

    assert (await send(client, chunks(form(part(data=data)))))[0] == 200
    assert (await send(client, chunks(form(part(data=data + b"\0")))))[0] == 413
    # The rest of a form counts too, whatever it is made of.
    endless = form(part(data=data)) + bytes(FORM_OVERHEAD * 2)
    assert (await send(client, chunks(endless)))[0] in (400, 413)


async def test_a_length_beyond_the_limit_is_refused_before_the_body_is_sent(
    client: Client, forge: Product
) -> None:
    head = (
        f"POST {PREFIX}/upload/pose_image HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {TYPE}\r\n"
        f"Content-Length: {forge.files.max_bytes + FORM_OVERHEAD + 1}\r\n\r\n"
    )
    status, body = await raw(client, head.encode())
    assert status == 413
    assert b"File too large" in body


async def test_a_json_body_beyond_its_limit_is_refused_before_it_is_sent(client: Client) -> None:
    head = (
        f"POST {PREFIX}/generate/avatar HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Content-Length: 200000000\r\n\r\n"
    )
    status, body = await raw(client, head.encode())
    assert status == 413
    assert b"the limit is" in body


async def test_a_large_json_body_must_say_its_length(client: Client) -> None:
    async def endless() -> Any:
        yield b'{"prompt": "'
        for _ in range(100):
            yield b"x" * 20_000
        yield b'"}'

    answer = await client.post(
        f"{PREFIX}/generate/avatar", data=endless(), headers={"Content-Type": "application/json"}
    )
    assert answer.status == 411
    refused = await answer.json()
    assert ("Content-Length" in refused["detail"], refused["code"]) == (True, "length_required")


async def raw(client: Client, sent: bytes) -> tuple[int, bytes]:
    """Send these bytes on a connection of their own; the status and the body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    try:
        writer.write(sent)
        await writer.drain()
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).decode().lower()
        length = next(line for line in head.splitlines() if line.startswith("content-length"))
        body = await asyncio.wait_for(reader.readexactly(int(length.split(":")[1])), 30)
        return int(head.split()[1]), body
    finally:
        writer.close()


class Pieces:
    """A body that comes in these pieces."""

    def __init__(self, data: bytes, cuts: list[int]) -> None:
        places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
        self.left = [data[start:stop] for start, stop in itertools.pairwise(places)]

    async def read(self) -> bytes:
        return self.left.pop(0) if self.left else b""


CONTENT = st.binary(max_size=60) | st.lists(
    st.sampled_from([b"\r\n", b"--", B.encode(), b"\r", b"\n", b"-", b"x", b"\r\n--"]), max_size=12
).map(b"".join)


@given(CONTENT, st.lists(st.integers(0, 400), max_size=30))
async def test_the_bytes_of_a_part_come_back_however_they_were_cut(content: bytes, cuts: list[int]) -> None:
    if b"\r\n--" + B.encode() in b"\r\n\r\n" + content:
        return
    body = b"pre\r\n" + form(part(data=content)) + b"after"
    reader = FormReader(Pieces(body, cuts), B.encode())  # type: ignore[arg-type]
    found = await reader.next_part()
    assert found is not None
    assert (found.name, found.filename) == ("file", "a.png")
    assert b"".join([chunk async for chunk in reader.data()]) == content
    assert await reader.next_part() is None


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
async def test_whatever_comes_ends_in_a_refusal_or_in_parts(noise: bytes, cuts: list[int]) -> None:
    body = noise.replace(b"B", f"\r\n--{B}".encode()).replace(b"H", b"\r\n\r\n")
    reader = FormReader(Pieces(body, cuts), B.encode())  # type: ignore[arg-type]
    try:
        while await reader.next_part() is not None:
            async for _ in reader.data():
                pass
    except BrokenForm as refusal:
        assert str(refusal)


@pytest.mark.parametrize("tail", [b"<html><script>alert(1)</script></html>", b"PK\x05\x06" + bytes(18)])
async def test_a_picture_with_a_page_or_an_archive_behind_it_is_refused_or_served_inert(
    client: Client, tail: bytes
) -> None:
    for kind, status in (("PNG", 400), ("WEBP", 400), ("JPEG", 200)):
        data = picture(kind=kind) + tail
        answer = await client.post(
            f"{PREFIX}/upload/pose_image", data=form(part(data=data)), headers={"Content-Type": TYPE}
        )
        assert answer.status == status, kind
    # Phones put previews behind a JPEG, so that it is taken; no browser runs what is behind it.
    served = await client.get(PREFIX + (await answer.json())["url"])
    assert served.content_type == "image/jpeg"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in served.headers["Content-Security-Policy"]
    assert served.headers["Content-Disposition"].endswith(".jpg")
