"""OpenPose body skeletons: the 18 COCO keypoints, the built-in views, and drawing in the annotators'
style.

Keypoint order: OpenPose, `POSE_COCO_BODY_PARTS`. Limb pairs, colours, ellipses and sizes: the annotators of
ControlNet 1.1 (limbs are filled ellipses at 60 % brightness, joints are discs at full brightness, nothing is
anti-aliased, limbs and joints are drawn in a fixed order regardless of depth). ControlNets were trained on
exactly such pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from PIL import Image, ImageDraw

from ..spec.views import VIEW_NAMES, VIEWS
from .body import seen_from, standing_body

Colour = tuple[int, int, int]

KEYPOINT_NAMES: tuple[str, ...] = (
    "nose",
    "neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_eye",
    "left_eye",
    "right_ear",
    "left_ear",
)

# Pairs of indices into KEYPOINT_NAMES, in drawing order. The shoulder-ear pairs, which OpenPose uses to match
# people, are not drawn by annotators.
LIMBS: tuple[tuple[int, int], ...] = (
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (1, 8),
    (8, 9),
    (9, 10),
    (1, 11),
    (11, 12),
    (12, 13),
    (1, 0),
    (0, 14),
    (14, 16),
    (0, 15),
    (15, 17),
)


def _rainbow() -> tuple[Colour, ...]:
    """Eighteen saturated hues 20 degrees apart, in the annotators' steps of 85: red, ..., violet, ...,
    rose."""
    colours: list[Colour] = []
    for step in range(18):
        sixth, third = divmod(step, 3)
        rise, fall = 85 * third, 255 - 85 * third
        colours.append(
            (
                (255, rise, 0),
                (fall, 255, 0),
                (0, 255, rise),
                (0, fall, 255),
                (rise, 0, 255),
                (255, 0, fall),
            )[sixth]
        )
    return tuple(colours)


KEYPOINT_COLOURS: tuple[Colour, ...] = _rainbow()
# The first 17 keypoint colours at 60 % brightness.
LIMB_COLOURS: tuple[Colour, ...] = tuple(
    (red * 6 // 10, green * 6 // 10, blue * 6 // 10) for red, green, blue in KEYPOINT_COLOURS[: len(LIMBS)]
)

# Margins of the frame around a view, in units of the person's height. The one above the head leaves room for
# hair.
ABOVE_HEAD = 0.08
BELOW_FEET = 0.05
# Beside the outermost joint, because hands and feet extend beyond wrists and ankles.
BESIDE_BODY = 0.09


@dataclass(frozen=True)
class Keypoint:
    """A joint: x to the right and y down, as fractions of the frame's width and height."""

    x: float
    y: float


@dataclass(frozen=True)
class Skeleton:
    """The 18 keypoints of a person in OpenPose order (None: not visible), relative to a frame.

    `aspect` is the frame's width divided by its height. Raises ValueError for a wrong number of keypoints or
    an aspect that is not a positive number.
    """

    keypoints: tuple[Keypoint | None, ...]
    aspect: float

    def __post_init__(self) -> None:
        if len(self.keypoints) != len(KEYPOINT_NAMES):
            raise ValueError(f"A skeleton has {len(KEYPOINT_NAMES)} keypoints, not {len(self.keypoints)}.")
        if not (math.isfinite(self.aspect) and self.aspect > 0):
            raise ValueError("The aspect of a skeleton's frame is a positive number.")

    def __getitem__(self, name: str) -> Keypoint | None:
        """The keypoint of that name (one of KEYPOINT_NAMES), or None if it is not visible."""
        return self.keypoints[KEYPOINT_NAMES.index(name)]


class BoneStyle(Enum):
    """The thickness of bones and joints.

    STANDARD: the ControlNet annotators draw with a radius of 4 in a picture of 512 pixels. Here the radius
    grows with the square root of the area, so that a profile of 384x768 has similar bones as its front view
    of 512x768. XINSIR: the model cards of xinsir's SDXL openpose and union ControlNets give 4 times a factor
    that grows in steps with the long side: below 500 pixels 1, below 1000 2, below 2000 3, and so on up to 7.
    """

    STANDARD = "standard"
    XINSIR = "xinsir"

    def stick_width(self, width: int, height: int) -> int:
        """Half the thickness of a bone, which is also the radius of a joint, in pixels, for this picture
        size."""
        if self is BoneStyle.XINSIR:
            long_side = max(width, height)
            return 4 if long_side < 500 else 4 * min(2 + long_side // 1000, 7)
        return max(1, int(4 * math.sqrt(width * height) / 512))


def view_skeleton(view: str) -> Skeleton:
    """The built-in standing person in one of the views; all views drawn at one height have the same scale.

    front: the person's right is on the picture's left. back: the person's right is on the picture's right,
    without nose and eyes. side: a profile facing the picture's left, with the far eye and ear hidden.
    quarter: turned 40 degrees towards the picture's left, with the far ear hidden. The others are turned by
    `View.turn`. Raises ValueError for another name.
    """
    if view not in VIEWS:
        raise ValueError(f"Unknown view {view!r}: one of {', '.join(VIEW_NAMES)}.")
    joints = seen_from(standing_body(), VIEWS[view].turn)
    frame_height = ABOVE_HEAD + 1.0 + BELOW_FEET
    # The body's axis stays in the middle of the frame, so that a turnaround does not sway.
    frame_width = 2 * (max(abs(x) for x, _ in joints.values()) + BESIDE_BODY)
    keypoints = tuple(
        Keypoint(0.5 + joints[name][0] / frame_width, (ABOVE_HEAD + 1.0 - joints[name][1]) / frame_height)
        if name in joints
        else None
        for name in KEYPOINT_NAMES
    )
    return Skeleton(keypoints, frame_width / frame_height)


def draw_skeleton(
    skeleton: Skeleton, width: int, height: int, style: BoneStyle = BoneStyle.STANDARD
) -> Image.Image:
    """Draw one skeleton as an RGB picture on black, `width` by `height` pixels.

    The skeleton's frame is fitted in without distortion, centred horizontally and at the bottom edge. Raises
    ValueError for a size below one pixel.
    """
    return draw_skeletons((skeleton,), width, height, style, vertical=1.0)


def draw_skeletons(
    skeletons: Iterable[Skeleton],
    width: int,
    height: int,
    style: BoneStyle = BoneStyle.STANDARD,
    vertical: float = 0.5,
) -> Image.Image:
    """Draw several skeletons into one RGB picture on black, each frame fitted in without distortion.

    `vertical` aligns the frames: 0 at the top, 0.5 in the middle, 1 at the bottom. Raises ValueError for a
    size below one pixel.
    """
    if width < 1 or height < 1:
        raise ValueError(f"A picture is at least 1x1 pixels, not {width}x{height}.")
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    stick_width = style.stick_width(width, height)
    for skeleton in skeletons:
        frame_height = min(height, width / skeleton.aspect)
        frame_width = frame_height * skeleton.aspect
        left, top = (width - frame_width) / 2, (height - frame_height) * vertical
        points = [
            None if point is None else (left + point.x * frame_width, top + point.y * frame_height)
            for point in skeleton.keypoints
        ]
        _draw_points(draw, points, stick_width)
    return image


def _draw_points(
    draw: ImageDraw.ImageDraw, points: list[tuple[float, float] | None], stick_width: int
) -> None:
    """Draw limbs first, then joints, in the annotators' order; `points` are in pixels."""
    for (start, end), colour in zip(LIMBS, LIMB_COLOURS, strict=True):
        first, second = points[start], points[end]
        if first is not None and second is not None:
            _draw_limb(draw, first, second, stick_width, colour)
    for point, colour in zip(points, KEYPOINT_COLOURS, strict=True):
        if point is not None:
            x, y = round(point[0]), round(point[1])
            box = (x - stick_width, y - stick_width, x + stick_width, y + stick_width)
            draw.ellipse(box, fill=colour)


def _draw_limb(
    draw: ImageDraw.ImageDraw,
    first: tuple[float, float],
    second: tuple[float, float],
    stick_width: int,
    colour: Colour,
) -> None:
    """Draw a filled ellipse whose long axis joins two points and whose semi-minor axis is `stick_width`."""
    along_x, along_y = (second[0] - first[0]) / 2, (second[1] - first[1]) / 2
    half_length = math.hypot(along_x, along_y)
    if half_length < 0.5:
        return  # covered by the joints' discs
    across_x, across_y = -along_y / half_length * stick_width, along_x / half_length * stick_width
    middle_x, middle_y = first[0] + along_x, first[1] + along_y
    outline: list[tuple[float, float]] = []
    for degree in range(0, 360, 3):
        cosine, sine = math.cos(math.radians(degree)), math.sin(math.radians(degree))
        outline.append(
            (middle_x + cosine * along_x + sine * across_x, middle_y + cosine * along_y + sine * across_y)
        )
    draw.polygon(outline, fill=colour)
