"""Forms that are broken, nested or packed: a 4xx with a sentence, and nothing is stored."""

from __future__ import annotations

import gzip
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import picture
from services import Product

from avatarforge.routes import PREFIX
from avatarforge.routes.multipart import MAX_AROUND, MAX_HEADER_BYTES, BrokenForm, FormReader, boundary_of

from .conftest import Client
from .forms import FILE, TYPE, B, form, part, send, stored


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
