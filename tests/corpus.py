# ruff: noqa: S311 - reproducible pictures, not secrets
"""Valid and invalid pictures for upload tests, always the same.

``cases()`` yields Case(name, data, expected): "ok" must be accepted, and "bad" must be refused. "either" may
be accepted or refused (a flipped bit inside JPEG data often gives another valid picture), but if it is
accepted, it must load.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from corpus_parts import (
    PNG_START,
    SIZE,
    chunk,
    encoded,
    exif_block,
    exif_of,
    gradient,
    icc_profile,
    jpeg_segments,
    mpf_index,
    png,
    png_chunks,
    rebuilt_webp,
    samples,
    webp_parts,
    with_exif,
    ycck,
    zipped,
)
from PIL import Image, PngImagePlugin

Expected = Literal["ok", "bad", "either"]
_SIDES: tuple[tuple[int, Expected], ...] = ((63, "bad"), (65, "ok"), (4096, "ok"), (4097, "bad"))


@dataclass(frozen=True)
class Case:
    name: str
    data: bytes
    expected: Expected


def valid() -> dict[str, bytes]:
    """Valid pictures of every kind. Names start with the format."""
    picture = gradient()
    rgba = picture.copy()
    rgba.putalpha(Image.linear_gradient("L").resize(SIZE))
    pictures: dict[str, bytes] = {}
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        source = rgba if mode in ("LA", "RGBA") else picture
        pictures[f"png-{mode}"] = encoded(source.convert(mode), "PNG")
    pictures["png-P-tRNS"] = encoded(picture.convert("P"), "PNG", transparency=bytes(range(256)))
    pictures["png-P-key"] = encoded(picture.convert("P"), "PNG", transparency=3)
    pictures["png-RGB-key"] = encoded(picture, "PNG", transparency=(1, 2, 3))
    pictures["png-L-key"] = encoded(picture.convert("L"), "PNG", transparency=9)
    for interlaced in (False, True):
        for colour, channels in ((0, 1), (2, 3), (4, 2), (6, 4)):
            for depth in (1, 2, 4, 8, 16) if colour == 0 else (8, 16):
                name = f"png-colour{colour}-depth{depth}" + "-interlaced" * interlaced
                pictures[name] = png(samples(channels, depth), depth, colour, interlaced=interlaced)
        for depth in (1, 2, 4, 8):
            palette = chunk(b"PLTE", bytes(range(256)) * 3 if depth == 8 else bytes(3 << depth))
            name = f"png-palette-depth{depth}" + "-interlaced" * interlaced
            pictures[name] = png(samples(1, depth), depth, 3, interlaced=interlaced, extra=palette)
    pictures["png-16-key"] = png(samples(3, 16), 16, 2, extra=chunk(b"tRNS", b"\0\1\0\2\0\3"))
    profile = icc_profile()
    pictures["png-icc"] = encoded(picture, "PNG", icc_profile=profile)
    text = PngImagePlugin.PngInfo()
    text.add_text("prompt", "{}" * 5000)
    text.add_text("workflow", "{}" * 5000, zip=True)
    text.add_itxt("note", "text" * 100, zip=True)
    pictures["png-text"] = encoded(picture, "PNG", pnginfo=text)
    pictures["png-exif-late"] = png(samples(3, 8), 8, 2, late=chunk(b"eXIf", exif_block(6)))
    pictures["png-many-pieces"] = png(samples(3, 8), 8, 2, pieces=500)

    pictures["jpeg-L"] = encoded(picture.convert("L"), "JPEG")
    pictures["jpeg-CMYK"] = encoded(picture.convert("CMYK"), "JPEG")
    pictures["jpeg-YCCK"] = ycck(pictures["jpeg-CMYK"])
    for quality in (5, 75, 100):
        for subsampling in (0, 1, 2):
            for progressive in (False, True):
                name = f"jpeg-q{quality}-s{subsampling}" + "-progressive" * progressive
                pictures[name] = encoded(
                    picture, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive
                )
    pictures["jpeg-L-progressive"] = encoded(picture.convert("L"), "JPEG", progressive=True)
    pictures["jpeg-optimised"] = encoded(picture, "JPEG", optimize=True)
    pictures["jpeg-restarts"] = encoded(picture, "JPEG", restart_marker_blocks=2)
    pictures["jpeg-restart-rows"] = encoded(picture, "JPEG", restart_marker_rows=1, progressive=True)
    pictures["jpeg-icc"] = encoded(picture, "JPEG", icc_profile=bytes(random.Random(2).randbytes(300_000)))
    pictures["jpeg-flat"] = encoded(Image.new("RGB", SIZE, "grey"), "JPEG")
    pictures["jpeg-flat-progressive"] = encoded(Image.new("RGB", SIZE, "grey"), "JPEG", progressive=True)
    for orientation in range(1, 9):
        pictures[f"jpeg-orientation{orientation}"] = encoded(picture, "JPEG", exif=exif_of(orientation))
    pictures["jpeg-broken-exif"] = with_exif(
        pictures["jpeg-L"], b"MM\0*\0\0\0\x08\0\x05\x01\x1a\0\x05\xff\xff\xff\xff"
    )
    pictures["jpeg-filled-markers"] = pictures["jpeg-L"][:-2] + b"\xff\xff\xff" + pictures["jpeg-L"][-2:]
    pictures["jpeg-comment-last"] = pictures["jpeg-L"][:-2] + b"\xff\xfe\0\4hi" + pictures["jpeg-L"][-2:]
    phone = pictures["jpeg-q75-s2"]
    pictures["jpeg-gain-map"] = phone[:2] + mpf_index([0x030000, 0]) + phone[2:] + pictures["jpeg-L"]
    pictures["jpeg-preview"] = phone[:2] + mpf_index([0x030000, 0x010002]) + phone[2:] + pictures["jpeg-L"]

    pictures["webp-lossy"] = encoded(picture, "WEBP", quality=80)
    pictures["webp-lossless"] = encoded(picture, "WEBP", lossless=True)
    pictures["webp-alpha"] = encoded(rgba, "WEBP", quality=80)
    pictures["webp-alpha-lossless"] = encoded(rgba, "WEBP", lossless=True)
    pictures["webp-exif"] = encoded(picture, "WEBP", exif=exif_of(6))
    pictures["webp-icc"] = encoded(picture, "WEBP", icc_profile=profile)
    return pictures


def cases() -> Iterator[Case]:
    """All cases, always the same and in the same order."""
    good = valid()
    for name, data in good.items():
        yield Case(name, data, "ok")
    to_damage: tuple[str, ...] = ("png-RGB", "png-P-tRNS", "png-colour2-depth16-interlaced", "png-text")
    to_damage += ("jpeg-q75-s2", "jpeg-L")
    to_damage += ("jpeg-q75-s0-progressive", "jpeg-restarts", "jpeg-orientation6", "jpeg-CMYK")
    to_damage += ("webp-lossy", "webp-lossless", "webp-alpha", "webp-exif")
    for name in to_damage:
        data = good[name]
        yield from _truncated(name, data)
        yield from _flipped(name, data)
    yield from _bad_png(good)
    yield from _bad_jpeg(good)
    yield from _bad_webp(good)
    yield from _not_pictures(good)


def _truncated(name: str, data: bytes) -> Iterator[Case]:
    rng = random.Random(name)
    cuts = {rng.randrange(1, len(data)) for _ in range(40)} | {
        len(data) - distance for distance in range(1, 9)
    }
    if name.startswith("png"):
        cuts |= {
            offset for start, end, _ in png_chunks(data) for offset in (start, start + 4, start + 8, end - 4)
        }
    elif name.startswith("jpeg"):
        cuts |= {
            offset for start, end, _ in jpeg_segments(data) for offset in (start, start + 2, start + 4, end)
        }
    for cut in sorted(cuts):
        yield Case(f"{name}-cut-at-{cut}", data[:cut], "bad")
        if cut % 3 == 0:
            # the right length, but the rest of the bytes never arrived
            yield Case(
                f"{name}-zeros-from-{cut}", data[:cut] + bytes(len(data) - cut), _zeros(name, data, cut)
            )


def _zeros(name: str, data: bytes, cut: int) -> Expected:
    # In a WebP, zeros can be picture data or metadata. Replacing zeros with zeros changes nothing.
    return "bad" if not name.startswith("webp") and data[cut:].strip(b"\0") else "either"


def _flipped(name: str, data: bytes) -> Iterator[Case]:
    rng = random.Random(name + "flip")
    for _ in range(30):
        offset, bit = rng.randrange(len(data)), rng.randrange(8)
        changed = bytearray(data)
        changed[offset] ^= 1 << bit
        # every bit of a PNG is part of a checksum or covered by one
        yield Case(
            f"{name}-flip-{offset}.{bit}", bytes(changed), "bad" if name.startswith("png") else "either"
        )


def _bad_png(good: dict[str, bytes]) -> Iterator[Case]:
    data = good["png-RGB"]
    for start, end, kind in png_chunks(good["png-text"]):
        wrong = bytearray(good["png-text"])
        wrong[end - 1] ^= 1
        yield Case(f"png-crc-{start}-{kind.decode()}", bytes(wrong), "bad")
        yield Case(f"png-without-{start}-{kind.decode()}", good["png-text"][:start] + good["png-text"][end:],
                   "bad" if kind in (b"IHDR", b"IDAT", b"IEND") else "ok")  # fmt: skip
    for interlaced in (False, True):
        for claim in ((72, 67), (72, 65), (73, 66), (71, 66), (66, 72), (144, 132), (4096, 4096)):
            for depth, colour, channels in ((8, 2, 3), (16, 6, 4), (1, 0, 1)):
                name = f"png-claims-{claim[0]}x{claim[1]}-depth{depth}" + "-interlaced" * interlaced
                lie = png(samples(channels, depth), depth, colour, interlaced=interlaced, claim=claim)
                # 71 pixels of one bit take as many bytes as 72, so no decoder can tell them apart
                yield Case(name, lie, "either" if depth == 1 and claim == (71, 66) else "bad")
    yield Case("png-bomb", png(samples(1, 1), 1, 0, claim=(30000, 30000)), "bad")
    big = zlib.compress(bytes(30_000 * 3751), 9)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 1, 0, 0, 0, 0))
    yield Case("png-real-bomb", PNG_START + header + chunk(b"IDAT", big) + chunk(b"IEND", b""), "bad")
    bomb = zlib.compress(bytes(20 << 20), 9)
    for kind, body in ((b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0")):
        yield Case(
            f"png-{kind.decode()}-bomb", png(samples(3, 8), 8, 2, extra=chunk(kind, body + bomb)), "ok"
        )
    yield Case("png-many-texts", png(samples(3, 8), 8, 2, extra=chunk(b"tEXt", b"a\0b") * 5000), "bad")
    yield Case("png-text-odd-packing", png(samples(3, 8), 8, 2, late=chunk(b"zTXt", b"a\0\7x")), "ok")
    yield Case("png-late-gamma", png(samples(3, 8), 8, 2, late=chunk(b"gAMA", b"")), "ok")
    late_palette = png(samples(3, 8), 8, 2, late=chunk(b"PLTE", bytes(3)))
    yield Case("png-late-palette", late_palette, "bad")
    for kind, needed in ((b"gAMA", 4), (b"cHRM", 32), (b"sRGB", 1), (b"pHYs", 9), (b"tRNS", 6)):
        for length, verdict in _lengths(needed):
            verdict = verdict if kind == b"tRNS" else "ok"  # the others are metadata
            side = png(samples(3, 8), 8, 2, extra=chunk(kind, bytes(length)))
            yield Case(f"png-{kind.decode()}-of-{length}-of-{needed}", side, verdict)
    yield Case("png-unknown-critical", png(samples(3, 8), 8, 2, extra=chunk(b"CgBI", b"1234")), "bad")
    yield Case("png-unknown-side-chunk", png(samples(3, 8), 8, 2, extra=chunk(b"prVt", b"1234")), "ok")
    yield Case("png-no-palette", png(samples(1, 8), 8, 3), "bad")
    yield Case("png-odd-palette", png(samples(1, 8), 8, 3, extra=chunk(b"PLTE", b"1234")), "bad")
    yield Case("png-two-headers", data[:33] + data[8:33] + data[33:], "bad")
    yield Case("png-impossible-depth", png(samples(3, 8), 4, 2), "bad")
    frames = [gradient(seed=seed) for seed in (1, 2, 3)]
    yield Case("png-animated", encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]), "bad")
    yield Case("png-one-frame-list", png(samples(3, 8), 8, 2, extra=chunk(b"acTL", bytes(8))), "bad")
    start, end, _ = next(part for part in png_chunks(data) if part[2] == b"IDAT")
    raw = zlib.decompress(data[start + 8 : end - 4])
    tail = chunk(b"IEND", b"")
    for name, stream in {
        "short": zlib.compress(raw[:-1]),
        "half": zlib.compress(raw[: len(raw) // 2]),
        "long": zlib.compress(raw + b"\0"),
        "much": zlib.compress(raw + bytes(50 << 20)),
        "bad-filter": zlib.compress(b"\5" + raw[1:]),
        "bad-last-filter": zlib.compress(raw[:-217] + b"\5" + raw[-216:]),
        "no-adler": zlib.compress(raw)[:-4],
        "bad-adler": zlib.compress(raw)[:-1] + bytes((zlib.compress(raw)[-1] ^ 1,)),
        "empty": b"",
        "not-zlib": b"hello, world",
    }.items():
        yield Case(f"png-data-{name}", data[:33] + chunk(b"IDAT", stream) + tail, "bad")
    packed = zlib.compress(raw)
    apart = chunk(b"IDAT", packed[:99]) + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", packed[99:])
    yield Case("png-data-apart", data[:33] + apart + tail, "bad")
    yield Case("png-empty-pieces", data[:33] + chunk(b"IDAT", b"") + chunk(b"IDAT", packed) + tail, "ok")
    yield Case("png-junk-in-data", data[:33] + chunk(b"IDAT", packed + b"junk") + tail, "either")


def _lengths(needed: int) -> tuple[tuple[int, Expected], ...]:
    return (*(((0, "bad"),) if needed > 1 else ()), (needed - 1, "bad"), (needed, "ok"))


def _bad_jpeg(good: dict[str, bytes]) -> Iterator[Case]:
    rng = random.Random(5)
    names = ("jpeg-q75-s2", "jpeg-q100-s0", "jpeg-L", "jpeg-CMYK", "jpeg-restarts", "jpeg-optimised")
    for name in (*names, "jpeg-q75-s0-progressive", "jpeg-q100-s2-progressive", "jpeg-L-progressive"):
        data = good[name]
        first = next(start for start, _, code in jpeg_segments(data) if code == 0xDA)
        for cut in sorted(rng.sample(range(first + 20, len(data) - 30), 25)):
            yield Case(f"{name}-glued-at-{cut}", data[:cut] + b"\xff\xd9", "bad")
    data = good["jpeg-q75-s2"]
    segments = jpeg_segments(data)
    for start, end, code in segments:
        needed = code in (0xC0, 0xDA)  # libjpeg has the standard Huffman tables built in
        expected: Expected = "bad" if needed else "either"
        yield Case(f"jpeg-without-{start}-{code:x}", data[:start] + data[end:], expected)
    frame = next(start for start, _, code in segments if code == 0xC0)
    for width, height in ((72, 660), (720, 66), (4096, 4096), (0, 66), (72, 0), (65535, 65535)):
        lie = data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]
        yield Case(f"jpeg-claims-{width}x{height}", lie, "bad")
    _, end, _ = segments[-1]
    yield Case("jpeg-twice-framed", data[:frame] + data[frame : frame + 19] + data[frame:], "bad")
    yield Case("jpeg-only-thumbnail", data[:2] + with_exif(data, data)[2 : len(data) + 12], "bad")
    for kind in (0x020001, 0x020002, 0x020003):
        yield Case(f"jpeg-views-{kind:x}", data[:2] + mpf_index([kind, kind]) + data[2:] + data, "bad")
    scan = next(data[start:end] for start, end, code in segments if code == 0xDA)
    progressive = good["jpeg-q75-s0-progressive"]
    scan = next(progressive[s:e] for s, e, code in reversed(jpeg_segments(progressive)) if code == 0xDA)
    yield Case("jpeg-many-scans", progressive[:-2] + scan * 500 + b"\xff\xd9", "bad")
    yield Case("jpeg-many-segments", data[:2] + b"\xff\xfe\0\2" * 9000 + data[2:], "bad")
    yield Case("jpeg-html", data + b"<html><script>alert(1)</script></html>", "either")
    yield Case("jpeg-zip", data + zipped(), "either")


def _bad_webp(good: dict[str, bytes]) -> Iterator[Case]:
    frames = [gradient(seed=seed) for seed in range(4)]
    animated = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=50)
    yield Case("webp-animated", animated, "bad")
    yield Case("webp-animated-one-frame", rebuilt_webp(webp_parts(animated)[:3]), "ok")
    parts = webp_parts(good["webp-alpha"])
    flags = bytes((parts[0][1][0] | 2,)) + parts[0][1][1:]
    yield Case("webp-animation-flag", rebuilt_webp([(b"VP8X", flags), *parts[1:]]), "bad")
    for width, height in ((71, 66), (73, 66), (4096, 4096), (30000, 30000)):
        canvas = parts[0][1][:4] + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        yield Case(f"webp-claims-{width}x{height}", rebuilt_webp([(b"VP8X", canvas), *parts[1:]]), "bad")
    yield Case("webp-no-picture", rebuilt_webp(parts[:1]), "bad")
    yield Case("webp-two-pictures", rebuilt_webp([*parts, parts[-1]]), "bad")
    for name in ("webp-lossy", "webp-lossless"):
        ((kind, data),) = webp_parts(good[name])
        for cut in range(0, len(data) - 2, max(1, len(data) // 40)):
            # RIFF and chunk sizes match; only the bitstream is truncated
            yield Case(f"{name}-short-at-{cut}", rebuilt_webp([(kind, data[:cut])]), "bad")
        yield Case(f"{name}-zip", good[name] + zipped(), "bad")
        yield Case(f"{name}-no-frame", rebuilt_webp([]), "bad")


def _not_pictures(good: dict[str, bytes]) -> Iterator[Case]:
    picture = gradient()
    for kind in ("GIF", "TIFF", "BMP", "EPS", "ICO", "PPM", "TGA", "PCX", "JPEG2000", "DDS", "SGI"):
        yield Case(f"other-{kind}", encoded(picture.convert("RGB"), kind), "bad")
    yield Case("other-gifar", encoded(picture, "GIF") + zipped(), "bad")
    yield Case("other-mpo", encoded(picture, "MPO", save_all=True, append_images=[picture]), "either")
    yield Case("other-avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(200), "bad")
    yield Case("other-heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), "bad")
    yield Case("other-jxl", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(200), "bad")
    yield Case("other-svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>', "bad")
    yield Case("other-html", b"<!doctype html><p>hello", "bad")
    yield Case("other-text", b"hello, world", "bad")
    yield Case("other-zip", zipped(), "bad")
    yield Case("other-empty", b"", "bad")
    for kind in ("png-RGB", "jpeg-L", "webp-lossy"):
        for length in range(1, 33):
            yield Case(f"{kind}-first-{length}", good[kind][:length], "bad")
    yield Case("png-zip", good["png-RGB"] + zipped(), "bad")
    yield Case("png-html", good["png-RGB"] + b"<script>alert(1)</script>", "bad")
    yield Case("noise", random.Random(3).randbytes(5000), "bad")
    for side, expected in _SIDES:
        for kind in ("PNG", "JPEG", "WEBP"):
            for size in ((side, 64), (64, side)):
                yield Case(
                    f"size-{kind}-{size[0]}x{size[1]}", encoded(Image.new("RGB", size), kind), expected
                )
