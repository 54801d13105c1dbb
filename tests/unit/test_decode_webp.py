"""Large WEBP pictures are tried in a process of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import corpus_parts as parts
import PIL
import pytest
from PIL import Image, WebPImagePlugin

from avatarforge.forge.store import decode_webp
from avatarforge.forge.store.images import ImageLimits, InvalidImage, inspect_image

pytestmark = pytest.mark.slow

CRASH = "import os, sys; sys.stdout.write('started '); sys.stdout.flush(); os.abort()"
HANG = "import sys, time; sys.stdout.write('started '); sys.stdout.flush(); time.sleep(600)"


@pytest.fixture
def tried_here(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Notes every decode in this process."""
    seen: list[int] = []
    really = WebPImagePlugin.WebPImageFile.load

    def note(self: WebPImagePlugin.WebPImageFile) -> object:
        seen.append(self.width)
        return really(self)

    monkeypatch.setattr(WebPImagePlugin.WebPImageFile, "load", note)
    return seen


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "large \u00e4\u9a0e.part"
    path.write_bytes(parts.encoded(Image.new("RGB", (1025, 1025), "teal"), "WEBP"))
    assert decode_webp.SMALL < 1025 * 1025
    yield path
    path.unlink()  # which Windows refuses while the child still has it open


def test_a_large_one_is_decoded_elsewhere(large: Path, tried_here: list[int]) -> None:
    assert inspect_image(large, ImageLimits()).width == 1025
    assert tried_here == []


def test_a_small_one_is_decoded_here(tmp_path: Path, tried_here: list[int]) -> None:
    path = tmp_path / "small"
    path.write_bytes(parts.encoded(parts.gradient(), "WEBP"))
    inspect_image(path, ImageLimits())
    assert tried_here == [72]


@pytest.mark.parametrize("lossless", [False, True])
def test_a_large_one_that_is_damaged_is_refused(
    tmp_path: Path, tried_here: list[int], lossless: bool
) -> None:
    picture = parts.gradient((1100, 1100))
    ((kind, data),) = parts.webp_parts(parts.encoded(picture, "WEBP", lossless=lossless))
    path = tmp_path / "large"
    path.write_bytes(parts.rebuilt_webp([(kind, data[: len(data) // 2])]))
    with pytest.raises(InvalidImage, match="cannot be decoded"):
        inspect_image(path, ImageLimits())
    assert tried_here == []


@pytest.mark.parametrize("script", [CRASH, HANG], ids=["crash", "hang"])
def test_one_that_takes_the_child_down_is_refused(
    large: Path, tried_here: list[int], monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(decode_webp, "SCRIPT", script)
    monkeypatch.setattr(decode_webp, "PATIENCE", 60.0 if script is CRASH else 1.0)
    with pytest.raises(InvalidImage, match="cannot be decoded"):
        inspect_image(large, ImageLimits())
    assert tried_here == []


@pytest.mark.parametrize("name", ["ComfyUI.exe", "", "python-that-is-not-there"])
def test_where_no_child_can_be_started_it_is_decoded_here(
    large: Path, tmp_path: Path, tried_here: list[int], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / name) if name else "")
    assert inspect_image(large, ImageLimits()).width == 1025
    assert tried_here == [1025]


def test_a_child_that_cannot_read_the_disk_leaves_it_to_us(
    large: Path, tried_here: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_webp, "SCRIPT", decode_webp.SCRIPT.replace("sys.argv[1]", "'/nowhere'"))
    inspect_image(large, ImageLimits())
    assert tried_here == [1025]


def test_a_program_that_only_contains_python_is_not_started_again(
    large: Path, tried_here: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    inspect_image(large, ImageLimits())
    assert tried_here == [1025]


def test_a_child_that_cannot_import_pillow_leaves_it_to_us(
    large: Path, tried_here: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(PIL, "__file__", str(tmp_path / "nowhere" / "PIL" / "__init__.py"))
    inspect_image(large, ImageLimits())
    assert tried_here == [1025]
