"""The one private part of Pillow that the pack uses: its JPEG decoder, fed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from PIL import Image, JpegImagePlugin


class Decoder(Protocol):
    def decode(self, data: bytes, /) -> tuple[int, int]:
        """Bytes used, or -1 when it is done; and an error code, negative for an error."""


@contextmanager
def jpeg_decoder(picture: JpegImagePlugin.JpegImageFile) -> Iterator[Decoder]:
    """Pillow's own decoder for a picture of which only the header was read. It takes the whole file, header
    included, in pieces of any size.

    The public ways to it hide what `images.py` needs. `Image.load` and `ImageFile.Parser` do not say how
    many bytes were used, and follow the global LOAD_TRUNCATED_IMAGES, which other packs set;
    `Image.frombytes` takes one buffer. `tests/unit/test_library_internals.py` tells when Pillow changes any
    of this. Seen in Pillow 10.1 to 13.0.
    """
    codec, extents, _, arguments = picture.tile[0]
    decoder = Image._getdecoder(picture.mode, codec, arguments, picture.decoderconfig)
    try:
        pixels = Image.new(picture.mode, picture.size, None)
        decoder.setimage(pixels.im, extents)
        yield decoder
    finally:
        decoder.cleanup()
