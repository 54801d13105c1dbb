"""Skeleton drawings are told from everything else."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from avatarforge.forge.pictures.recognise import looks_like_skeleton
from avatarforge.forge.pictures.skeleton import (
    KEYPOINT_COLOURS,
    LIMBS,
    BoneStyle,
    draw_skeleton,
    view_skeleton,
)
from avatarforge.forge.spec.views import SHEET_VIEWS


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return Image.open(io.BytesIO(data.getvalue()))


def colour_noise(size: int, sigma: float) -> Image.Image:
    # Not effect_noise: that cannot be seeded.
    channels = random.Random(7)  # noqa: S311
    values = bytes(min(255, max(0, int(channels.gauss(128, sigma)))) for _ in range(size * size * 3))
    return Image.frombytes("RGB", (size, size), values)


@pytest.mark.parametrize("size", [(128, 192), (256, 384), (384, 768), (512, 512), (832, 1216), (2048, 1536)])
@pytest.mark.parametrize("style", list(BoneStyle))
@pytest.mark.parametrize("view", SHEET_VIEWS)
def test_drawn_skeletons_are_recognised(view: str, style: BoneStyle, size: tuple[int, int]) -> None:
    image = draw_skeleton(view_skeleton(view), *size, style)
    assert looks_like_skeleton(image)
    for quality in (90, 60, 30):
        assert looks_like_skeleton(as_jpeg(image, quality)), quality


@pytest.mark.parametrize("scale", [0.4, 0.77, 1.9])
def test_scaled_skeletons_are_recognised(scale: float) -> None:
    image = draw_skeleton(view_skeleton("quarter"), 512, 768)
    size = (round(512 * scale), round(768 * scale))
    for resampling in (Image.Resampling.NEAREST, Image.Resampling.BICUBIC):
        assert looks_like_skeleton(image.resize(size, resampling))


def test_dots_of_a_face_and_hands_do_not_matter() -> None:
    image = draw_skeleton(view_skeleton("front"), 512, 768)
    draw = ImageDraw.Draw(image)
    for dot in range(70):
        turn, radius = dot * 2 * math.pi / 70, 12 + dot % 3 * 9
        x, y = 256 + radius * math.cos(turn), 115 + radius * math.sin(turn)
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill="white")
    for x in (110, 402):
        for finger in range(5):
            for joint in range(4):
                left, top = x + (finger - 2) * 9, 385 + joint * 10
                draw.ellipse((left - 4, top - 4, left + 4, top + 4), fill=(0, 0, 255))
    assert looks_like_skeleton(image)
    assert looks_like_skeleton(as_jpeg(image, 50))


def test_an_upper_body_and_a_crowd_are_recognised() -> None:
    close = draw_skeleton(view_skeleton("front"), 1024, 1536).crop((200, 120, 824, 744))
    assert looks_like_skeleton(close)
    crowd = Image.new("RGB", (1536, 768))
    for place in range(6):
        crowd.paste(draw_skeleton(view_skeleton(SHEET_VIEWS[place % 4]), 256, 768), (256 * place, 0))
    assert looks_like_skeleton(crowd)


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_the_mode_of_the_file_does_not_matter(mode: str) -> None:
    image = draw_skeleton(view_skeleton("front"), 512, 768)
    assert looks_like_skeleton(image.convert(mode))


def test_a_skeleton_on_nothing_is_a_skeleton() -> None:
    image = draw_skeleton(view_skeleton("front"), 512, 768)
    red, green, blue = image.split()
    alpha = ImageChops.lighter(ImageChops.lighter(red, green), blue).point(lambda value: 255 * (value > 0))
    white = Image.new("RGB", image.size, "white")
    cut_out = Image.composite(image, white, alpha)
    cut_out.putalpha(alpha)
    assert looks_like_skeleton(cut_out)


def blank(colour: str) -> Image.Image:
    return Image.new("RGB", (512, 512), colour)


def text(colours: bool) -> Image.Image:
    image = blank("black")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=22)
    for row in range(18):
        fill = KEYPOINT_COLOURS[row] if colours else (255, 255, 255)
        draw.text((20, 20 + 26 * row), "The quick brown fox jumps", font=font, fill=fill)
    return image


def line_art() -> Image.Image:
    chance, image = random.Random(3), blank("white")  # noqa: S311
    draw = ImageDraw.Draw(image)
    for _ in range(30):
        points = [(chance.uniform(0, 512), chance.uniform(0, 512)) for _ in range(4)]
        draw.line(points, fill="black", width=3)
    return image


def lights() -> Image.Image:
    chance, image = random.Random(4), blank("black")  # noqa: S311
    draw = ImageDraw.Draw(image)
    for _ in range(300):
        x, y, radius = chance.uniform(0, 512), chance.uniform(0, 512), chance.uniform(0, 6)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=chance.choice(KEYPOINT_COLOURS))
    return image


def stick_man(colour: str) -> Image.Image:
    image, skeleton = blank("black"), view_skeleton("front")
    draw = ImageDraw.Draw(image)
    for limb in LIMBS:
        ends = [point for point in (skeleton.keypoints[end] for end in limb) if point is not None]
        draw.line([(point.x * 512, point.y * 512) for point in ends], fill=colour, width=8)
    return image


def colour_wheel(radius: int) -> Image.Image:
    image = blank("black")
    draw = ImageDraw.Draw(image)
    for part, colour in enumerate(KEYPOINT_COLOURS):
        box = (256 - radius, 256 - radius, 256 + radius, 256 + radius)
        draw.pieslice(box, part * 20, part * 20 + 20, fill=colour)
    return image


def figure_in_the_dark() -> Image.Image:
    image = Image.new("RGB", (512, 768), (14, 14, 18))
    draw = ImageDraw.Draw(image)
    draw.ellipse((200, 90, 310, 230), fill=(220, 180, 150))
    draw.rectangle((170, 230, 340, 480), fill=(150, 30, 40))
    draw.rectangle((180, 480, 330, 720), fill=(30, 40, 120))
    return image


def skeleton_far_away() -> Image.Image:
    image = Image.new("RGB", (1024, 1024))
    image.paste(draw_skeleton(view_skeleton("front"), 80, 120), (470, 450))
    return image


OTHERS: dict[str, Callable[[], Image.Image]] = {
    "black": lambda: blank("black"),
    "white": lambda: blank("white"),
    "noise": lambda: colour_noise(256, 60),
    "dark noise": lambda: colour_noise(256, 60).point(lambda value: value // 6),
    "noise in the night": lambda: (
        colour_noise(32, 60).resize((512, 512)).point(lambda value: max(0, value - 150) * 3)
    ),
    "gradient": lambda: Image.linear_gradient("L").convert("RGB"),
    "depth map": lambda: Image.radial_gradient("L").point(lambda value: 255 - value).convert("RGB"),
    "white text": lambda: text(colours=False),
    "coloured text": lambda: text(colours=True),
    "line art": line_art,
    "inverted line art": lambda: ImageChops.invert(line_art()),
    "lights": lights,
    "blurred lights": lambda: lights().filter(ImageFilter.GaussianBlur(5)),
    "white stick man": lambda: stick_man("white"),
    "red stick man": lambda: stick_man("red"),
    "large colour wheel": lambda: colour_wheel(200),
    "small colour wheel": lambda: colour_wheel(90),
    "figure in the dark": figure_in_the_dark,
    "inverted skeleton": lambda: ImageChops.invert(draw_skeleton(view_skeleton("front"), 512, 768)),
    "grey skeleton": lambda: draw_skeleton(view_skeleton("front"), 512, 768).convert("L"),
    "skeleton far away": skeleton_far_away,
    "speck": lambda: draw_skeleton(view_skeleton("front"), 20, 30),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_pictures_are_not_skeletons(name: str) -> None:
    image = OTHERS[name]()
    assert not looks_like_skeleton(image)
    assert not looks_like_skeleton(as_jpeg(image, 60))
