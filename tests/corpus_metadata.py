# ruff: noqa: S311 - reproducible bytes, not secrets
"""Unusual and broken metadata of every kind, in intact and in damaged pictures.

`plain()` returns intact pictures, `dressed(picture)` adds each kind of unusual metadata in turn, and
`damaged(picture)` removes pixel data without changing the metadata.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from functools import cache

from corpus_parts import (
    PNG_START,
    chunk,
    encoded,
    exif_block,
    gradient,
    jpeg_segments,
    mpf_index,
    png,
    png_chunks,
    rebuilt_webp,
    samples,
    webp_parts,
)

MEBIBYTE = 1 << 20
NOISE = random.Random(15).randbytes(3 * MEBIBYTE)
#: Tags with an offset outside the file, far too many values, or an unknown type.
BROKEN_TIFF = {
    "empty": b"",
    "noise": NOISE[:500],
    "cut": exif_block(1)[:13],
    "only-header": b"MM\0*",
    "far-directory": b"MM\0*\xff\xff\xff\xf0",
    "many-tags": b"II*\0\x08\0\0\0\xff\xff" + NOISE[:90],
    "odd-type": b"MM\0*\0\0\0\x08\0\x01\x01\x12\xff\xff\0\0\0\x01\0\x06\0\0",
    "far-resolution": b"MM\0*\0\0\0\x08\0\x01\x01\x1a\0\x05\xff\xff\xff\xff\xff\xff\xff\xff",
    "loop": b"MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08",
}


def plain() -> dict[str, bytes]:
    """Intact pictures without metadata. Names start with the format."""
    picture = gradient()
    rgba = picture.copy()
    rgba.putalpha(picture.convert("L"))
    palette = chunk(b"PLTE", bytes(range(256)) * 3)
    return {
        "png-rgb": png(samples(3, 8), 8, 2),
        "png-grey-16": png(samples(1, 16), 16, 0),
        "png-palette": png(samples(1, 8), 8, 3, extra=palette + chunk(b"tRNS", bytes(range(200)))),
        "png-key": png(samples(3, 8), 8, 2, extra=chunk(b"tRNS", b"\0\1\0\2\0\3")),
        "png-interlaced": png(samples(4, 8), 8, 6, interlaced=True),
        "jpeg-rgb": encoded(picture, "JPEG"),
        "jpeg-grey": encoded(picture.convert("L"), "JPEG"),
        "jpeg-cmyk": encoded(picture.convert("CMYK"), "JPEG"),
        "jpeg-progressive": encoded(picture, "JPEG", progressive=True),
        "webp-lossy": encoded(picture, "WEBP"),
        "webp-lossless": encoded(picture, "WEBP", lossless=True),
        "webp-alpha": encoded(rgba, "WEBP"),
    }


def dressed(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the picture with each kind of unusual metadata: (name, data)."""
    if name.startswith("png"):
        for kind, chunks in png_metadata():
            yield f"{kind}-first", data[:33] + chunks + data[33:]
            yield f"{kind}-last", data[:-12] + chunks + data[-12:]
    elif name.startswith("jpeg"):
        tables = next(start for start, _, code in jpeg_segments(data) if code == 0xDB)
        scans = [start for start, _, code in jpeg_segments(data) if code == 0xDA]
        for kind, segment in jpeg_metadata():
            yield f"{kind}-first", data[:2] + segment + data[2:]
            yield f"{kind}-before-tables", data[:tables] + segment + data[tables:]
            yield f"{kind}-before-last-scan", data[: scans[-1]] + segment + data[scans[-1] :]
            yield f"{kind}-last", data[:-2] + segment + data[-2:]
    else:
        for kind, parts in webp_metadata(webp_parts(data)):
            yield kind, rebuilt_webp(parts)


@cache
def png_metadata() -> tuple[tuple[str, bytes], ...]:
    """Made once: packing the bombs takes longer than reading the pictures."""
    return tuple(_png_metadata())


def _png_metadata() -> Iterator[tuple[str, bytes]]:
    large = zlib.compress(bytes(3 * MEBIBYTE), 9)
    bomb = zlib.compress(bytes(64 * MEBIBYTE), 9)
    noise = zlib.compress(NOISE)
    headed = {b"zTXt": b"a\0\0", b"iCCP": b"a\0\0", b"iTXt": b"a\0\1\0\0\0"}
    for kind, head in headed.items():
        label = kind.decode()
        yield f"{label}-large", chunk(kind, head + large)
        yield f"{label}-bomb", chunk(kind, head + bomb)
        yield f"{label}-noise", chunk(kind, head + noise)
        yield f"{label}-cut", chunk(kind, head + large[:-9])
        yield f"{label}-not-packed", chunk(kind, head + NOISE[:300])
        yield f"{label}-only-head", chunk(kind, head)
        yield f"{label}-no-separator", chunk(kind, b"a" * 90)
        yield f"{label}-no-keyword", chunk(kind, b"\0" + head[1:] + large)
        yield f"{label}-empty", chunk(kind, b"")
        yield f"{label}-twice", chunk(kind, head + large) * 2
        yield f"{label}-many", chunk(kind, head + large) * 100
    yield "zTXt-packing", chunk(b"zTXt", b"a\0\7" + large)
    yield "iCCP-packing", chunk(b"iCCP", b"a\0\7" + large)
    yield "iTXt-packing", chunk(b"iTXt", b"a\0\1\7\0\0" + large)
    yield "iTXt-no-utf8", chunk(b"iTXt", b"a\0\0\0\xff\0\xff\0\xff")
    yield "iTXt-xmp", chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta" + NOISE[:99])
    yield "iCCP-broken", chunk(b"iCCP", b"a\0\0" + zlib.compress(b"acsp" * 99))
    yield "tEXt-large", chunk(b"tEXt", b"workflow\0" + bytes(17 * MEBIBYTE))
    yield "tEXt-no-separator", chunk(b"tEXt", NOISE[:200].replace(b"\0", b"a"))
    yield "tEXt-exif", chunk(b"tEXt", b"exif\0" + NOISE[:99])
    yield "tEXt-transparency", chunk(b"tEXt", b"transparency\0" + b"x")
    yield "tEXt-interlace", chunk(b"tEXt", b"interlace\0" + b"x")
    yield "tEXt-bbox", chunk(b"tEXt", b"bbox\0" + b"x")
    yield "tEXt-raw-profile", chunk(b"tEXt", b"Raw profile type exif\0\n\nexif\nzz\n")
    yield "tEXt-4000", chunk(b"tEXt", b"a\0b") * 4000
    for name, block in BROKEN_TIFF.items():
        yield f"eXIf-{name}", chunk(b"eXIf", block)
    yield "eXIf-large", chunk(b"eXIf", exif_block(1) + NOISE)
    yield "eXIf-prefixed", chunk(b"eXIf", b"Exif\0\0" + exif_block(1))
    sizes = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"tIME": 7, b"sBIT": 3, b"bKGD": 6, b"hIST": 6}
    for kind, size in {**sizes, b"cICP": 4, b"mDCV": 24, b"sPLT": 8, b"oFFs": 9, b"sTER": 1}.items():
        for length in sorted({0, 1, size - 1, size, size + 1, 3000}):
            yield f"{kind.decode()}-of-{length}", chunk(kind, NOISE[:length])
        yield f"{kind.decode()}-zero-twice", chunk(kind, bytes(size)) * 2
    for kind in (b"caBX", b"vpAg", b"orNT", b"prVt", b"zzzz", b"iDOT", b"teXt"):
        yield f"unknown-{kind.decode()}", chunk(kind, NOISE[:700])
    yield "unknown-large", chunk(b"caBX", NOISE)


def jpeg_metadata() -> Iterator[tuple[str, bytes]]:
    def segment(code: int, body: bytes) -> bytes:
        return b"\xff" + bytes((code,)) + struct.pack(">H", len(body) + 2) + body

    for code in (*range(0xE0, 0xF0), 0xFE):
        for length in (0, 1, 500, 65533):
            yield f"{code:X}-noise-{length}", segment(code, NOISE[:length])
    for code, head in (
        (0xE0, b"JFIF"),
        (0xE0, b"JFIF\0"),
        (0xE0, b"JFIF\0\1\2\3\0\0\0\0\0"),
        (0xE0, b"JFXX\0\x10"),
        (0xE1, b"Exif"),
        (0xE1, b"Exif\0\0"),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta"),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40)),
        (0xE2, b"ICC_PROFILE\0"),
        (0xE2, b"ICC_PROFILE\0\3\2" + NOISE[:900]),
        (0xE2, b"ICC_PROFILE\0\0\0"),
        (0xE2, b"FPXR\0"),
        (0xED, b"Photoshop 3.0\0"),
        (0xED, b"Photoshop 3.0\0008BIM\x04\x04\0\0\xff\xff\xff\xff"),
        (0xED, b"Photoshop 3.0\0008BIM\x03\xed\0\0\0\0\0\x02ab"),
        (0xEE, b"Adobe"),
        (0xEE, b"Adobe\0\x64\0\0\0\0"),
        (0xEB, b"JP\0\1\0\0\0\1jumb"),
        (0xFE, b"\xff\xd9\xff\xda\xff\xd8"),
    ):
        yield f"{code:X}-{head[:9].hex()}-{len(head)}", segment(code, head)
    for name, block in BROKEN_TIFF.items():
        yield f"exif-{name}", segment(0xE1, b"Exif\0\0" + block)
        yield f"mpf-{name}", segment(0xE2, b"MPF\0" + block)
    yield "exif-twice", segment(0xE1, b"Exif\0\0" + exif_block(1)) * 2
    yield "mpf-one-picture", mpf_index([0x030000])
    yield "mpf-one-view", mpf_index([0x020002])
    yield "mpf-preview", mpf_index([0x030000, 0x010001])
    yield (
        "icc-broken-sequence",
        b"".join(
            segment(0xE2, b"ICC_PROFILE\0" + bytes((number, 9)) + NOISE[:60_000]) for number in (7, 7, 2, 0)
        ),
    )
    yield "comments-500", segment(0xFE, b"x") * 500


def webp_metadata(parts: list[tuple[bytes, bytes]]) -> Iterator[tuple[str, list[tuple[bytes, bytes]]]]:
    alpha = bool(parts[0][0] == b"VP8X" and parts[0][1][0] & 0x10)
    picture = [part for part in parts if part[0] != b"VP8X"]

    def extended(flags: int) -> tuple[bytes, bytes]:
        size = (71).to_bytes(3, "little") + (65).to_bytes(3, "little")
        return b"VP8X", bytes((flags | 0x10 * alpha, 0, 0, 0)) + size

    yield "no-metadata", [extended(0), *picture]
    yield "announced-and-missing", [extended(0x2C), *picture]
    for kind, flag in ((b"ICCP", 0x20), (b"EXIF", 8), (b"XMP ", 4), (b"prVt", 0)):
        bodies = {"empty": b"", "byte": b"x", "noise": NOISE[:777], "large": NOISE, **BROKEN_TIFF}
        for name, body in bodies.items():
            label = f"{kind.decode().strip()}-{name}"
            yield f"{label}-first", [extended(flag), (kind, body), *picture]
            yield f"{label}-last", [extended(flag), *picture, (kind, body)]
            yield f"{label}-not-announced", [extended(0), *picture, (kind, body)]
        yield f"{kind.decode().strip()}-twice", [extended(flag), (kind, NOISE[:99]), *picture, (kind, b"y")]
        yield f"{kind.decode().strip()}-4000", [extended(flag), *picture, *[(kind, b"y")] * 4000]


def damaged(name: str, data: bytes) -> bytes:
    """The same file with a correct structure, but only half of its pixel data."""
    if name.startswith("png"):
        positions = [(start, end) for start, end, kind in png_chunks(data) if kind == b"IDAT"]
        packed = b"".join(data[start + 8 : end - 4] for start, end in positions)
        return data[: positions[0][0]] + chunk(b"IDAT", packed[: len(packed) // 2]) + data[positions[-1][1] :]
    if name.startswith("jpeg"):
        start, end, _ = [part for part in jpeg_segments(data) if part[2] == 0xDA][-1]
        middle = (start + end) // 2
        return data[:middle] + data[end:]
    parts = webp_parts(data)
    return rebuilt_webp(
        [(kind, body[: len(body) // 2] if kind in (b"VP8 ", b"VP8L") else body) for kind, body in parts]
    )


def animated_png(announced: int, before: int, after: int, *, late: bool = False) -> bytes:
    """A PNG that announces `announced` frames, with `before` frame controls before its pixel data and `after`
    separate frames behind it. With `late`, the announcement follows the pixel data."""
    numbers = iter(range(1000))

    def control() -> bytes:
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", next(numbers), 72, 66, 0, 0, 1, 10, 0, 0))

    list_of_frames = chunk(b"acTL", struct.pack(">II", announced, 0))
    data = png(samples(3, 8), 8, 2)
    packed = zlib.compress(b"\0" + bytes(72 * 3)) * 66
    extra = b"".join(control() for _ in range(before))
    late_chunks = b"".join(
        control() + chunk(b"fdAT", struct.pack(">I", next(numbers)) + packed) for _ in range(after)
    )
    first, last = (extra, list_of_frames + late_chunks) if late else (list_of_frames + extra, late_chunks)
    assert data.startswith(PNG_START)
    return data[:33] + first + data[33:-12] + last + data[-12:]
