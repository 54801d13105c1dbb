"""How a stored picture becomes RGB and alpha."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import corpus_parts as parts
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from avatarforge.forge.store.images import ImageLimits, InvalidImage, inspect_image, load_rgb

Pixels = npt.NDArray[Any]


def loaded(tmp_path: Path, data: bytes) -> tuple[Pixels, Pixels | None]:
    path = tmp_path / "stored"
    path.write_bytes(data)
    inspect_image(path, ImageLimits(1, 4096))
    rgb, alpha = load_rgb(path)
    assert rgb.mode == "RGB"
    return np.asarray(rgb), None if alpha is None else np.asarray(alpha)


# Where the first pixel of the first row is shown, under each orientation (EXIF 2.32, 4.6.4): row, column.
SHOWN = {
    1: (0, 0),
    2: (0, -1),
    3: (-1, -1),
    4: (-1, 0),
    5: (0, 0),
    6: (0, -1),
    7: (-1, -1),
    8: (-1, 0),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "PNG-late", "JPEG", "WEBP"])
def test_orientation_is_applied(tmp_path: Path, kind: str, orientation: int) -> None:
    picture = Image.new("RGB", (96, 64), "white")
    picture.paste("red", (0, 0, 48, 16))
    if kind == "JPEG":
        data = parts.encoded(picture, kind, exif=parts.exif_of(orientation), quality=95)
    elif kind == "WEBP":
        data = parts.encoded(picture, kind, exif=parts.exif_of(orientation), lossless=True)
    else:
        exif = parts.chunk(b"eXIf", parts.exif_block(orientation))
        late = kind == "PNG-late"
        samples = np.asarray(picture).astype(np.int64)
        data = parts.png(samples, 8, 2, extra=b"" if late else exif, late=exif if late else b"")
    rgb, _ = loaded(tmp_path, data)
    assert rgb.shape == ((96, 64, 3) if orientation >= 5 else (64, 96, 3))
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        is_red = rgb[row, column, 1] < 60
        assert is_red == ((row, column) == SHOWN[orientation])
    # the red block is 48 long along the stored rows, 16 along the stored columns
    reds = rgb[:, :, 1] < 128
    tall, wide = reds.any(axis=1).sum(), reds.any(axis=0).sum()
    assert (tall, wide) == ((48, 16) if orientation >= 5 else (16, 48))


def test_alpha_turns_with_the_picture(tmp_path: Path) -> None:
    samples = np.full((64, 96, 4), 255)
    samples[:32, :, 3] = 0
    data = parts.png(samples, 8, 6, extra=parts.chunk(b"eXIf", parts.exif_block(6)))
    _, alpha = loaded(tmp_path, data)
    assert alpha is not None
    assert alpha.shape == (96, 64)
    assert (alpha[:, :32] == 255).all()
    assert (alpha[:, 32:] == 0).all()


@pytest.mark.parametrize("interlaced", [False, True])
def test_16_bit_grey_is_scaled_not_clipped(tmp_path: Path, interlaced: bool) -> None:
    samples = np.linspace(0, 65535, 72 * 66).round().astype(np.int64).reshape(66, 72, 1)
    rgb, alpha = loaded(tmp_path, parts.png(samples, 16, 0, interlaced=interlaced))
    assert alpha is None
    assert np.array_equal(rgb, np.repeat(np.round(samples / 257), 3, axis=2))


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
@pytest.mark.parametrize("interlaced", [False, True])
def test_16_bit_channels_keep_their_values_to_within_one(
    tmp_path: Path, colour: int, channels: int, interlaced: bool
) -> None:
    samples = parts.samples(channels, 16)
    rgb, alpha = loaded(tmp_path, parts.png(samples, 16, colour, interlaced=interlaced))
    expected = samples / 257
    colours = expected[:, :, :1] if channels == 2 else expected[:, :, :3]
    assert np.abs(rgb - colours).max() <= 1
    if channels == 3:
        assert alpha is None
    else:
        assert alpha is not None
        assert np.abs(alpha - expected[:, :, -1]).max() <= 1


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("interlaced", [False, True])
def test_grey_of_few_bits_spans_black_to_white(tmp_path: Path, depth: int, interlaced: bool) -> None:
    samples = parts.samples(1, depth)
    rgb, alpha = loaded(tmp_path, parts.png(samples, depth, 0, interlaced=interlaced))
    assert alpha is None
    assert np.array_equal(rgb, np.repeat(samples * 255 // ((1 << depth) - 1), 3, axis=2))


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_grey_is_meant_in_the_depth_of_the_file(tmp_path: Path, depth: int) -> None:
    samples = parts.samples(1, depth)
    key = int(samples[3, 3, 0])
    data = parts.png(samples, depth, 0, extra=parts.chunk(b"tRNS", key.to_bytes(2, "big")))
    _, alpha = loaded(tmp_path, data)
    assert alpha is not None
    assert np.array_equal(alpha == 0, samples[:, :, 0] == key)
    assert set(np.unique(alpha)) <= {0, 255}


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_colour_is_meant_in_the_depth_of_the_file(tmp_path: Path, depth: int) -> None:
    samples = parts.samples(3, depth)
    key = b"".join(int(value).to_bytes(2, "big") for value in samples[5, 7])
    _, alpha = loaded(tmp_path, parts.png(samples, depth, 2, extra=parts.chunk(b"tRNS", key)))
    assert alpha is not None
    assert np.array_equal(alpha == 0, (samples == samples[5, 7]).all(axis=2))


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_palette_colours_and_transparency(tmp_path: Path, depth: int) -> None:
    samples = parts.samples(1, depth)
    count = 1 << depth
    palette = np.random.default_rng(depth).integers(0, 256, (count, 3)).astype(np.uint8)
    veil = np.random.default_rng(depth + 9).integers(0, 256, count - 1).astype(np.uint8)
    chunks = parts.chunk(b"PLTE", palette.tobytes()) + parts.chunk(b"tRNS", veil.tobytes())
    rgb, alpha = loaded(tmp_path, parts.png(samples, depth, 3, extra=chunks))
    index = samples[:, :, 0]
    assert np.array_equal(rgb, palette[index])
    assert alpha is not None
    assert np.array_equal(alpha, np.append(veil, 255)[index])
    rgb, alpha = loaded(tmp_path, parts.png(samples, depth, 3, extra=chunks[: 12 + 3 * count]))
    assert np.array_equal(rgb, palette[index])
    assert alpha is None


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_is_given_beside_the_colours(tmp_path: Path, kind: str) -> None:
    picture = parts.gradient()
    veil = Image.linear_gradient("L").resize(picture.size)
    picture.putalpha(veil)
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    rgb, alpha = loaded(tmp_path, parts.encoded(picture, kind, **options))
    assert alpha is not None
    assert np.array_equal(alpha, np.asarray(veil))
    assert np.array_equal(rgb, np.asarray(picture)[:, :, :3])


def test_grey_with_alpha(tmp_path: Path) -> None:
    samples = parts.samples(2, 8)
    rgb, alpha = loaded(tmp_path, parts.png(samples, 8, 4))
    assert alpha is not None
    assert np.array_equal(rgb, np.repeat(samples[:, :, :1], 3, axis=2))
    assert np.array_equal(alpha, samples[:, :, 1])


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (220, 30, 40), (30, 60, 200)])
@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_jpeg_colours_come_back(tmp_path: Path, mode: str, colour: tuple[int, int, int]) -> None:
    flat = Image.new("RGB", (64, 64), colour).convert(mode)
    rgb, alpha = loaded(tmp_path, parts.encoded(flat, "JPEG", quality=95))
    assert alpha is None
    assert np.abs(rgb.astype(int) - colour).max() <= 6


def test_progressive_and_baseline_agree(tmp_path: Path) -> None:
    picture = parts.gradient()
    baseline, _ = loaded(tmp_path, parts.encoded(picture, "JPEG", progressive=False))
    progressive, _ = loaded(tmp_path, parts.encoded(picture, "JPEG", progressive=True))
    assert np.array_equal(baseline, progressive)
    assert np.abs(baseline.astype(int) - np.asarray(picture)).mean() < 20


def test_interlaced_and_plain_agree(tmp_path: Path) -> None:
    samples = parts.samples(3, 8)
    for interlaced in (False, True):
        rgb, _ = loaded(tmp_path, parts.png(samples, 8, 2, interlaced=interlaced))
        assert np.array_equal(rgb, samples)


def test_what_is_no_picture_does_not_load(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    for data in (
        b"",
        b"hello",
        parts.encoded(parts.gradient(), "GIF"),
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
    ):
        path.write_bytes(data)
        with pytest.raises(InvalidImage):
            load_rgb(path)
