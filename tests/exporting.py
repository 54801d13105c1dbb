"""Constructed pictures for tests of exports: a figure whose place is known."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw

RED, BLUE, GREEN, WHITE = (200, 30, 30), (30, 60, 200), (40, 160, 60), (255, 255, 255)
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Drawn:
    """A body in a picture of that size, and a foot below it; both boxes are half open. `background` None is
    transparent."""

    size: tuple[int, int] = (64, 96)
    body: Box = (20, 10, 44, 80)
    foot: Box = (28, 80, 36, 90)
    colour: tuple[int, int, int] = RED
    background: tuple[int, int, int] | None = WHITE

    @property
    def box(self) -> Box:
        return (min(self.body[0], self.foot[0]), self.body[1], max(self.body[2], self.foot[2]), self.foot[3])

    @property
    def feet(self) -> tuple[float, float]:
        return ((self.foot[0] + self.foot[2]) / 2, float(self.foot[3]))

    def image(self) -> Image.Image:
        behind = (*self.background, 255) if self.background is not None else (0, 0, 0, 0)
        image = Image.new("RGBA", self.size, behind)
        ink = ImageDraw.Draw(image)
        for left, top, right, bottom in (self.body, self.foot):
            ink.rectangle((left, top, right - 1, bottom - 1), fill=(*self.colour, 255))
        return image if self.background is None else image.convert("RGB")

    def png(self) -> bytes:
        buffer = io.BytesIO()
        self.image().save(buffer, "PNG")
        return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """The members of an archive, in order, after Python has checked each sum."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {item.compress_type for item in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        return {item.filename: archive.read(item) for item in archive.infolist()}


def manifest_in(members: Mapping[str, bytes]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(members["manifest.json"])
    return read


def picture_in(members: Mapping[str, bytes], name: str) -> Image.Image:
    image = Image.open(io.BytesIO(members[name]))
    image.load()
    return image
