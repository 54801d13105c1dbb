"""Draws the pack's icon and banner for ComfyUI's registry: a knight in four views, with Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

#: Limits of the registry (docs.comfy.org, "Specifications"): an icon of at most 800x400, a banner of 21:9.
ICON_SIZE = (400, 400)
BANNER_SIZE = (1260, 540)

#: Pictures are drawn at this scale and then reduced, for smooth edges.
SCALE = 4
NIGHT, DUSK = (24, 28, 48), (52, 60, 96)
STEEL, SHADE, LINE = (196, 206, 222), (140, 152, 176), (30, 34, 54)
CAPE, PLUME = (186, 44, 52), (226, 78, 70)
TEXT = (236, 240, 248)

Point = tuple[float, float]


def draw_brand(folder: Path) -> list[Path]:
    """Write ``icon.png`` and ``banner.png`` into ``folder``. Returns their paths."""
    icon, banner = folder / "icon.png", folder / "banner.png"
    _icon().save(icon, optimize=True)
    _banner().save(banner, optimize=True)
    return [icon, banner]


def _icon() -> Image.Image:
    image = _background(ICON_SIZE)
    _Knight(image, 0.5, 0.06, 1.02).draw_bust("front")
    return _downscale(image, ICON_SIZE)


def _banner() -> Image.Image:
    image = _background(BANNER_SIZE)
    for position, view in enumerate(("front", "quarter", "side", "back")):
        _Knight(image, 0.44 + 0.155 * position, 0.26, 0.42).draw_bust(view)
    draw = ImageDraw.Draw(image)
    height = image.height
    draw.text((height * 0.09, height * 0.36), "AvatarForge", TEXT, ImageFont.load_default(height * 0.115))
    subtitle = "A character API inside ComfyUI"
    draw.text((height * 0.09, height * 0.53), subtitle, STEEL, ImageFont.load_default(height * 0.044))
    return _downscale(image, BANNER_SIZE)


def _background(size: tuple[int, int]) -> Image.Image:
    """A vertical gradient."""
    width, height = size[0] * SCALE, size[1] * SCALE
    ramp = Image.linear_gradient("L").resize((width, height))
    return Image.composite(Image.new("RGB", ramp.size, DUSK), Image.new("RGB", ramp.size, NIGHT), ramp)


def _downscale(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS)


class _Knight:
    """Draws helmet, plume, shoulders and cape, in a box one unit high.

    ``x`` is the centre of the figure, as a fraction of the picture's width; ``y`` is its top and ``size``
    its height, as fractions of the picture's height.
    """

    def __init__(self, image: Image.Image, x: float, y: float, size: float) -> None:
        self._draw = ImageDraw.Draw(image)
        self._left = image.width * x
        self._top = image.height * y
        self._unit = image.height * size

    def draw_bust(self, view: str) -> None:
        lean = {"front": 0.0, "quarter": 0.10, "side": 0.22, "back": 0.0}[view]
        narrow = {"front": 1.0, "quarter": 0.92, "side": 0.72, "back": 1.0}[view]
        self._plume(view)
        if view != "back":
            self._shape(CAPE, [(-0.36 * narrow, 0.66), (0.36 * narrow, 0.66), (0.44, 1.0), (-0.44, 1.0)])
        self._shoulders(narrow)
        self._helmet(view, lean)
        if view == "back":
            self._shape(CAPE, [(-0.30, 0.63), (0.30, 0.63), (0.42, 1.0), (-0.42, 1.0)])
            self._stroke([(0, 0.66), (0, 1.0)])

    def _plume(self, view: str) -> None:
        if view in ("front", "back"):
            self._ellipse(PLUME, -0.06, 0.0, 0.06, 0.34)
        else:
            self._shape(
                PLUME,
                [
                    (0.06, 0.10),
                    (-0.10, 0.0),
                    (-0.30, 0.06),
                    (-0.42, 0.26),
                    (-0.40, 0.46),
                    (-0.28, 0.24),
                    (-0.06, 0.2),
                ],
            )

    def _shoulders(self, narrow: float) -> None:
        self._shape(
            STEEL,
            [
                (-0.16, 0.60),
                (0.16, 0.60),
                (0.24 * narrow, 0.72),
                (0.26 * narrow, 1.0),
                (-0.26 * narrow, 1.0),
                (-0.24 * narrow, 0.72),
            ],
        )
        for side in (-1, 1):
            middle = side * 0.29 * narrow
            self._ellipse(SHADE if side < 0 else STEEL, middle - 0.13, 0.64, middle + 0.13, 0.9)

    def _helmet(self, view: str, lean: float) -> None:
        self._ellipse(STEEL, -0.22, 0.12, 0.22, 0.56)
        if view == "side":
            self._shape(STEEL, [(-0.2, 0.34), (0.18, 0.3), (0.3, 0.46), (0.16, 0.66), (-0.16, 0.66)])
            self._slit([(0.06, 0.38), (0.27, 0.42), (0.27, 0.45), (0.06, 0.43)])
            return
        self._shape(STEEL, [(-0.22, 0.34), (0.22, 0.34), (0.17, 0.62), (0.0, 0.68), (-0.17, 0.62)])
        if view == "back":
            self._stroke([(0, 0.13), (0, 0.64)])
            return
        middle = lean * 0.9
        for side in (-1, 1):
            near, far = middle + side * 0.03, min(middle + side * (0.16 - lean * 0.3), 0.175)
            self._slit([(near, 0.40), (far, 0.37), (far, 0.42), (near, 0.44)])
        self._stroke([(middle, 0.14), (middle, 0.66)])
        for row in range(3):
            self._stroke([(middle + 0.05, 0.51 + 0.035 * row), (middle + 0.05, 0.525 + 0.035 * row)])
            self._stroke([(middle - 0.05, 0.51 + 0.035 * row), (middle - 0.05, 0.525 + 0.035 * row)])

    def _to_pixels(self, points: Sequence[Point]) -> list[Point]:
        return [(self._left + x * self._unit, self._top + y * self._unit) for x, y in points]

    def _shape(self, colour: tuple[int, int, int], points: Sequence[Point]) -> None:
        corners = self._to_pixels(points)
        self._draw.polygon(corners, colour)
        self._outline([*corners, corners[0]])

    def _slit(self, points: Sequence[Point]) -> None:
        self._draw.polygon(self._to_pixels(points), LINE)

    def _ellipse(
        self, colour: tuple[int, int, int], left: float, top: float, right: float, bottom: float
    ) -> None:
        corners = self._to_pixels([(left, top), (right, bottom)])
        self._draw.ellipse([*corners[0], *corners[1]], colour, LINE, round(self._unit * 0.014))

    def _stroke(self, points: Sequence[Point]) -> None:
        self._outline(self._to_pixels(points))

    def _outline(self, points: Sequence[Point]) -> None:
        self._draw.line(list(points), LINE, round(self._unit * 0.014), joint="curve")
