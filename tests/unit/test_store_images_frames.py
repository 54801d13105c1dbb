"""Frames are counted: one is accepted, however the file is made, and more than one never is."""

from __future__ import annotations

from pathlib import Path

import corpus_metadata as metadata
import corpus_parts as parts
import numpy as np
import pytest
from PIL import Image, WebPImagePlugin

from avatarforge.forge.store import decode_webp
from avatarforge.forge.store.images import ImageFacts, ImageLimits, InvalidImage, inspect_image, load_rgb

LIMITS = ImageLimits()
CASES = Path(__file__).resolve().parents[1] / "data" / "cases"


def inspected(tmp_path: Path, data: bytes) -> ImageFacts:
    path = tmp_path / "upload"
    path.write_bytes(data)
    return inspect_image(path, LIMITS)


def refused_as_animated(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidImage, match="animated"):
        inspected(tmp_path, data)


def test_the_apng_from_the_field_is_its_one_frame() -> None:
    path = CASES / "apng-one-frame.png"
    facts = inspect_image(path, LIMITS)
    with Image.open(path) as picture:
        assert (facts.width, facts.height) == picture.size
        assert np.array_equal(np.asarray(load_rgb(path)[0]), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("before", [0, 1])
def test_a_png_with_one_frame_is_accepted(tmp_path: Path, before: int, late: bool) -> None:
    assert inspected(tmp_path, metadata.animated_png(1, before, 0, late=late)).width == 72
    assert np.array_equal(np.asarray(load_rgb(tmp_path / "upload")[0]), parts.samples(3, 8))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("announced", "before", "after"),
    [
        (2, 1, 1),  # an ordinary animation
        (1, 0, 1),  # its only frame is another picture than the one that programs without animation show
        (3, 1, 2),
        (1, 1, 1),  # more frames than it announces
        (1, 2, 0),
        (1, 0, 2),
        (0, 1, 1),
        (2, 1, 0),  # fewer frames than it announces
        (2, 0, 1),
        (2, 0, 0),
        (0, 1, 0),
        (0, 0, 0),
        (1 << 31, 1, 0),
    ],
)
def test_a_png_with_several_frames_or_a_wrong_number_is_refused(
    tmp_path: Path, announced: int, before: int, after: int, late: bool
) -> None:
    refused_as_animated(tmp_path, metadata.animated_png(announced, before, after, late=late))


def test_frames_without_a_list_of_frames_are_frames(tmp_path: Path) -> None:
    data = parts.png(parts.samples(3, 8), 8, 2)
    control, frame = parts.chunk(b"fcTL", bytes(26)), parts.chunk(b"fdAT", bytes(40))
    assert inspected(tmp_path, data[:33] + control + data[33:]).width == 72
    for late in (control, frame, control + frame):
        refused_as_animated(tmp_path, data[:-12] + late + data[-12:])
    for odd in (b"", b"\0\0\0\1", bytes(2000)):
        refused_as_animated(tmp_path, data[:33] + parts.chunk(b"acTL", odd) + data[33:])


def webp_parts_of(
    count: int, size: tuple[int, int] = parts.SIZE, **options: object
) -> list[tuple[bytes, bytes]]:
    """VP8X, ANIM and `count` frames."""
    frames = [parts.gradient(size, seed) for seed in range(max(2, count))]
    data = parts.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=50, **options)
    return parts.webp_parts(data)[: 2 + count]


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("size", [(72, 66), (1100, 1100)], ids=["small", "large"])
def test_a_webp_animation_of_one_frame_is_that_frame(
    tmp_path: Path, size: tuple[int, int], lossless: bool
) -> None:
    assert (decode_webp.SMALL < 1100 * 1100) and (decode_webp.SMALL > 72 * 66)
    data = parts.rebuilt_webp(webp_parts_of(1, size, lossless=lossless))
    facts = inspected(tmp_path, data)
    assert (facts.mime_type, facts.width, facts.height) == ("image/webp", *size)
    path = tmp_path / "upload"
    with Image.open(path) as picture:
        assert isinstance(picture, WebPImagePlugin.WebPImageFile)
        assert picture.n_frames == 1
        assert np.array_equal(np.asarray(load_rgb(path)[0]), np.asarray(picture.convert("RGB")))


def test_one_frame_may_cover_a_part_of_the_canvas(tmp_path: Path) -> None:
    header, animation, (kind, frame) = webp_parts_of(1)
    canvas = header[1][:4] + (99).to_bytes(3, "little") + (89).to_bytes(3, "little")
    shifted = (6).to_bytes(3, "little") + (10).to_bytes(3, "little") + frame[6:]
    facts = inspected(tmp_path, parts.rebuilt_webp([(b"VP8X", canvas), animation, (kind, shifted)]))
    assert (facts.width, facts.height) == (100, 90)
    rgb, _ = load_rgb(tmp_path / "upload")
    assert rgb.size == (100, 90)
    assert rgb.getbbox() == (12, 20, 84, 86)


def test_one_frame_is_accepted_with_any_metadata_and_refused_when_damaged(tmp_path: Path) -> None:
    header, animation, frame = webp_parts_of(1)
    junk = [(b"ICCP", b"x"), (b"EXIF", metadata.NOISE), (b"XMP ", b"\xff"), (b"prVt", b"")]
    inside = (frame[0], frame[1] + b"prVt\5\0\0\0hello\0")
    assert inspected(tmp_path, parts.rebuilt_webp([header, animation, inside, *junk])).width == 72
    for cut in range(0, len(frame[1]), 97):
        with pytest.raises(InvalidImage):
            inspected(tmp_path, parts.rebuilt_webp([header, animation, (frame[0], frame[1][:cut]), *junk]))


def test_a_webp_with_several_frames_or_a_wrong_flag_is_refused_without_a_decode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(decode_webp, "open_webp", decode)
    header, animation, first, second = webp_parts_of(2)
    still = (b"VP8X", b"\0" + header[1][1:])
    picture = parts.webp_parts(parts.encoded(parts.gradient(), "WEBP"))[0]
    for found in (
        [header, animation, first, second],
        [header, animation, *[first] * 4000],
        [header, first, second],
        [still, animation, first],
        [still, first],
        [still, animation, picture],
        [header, picture],
        [header, animation, picture],
        [header, animation, first, picture],
    ):
        refused_as_animated(tmp_path, parts.rebuilt_webp(found))
    damaged = (
        [header, animation],
        [header, animation, (b"ANMF", b"")],
        [header, animation, (b"ANMF", first[1][:16])],
        [header, animation, (b"ANMF", first[1] + first[1][16:])],
        [header, animation, (b"ANMF", b"\1" + first[1][1:])],  # beyond the right edge
        [header, animation, (b"ANMF", first[1][:6] + b"\1\0\0" + first[1][9:])],  # not as wide as it says
    )
    for found in damaged:
        with pytest.raises(InvalidImage, match="damaged"):
            inspected(tmp_path, parts.rebuilt_webp(found))


def test_a_webp_frame_without_its_animation_chunk_is_refused(tmp_path: Path) -> None:
    header, _, first = webp_parts_of(1)
    with pytest.raises(InvalidImage, match="cannot be decoded"):
        inspected(tmp_path, parts.rebuilt_webp([header, first]))


def test_a_multi_picture_jpeg_with_one_picture_is_accepted(tmp_path: Path) -> None:
    plain = parts.encoded(parts.gradient(), "JPEG")
    for kinds in ([0x030000], [0x020001], [0x020002], [0x020003], [0x020002, 0x010001], [0x030000, 0]):
        assert inspected(tmp_path, plain[:2] + parts.mpf_index(kinds) + plain[2:]).width == 72
    alone = parts.encoded(parts.gradient(), "MPO", save_all=True)
    assert inspected(tmp_path, alone) == ImageFacts("image/jpeg", "jpg", 72, 66)


@pytest.mark.parametrize("kind", [0x020001, 0x020002, 0x020003])
def test_views_in_several_indices_count_together(tmp_path: Path, kind: int) -> None:
    plain = parts.encoded(parts.gradient(), "JPEG")
    index = parts.mpf_index([kind])
    for data in (
        plain[:2] + index * 2 + plain[2:],
        plain[:2] + index + plain[2:-2] + index + plain[-2:],
        plain[:2] + parts.mpf_index([0x030000, kind, kind]) + plain[2:],
    ):
        with pytest.raises(InvalidImage, match="several pictures"):
            inspected(tmp_path, data)
