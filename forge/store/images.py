"""Validates uploaded pictures and decodes stored ones.

Cheap checks come first: format from the first bytes, size from the header, structure to the last byte, and
only then a decode.  Decoders get the file without its metadata, so text, profiles and EXIF never decide
whether a picture is valid.  Only the EXIF orientation is read, without Pillow.

Nothing here reads or sets Pillow's global switches (LOAD_TRUNCATED_IMAGES, MAX_IMAGE_PIXELS, MAX_TEXT_*),
which other packs change at any moment.  Its format classes are used directly, since `Image.open` depends on
the same globals and on the plugins that other packs registered.
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

from ..error_codes import ErrorParameters
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
# Fed to the decoder after the data.  libjpeg reads ahead at most one 64-bit buffer.  Long codes in every
# table begin with ones, so a decoder that still lacks coefficients consumes these bytes fastest.
_FILLER = b"\xfe" * 8


@dataclass(frozen=True)
class ImageLimits:
    """Minimum and maximum length of each side, in pixels, inclusive."""

    min_dimension: int = 64
    max_dimension: int = 4096

    def error_parameters(self, width: int, height: int) -> ErrorParameters:
        """Of `image_size_out_of_range`, all in pixels."""
        return {"width": width, "height": height, "min": self.min_dimension, "max": self.max_dimension}


@dataclass(frozen=True)
class ImageFacts:
    """Type and size of an accepted picture.

    ``width`` and ``height`` are in pixels as displayed: for the EXIF orientations 5 to 8, the stored width
    and height are swapped.
    """

    mime_type: str
    extension: str
    width: int
    height: int


def inspect_image(path: Path, limits: ImageLimits) -> ImageFacts:
    """Check that the file is one complete PNG, JPEG or WEBP picture within the limits.

    Raises InvalidImage with a sentence for the user, and OSError when the disk fails.
    """

    def accept(width: int, height: int) -> None:
        if not all(limits.min_dimension <= side <= limits.max_dimension for side in (width, height)):
            raise InvalidImage(
                f"The picture is {width}x{height} pixels; each side must be from {limits.min_dimension} "
                f"to {limits.max_dimension} pixels.",
                code="image_size_out_of_range",
                parameters=limits.error_parameters(width, height),
            )

    with path.open("rb") as fp, _pillow_errors():
        kind = _format_of(fp)
        structure: Structure
        if kind == "PNG":
            structure = walk_png(fp, accept)
            # `walk_png` checked the pixel data; this checks that Pillow reads the chunks before it.
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
    """Decode the picture to 8-bit RGB and its alpha channel (mode L, 255 is opaque; None without one).

    The EXIF orientation is applied; colour profiles are not.  Raises InvalidImage, and OSError when the disk
    fails.  Meant for files that `inspect_image` accepted.
    """
    with path.open("rb") as fp, _pillow_errors():
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
    transpose = _UPRIGHT.get(orientation(exif))
    if transpose is not None:
        rgb = rgb.transpose(transpose)
        alpha = alpha and alpha.transpose(transpose)
    return rgb, alpha


def _any_size(width: int, height: int) -> None:
    """The size was checked when the picture was stored; the limits may have changed since."""


def is_png(start: bytes) -> bool:
    """Whether the first 8 bytes are a PNG's."""
    return start.startswith(_PNG)


def _format_of(fp: BinaryIO) -> str:
    start = fp.read(16)
    if not start:
        raise InvalidImage("The file is empty.", code="empty_file")
    if is_png(start):
        return "PNG"
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WEBP"
    name = "an AVIF, HEIC or video" if start[4:8] == b"ftyp" else "not a picture of a known format"
    name = next((refused for magic, refused in _REFUSED if start.startswith(magic)), name)
    raise InvalidImage(
        f"The file is {name}; only PNG, JPEG and WEBP are accepted.", code="unsupported_image_format"
    )


@contextmanager
def _pillow_errors() -> Iterator[None]:
    """Turn Pillow's exceptions into InvalidImage; disk errors pass through."""
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
    """Decode all scans with Pillow's decoder, fed by hand.  Raises InvalidImage if the data is damaged or
    incomplete.

    `Image.load` ignores decoder errors while the truncation flag is set, and libjpeg itself fills the rest of
    a scan that ends early with grey.  So the EOI marker is withheld, and a few meaningless bytes are fed
    after the data: a decoder that is complete finishes (or, with several scans, discards these bytes one by
    one), while one that lacks coefficients consumes them as such and asks for more.  Not detected: a scan
    other than the last that ends early, a progressive file with restart markers that ends early, and a cut
    within the last few bytes.  A file that is simply cut off has no EOI and was refused before.
    """
    picture = JpegImagePlugin.JpegImageFile(io.BytesIO(structure.header))
    if picture.size != (structure.width, structure.height):
        raise InvalidImage("The JPEG is damaged: it has two headers.")
    with jpeg_decoder(picture) as decoder:
        _feed_jpeg(decoder, fp, structure)


def _feed_jpeg(decoder: Decoder, fp: BinaryIO, structure: JpegStructure) -> None:
    rest = b""

    def feed(data: bytes) -> bool:
        """Returns whether the decoder has finished the picture."""
        nonlocal rest
        used, error = decoder.decode(rest + data)
        if error < 0:
            raise InvalidImage("The JPEG cannot be decoded: its data is damaged.")
        rest = (rest + data)[used:] if used >= 0 else b""
        return used < 0

    position, stop = structure.scans
    done = feed(structure.header)
    fp.seek(position)
    while not done and position < stop:
        data = fp.read(min(PIECE, stop - position))
        position += len(data)
        done = feed(data)
    if done:
        return
    if structure.arithmetic:
        done = feed(END_OF_JPEG)
    elif not structure.buffered:
        done = feed(_FILLER)
    else:
        feed(_FILLER)
        incomplete = any(feed(_FILLER[:1]) or rest for _ in range(16))
        done = not incomplete and feed(END_OF_JPEG)
    if not done:
        raise InvalidImage("The JPEG is truncated: it has less data than its header says.")


def _to_rgb(picture: Image.Image, depth: int) -> tuple[Image.Image, Image.Image | None]:
    """8-bit RGB and alpha from any mode that the formats decode to; ``depth`` is a PNG's bits per sample."""
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
        # Pillow would clip 16-bit samples at 255 instead of scaling them.
        wide = np.asarray(picture).astype(np.uint32)
        picture = Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    return picture.convert("RGB"), alpha


def _alpha_of_key(picture: Image.Image, key: int | tuple[int, ...], depth: int) -> Image.Image:
    """Alpha from the one colour that tRNS makes transparent; ``key`` is given in the file's bit depth."""
    pixels = np.asarray(picture.convert("L") if picture.mode == "1" else picture)
    if isinstance(key, tuple):
        clear = (pixels == [value >> 8 if depth == 16 else value for value in key]).all(axis=2)
    else:
        clear = pixels == (key * 255 // ((1 << depth) - 1) if picture.mode == "L" else key)
    return Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))
