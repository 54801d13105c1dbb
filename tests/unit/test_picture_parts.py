"""The parts that a drawn picture has in its PNG, and texts that are not what they seem."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from avatarforge.forge.pictures.doll.character.parts_text import MAX_SIDE, MAX_TEXT
from avatarforge.forge.store.picture_parts import PARTS_KEY, parts_text, read_parts

SIZE = (64, 96)


def parts() -> Image.Image:
    mask = Image.new("L", SIZE)
    mask.paste(2, (10, 10, 30, 40))
    return mask


def stored(
    path: Path, text: str | None, *, key: str = PARTS_KEY, zip_: bool = False, size: tuple[int, int] = SIZE
) -> Path:
    info = PngInfo()
    info.add_text("prompt", '{"1": {}}')
    if text is not None:
        info.add_text(key, text, zip=zip_)
    Image.new("RGB", size, (9, 9, 9)).save(path / "a.png", pnginfo=info)
    return path / "a.png"


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    text = parts_text(parts())
    assert text is not None
    found = read_parts(stored(tmp_path, text), SIZE)
    assert found is not None
    assert found.tobytes() == parts().tobytes()


def test_anything_else_counts_as_none(tmp_path: Path) -> None:
    text = parts_text(parts())
    assert text is not None
    for path in (
        stored(tmp_path, None),
        stored(tmp_path, "x"),
        stored(tmp_path, text[:-8]),
        stored(tmp_path, text, key="parts"),
        stored(tmp_path, text, zip_=True),
        stored(tmp_path, text + "A" * MAX_TEXT),
        stored(tmp_path, "é" + text),
    ):
        assert read_parts(path, SIZE) is None
    assert read_parts(stored(tmp_path, text, size=(96, 64)), (96, 64)) is None
    jpeg = tmp_path / "a.jpg"
    Image.new("RGB", SIZE).save(jpeg)
    assert read_parts(jpeg, SIZE) is None


def test_a_damaged_file_counts_as_none(tmp_path: Path) -> None:
    text = parts_text(parts())
    path = stored(tmp_path, text)
    whole = path.read_bytes()
    for cut in (9, 20, 40, len(whole) - 30):
        path.write_bytes(whole[:cut])
        assert read_parts(path, SIZE) is None or cut > whole.index(PARTS_KEY.encode())


def test_a_text_that_would_unpack_to_more_than_the_picture_is_not_unpacked(tmp_path: Path) -> None:

    bomb = base64.b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    assert read_parts(stored(tmp_path, f"doll1:{SIZE[0]}x{SIZE[1]}:{bomb}"), SIZE) is None


def test_a_picture_that_is_too_large_to_be_read_back_has_no_text() -> None:
    assert parts_text(Image.new("L", (MAX_SIDE + 1, 1))) is None


@pytest.mark.parametrize("size", [(1, 1), (MAX_SIDE, 1)])
def test_the_limits_themselves_are_fine(size: tuple[int, int]) -> None:
    assert parts_text(Image.new("L", size)) is not None
