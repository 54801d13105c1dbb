"""The format sheet: all figures at one scale, each row on one baseline, with labels and a strip of the
palette. Drawn row by row, so that only one is in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from ..pictures.figure import Colour
from ..pictures.png_strips import write_png
from .frames import FrameSet
from .limits import MOST_SIDE
from .material import DrawnPart, Material, Plan, animations_of
from .picture_manifest import FrameEntry, ImageEntry

#: Figures of a row.
MOST_COLUMNS = 16
PAPER: Colour = (255, 255, 255)
INK: Colour = (40, 40, 40)
LINE: Colour = (204, 204, 204)
#: Pixels, whatever the size of the figures.
MARGIN, TEXT, LABEL, SWATCH = 16, 14, 28, 48
_NARROWEST = 96  # of a cell, so that its label can be read
_DOTS = "..."


@dataclass(frozen=True)
class SheetLayout:
    """Where everything is. `rows` are the indices of the pictures in each row, `corners` those of all
    frames."""

    width: int
    height: int
    cell: int
    rows: tuple[tuple[int, ...], ...]
    corners: tuple[tuple[int, int], ...]


def plan_sheet(material: Material) -> Plan:
    rows = _rows(list(animations_of(material.pictures).values()))
    frames = material.frames(material.options.height)
    layout = lay_out_sheet(rows, frames)
    if layout.width > MOST_SIDE or layout.height > MOST_SIDE:
        frames = material.frames(_fitting_height(rows, frames))
        layout = lay_out_sheet(rows, frames)
    name = f"{material.slug}.png"
    manifest = material.manifest(
        places={
            index: FrameEntry(image=name, x=x, y=y, width=frames.width, height=frames.height)
            for index, (x, y) in enumerate(layout.corners)
        },
        frames=frames,
        images=[ImageEntry(member=name, width=layout.width, height=layout.height)],
    )
    part = DrawnPart(
        name,
        lambda: write_png(
            layout.width, layout.height, "RGB", _strips(material, frames, layout, manifest.palette)
        ),
    )
    return Plan(manifest, [part])


def lay_out_sheet(rows: Sequence[Sequence[int]], frames: FrameSet) -> SheetLayout:
    cell = max(frames.width, _NARROWEST)
    columns = max(len(row) for row in rows)
    line = MARGIN + frames.height + LABEL
    corners = {
        index: (MARGIN + column * (cell + MARGIN) + (cell - frames.width) // 2, number * line + MARGIN)
        for number, row in enumerate(rows)
        for column, index in enumerate(row)
    }
    return SheetLayout(
        MARGIN + columns * (cell + MARGIN),
        len(rows) * line + SWATCH + LABEL + 2 * MARGIN,
        cell,
        tuple(tuple(row) for row in rows),
        tuple(corners[index] for index in sorted(corners)),
    )


def _rows(animations: Sequence[Sequence[int]]) -> list[list[int]]:
    """A row for each animation; those of one picture each share rows."""
    found: list[list[int]] = []
    single: list[int] = [animation[0] for animation in animations if len(animation) == 1]
    columns = min(MOST_COLUMNS, math.ceil(math.sqrt(max(1, len(single)))))
    columns = max(columns, min(len(single), 4))
    for animation in (single, *(animation for animation in animations if len(animation) > 1)):
        most = columns if animation is single else MOST_COLUMNS
        found += [list(animation[start : start + most]) for start in range(0, len(animation), most)]
    return found


def _fitting_height(rows: Sequence[Sequence[int]], frames: FrameSet) -> int:
    """The height of a frame at which the sheet is small enough. Labels keep their size."""
    columns = max(len(row) for row in rows)
    tall = (MOST_SIDE - SWATCH - LABEL - 2 * MARGIN) // len(rows) - MARGIN - LABEL
    wide = (MOST_SIDE - MARGIN) // columns - MARGIN
    return max(1, min(tall, wide * frames.height // frames.width - 1))


def _strips(
    material: Material, frames: FrameSet, layout: SheetLayout, palette: Sequence[str]
) -> Iterator[Image.Image]:
    font = ImageFont.load_default(size=TEXT)
    for row in layout.rows:
        strip = Image.new("RGB", (layout.width, MARGIN + frames.height + LABEL), PAPER)
        ink = ImageDraw.Draw(strip)
        baseline = MARGIN + frames.pivot[1]
        ink.line((MARGIN // 2, baseline, layout.width - MARGIN // 2, baseline), fill=LINE)
        for index in row:
            left = layout.corners[index][0]
            frame = material.draw(index, frames)
            strip.paste(frame, (left, MARGIN), frame)
            middle = left + frames.width // 2, MARGIN + frames.height + LABEL // 2
            ink.text(
                middle,
                _cut(material.pictures[index].name, layout.cell, font),
                fill=INK,
                font=font,
                anchor="mm",
            )
        yield strip
    yield _palette_strip(layout.width, palette, font)


def _palette_strip(
    width: int, palette: Sequence[str], font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> Image.Image:
    strip = Image.new("RGB", (width, SWATCH + LABEL + 2 * MARGIN), PAPER)
    ink = ImageDraw.Draw(strip)
    if not palette:
        return strip
    wide = (width - 2 * MARGIN) // len(palette)
    for number, colour in enumerate(palette):
        left = MARGIN + number * wide
        ink.rectangle((left, MARGIN, left + wide - 1, MARGIN + SWATCH - 1), fill=colour, outline=LINE)
        middle = left + wide // 2, MARGIN + SWATCH + LABEL // 2
        ink.text(middle, _cut(colour, wide, font), fill=INK, font=font, anchor="mm")
    return strip


def _cut(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + _DOTS) > width:
        text = text[:-1]
    return text + _DOTS if text else ""
