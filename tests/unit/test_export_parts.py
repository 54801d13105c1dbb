"""What exports are made of: PNGs from strips, archives of known parts, frames of one size, and names."""

from __future__ import annotations

import hashlib
import io
import itertools
import re
import zlib
from pathlib import Path

import pytest
from exporting import BLUE, GREEN, RED, WHITE, Drawn, unpacked
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from avatarforge.forge.errors import NotFoundError
from avatarforge.forge.export.frames import draw_frame, frame_figures
from avatarforge.forge.export.members import Checksums, FilePart, Part, PartArchive, TextPart
from avatarforge.forge.export.naming import Shows, name_pictures, slug
from avatarforge.forge.export.picture_manifest import schema_text
from avatarforge.forge.pictures.figure_box import FigureBox, measure_figure
from avatarforge.forge.pictures.png_strips import png_bytes, write_png

HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of nothing


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("heights", [(7,), (1, 6), (3, 3, 1)])
def test_a_png_of_strips_has_their_pixels(mode: str, heights: tuple[int, ...]) -> None:
    whole = Image.frombytes(mode, (5, 7), bytes(range(5 * 7 * len(mode))))
    tops = [sum(heights[:number]) for number in range(len(heights))]
    strips = [whole.crop((0, top, 5, top + tall)) for top, tall in zip(tops, heights, strict=True)]
    read = Image.open(io.BytesIO(b"".join(write_png(5, 7, mode, strips))))
    assert (read.mode, read.tobytes()) == (mode, whole.tobytes())


def test_strips_that_do_not_fit_are_refused() -> None:
    strip = Image.new("RGB", (4, 2))
    for width, height, mode in ((5, 2, "RGB"), (4, 3, "RGB"), (4, 2, "RGBA")):
        with pytest.raises(ValueError, match="strip"):
            list(write_png(width, height, mode, [strip]))


def parts_in(folder: Path) -> list[Part]:
    (folder / "two").write_bytes(b"-" * 5 + bytes(range(200)))
    return [
        TextPart("manifest.json", b"{}"),
        FilePart("a/empty.png", folder / "nothing", 0, HASH),
        FilePart("a/two.png", folder / "two", 200, start=5, crc=zlib.crc32(bytes(range(200)))),
        TextPart("z.txt", b"the end"),
    ]


def test_every_range_of_an_archive_is_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "nothing").write_bytes(b"")
    parts = parts_in(tmp_path)
    archive = PartArchive(parts, Checksums())
    whole = b"".join(archive.pieces())
    assert len(whole) == archive.size
    assert [*unpacked(whole)] == ["manifest.json", "a/empty.png", "a/two.png", "z.txt"]
    for start, stop in itertools.combinations(range(0, archive.size + 1, 7), 2):
        assert b"".join(archive.pieces(start, stop)) == whole[start:stop], (start, stop)


def test_an_archive_of_altered_bytes_does_not_end(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"other")
    for part in (
        FilePart("p", tmp_path / "picture", 5, HASH),
        FilePart("p", tmp_path / "picture", 6, start=0, crc=1),
        FilePart("p", tmp_path / "gone", 5, HASH),
    ):
        with pytest.raises(NotFoundError, match="gone from the disk"):
            list(PartArchive([part], Checksums()).pieces())


def test_a_sum_is_computed_once_for_each_content(tmp_path: Path) -> None:
    file = tmp_path / "picture"
    file.write_bytes(b"abc")
    part = FilePart("p", file, 3, hashlib.sha256(b"abc").hexdigest())
    sums = Checksums()
    first = sums.of(part)
    file.unlink()
    assert sums.of(part) == first == 0x352441C2


FIGURES = st.builds(
    lambda left, top, wide, tall, across: FigureBox(
        (left, top, left + wide, top + tall), (left + across * wide, float(top + tall)), "alpha"
    ),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(1, 30),
    st.integers(1, 60),
    st.floats(0, 1),
)


@settings(deadline=None, max_examples=60)
@given(figures=st.lists(FIGURES, min_size=1, max_size=5), most=st.none() | st.integers(1, 80))
def test_every_figure_is_whole_in_its_frame_with_the_feet_on_the_pivot(
    figures: list[FigureBox], most: int | None
) -> None:
    frames = frame_figures([(64, 96)] * len(figures), figures, most)
    assert frames.height <= (most or 96)
    assert 0 <= frames.pivot[0] <= frames.width and frames.pivot[1] == frames.height
    for figure, placement in zip(figures, frames.placements, strict=True):
        scale = placement.size[1] / 96
        left, top, right, bottom = (
            side * scale + placement.corner[axis % 2] for axis, side in enumerate(figure.box)
        )
        assert left > -1.51 and top > -1.51
        assert right < frames.width + 1.51 and bottom < frames.height + 1.51
        assert abs(figure.feet[1] * scale + placement.corner[1] - frames.pivot[1]) < 1.51
    if most is None:
        assert {placement.size for placement in frames.placements} == {(64, 96)}


def test_frames_are_the_union_of_the_figures_around_their_feet() -> None:
    # The third picture is twice as large.
    drawn = [
        Drawn(),  # 12 left, 12 right, 80 high
        Drawn(body=(10, 30, 40, 70), foot=(30, 70, 40, 75), colour=BLUE),  # 25 left, 5 right, 45 high
        Drawn(size=(128, 192), body=(40, 60, 60, 160), foot=(50, 160, 110, 180), colour=GREEN),
    ]
    figures = [measure_figure(item.image()) for item in drawn]
    frames = frame_figures([item.size for item in drawn], figures)
    # Twice as large are the first two: 24 left, 24 right, 160 high; 50 left, 10 right. The third: 40 and 30.
    assert (frames.width, frames.height, frames.pivot) == (50 + 30, 160, (50, 160))
    shown = [
        draw_frame(item.image(), placement, (frames.width, frames.height))
        for item, placement in zip(drawn, frames.placements, strict=True)
    ]
    assert [picture.getpixel((50, 150))[:3] for picture in shown] == [RED, BLUE, GREEN]  # type: ignore[index]
    assert shown[0].getpixel((0, 0)) == (*WHITE, 255)
    assert shown[2].getpixel((79, 159)) == (*GREEN, 255)


def test_a_transparent_picture_keeps_its_colours_at_the_edges_when_it_is_scaled() -> None:
    drawn = Drawn(background=None)
    figure = measure_figure(drawn.image())
    frames = frame_figures([drawn.size], [figure], 31)
    frame = draw_frame(drawn.image(), frames.placements[0], (frames.width, frames.height))
    pixels = [frame.getpixel((x, y)) for x in range(frame.width) for y in range(frame.height)]
    edges = {pixel[:3] for pixel in pixels if isinstance(pixel, tuple) and 24 < pixel[3] < 255}
    assert edges
    assert all(abs(value - wanted) < 14 for edge in edges for value, wanted in zip(edge, RED, strict=True))


def test_names_have_what_varies_and_the_view_and_animations_follow_each_other() -> None:
    shows = [
        Shows("Winter coat", "happy", None, "back"),
        Shows("Winter coat", "sad", None, "front"),
        Shows("Winter coat", "happy", None, "front"),
        Shows("Winter coat", "happy", None, "front"),
        Shows("Winter coat", "sad!", None, "front"),
    ]
    named = name_pictures(shows)
    assert [(item.index, item.name, item.animation) for item in named] == [
        (2, "happy_front", "happy"),
        (3, "happy_front_2", "happy"),
        (0, "happy_back", "happy"),
        (1, "sad_front", "sad"),
        (4, "sad_front_2", "sad_2"),
    ]
    assert [item.name for item in name_pictures([Shows(), Shows()])] == ["picture", "picture_2"]
    assert name_pictures([Shows("a", "b", "c", "back_left")])[0].animation == "all"


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=200)
def test_any_text_becomes_a_name_that_every_system_takes(text: str) -> None:
    made = slug(text)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-?", made) and len(made) <= 25
    assert not re.fullmatch(r"(?i)con|prn|aux|nul|com\d|lpt\d", made)
    assert slug(text) == made


def test_texts_of_other_scripts_have_names_of_their_own() -> None:
    assert slug("Élodie d'Arc") == "elodie-d-arc"
    assert slug("CON") == "con-"
    names = {slug("冬の服"), slug("夏の服"), slug(""), slug("...")}
    assert len(names) == 4


def test_the_bytes_of_a_picture_are_the_same_each_time() -> None:
    image = Drawn(background=None).image()
    assert png_bytes(image) == png_bytes(image)


def test_the_schema_in_the_documentation_is_that_of_the_manifest() -> None:
    written = (Path(__file__).parents[2] / "docs" / "export.schema.json").read_text(encoding="utf-8")
    assert written == schema_text()
