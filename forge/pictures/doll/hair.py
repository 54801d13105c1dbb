"""Hair: what falls behind the head, the cap that covers it, and what falls in front of the shoulders.

The hairline is a curve on the skull, so that it is right from every side; see `Head.on_skull`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .detail import Details
from .geometry import Outline, add, distance, ribbon, smooth, smooth_line
from .head import Head
from .layers import Layer, Patch, Shape, Stroke
from .person import Point

#: How far the hairline reaches around the head, in degrees from straight ahead.
TEMPLE = 96.0
#: Visible hairlines shorter than this, in degrees, are left out: they would be a sliver at the edge.
_SLIVER = 14.0


@dataclass(frozen=True)
class Cut:
    """The shape of a hairstyle. `swell` is the cap's size relative to the head and `lift` its extra height, in
    statures. `fringe` are the heights of the hairline from the right temple to the left, as seen from the
    front, with `tips` strands that hang `hang` below it. `length` is how far the hair behind falls below the
    ears, `width` its half width there relative to the head. `tied` hair falls from its band."""

    swell: float = 1.07
    lift: float = 0.006
    fringe: Sequence[float] = (0.002, 0.030, 0.040, 0.034, 0.002)
    tips: int = 5
    hang: float = 0.013
    width: float = 1.12
    curl: float = 0.0
    spikes: float = 0.0
    side_locks: bool = False


_CUTS: Mapping[str, Cut] = {
    "loose": Cut(),
    "straight": Cut(tips=7, hang=0.010, fringe=(0.0, 0.028, 0.032, 0.028, 0.0), width=1.06),
    "wavy": Cut(swell=1.10, tips=4, hang=0.014, width=1.26, curl=0.007),
    "curly": Cut(
        swell=1.17,
        lift=0.012,
        tips=6,
        hang=0.010,
        width=1.42,
        curl=0.012,
        fringe=(0.0, 0.034, 0.042, 0.034, 0.0),
    ),
    "spiky": Cut(
        swell=1.08, lift=0.010, tips=6, hang=0.020, spikes=0.026, fringe=(0.004, 0.034, 0.040, 0.036, 0.004)
    ),
    "ponytail": Cut(swell=1.05, tips=4, hang=0.012),
    "pigtails": Cut(swell=1.05, tips=5, hang=0.013),
    "braid": Cut(swell=1.05, tips=4, hang=0.011),
    "bun": Cut(swell=1.04, tips=3, hang=0.008, fringe=(0.004, 0.036, 0.046, 0.040, 0.004)),
    "bob": Cut(swell=1.13, tips=7, hang=0.008, width=1.26, fringe=(0.0, 0.026, 0.028, 0.026, 0.0)),
    "mohawk": Cut(swell=1.015, lift=0.0, tips=0, hang=0.0, fringe=(0.006, 0.040, 0.050, 0.040, 0.006)),
}
#: Style -> where tied hair is fixed, as (azimuth in degrees, height in statures).
_TIED: Mapping[str, tuple[tuple[float, float], ...]] = {
    "ponytail": ((180.0, 0.034),),
    "pigtails": ((112.0, 0.006), (-112.0, 0.006)),
    "braid": ((180.0, -0.012),),
    "bun": ((180.0, 0.056),),
}
_LENGTHS = {"bald": 0.0, "short": 0.030, "medium": 0.105, "long": 0.300}


class Hair:
    """The layers of one character's hair. `details` decides the strands."""

    def __init__(self, head: Head, details: Details) -> None:
        self._head, self._figure, self._details = head, head.figure, details
        self._character = head.figure.character
        self._cut = _CUTS[self._character.hair_style]
        self._colour = self._character.hair_colour
        self._length = _LENGTHS[self._character.hair_length]

    @property
    def is_bald(self) -> bool:
        return self._character.hair_length == "bald"

    @property
    def _tied(self) -> tuple[tuple[float, float], ...]:
        return _TIED.get(self._character.hair_style, ())

    def behind(self) -> list[Layer]:
        """What hangs behind the head: in front of the body when it is seen from behind."""
        if self.is_bald or (self._joins_mass and self._figure.from_behind):
            return []
        layers = []
        if self._tied:
            layers += [self._tail(azimuth, height) for azimuth, height in self._tied]
        elif self._joins_mass:
            layers.append(self._mass())
        return layers

    @property
    def _joins_mass(self) -> bool:
        """Whether loose hair goes on below the cap."""
        return not self._tied and self._character.hair_style != "mohawk" and self._length > 0.05

    def cap(self) -> list[Layer]:
        """The hair on the head, with the face left out."""
        if self.is_bald:
            return []
        head, style = self._head, self._character.hair_style
        outline = self._cap_outline()
        face = self._face_opening()
        if self._joins_mass and self._figure.from_behind:
            mass = self._mass()
            return [
                replace(
                    mass,
                    shapes=[Shape(outline, "head"), *mass.shapes],
                    cut=face,
                    strokes=(*mass.strokes, *self._strands()),
                )
            ]
        layer = Layer(
            "hair",
            self._colour,
            [Shape(outline, "head")],
            depth=self._figure.px(0.010),
            cut=face,
            clip=self._above(
                -0.034 if self._figure.from_behind else -0.012 if self._length < 0.06 else -0.040
            ),
            strokes=self._strands(),
            material="silk",
        )
        layers = [layer]
        if style == "mohawk":
            layers.append(self._crest())
        return layers

    def locks(self) -> list[Layer]:
        """Strands beside the face, in front of the shoulders."""
        if self.is_bald or self._length < 0.06 or self._figure.from_behind or self._cut.swell < 1.06:
            return []
        layers = []
        reach = -0.030 - min(self._length, 0.13) * 0.75
        for sign in (1.0, -1.0):
            azimuth = sign * 78.0
            if math.cos(math.radians(azimuth - self._figure.turn)) < -0.2:
                continue
            top = self._head.on_skull(azimuth, 0.024, self._cut.swell)
            middle = self._head.on_skull(azimuth + sign * 4, -0.020, self._cut.swell * 1.05)
            end = self._falling(middle, reach + 0.020, sign * 0.004)
            points = smooth_line([top, middle, end], 6)
            count = len(points)
            width = self._figure.px(0.0105)
            widths = [
                width
                * (0.5 + 0.9 * math.sin(math.pi * min(1.0, (index + 2) / count)))
                * (1.0 if index < count * 0.6 else (count - index) / (count * 0.4))
                for index in range(count)
            ]
            layers.append(
                Layer(
                    "hair",
                    self._colour,
                    [Shape(ribbon(points, widths), "head")],
                    depth=self._figure.px(0.004),
                    material="silk",
                )
            )
        return layers

    def _falling(self, start: Point, down: float, aside: float = 0.0) -> Point:
        """A point below `start`: hair hangs down whatever the head does."""
        return (start[0] + self._figure.px(aside), start[1] - self._figure.px(down))

    def _above(self, y: float) -> Outline:
        size = self._head.enlarged
        return tuple(
            self._head.flat(*corner)
            for corner in ((-0.3, 0.4), (0.3, 0.4), (0.3, y * size), (-0.3, y * size))
        )

    def _cap_outline(self) -> Outline:
        head, cut = self._head, self._cut
        outline = head.grown_outline(cut.swell, cut.lift)
        if not (cut.spikes or cut.curl > 0.01):
            return outline
        centre = head.flat(0.0, 0.006)
        points: list[Point] = []
        count = 13 if cut.spikes else 19
        dense = outline
        for index in range(count):
            here = dense[round(index * len(dense) / count) % len(dense)]
            there = dense[round((index + 0.5) * len(dense) / count) % len(dense)]
            low = here[1] > centre[1] + head.unit * 0.012
            length = distance(centre, there)
            out = (
                1.0
                + (cut.spikes or cut.curl)
                * (0.35 if low else 1.0)
                * self._details.number(f"lock {index}", 0.75, 1.25)
                * head.unit
                / length
            )
            points.append(here)
            points.append(add(centre, (there[0] - centre[0], there[1] - centre[1]), out))
        return tuple(points) if cut.spikes else smooth(points, 4)

    def _face_opening(self) -> Outline | None:
        """The area in front of the hairline; None if none of it is visible."""
        head, turn = self._head, self._figure.turn
        start, end = max(-TEMPLE, turn - 90.0), min(TEMPLE, turn + 90.0)
        if turn < -90.0 or turn > 90.0:
            # The window may also wrap around the back of the head.
            start, end = max(-TEMPLE, turn - 90.0), min(TEMPLE, turn + 90.0)
        if end - start < _SLIVER:
            return None
        line = self._hairline(start, end)
        # The person's left is at the picture's right when they face the viewer.
        first, last = line[0], line[-1]
        out = head.unit * 0.05
        left_open = start > -TEMPLE + 1.0
        right_open = end < TEMPLE - 1.0
        first_out = (first[0] - out, first[1]) if left_open else first
        last_out = (last[0] + out, last[1]) if right_open else last
        low = head.flat(0, -0.2)[1]
        return (first_out, *line, last_out, (last_out[0], low), (first_out[0], low))

    def _hairline(self, start: float, end: float) -> list[Point]:
        cut = self._cut
        smooth_heights = smooth_line([(float(index), height) for index, height in enumerate(cut.fringe)], 8)
        last = len(cut.fringe) - 1

        def height(azimuth: float) -> float:
            position = (azimuth + TEMPLE) / (2 * TEMPLE) * last
            return min(smooth_heights, key=lambda point: abs(point[0] - position))[1]

        if not cut.tips:
            return [
                self._head.on_skull(
                    start + (end - start) * step / 24, height(start + (end - start) * step / 24)
                )
                for step in range(25)
            ]
        points = []
        width = 2 * 66.0 / cut.tips
        marks: list[tuple[float, float]] = [(start, height(start))]
        for tip in range(cut.tips):
            left = -66.0 + tip * width
            lean = self._details.number(f"tip {tip}", 0.35, 0.75)
            drop = cut.hang * self._details.number(f"hang {tip}", 0.75, 1.2)
            marks.append((left, height(left)))
            marks.append((left + width * lean, height(left + width * lean) - drop))
        marks.append((66.0, height(66.0)))
        marks.append((end, height(end)))
        for (azimuth, y), (next_azimuth, next_y) in zip(marks, marks[1:], strict=False):
            for step in range(4):
                share = step / 4
                at = azimuth + (next_azimuth - azimuth) * share
                if start <= at <= end:
                    bow = math.sin(math.pi * share) * 0.0015
                    points.append(self._head.on_skull(at, y + (next_y - y) * share + bow))
        points.append(self._head.on_skull(end, height(end)))
        return points

    def _strands(self) -> tuple[Stroke, ...]:
        """Lines from the crown that follow the skull."""
        strokes = []
        turn = self._figure.turn
        for index in range(7):
            azimuth = turn - 75.0 + index * 25.0 + self._details.number(f"strand {index}", -8.0, 8.0)
            low = -0.030 if abs((azimuth + 180.0) % 360.0 - 180.0) > TEMPLE else 0.030
            top = self._details.number(f"strand top {index}", 0.055, 0.066)
            points = [
                self._head.on_skull(
                    azimuth * (1 - 0.1 * step), top + (low - top) * step / 5, self._cut.swell * 0.985
                )
                for step in range(6)
            ]
            strokes.append(Stroke(smooth_line(points, 3), self._figure.px(0.0016), shade=True))
        return tuple(strokes)

    def _mass(self) -> Layer:
        """Loose hair below the cap."""
        figure, head, cut = self._figure, self._head, self._cut
        spread = [math.sin(math.radians(azimuth - figure.turn)) for azimuth in range(70, 291, 5)]
        left, right = min(spread), max(spread)
        radius = 0.050 * head.enlarged * cut.width
        # When the head is tilted, hair still hangs down from it.
        top_y = 0.020 * head.enlarged
        size = self._length
        bob = self._character.hair_style == "bob"
        length = 0.055 if bob else size
        rows = 7
        one, other = [], []
        for row in range(rows):
            share = row / (rows - 1)
            fuller = math.sin(math.pi * min(1.0, share * 0.75 + 0.12)) * 0.16 + 0.90
            narrow = 1.0 if bob else 1.0 - 0.30 * max(0.0, share - 0.55) / 0.45
            wave = cut.curl * math.sin(share * math.pi * 4) if cut.curl else 0.0
            drift = self._details.number("drift", -0.012, 0.012) * share * (size / 0.3)
            base_left, base_right = (
                head.flat(left * radius * fuller * narrow, top_y),
                head.flat(right * radius * fuller * narrow, top_y),
            )
            one.append(self._falling(base_left, -share * (length + 0.045), wave + drift))
            other.append(self._falling(base_right, -share * (length + 0.045), drift - wave))
        tips = []
        count = 6 if not bob else 4
        for index in range(1, count * 2):
            share = index / (count * 2)
            point = (
                one[-1][0] + (other[-1][0] - one[-1][0]) * share,
                one[-1][1] + (other[-1][1] - one[-1][1]) * share,
            )
            drop = (
                (0.026 if index % 2 else 0.004)
                * (0.35 if bob else 1.0)
                * self._details.number(f"end {index}", 0.7, 1.3)
            )
            tips.append(self._falling(point, -drop))
        outline = (*smooth_line(one, 4), *tips, *smooth_line(other[::-1], 4))
        strokes = []
        for index in range(5):
            share = (index + 0.7) / 5.4
            line = [
                (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
                for a, b in zip(one, other, strict=True)
            ]
            strokes.append(Stroke(smooth_line(line[2:], 4), figure.px(0.0016), shade=True))
        return Layer(
            "hair",
            self._colour,
            [Shape(outline, "head")],
            depth=figure.px(0.012),
            strokes=tuple(strokes),
            material="silk",
        )

    def _tail(self, azimuth: float, height: float) -> Layer:
        """Tied hair: a tail, a braid or a bun."""
        figure, head = self._figure, self._head
        style = self._character.hair_style
        root = head.on_skull(azimuth, height, 1.04)
        if style == "bun":
            centre = head.on_skull(azimuth, height, 1.25)
            up = head.flat(0, 1)
            axis = ((up[0] - head.origin[0]) / head.unit, (up[1] - head.origin[1]) / head.unit)
            centre = add(centre, axis, head.unit * 0.026)
            radius = head.unit * 0.030 * head.enlarged
            ball = smooth(
                [
                    (
                        centre[0] + radius * math.cos(step * math.pi / 6),
                        centre[1] + radius * 0.92 * math.sin(step * math.pi / 6),
                    )
                    for step in range(12)
                ],
                3,
            )
            curl = smooth_line(
                [
                    (
                        centre[0] + radius * share * math.cos(9 * share),
                        centre[1] + radius * share * math.sin(9 * share),
                    )
                    for share in (0.2, 0.4, 0.6, 0.8)
                ],
                4,
            )
            return Layer(
                "hair",
                self._colour,
                [Shape(ball, "head")],
                depth=figure.px(0.008),
                strokes=(Stroke(curl, figure.px(0.0016), shade=True),),
                material="silk",
            )
        # Away from the head first, then down.
        away = math.sin(math.radians(azimuth - figure.turn))
        swing = self._details.number(f"swing {azimuth}", -0.012, 0.012)
        reach = max(0.10, self._length) * (0.9 if style == "ponytail" else 0.8)
        side = 0.034 * away
        line = [
            root,
            self._falling(root, 0.006 if style == "ponytail" else -0.012, side * 1.1),
            self._falling(root, -reach * 0.35, side * 1.5 + swing * 0.5),
            self._falling(root, -reach * 0.7, side * 1.3 + swing),
            self._falling(root, -reach, side * 0.9 + swing * 1.4),
        ]
        points = smooth_line(line, 8)
        count = len(points)
        thick = 0.028 if style != "braid" else 0.017
        if style == "pigtails":
            thick = 0.021
        widths = []
        for index in range(count):
            share = index / (count - 1)
            bump = 1.0 + 0.22 * math.sin(share * math.pi * 14) if style == "braid" else 1.0
            shape = min(1.0, 0.35 + share * 3.0) * (
                1.0 if share < 0.6 else 1.0 - 0.9 * ((share - 0.6) / 0.4) ** 1.5
            )
            widths.append(figure.px(thick * shape * bump) + 0.5)
        strokes = []
        if style == "braid":
            for index in range(3, count - 4, 4):
                here, there = points[index], points[index + 2]
                half = widths[index] * 0.9
                strokes.append(
                    Stroke(((here[0] - half, here[1]), (there[0] + half, there[1])), figure.px(0.0016))
                )
        else:
            strokes.append(Stroke(points[4:-6], figure.px(0.0016), shade=True))
        band = Patch(
            (
                add(line[0], (-1, -1), widths[0] * 2),
                add(line[0], (1, -1), widths[0] * 2),
                add(line[0], (1, 1), widths[0] * 1.2),
                add(line[0], (-1, 1), widths[0] * 1.2),
            )
        )
        return Layer(
            "hair",
            self._colour,
            [Shape(ribbon(points, widths), "head")],
            depth=figure.px(0.008),
            patches=(band,),
            strokes=tuple(strokes),
            material="silk",
        )

    def _crest(self) -> Layer:
        head, figure = self._head, self._figure
        points: list[Point] = []
        inner: list[Point] = []
        steps = 9
        for step in range(steps):
            # From the forehead over the crown to the nape, in the head's middle plane.
            angle = math.radians(-20 + 200 * step / (steps - 1))
            z, y = 0.054 * math.cos(angle), 0.060 * math.sin(angle) + 0.008
            tall = 0.034 + 0.012 * math.sin(math.pi * step / (steps - 1))
            inner.append(head.at(0.0, y * head.enlarged, z * head.enlarged))
            points.append(
                head.at(
                    0.0,
                    (y + tall * math.sin(angle)) * head.enlarged + 0.006,
                    (z + tall * math.cos(angle) * 0.9) * head.enlarged,
                )
            )
        if not figure.in_profile:
            half = head.unit * 0.016 * max(0.4, abs(figure.cos))
            top = max(range(steps), key=lambda index: -points[index][1])
            peak = points[top]
            base = head.flat(0.0, 0.030 if not figure.from_behind else -0.02)
            outline = smooth(
                (
                    (base[0] - half, base[1]),
                    (peak[0] - half * 1.2, peak[1] + half),
                    peak,
                    (peak[0] + half * 1.2, peak[1] + half),
                    (base[0] + half, base[1]),
                ),
                5,
            )
            return Layer("hair", self._colour, [Shape(outline, "head")], depth=figure.px(0.006))
        jag: list[Point] = []
        for index, point in enumerate(points):
            jag.append(point)
            if index < steps - 1:
                after = points[index + 1]
                middle = ((point[0] + after[0]) / 2, (point[1] + after[1]) / 2)
                inside = inner[index]
                jag.append(
                    (middle[0] + (inside[0] - middle[0]) * 0.35, middle[1] + (inside[1] - middle[1]) * 0.35)
                )
        return Layer("hair", self._colour, [Shape((*jag, *inner[::-1]), "head")], depth=figure.px(0.006))
