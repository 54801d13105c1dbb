"""Draws ``docs/images/overview.png``: what goes into a request, what runs, and what comes out.

The pictures in it are paper dolls, drawn from the inputs that it shows. Needs an interpreter with Pillow, and
the loaded pack.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from .doll_poses import RELAXED, Pose, person_in
from .dolls import FRONT, KNIGHT, Colour, drawing_of

SIZE = (1348, 520)
SCALE = 2  # everything is drawn twice as large, and then reduced, for smooth edges and text
PAPER, WHITE, EDGE = (250, 250, 248), (255, 255, 255), (196, 196, 196)
BLACK, QUIET, BLUE = (24, 24, 28), (104, 104, 110), (28, 78, 138)
HEADING, NAME, SMALL = 20, 20, 16  # font sizes in pixels
NOTE = "The pictures are paper dolls, drawn without a model from the inputs on the left."
#: The request. It names no colour: all colours come from the reference.
WORDS = "female knight, armor, cape"
INPUT, FRAME = (88, 132), (512, 768)
#: View -> its width in the picture; all are VIEW_HEIGHT high.
VIEWS, VIEW_HEIGHT = {"front": 196, "back": 196, "side": 108, "quarter": 168}, 310
VIEW_TOP = 96
POSE = Pose(
    right_arm=((36, -12), (-30, 20)),
    left_arm=((46, 10), (104, 30)),
    right_leg=((11, 0), (9, -6)),
    left_leg=((11, 6), (9, 0)),
)

Box = tuple[int, int, int, int]
Point = tuple[int, int]


def draw_overview(path: Path) -> Path:
    """Write the picture. Returns its path."""
    page = _Page()
    page.text((30, 24), "You send", HEADING, BLACK)
    page.text((322, 24), "Runs in ComfyUI's queue", HEADING, BLACK)
    page.text((626, 24), "You get one file per view", HEADING, BLACK)
    page.card((30, 62, 276, 154), "a prompt", [WORDS, "clothing, style, look"])
    page.card((30, 168, 276, 318), "a pose", ["optional:", "a skeleton, a", "photo or JSON"], pose_picture())
    reference = reference_drawing()
    page.card((30, 332, 276, 482), "a reference", ["optional:", "identity", "and colours"], reference.picture)
    page.arrow((284, 272), (314, 272))
    page.card((322, 62, 580, 482), "", [])
    steps = (
        ("AvatarForge", "REST API and nodes"),
        ("prompt graph", "of your model, or the paper doll"),
        ("sampling", "all views in one batch"),
        ("save", "PNG with the graph inside"),
    )
    for number, (name, detail) in enumerate(steps):
        top = 92 + number * 96
        page.text((451, top), name, NAME, BLUE if number == 0 else BLACK, "ma")
        page.text((451, top + 27), detail, SMALL, QUIET, "ma")
        if number < len(steps) - 1:
            page.down_arrow((451, top + 62))
    page.arrow((588, 272), (618, 272))
    left = 626
    for (name, width), view in zip(VIEWS.items(), views_like(reference), strict=True):
        page.picture(
            _around_figure(view, width / VIEW_HEIGHT), (left, VIEW_TOP, left + width, VIEW_TOP + VIEW_HEIGHT)
        )
        page.text((left + width // 2, VIEW_TOP + VIEW_HEIGHT + 10), name, NAME, BLACK, "ma")
        left += width + 8
    page.text((30, 494), NOTE, 14, QUIET)
    page.image.resize(SIZE, Image.Resampling.LANCZOS).save(path, optimize=True)
    return path


def reference_drawing() -> Any:
    """The `Drawing` that is sent as reference."""
    size = (INPUT[0] * SCALE, INPUT[1] * SCALE)
    return drawing_of(KNIGHT, size, person_in(RELAXED, FRONT, size, 0.92))


def pose_document() -> Any:
    """The `PoseDocument` that is sent as pose."""
    openpose = importlib.import_module("avatarforge.forge.pictures.openpose_json")
    skeleton = importlib.import_module("avatarforge.forge.pictures.skeleton")
    width, height = FRAME
    body = person_in(POSE, FRONT, FRAME, 0.86).body
    points = tuple(
        skeleton.Keypoint(body[name][0] / width, body[name][1] / height) if name in body else None
        for name in skeleton.KEYPOINT_NAMES
    )
    return openpose.PoseDocument((skeleton.Skeleton(points, width / height),), width, height)


def pose_picture() -> Image.Image:
    """The skeleton of that pose."""
    openpose = importlib.import_module("avatarforge.forge.pictures.openpose_json")
    size = (INPUT[0] * SCALE, INPUT[1] * SCALE)
    picture: Image.Image = openpose.draw_pose(pose_document(), *size)
    return picture


def views_like(reference: Any) -> Sequence[Any]:
    """The `Drawing`s that a request for all views gives. The pose decides the front and the back."""
    drawn = importlib.import_module("avatarforge.forge.pictures.doll.views")
    words = importlib.import_module("avatarforge.forge.pictures.doll.words.reader")
    openpose = importlib.import_module("avatarforge.forge.pictures.openpose_json")
    colours = importlib.import_module("avatarforge.forge.pictures.doll.character.reference")
    pose = pose_document()
    order = drawn.ViewsOrder(
        description=words.read_description(WORDS, "", "", False, ""),
        views=tuple(VIEWS),
        size=FRAME,
        seed=KNIGHT.own_seed,
        view_seed=drawn.SAME_SEED,
        consistency=1.0,
        passes=4,
        poses={"front": pose, "back": openpose.seen_from_behind(pose)},
        palette=colours.weighted(drawn.reference_palette(reference.picture, reference.parts), 1.0),
    )
    drawings: Sequence[Any] = drawn.draw_views(order, lambda *_: None)
    return drawings


def _around_figure(drawing: Any, aspect: float) -> Image.Image:
    """As much of the picture as has this width divided by height, with the figure in the middle."""
    left, _top, right, _bottom = drawing.parts.getbbox()
    middle, width = (left + right) / 2, FRAME[1] * aspect
    picture: Image.Image = drawing.picture
    start = min(max(0, middle - width / 2), FRAME[0] - width)
    return picture.crop((round(start), 0, round(start + width), FRAME[1]))


class _Page:
    """Positions and sizes are in pixels of the final picture."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (SIZE[0] * SCALE, SIZE[1] * SCALE), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def text(self, at: Point, text: str, size: int, colour: Colour, anchor: str = "la") -> None:
        self._draw.text(
            (at[0] * SCALE, at[1] * SCALE), text, colour, ImageFont.load_default(size * SCALE), anchor
        )

    def card(self, box: Box, name: str, lines: Sequence[str], picture: Image.Image | None = None) -> None:
        """A frame with a name, lines of text and a picture on its right."""
        self._draw.rounded_rectangle(_scaled(box), 10 * SCALE, WHITE, EDGE, 2 * SCALE)
        left, top, right, bottom = box
        self.text((left + 16, top + 14), name, NAME, BLUE)
        for number, line in enumerate(lines):
            self.text((left + 16, top + 42 + number * 21), line, SMALL, QUIET)
        if picture is not None:
            middle = (top + bottom) // 2
            self.picture(
                picture, (right - 10 - INPUT[0], middle - INPUT[1] // 2, right - 10, middle + INPUT[1] // 2)
            )

    def picture(self, picture: Image.Image, box: Box) -> None:
        left, top, right, bottom = _scaled(box)
        self.image.paste(picture.resize((right - left, bottom - top), Image.Resampling.LANCZOS), (left, top))
        self._draw.rectangle((left, top, right, bottom), None, EDGE, SCALE)

    def arrow(self, start: Point, end: Point) -> None:
        tip = (end[0], end[1])
        self._draw.line([*_scaled(start), *_scaled((end[0] - 8, end[1]))], BLACK, 3 * SCALE)
        self._draw.polygon(
            [*_scaled(tip), *_scaled((end[0] - 14, end[1] - 8)), *_scaled((end[0] - 14, end[1] + 8))], BLACK
        )

    def down_arrow(self, top: Point) -> None:
        x, y = top
        self._draw.polygon([*_scaled((x - 8, y)), *_scaled((x + 8, y)), *_scaled((x, y + 12))], EDGE)


def _scaled(numbers: Sequence[int]) -> tuple[int, ...]:
    return tuple(number * SCALE for number in numbers)
