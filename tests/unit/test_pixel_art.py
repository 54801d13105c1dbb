"""Pictures are reduced to large pixels: the grid, outlines, the palette, masks, and hostile sizes."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from avatarforge.forge.pictures.palette import Palette
from avatarforge.forge.pictures.pixel_art import (
    cells_palette,
    draw_cells,
    grid_of,
    palette_of,
    read_cells,
    reduce_levels,
)

WHITE, BLACK, RED, BLUE = (255, 255, 255), (0, 0, 0), (200, 30, 30), (30, 50, 190)


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    chance = random.Random(1)  # noqa: S311
    return Image.frombytes(mode, (width, height), chance.randbytes(width * height * len(mode)))


def reduced(picture: Image.Image, rows: int, colors: int = 32) -> Image.Image:
    cells = read_cells(picture, rows)
    return draw_cells(cells, cells_palette(cells, colors))


def colors_of(picture: Image.Image) -> set[object]:
    return {color for _, color in picture.getcolors(picture.width * picture.height) or ()}


@pytest.mark.parametrize(
    ("size", "most_rows", "side", "columns", "rows"),
    [
        ((64, 96), 16, 6, 10, 16),
        ((64, 96), 96, 1, 64, 96),
        ((64, 96), 512, 1, 64, 96),
        ((64, 97), 16, 7, 9, 13),
        ((40, 96), 16, 6, 6, 16),
    ],
)
def test_a_picture_keeps_its_size_in_squares_of_one_colour(
    size: tuple[int, int], most_rows: int, side: int, columns: int, rows: int
) -> None:
    picture = reduced(noise(*size), most_rows)
    assert picture.size == size
    grid = grid_of(size, most_rows)
    assert (grid.cell, grid.columns, grid.rows) == ((side, side), columns, rows)
    assert rows <= most_rows
    left, top = grid.before
    assert left == (size[0] - columns * side) // 2
    pixels = np.asarray(picture)
    for row in range(rows):
        for column in range(columns):
            cell = pixels[top + row * side :, left + column * side :][:side, :side].reshape(-1, 3)
            assert (cell == cell[0]).all()
    # What is left has the colour beside it.
    assert (pixels[:, : left + 1] == pixels[:, left : left + 1]).all()
    assert (pixels[top + rows * side :] == pixels[top + rows * side - 1]).all()


@pytest.mark.parametrize("size", [(1, 4096), (4096, 1), (1, 1), (64, 4096), (3, 2)])
@pytest.mark.parametrize("rows", [1, 16, 512])
def test_no_shape_is_too_odd(size: tuple[int, int], rows: int) -> None:
    picture = reduced(Image.new("RGB", size, RED), rows, 2)
    assert (picture.size, colors_of(picture)) == (size, {RED})


def test_numbers_that_make_no_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="0 rows"):
        grid_of((4, 4), 0)
    with pytest.raises(ValueError, match="0 colours"):
        cells_palette(read_cells(noise(4, 4), 4), 0)


@pytest.mark.parametrize("colors", [2, 3, 32, 256])
def test_there_are_at_most_so_many_colours_and_always_the_same(colors: int) -> None:
    picture = noise(64, 64)
    first, second = reduced(picture, 64, colors), reduced(picture.copy(), 64, colors)
    assert 1 < len(colors_of(first)) <= colors
    assert first.tobytes() == second.tobytes()


def test_a_picture_of_very_many_colours_has_a_palette() -> None:
    assert len(colors_of(reduced(noise(160, 160), 160, 16))) == 16


def test_few_colours_stay_exactly_as_they_are() -> None:
    picture = Image.new("RGB", (32, 32), (17, 99, 201))
    picture.paste((18, 99, 201), (0, 0, 16, 32))
    assert reduced(picture, 16, 2).tobytes() == picture.tobytes()


def test_a_rare_colour_is_kept_among_many_shades() -> None:
    picture = Image.merge("RGB", [Image.linear_gradient("L")] * 3).resize((64, 64))
    picture.paste((0, 90, 255), (30, 30, 32, 31))  # an iris of two pixels
    assert any(blue - red > 100 for red, _, blue in cells_palette(read_cells(picture, 64), 12))


@pytest.mark.parametrize(("line", "ground"), [(BLACK, WHITE), (WHITE, BLACK), (BLACK, RED)])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_line_is_kept_wherever_it_crosses_the_cells(
    width: int, line: tuple[int, int, int], ground: tuple[int, int, int]
) -> None:
    """It stays unbroken, and is one large pixel wide: nothing is blurred."""
    for offset in range(8):
        picture = Image.new("RGB", (48, 48), ground)
        picture.paste(line, (16 + offset, 0, 16 + offset + width, 48))
        small = reduced(picture, 6).resize((6, 6), Image.Resampling.NEAREST)
        assert colors_of(small) == {line, ground}
        rows = [[small.getpixel((x, y)) == line for x in range(6)] for y in range(6)]
        assert [sum(row) for row in rows] == [1] * 6
        across = reduced(picture.transpose(Image.Transpose.TRANSPOSE), 6)
        assert across.transpose(Image.Transpose.TRANSPOSE).tobytes() == reduced(picture, 6).tobytes()


@pytest.mark.parametrize("edge", range(16, 25))
def test_the_edge_of_an_area_is_where_most_of_a_cell_is(edge: int) -> None:
    picture = Image.new("RGB", (64, 64), WHITE)
    picture.paste(BLACK, (0, 0, edge, 64))
    small = reduced(picture, 8).resize((8, 8), Image.Resampling.NEAREST)
    assert sum(small.getpixel((x, 3)) == BLACK for x in range(8)) == (2 if edge < 20 else 3)


def test_hues_of_one_brightness_are_not_mixed() -> None:
    picture = Image.new("RGB", (16, 16), (200, 60, 60))
    picture.paste((60, 132, 60), (0, 0, 3, 16))
    assert len(colors_of(reduced(picture, 2))) == 1
    assert colors_of(reduced(picture, 4)) == {(200, 60, 60), (60, 132, 60)}


def test_noise_within_a_colour_is_averaged() -> None:
    picture = Image.new("RGB", (8, 8), (100, 100, 100))
    picture.paste((110, 110, 110), (0, 0, 8, 4))
    assert colors_of(reduced(picture, 1)) == {(105, 105, 105)}


def test_the_palette_of_a_reduced_picture_is_its_own() -> None:
    front = noise(60, 90)
    cells = read_cells(front, 30)
    palette = cells_palette(cells, 12)
    drawn = draw_cells(cells, palette)
    assert set(palette_of(drawn, 30, 12)) == colors_of(drawn) <= set(palette)
    # Also for a reader with another grid.
    assert palette_of(drawn, 16, 12) == palette_of(drawn, 30, 12)
    assert len(palette_of(front, 30, 12)) == 12
    other = draw_cells(read_cells(noise(30, 90), 30), palette_of(drawn, 30, 12))
    assert colors_of(other) <= colors_of(drawn)


def test_each_cell_gets_the_nearest_colour() -> None:
    palette: Palette = ((0, 0, 0), (0, 0, 255), (255, 0, 0), (255, 255, 255))
    picture = Image.new("RGB", (3, 1))
    picture.putdata([(90, 10, 10), (200, 40, 20), (10, 20, 200)])
    drawn = draw_cells(read_cells(picture, 1), palette)
    assert [drawn.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (255, 0, 0), (0, 0, 255)]


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "I;16", "LA", "RGBA"])
def test_pictures_of_any_mode_are_reduced(mode: str) -> None:
    picture = Image.new("L", (16, 16), 255) if mode == "I;16" else noise(16, 16)
    drawn = reduced(picture.convert(mode), 4, 8)
    assert (drawn.size, drawn.mode) == ((16, 16), "RGBA" if mode in ("LA", "RGBA") else "RGB")


def test_transparent_pixels_give_no_colour_and_cells_are_seen_or_not() -> None:
    picture = Image.new("RGBA", (8, 4), (0, 0, 0, 0))
    picture.paste((*RED, 255), (0, 0, 3, 4))  # most of the first cell
    picture.paste((*BLUE, 255), (4, 0, 5, 4))  # little of the second
    cells = read_cells(picture, 1)
    assert cells_palette(cells, 8) == (RED,)
    drawn = draw_cells(cells, (RED,))
    assert [drawn.getpixel((x, 0)) for x in (0, 3, 4, 7)] == [(*RED, 255)] * 2 + [(0, 0, 0, 0)] * 2
    empty = read_cells(Image.new("RGBA", (4, 4)), 2)
    assert cells_palette(empty, 8) == ()
    assert draw_cells(empty, ()).getbbox() is None


def test_a_mask_follows_the_pixels_that_give_the_colour() -> None:
    picture, parts = Image.new("RGB", (24, 8), WHITE), Image.new("L", (24, 8), 3)
    picture.paste(BLACK, (11, 0, 13, 8))  # a line across the middle cell
    parts.paste(9, (11, 0, 13, 8))
    parts.paste(5, (0, 0, 3, 8))  # the smaller part of a cell
    cells = read_cells(picture, 1)
    levels = reduce_levels(cells, parts)
    assert (levels.mode, levels.size) == ("L", (24, 8))
    assert [levels.getpixel((x, y)) for x in (0, 7, 8, 15, 16, 23) for y in (0, 7)] == [3] * 4 + [9] * 4 + [
        3
    ] * 4
    with pytest.raises(ValueError, match="24x7"):
        reduce_levels(cells, parts.crop((0, 0, 24, 7)))


def test_a_drawing_with_outlines_has_no_colours_between_them() -> None:
    picture = Image.new("RGB", (120, 120), WHITE)
    ImageDraw.Draw(picture).ellipse((17, 13, 101, 109), fill=RED, outline=BLACK, width=3)
    allowed = np.array([WHITE, RED, BLACK])
    for color in np.asarray(reduced(picture, 24)).reshape(-1, 3).astype(int):
        assert abs(allowed - color).max(1).min() < 40
