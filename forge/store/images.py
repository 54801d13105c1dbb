"""What an uploaded picture may be, and how a stored one becomes pixels.

The order of the checks is their cost: format from the first bytes, size from the header, structure to
the last byte, and only then a decode.  Decoders get the file without its metadata: text, profiles and EXIF
never decide whether a picture is whole.  Only the EXIF orientation is read, by us.

Nothing here reads or sets Pillow's global switches (LOAD_TRUNCATED_IMAGES, MAX_IMAGE_PIXELS, MAX_TEXT_*),
which other packs change at any moment; its format classes are used directly, since `Image.open` goes by the
same globals and by what others registered.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, JpegImagePlugin, PngImagePlugin

from .decode_webp import open_webp, try_webp
from .pillow_decoder import Decoder, jpeg_decoder
from .pixel_stream import open_parts
from .structure import PIECE, InvalidImage, Structure, orientation
from .structure_jpeg import END_OF_JPEG, JpegStructure, walk_jpeg
from .structure_png import png_pixels, walk_png
from .structure_webp import walk_webp

__all__ = ["ImageFacts", "ImageLimits", "InvalidImage", "inspect_image", "is_png", "load_rgb"]

_PNG = b"\x89PNG\r\n\x1a\n"
_NAMES = {"PNG": ("image/png", "png"), "JPEG": ("image/jpeg", "jpg"), "WEBP": ("image/webp", "webp")}
_REFUSED = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"%!PS", "an EPS"),
    (b"\0\0\1\0", "an icon"),
    (b"<svg", "an SVG"),
    (b"<?xml", "an SVG"),
)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# libjpeg reads ahead at most one 64-bit buffer.  Long codes in every table begin with ones, so a decoder that
# still misses coefficients runs through these bytes fastest.
_BEYOND = b"\xfe" * 8


@dataclass(frozen=True)
class ImageLimits:
    """Smallest and largest length of each side, in pixels, both allowed."""

    min_dimension: int = 64
    max_dimension: int = 4096


@dataclass(frozen=True)
class ImageFacts:
    """What is known of an accepted picture.

    ``width`` and ``height`` are in pixels as the picture is shown: for the EXIF orientations 5 to 8 they are
    those of the stored rows and columns swapped.
    """

    mime_type: str
    extension: str
    width: int
    height: int


def inspect_image(path: Path, limits: ImageLimits) -> ImageFacts:
    """Decide whether the file is one whole PNG, JPEG or WEBP picture within the limits.

    Raises InvalidImage with a sentence for the user, and OSError when the disk fails.
    """

    def accept(width: int, height: int) -> None:
        if not all(limits.min_dimension <= side <= limits.max_dimension for side in (width, height)):
            raise InvalidImage(
                f"The picture is {width}x{height} pixels; each side must be from {limits.min_dimension} "
                f"to {limits.max_dimension} pixels."
            )

    with path.open("rb") as fp, _in_our_words():
        kind = _format_of(fp)
        structure: Structure
        if kind == "PNG":
            structure = walk_png(fp, accept)
            # The pixel data is proven; this tries the chunks before it.
            PngImagePlugin.PngImageFile(open_parts(fp, structure.pixels))
        elif kind == "JPEG":
            structure = walk_jpeg(fp, accept)
            _decode_jpeg(fp, structure)
        else:
            structure = walk_webp(fp, path.stat().st_size, accept)
            try_webp(fp, path, structure)
    width, height = structure.width, structure.height
    if orientation(structure.exif) >= 5:
        width, height = height, width
    mime_type, extension = _NAMES[kind]
    return ImageFacts(mime_type, extension, width, height)


def load_rgb(path: Path) -> tuple[Image.Image, Image.Image | None]:
    """The picture as shown: 8-bit RGB and its alpha channel (mode L, 255 is opaque), or None without one.

    The EXIF orientation is applied; colour profiles are not.  Raises InvalidImage, and OSError when the disk
    fails.  Meant for files that `inspect_image` accepted.
    """
    with path.open("rb") as fp, _in_our_words():
        kind = _format_of(fp)
        depth = 8
        picture: Image.Image
        if kind == "PNG":
            fp.seek(24)
            depth = fp.read(1)[0]
            exif, pixels = png_pixels(fp)
            picture = PngImagePlugin.PngImageFile(open_parts(fp, pixels))
        elif kind == "JPEG":
            jpeg = walk_jpeg(fp, _any_size)
            exif = jpeg.exif
            picture = JpegImagePlugin.JpegImageFile(open_parts(fp, jpeg.pixels))
        else:
            webp = walk_webp(fp, path.stat().st_size, _any_size)
            exif = webp.exif
            picture = open_webp(fp, webp)
        picture.load()
        rgb, alpha = _to_rgb(picture, depth)
    turn = _UPRIGHT.get(orientation(exif))
    if turn is not None:
        rgb = rgb.transpose(turn)
        alpha = alpha and alpha.transpose(turn)
    return rgb, alpha


def _any_size(width: int, height: int) -> None:
    """The size was checked when the picture was stored; the limits may have changed since."""


def is_png(start: bytes) -> bool:
    """By the first 8 bytes."""
    return start.startswith(_PNG)


def _format_of(fp: BinaryIO) -> str:
    start = fp.read(16)
    if not start:
        raise InvalidImage("The file is empty.")
    if is_png(start):
        return "PNG"
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WEBP"
    name = "an AVIF, HEIC or video" if start[4:8] == b"ftyp" else "not a picture of a known format"
    name = next((known for magic, known in _REFUSED if start.startswith(magic)), name)
    raise InvalidImage(f"The file is {name}; only PNG, JPEG and WEBP are accepted.")


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Turn what Pillow raises into InvalidImage, and let errors of the disk through."""
    try:
        yield
    except InvalidImage:
        raise
    except OSError as error:
        if error.errno is not None:
            raise
        raise InvalidImage("The picture cannot be decoded.") from error
    except (
        SyntaxError,
        ValueError,
        TypeError,
        LookupError,
        EOFError,
        OverflowError,
        RuntimeError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ) as error:
        raise InvalidImage("The picture cannot be decoded.") from error


def _decode_jpeg(fp: BinaryIO, structure: JpegStructure) -> None:
    """Decode all scans with Pillow's decoder, fed by hand; raises InvalidImage unless it is content.

    `Image.load` forgives whatever the decoder reports while the truncation flag is up, and libjpeg itself
    fills a scan that stops early with grey.  So the end of the image is kept back, and a few bytes that
    mean nothing follow the data: a decoder that has all it needs is done (or, with several scans, throws
    such bytes away one by one), and one that misses coefficients takes them for coefficients and asks for
    more.  Not found this way: a scan other than the last that stops early, a progressive file with restart
    markers that does, and a cut within the last few bytes.  A plain cut has no EOI and never comes here.
    """
    picture = JpegImagePlugin.JpegImageFile(io.BytesIO(structure.header))
    if picture.size != (structure.width, structure.height):
        raise InvalidImage("The JPEG is damaged: it has two headers.")
    with jpeg_decoder(picture) as decoder:
        _feed_jpeg(decoder, fp, structure)


def _feed_jpeg(decoder: Decoder, fp: BinaryIO, structure: JpegStructure) -> None:
    rest = b""

    def take(data: bytes) -> bool:
        """Whether the decoder is done with the picture."""
        nonlocal rest
        used, error = decoder.decode(rest + data)
        if error < 0:
            raise InvalidImage("The JPEG cannot be decoded: its data is damaged.")
        rest = (rest + data)[used:] if used >= 0 else b""
        return used < 0

    position, stop = structure.scans
    done = take(structure.header)
    fp.seek(position)
    while not done and position < stop:
        data = fp.read(min(PIECE, stop - position))
        position += len(data)
        done = take(data)
    if done:
        return
    if structure.arithmetic:
        done = take(END_OF_JPEG)
    elif not structure.buffered:
        done = take(_BEYOND)
    else:
        take(_BEYOND)
        hungry = any(take(_BEYOND[:1]) or rest for _ in range(16))
        done = not hungry and take(END_OF_JPEG)
    if not done:
        raise InvalidImage("The JPEG is truncated: it has less data than its header says.")


def _to_rgb(picture: Image.Image, depth: int) -> tuple[Image.Image, Image.Image | None]:
    """8-bit RGB and alpha of any mode that the formats decode to; ``depth`` is a PNG's bits per sample."""
    key = picture.info.get("transparency")
    if picture.mode == "P":
        picture = picture.convert("RGBA" if key is not None else "RGB")
        key = None
    alpha: Image.Image | None = None
    if picture.mode in ("LA", "RGBA"):
        alpha = picture.getchannel("A")
    elif key is not None:
        alpha = _alpha_of_key(picture, key, depth)
    if picture.mode.startswith("I"):
        # Pillow clips 16 bits at 255 instead of scaling them
        wide = np.asarray(picture).astype(np.uint32)
        picture = Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    return picture.convert("RGB"), alpha


def _alpha_of_key(picture: Image.Image, key: int | tuple[int, ...], depth: int) -> Image.Image:
    """Alpha from the one colour that tRNS makes transparent, given in the file's own depth."""
    pixels = np.asarray(picture.convert("L") if picture.mode == "1" else picture)
    if isinstance(key, tuple):
        clear = (pixels == [value >> 8 if depth == 16 else value for value in key]).all(axis=2)
    else:
        clear = pixels == (key * 255 // ((1 << depth) - 1) if picture.mode == "L" else key)
    return Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))
