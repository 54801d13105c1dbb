"""Many pictures are exported with the memory of a few."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from exporting import Drawn, export_pictures, material_of

from avatarforge.forge.export.archive import PIECE
from avatarforge.forge.export.formats import FORMATS
from avatarforge.forge.export.material import DrawnPart
from avatarforge.forge.export.members import Checksums, FilePart, PartArchive
from avatarforge.forge.export.naming import Shows
from avatarforge.forge.export.picture_manifest import ExportFormat

SIZE = (256, 384)
#: Bytes of a decoded picture, and of a row of an atlas of up to 4096 pixels.
DECODED = SIZE[0] * SIZE[1] * 4
ROW = 4096 * (SIZE[1] + 2) * 4


def peak_of(work: Callable[[], int]) -> tuple[int, int]:
    """(what the work returns, the most bytes that Python held for it)."""
    tracemalloc.start()
    try:
        result = work()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def exported(folder: Path, kind: ExportFormat, number: int) -> Callable[[], int]:
    drawn = Drawn(SIZE, body=(60, 20, 200, 340), foot=(100, 340, 150, 370))
    one = export_pictures(folder, [drawn])[0]
    pictures = tuple(replace(one, name=f"p{index}", shows=Shows(view="front")) for index in range(number))
    material = replace(material_of(kind, (one,)), pictures=pictures)
    if material.figures:
        material = replace(material, figures=material.figures * number)

    def work() -> int:
        plan = FORMATS[kind].plan(material)
        drawn_bytes = 0
        for part in plan.parts:
            if isinstance(part, DrawnPart):
                drawn_bytes += sum(len(piece) for piece in part.pieces())
        files = [part for part in plan.parts if isinstance(part, FilePart)]
        archive = PartArchive(files, Checksums())
        return drawn_bytes + sum(len(piece) for piece in archive.pieces())

    return work


@pytest.mark.parametrize(("kind", "most"), [("zip", 4 * PIECE), ("lora", 4 * PIECE), ("renpy", 12 * DECODED)])
def test_a_thousand_pictures_take_no_more_memory_than_a_few(
    tmp_path: Path, kind: ExportFormat, most: int, request: pytest.FixtureRequest
) -> None:
    few, many = (20, 1_000) if kind != "renpy" else (4, 40)
    _, base = peak_of(exported(tmp_path, kind, few))
    size, peak = peak_of(exported(tmp_path, kind, many))
    assert size > many * 300
    per_picture = 8 * 1024  # of the plan: names, manifest
    assert peak < base + most + (many - few) * per_picture


def test_an_atlas_holds_one_row_of_frames(tmp_path: Path) -> None:
    whole = 2048 * 4096 * 4
    size, peak = peak_of(exported(tmp_path, "atlas", 120))
    assert size > 1_000
    assert peak < whole, "the whole atlas was in memory"
