"""What an uploaded picture may be."""

from __future__ import annotations

import errno
import io
import struct
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import corpus
import corpus_parts as parts
import pytest
from PIL import Image, ImageFile, PngImagePlugin

from avatarforge.forge.store.images import ImageFacts, ImageLimits, InvalidImage, inspect_image, load_rgb

pytestmark = pytest.mark.slow

LIMITS = ImageLimits()
CASES = list(corpus.cases())


@pytest.fixture
def truncation_allowed() -> Iterator[None]:
    """Another thread holds Pillow's flag up, as ComfyUI's `node_helpers.pillow` does."""
    up, done = threading.Event(), threading.Event()

    def hold() -> None:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        up.set()
        done.wait()
        ImageFile.LOAD_TRUNCATED_IMAGES = False

    thread = threading.Thread(target=hold)
    thread.start()
    up.wait()
    yield
    done.set()
    thread.join()


def verdicts(tmp_path: Path) -> list[str]:
    """The cases that went wrong, in words."""
    path = tmp_path / "upload"
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for case in CASES:
            path.write_bytes(case.data)
            try:
                facts = inspect_image(path, LIMITS)
            except InvalidImage as refusal:
                if case.expected == "ok":
                    wrong.append(f"{case.name}: refused: {refusal}")
                continue
            if case.expected == "bad":
                wrong.append(f"{case.name}: accepted")
                continue
            rgb, alpha = load_rgb(path)
            if (rgb.mode, rgb.size) != ("RGB", (facts.width, facts.height)):
                wrong.append(f"{case.name}: loads as {rgb.mode} {rgb.size}")
            if alpha is not None and (alpha.mode, alpha.size) != ("L", rgb.size):
                wrong.append(f"{case.name}: alpha loads as {alpha.mode} {alpha.size}")
    return wrong


def test_the_corpus_is_large_and_the_same_every_time() -> None:
    assert len(CASES) > 1000
    assert len({case.name for case in CASES}) == len(CASES)
    assert [case.data for case in corpus.cases()] == [case.data for case in CASES]


def test_corpus(tmp_path: Path) -> None:
    assert verdicts(tmp_path) == []


@pytest.mark.usefixtures("truncation_allowed")
def test_corpus_while_another_thread_allows_truncated_images(tmp_path: Path) -> None:
    assert verdicts(tmp_path) == []
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


@pytest.mark.usefixtures("truncation_allowed")
def test_the_flag_in_question_does_make_pillow_forgive(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(parts.encoded(parts.gradient(), "JPEG")[:-200])
    with Image.open(path) as picture:
        picture.load()
    with pytest.raises(InvalidImage, match="truncated"):
        inspect_image(path, LIMITS)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("PNG", ImageFacts("image/png", "png", 72, 66)),
        ("JPEG", ImageFacts("image/jpeg", "jpg", 72, 66)),
        ("WEBP", ImageFacts("image/webp", "webp", 72, 66)),
    ],
)
def test_facts_follow_the_bytes(tmp_path: Path, kind: str, expected: ImageFacts) -> None:
    path = tmp_path / "picture.gif"
    path.write_bytes(parts.encoded(parts.gradient(), kind))
    assert inspect_image(path, LIMITS) == expected


@pytest.mark.parametrize("side", [63, 64, 4096, 4097])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_limits_are_inclusive(tmp_path: Path, kind: str, side: int) -> None:
    path = tmp_path / "upload"
    for size in ((side, 64), (64, side)):
        path.write_bytes(parts.encoded(Image.new("RGB", size), kind))
        if side in (64, 4096):
            facts = inspect_image(path, LIMITS)
            assert (facts.width, facts.height) == size
        else:
            with pytest.raises(
                InvalidImage, match=f"{size[0]}x{size[1]} pixels; each side must be from 64 to 4096"
            ):
                inspect_image(path, LIMITS)


def test_limits_are_those_given(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(parts.encoded(Image.new("RGB", (10, 20)), "PNG"))
    assert inspect_image(path, ImageLimits(10, 20)).height == 20
    with pytest.raises(InvalidImage, match="from 11 to 20"):
        inspect_image(path, ImageLimits(11, 20))


def _headers(width: int, height: int) -> dict[str, bytes]:
    """The first bytes of each format, and nothing behind them."""
    ihdr = parts.chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    sof = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return {
        "PNG": parts.PNG_START + ihdr,
        "JPEG": b"\xff\xd8\xff\xc0" + struct.pack(">H", len(sof) + 2) + sof,
        "WEBP": parts.rebuilt_webp([(b"VP8X", canvas)]),
    }


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_size_is_refused_from_the_header_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(_headers(30000, 30000)[kind])
    with pytest.raises(InvalidImage, match="30000x30000"):
        inspect_image(path, LIMITS)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_size_is_that_of_the_picture_as_shown(tmp_path: Path, orientation: int, order: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(
        parts.with_exif(parts.encoded(parts.gradient(), "JPEG"), parts.exif_block(orientation, order))
    )
    facts = inspect_image(path, LIMITS)
    assert (facts.width, facts.height) == ((66, 72) if orientation >= 5 else (72, 66))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path: Path, value: int) -> None:
    path = tmp_path / "upload"
    path.write_bytes(parts.with_exif(parts.encoded(parts.gradient(), "JPEG"), parts.exif_block(value)))
    assert inspect_image(path, LIMITS).width == 72
    assert load_rgb(path)[0].size == (72, 66)


def test_refusals_are_one_sentence_and_name_no_path(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    sentences = set()
    for case in CASES:
        path.write_bytes(case.data)
        try:
            inspect_image(path, LIMITS)
        except InvalidImage as refusal:
            sentences.add(str(refusal))
    assert len(sentences) > 20
    for sentence in sentences:
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert str(tmp_path) not in sentence
        assert "Invalid image file" not in sentence


REASONS = {
    "png-animated": "animated",
    "png-one-frame-list": "animated",
    "png-RGB-cut-at-33": "truncated",
    "png-data-half": "less pixel data",
    "png-data-long": "more pixel data",
    "png-data-bad-filter": "unknown filter",
    "png-data-bad-adler": "does not unpack",
    "png-late-palette": "out of order",
    "png-many-texts": "too many chunks",
    "png-zip": "other data after its end",
    "jpeg-many-scans": "too many",
    "jpeg-many-segments": "too many segments",
    "jpeg-views-20001": "several pictures",
    "jpeg-twice-framed": "one picture",
    "webp-animated": "animated",
    "webp-animation-flag": "animated",
    "webp-two-pictures": "one picture",
    "webp-lossy-zip": "other data after its end",
    "other-empty": "empty",
    "other-avif": "AVIF",
}


@pytest.mark.parametrize(("name", "reason"), REASONS.items())
def test_refused_for_the_right_reason(tmp_path: Path, name: str, reason: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(next(case.data for case in CASES if case.name == name))
    with pytest.raises(InvalidImage, match=reason):
        inspect_image(path, LIMITS)


def test_a_jpeg_that_only_lacks_its_end_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(parts.encoded(parts.gradient(), "JPEG")[:-2])
    with pytest.raises(InvalidImage, match="its end is missing"):
        inspect_image(path, LIMITS)


def test_a_refusal_names_what_the_file_is(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(parts.encoded(parts.gradient(), "GIF"))
    with pytest.raises(InvalidImage, match=r"^The file is a GIF; only PNG, JPEG and WEBP are accepted\.$"):
        inspect_image(path, LIMITS)


def test_errors_of_the_disk_are_not_blamed_on_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError):
        inspect_image(tmp_path / "missing", LIMITS)
    with pytest.raises(FileNotFoundError):
        load_rgb(tmp_path / "missing")

    class BrokenDisk(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "open", lambda self, mode: BrokenDisk())
    with pytest.raises(OSError, match="Input/output error"):
        inspect_image(tmp_path / "upload", LIMITS)


def test_every_file_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[BinaryIO] = []
    really_open = Path.open

    def note(self: Path, mode: str = "r") -> BinaryIO:
        opened.append(really_open(self, mode))  # type: ignore[arg-type]
        return opened[-1]

    path = tmp_path / "upload"
    chosen = CASES[::40]
    for case in chosen:
        path.write_bytes(case.data)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", note)
            try:
                inspect_image(path, LIMITS)
                load_rgb(path)
            except InvalidImage:
                pass
    assert len(opened) >= len(chosen)
    assert all(handle.closed for handle in opened)


def test_pillows_own_limits_neither_widen_nor_narrow_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_name = {case.name: case.data for case in CASES}
    path = tmp_path / "upload"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", 1 << 40)
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_MEMORY", 1 << 40)
    for name in ("png-bomb", "png-real-bomb", "webp-claims-30000x30000"):
        path.write_bytes(by_name[name])
        with pytest.raises(InvalidImage):
            inspect_image(path, LIMITS)
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", 1)
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_MEMORY", 1)
    for name in ("png-text", "png-icc", "png-zTXt-bomb", "png-iCCP-bomb", "png-iTXt-bomb"):
        path.write_bytes(by_name[name])
        assert inspect_image(path, LIMITS).width == 72
        assert load_rgb(path)[0].size == (72, 66)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    for name in ("png-RGB", "jpeg-L"):
        path.write_bytes(by_name[name])
        assert inspect_image(path, LIMITS).width == 72


def test_a_phone_photo_with_a_gain_map_is_its_first_picture(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    plain = parts.encoded(parts.gradient(), "JPEG")
    gain_map = parts.encoded(Image.new("L", (64, 64), 99), "JPEG")
    path.write_bytes(plain)
    expected = load_rgb(path)[0].tobytes()
    path.write_bytes(plain[:2] + parts.mpf_index([0x030000, 0]) + plain[2:] + gain_map)
    assert inspect_image(path, LIMITS) == ImageFacts("image/jpeg", "jpg", 72, 66)
    assert load_rgb(path)[0].tobytes() == expected


def test_several_views_in_one_jpeg_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    plain = parts.encoded(parts.gradient(), "JPEG")
    path.write_bytes(plain[:2] + parts.mpf_index([0x020002, 0x020002]) + plain[2:] + plain)
    with pytest.raises(InvalidImage, match="several pictures"):
        inspect_image(path, LIMITS)
