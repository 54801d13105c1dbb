"""Saved pictures are measured whatever their metadata holds: a workflow can be of any length."""

from __future__ import annotations

from pathlib import Path

import corpus_metadata as metadata
import corpus_parts as parts
import pytest
from PIL import PngImagePlugin

from avatarforge.forge.errors import NotFoundError
from avatarforge.forge.generations.outputs import OutputFolder


def saved(tmp_path: Path, data: bytes) -> OutputFolder:
    outputs = OutputFolder(tmp_path)
    outputs.folder_of("g").mkdir(exist_ok=True)
    outputs.file("g", 0).write_bytes(data)
    return outputs


def test_a_picture_is_measured_with_any_metadata(tmp_path: Path) -> None:
    for kind, data in metadata.dressed("png-rgb", metadata.plain()["png-rgb"]):
        measured = saved(tmp_path, data).measure("g", 0, "front")
        assert (measured.width, measured.height, measured.size) == (72, 66, len(data)), kind


def test_a_workflow_of_more_text_than_pillow_reads_is_measured(tmp_path: Path) -> None:
    text = parts.chunk(b"tEXt", b"workflow\0" + b"x" * metadata.MEBIBYTE)
    count = PngImagePlugin.MAX_TEXT_MEMORY // metadata.MEBIBYTE + 1
    data = metadata.plain()["png-rgb"]
    assert saved(tmp_path, data[:33] + text * count + data[33:]).measure("g", 0, None).width == 72


@pytest.mark.parametrize("kept", [0, 7, 8, 23, 24, 32, 33, 60, -200, -12])
def test_a_picture_that_is_not_whole_cannot_be_measured(tmp_path: Path, kept: int) -> None:
    outputs = saved(tmp_path, metadata.plain()["png-rgb"][:kept])
    with pytest.raises(NotFoundError, match="cannot be read"):
        outputs.measure("g", 0, None)


def test_another_format_cannot_be_measured(tmp_path: Path) -> None:
    for name in ("jpeg-rgb", "webp-lossy"):
        with pytest.raises(NotFoundError):
            saved(tmp_path, metadata.plain()[name]).measure("g", 0, None)
