"""Reduces a picture to a grid of large square pixels in few colours. Pure, and the same on every machine.

Plain resampling mixes the outline of a figure with what lies beside it. Here the pixels of each cell are
split into two groups at their mean, in the channel in which they differ most, as block truncation coding does
(Delp and Mitchell 1979), and the cell takes the mean of one group: of the larger one, or of a smaller one
that is a line. A line makes its cell darker, or lighter, than the cells on both of its sides; the edge of an
area does not, so that areas keep their size.

All sums are integers, so that no order of additions can change a colour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .palette import Ints, Palette, make_palette, mean_of, nearest_of, pack, palette_from

_Flags = NDArray[np.bool_]

#: Groups whose colours differ by less, of 255 in any channel, are one colour with noise.
_CONTRAST = 40
#: A line covers at least this share of its cell, one part in so many, and changes its brightness by as much.
_LINE_PART = 12
_LUMA = np.array([299, 587, 114])
_LOWER, _UPPER, _UNSEEN = 0, 1, 2


@dataclass(frozen=True)
class Grid:
    """Cells of `cell` (width, height) pixels, which all lie inside of a picture of `size`. What is left at
    the edges is less than a cell, `before` (left, top) of it before the first one."""

    size: tuple[int, int]
    cell: tuple[int, int]
    columns: int
    rows: int
    before: tuple[int, int]


def grid_of(size: tuple[int, int], most_rows: int) -> Grid:
    """The grid of a picture of this size: squares, at most `most_rows` from top to bottom, in its middle.

    A picture with fewer pixels than that keeps its pixels. One that is narrower than a square has one column.
    Raises ValueError for a grid without rows.
    """
    if most_rows < 1:
        raise ValueError(f"A picture cannot be reduced to {most_rows} rows of pixels.")
    width, height = size
    side = -(-height // most_rows)
    cell = (min(side, width), side)
    columns, rows = width // cell[0], height // cell[1]
    return Grid(size, cell, columns, rows, ((width - columns * cell[0]) // 2, (height - rows * cell[1]) // 2))


@dataclass(frozen=True)
class Cells:
    """The cells of a picture. `colors` is (rows, columns, 3). `opaque` (rows, columns) are cells that are
    seen. `chosen` are the pixels that a cell's colour comes from, (rows, columns, pixels of a cell)."""

    grid: Grid
    colors: NDArray[np.uint8]
    opaque: _Flags
    chosen: _Flags
    has_alpha: bool

    @cached_property
    def distinct(self) -> tuple[Ints, Ints]:
        """(colours that are seen, sorted, as (number, 3); in how many cells each)."""
        packed = pack(self.colors[self.opaque])
        values, counts = np.unique(packed, return_counts=True)
        return np.stack([values >> 16, values >> 8 & 255, values & 255], axis=-1), counts


def read_cells(picture: Image.Image, most_rows: int) -> Cells:
    """Find the colour of each cell, of a picture in any mode. Transparent pixels count as absent."""
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    pixels = np.asarray(picture.convert("RGBA" if has_alpha else "RGB"))
    grid = grid_of(picture.size, most_rows)
    area = grid.cell[0] * grid.cell[1]
    shape = (grid.rows, grid.columns)
    sums, counts = np.zeros((2, *shape, 3), np.int64), np.zeros((2, *shape), np.int64)
    groups = np.zeros((*shape, area), np.uint8)  # _LOWER, _UPPER, or _UNSEEN
    for row, band in enumerate(_bands(pixels, grid)):
        colors = band[..., :3]
        seen = band[..., 3] >= 128 if has_alpha else np.ones(band.shape[:2], np.bool_)
        above = _above_mean(colors, seen)
        for group, members in ((_LOWER, seen & ~above), (_UPPER, above)):
            sums[group, row] = np.where(members[..., None], colors, 0).sum(1, dtype=np.int64)
            counts[group, row] = members.sum(1)
        groups[row] = np.where(seen, above, _UNSEEN)
    picked, mixed = _picked(sums, counts)
    total = counts.sum(0)
    one = np.where(picked[..., None], sums[1], sums[0])
    count = np.where(mixed, total, np.where(picked, counts[1], counts[0]))
    colors = mean_of(np.where(mixed[..., None], sums.sum(0), one), count)
    opaque = 2 * total >= area
    chosen = np.where(mixed[..., None], groups != _UNSEEN, groups == picked[..., None])
    return Cells(grid, colors.astype(np.uint8), opaque, chosen, has_alpha)


def cells_palette(cells: Cells, colors: int) -> Palette:
    """A palette of at most `colors` colours for the cells that are seen."""
    return make_palette(*cells.distinct, colors)


def palette_of(picture: Image.Image, most_rows: int, colors: int) -> Palette:
    """The palette that a picture gives to others: its own colours if there are no more than `colors`, as in
    one that was reduced, otherwise those of its cells."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        own = picture.convert("RGB").getcolors(colors)
        if own is not None:
            return palette_from(np.array([color for _, color in own], np.int64))
    return cells_palette(read_cells(picture, most_rows), colors)


def draw_cells(cells: Cells, palette: Palette) -> Image.Image:
    """The picture in its size, RGB or RGBA: every cell in the nearest colour of the palette, without dither.
    The outermost cells reach to the edges."""
    colors = cells.colors
    if palette:
        distinct, _ = cells.distinct
        values = np.array(palette, np.int64)
        nearest = values[nearest_of(distinct, values)]
        keys = pack(distinct)
        found = np.searchsorted(keys, pack(colors)).clip(0, max(0, len(keys) - 1))
        colors = nearest[found].astype(np.uint8) if len(keys) else np.zeros_like(colors)
    colors = np.where(cells.opaque[..., None], colors, np.uint8(0))
    if cells.has_alpha:
        alpha = np.where(cells.opaque, np.uint8(255), np.uint8(0))
        colors = np.concatenate([colors, alpha[..., None]], axis=-1)
    return Image.fromarray(_enlarged(colors, cells.grid))


def reduce_levels(cells: Cells, levels: Image.Image) -> Image.Image:
    """A mask in mode L of the picture's size, reduced in step: in each cell the value that most of the pixels
    have from which its colour comes, the smallest of several. Raises ValueError for another size."""
    if levels.size != cells.grid.size:
        raise ValueError(
            f"The mask has {levels.width}x{levels.height} pixels, and the picture has "
            f"{cells.grid.size[0]}x{cells.grid.size[1]}."
        )
    values = np.asarray(levels.convert("L"))
    reduced = np.zeros(cells.opaque.shape, np.uint8)
    for row, band in enumerate(_bands(values[..., None], cells.grid)):
        flat, members = band[..., 0], cells.chosen[row]
        most = np.zeros(len(flat), np.int64)
        for value in np.unique(flat):
            count = (members & (flat == value)).sum(1)
            reduced[row] = np.where(count > most, value, reduced[row])
            most = np.maximum(most, count)
    return Image.fromarray(_enlarged(reduced, cells.grid))


def _bands(pixels: NDArray[Any], grid: Grid) -> Iterator[NDArray[Any]]:
    """The rows of cells one after another, each as (columns, pixels of a cell, channels)."""
    (width, height), (left, top) = grid.cell, grid.before
    channels = pixels.shape[-1]
    for row in range(grid.rows):
        band = pixels[top + row * height : top + (row + 1) * height, left : left + grid.columns * width]
        cells = band.reshape(height, grid.columns, width, channels).swapaxes(0, 1)
        yield cells.reshape(grid.columns, height * width, channels)


def _above_mean(colors: NDArray[np.uint8], seen: _Flags) -> _Flags:
    """Which pixels of each cell, (cells, pixels), are above its mean in the channel that varies most."""
    visible = np.where(seen[..., None], colors, 0).astype(np.int64)
    count = seen.sum(1)[:, None]
    sums = visible.sum(1)
    spread = np.einsum("cpk,cpk->ck", visible, visible) * count - sums * sums
    channel = spread.argmax(1)[:, None]
    level = np.take_along_axis(visible, channel[..., None], 2)[..., 0]
    above: _Flags = seen & (level * count > np.take_along_axis(sums, channel, 1))
    return above


def _picked(sums: Ints, counts: Ints) -> tuple[_Flags, _Flags]:
    """(whether a cell takes its upper group, whether it takes both because they are one colour), each (rows,
    columns). `sums` and `counts` are of the lower and the upper group."""
    means = mean_of(sums, counts)
    mixed = (counts.min(0) == 0) | (np.abs(means[1] - means[0]).max(-1) < _CONTRAST)
    upper_darker = _luma(means[1]) < _luma(means[0])
    darker = np.where(upper_darker, counts[1], counts[0])
    lighter = counts.sum(0) - darker
    level = _luma(mean_of(sums.sum(0), counts.sum(0)))
    least = np.abs(_luma(means[1]) - _luma(means[0])) // _LINE_PART + 1
    # Of two equal groups the darker one wins: outlines are dark.
    dark = (darker >= lighter) | (_is_line(level, least) & (_LINE_PART * darker >= darker + lighter))
    dark &= ~((darker > lighter) & _is_line(-level, least) & (_LINE_PART * lighter >= darker + lighter))
    return dark == upper_darker, mixed


def _is_line(level: Ints, least: Ints) -> _Flags:
    """Which cells are lower than those on both sides, across or down, and than one of them by `least`. Of two
    equal ones side by side, which share a line, the first."""
    found = np.zeros(level.shape, np.bool_)
    for turned, depth, flags in ((level, least, found), (level.T, least.T, found.T)):
        padded = np.pad(turned, ((0, 0), (1, 1)), "edge")
        before, after = padded[:, :-2], padded[:, 2:]
        deep = np.maximum(before, after) - turned >= depth
        flags |= (turned < before) & (turned <= after) & deep
    return found


def _luma(colors: Ints) -> Ints:
    luma: Ints = colors @ _LUMA // 1000
    return luma


def _enlarged(small: NDArray[np.uint8], grid: Grid) -> NDArray[np.uint8]:
    (width, height), (cell_width, cell_height), (left, top) = grid.size, grid.cell, grid.before
    large = small.repeat(cell_height, axis=0).repeat(cell_width, axis=1)
    around = ((top, height - top - large.shape[0]), (left, width - left - large.shape[1]))
    return np.pad(large, (*around, *([(0, 0)] * (small.ndim - 2))), "edge")
