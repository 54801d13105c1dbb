"""Atlases of pictures in memory, as the node Export Atlas writes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from exporting import BLUE, RED, Drawn
from godot_resource import parse
from PIL import Image

from avatarforge.forge.errors import TooLargeError
from avatarforge.forge.export.image_atlas import FILES, write_image_atlas

PICTURES = [("front", Drawn().image()), ("quarter-left", Drawn(size=(80, 96), colour=BLUE).image())]


def test_each_call_writes_into_a_folder_of_its_own(tmp_path: Path) -> None:
    first, drawn = write_image_atlas(tmp_path / "new", "My Mira", PICTURES, "atlas", None)
    second, _ = write_image_atlas(tmp_path / "new", "My Mira", PICTURES, "atlas", None)
    assert [first.name, second.name] == ["my-mira_00001", "my-mira_00002"]
    for folder in (first, second):
        assert {file.name for file in folder.iterdir()} == {
            "my-mira.png",
            "my-mira.json",
            "my-mira.array.json",
        }
    frames = json.loads((first / "my-mira.json").read_text())["frames"]
    assert [*frames] == ["front", "quarter-left"]
    with Image.open(first / "my-mira.png") as texture:
        for name, colour in (("front", RED), ("quarter-left", BLUE)):
            place = frames[name]["frame"]
            x, y = place["x"] + drawn.frames.pivot[0], place["y"] + drawn.frames.pivot[1] - 1
            assert texture.getpixel((x, y)) == (*colour, 255)
            assert frames[name]["pivot"] == {"x": 0.5, "y": 1.0}


@pytest.mark.parametrize("kind", FILES)
def test_every_format_is_written(tmp_path: Path, kind: str) -> None:
    folder, _ = write_image_atlas(tmp_path, "mira", PICTURES, kind, 40)
    for file in folder.iterdir():
        text = file.read_text() if file.suffix != ".png" else ""
        assert file.suffix in (".png", ".json", ".tres", ".tscn")
        if file.suffix == ".json":
            assert json.loads(text)
        elif file.suffix != ".png":
            assert parse(text).main


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    twice = [PICTURES[0], ("Front", PICTURES[1][1])]
    large = [("a", Image.new("RGB", (9000, 8)))]
    for pictures, error, says in (
        ([], ValueError, "at least one picture"),
        (twice, ValueError, "there twice: front"),
        (PICTURES * 501, ValueError, "at most 1000"),
        (large, TooLargeError, "Send height="),
    ):
        with pytest.raises(error, match=says):
            write_image_atlas(tmp_path, "mira", pictures, "atlas", None)
    assert not [*tmp_path.iterdir()]
