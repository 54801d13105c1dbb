"""Metadata decides nothing: a whole picture is accepted whatever it carries, a damaged one is refused."""

from __future__ import annotations

import tracemalloc
import warnings
from pathlib import Path

import corpus_metadata as metadata
import numpy as np
import pytest
from PIL import ImageFile, PngImagePlugin

from avatarforge.forge.store.images import ImageLimits, InvalidImage, inspect_image, load_rgb
from avatarforge.forge.store.thumbnails import make_thumbnail

pytestmark = pytest.mark.slow

LIMITS = ImageLimits()
PLAIN = metadata.plain()
CASES = Path(__file__).resolve().parents[1] / "data" / "cases"


@pytest.fixture(params=[False, True], ids=["strict", "truncation allowed"])
def forgiving(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Pillow's flag, which other packs raise at any moment, changes nothing."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", request.param)
    return bool(request.param)


@pytest.mark.usefixtures("forgiving")
@pytest.mark.parametrize("name", PLAIN)
def test_a_whole_picture_is_accepted_with_any_metadata(tmp_path: Path, name: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(PLAIN[name])
    facts = inspect_image(path, LIMITS)
    rgb, alpha = load_rgb(path)
    wrong: list[str] = []
    count = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind, data in metadata.dressed(name, PLAIN[name]):
            count += 1
            path.write_bytes(data)
            try:
                if inspect_image(path, LIMITS) != facts:
                    wrong.append(f"{kind}: other facts")
                shown, veil = load_rgb(path)
            except InvalidImage as error:
                wrong.append(f"{kind}: {error}")
                continue
            if not np.array_equal(np.asarray(shown), np.asarray(rgb)):
                wrong.append(f"{kind}: other pixels")
            if (veil is None) != (alpha is None) or (
                veil is not None and not np.array_equal(np.asarray(veil), np.asarray(alpha))
            ):
                wrong.append(f"{kind}: other alpha")
    assert wrong == []
    assert count > 50


@pytest.mark.usefixtures("forgiving")
@pytest.mark.parametrize("name", PLAIN)
def test_a_damaged_picture_is_refused_with_any_metadata(tmp_path: Path, name: str) -> None:
    path = tmp_path / "upload"
    accepted: list[str] = []
    for kind, data in metadata.dressed(name, PLAIN[name]):
        path.write_bytes(metadata.damaged(name, data))
        try:
            inspect_image(path, LIMITS)
        except InvalidImage:
            continue
        accepted.append(kind)
    assert accepted == []


def test_a_wrong_checksum_of_metadata_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    for kind, chunks in metadata.png_metadata():
        data = PLAIN["png-rgb"]
        path.write_bytes(data[:33] + chunks[:-1] + bytes((chunks[-1] ^ 1,)) + data[33:])
        with pytest.raises(InvalidImage, match="checksum"):
            inspect_image(path, LIMITS)
            pytest.fail(kind)


def test_packed_metadata_is_never_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    data = PLAIN["png-rgb"]
    bombs = b"".join(chunks for kind, chunks in metadata.png_metadata() if kind.endswith("-bomb"))
    path.write_bytes(data[:33] + bombs + data[33:])
    tracemalloc.start()
    try:
        inspect_image(path, LIMITS)
        load_rgb(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * metadata.MEBIBYTE


def test_pillows_limits_stay_as_they_are(tmp_path: Path) -> None:
    before = (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)
    path = CASES / "png-ztxt-1500kB-unpacked.png"
    facts = inspect_image(path, LIMITS)
    picture, _ = load_rgb(path)
    assert picture.size == (facts.width, facts.height)
    assert before == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)


def test_a_thumbnail_carries_no_metadata_and_needs_none(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    types = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
    for name, picture in PLAIN.items():
        mime_type = types[name.split("-")[0]]
        path.write_bytes(picture)
        expected = make_thumbnail(path, mime_type, 64)
        for kind, data in list(metadata.dressed(name, picture))[::7]:
            path.write_bytes(data)
            assert make_thumbnail(path, mime_type, 64) == expected, (name, kind)
