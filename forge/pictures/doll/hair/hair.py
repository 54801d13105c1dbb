"""Hair: what falls behind the head, the cap that covers it, and what falls in front of the shoulders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from ..character.shades import light_of, mix, shade_of
from ..figure.anatomy import shoulder_outline
from ..figure.head import Head
from ..painting.detail import Details
from ..painting.geometry import Outline
from ..painting.layers import Layer, Patch, Shape, Stroke
from ..poses.person import Point
from .cap import Scalp
from .cuts import Border, border_of, cut_of
from .loose import Fall, fall_behind, fall_in_front
from .tied import braid, bun, tail
from .tufts import crest, curls, spikes

#: How far falling hair reaches below the ears, in statures.
_LENGTHS = {"bald": 0.0, "short": 0.060, "medium": 0.105, "long": 0.300}
_TAILS = {"bald": 0.0, "short": 0.085, "medium": 0.170, "long": 0.320}
#: Tied hair is drawn over the cap if its band faces the viewer at least so much.
_NEAR = 0.12
#: Pigtails hang in front of the shoulders unless their side is turned away further than this.
_BESIDE = -0.40
#: Locks beside the face are left out if the head is tilted so far that its axis rises less than this.
_UPRIGHT = -0.6
#: From the front, locks hang in front of the shoulders if their side faces the viewer at least so much.
_LOCK_FACES = -0.10


class Hair:
    """The layers of one character's hair. `details` decides the fringe and the strands."""

    def __init__(self, head: Head, details: Details) -> None:
        self._head, self._figure, self._details = head, head.figure, details
        self._character = head.figure.character
        self._cut = cut_of(self._character)
        self._scalp = Scalp(head, self._cut)
        self._bald = self._character.hair_length == "bald"
        self._length = _LENGTHS[self._character.hair_length]

    @cached_property
    def _border(self) -> Border:
        return border_of(self._cut, self._details)

    @cached_property
    def _cap_outline(self) -> Outline:
        return self._scalp.cap(self._border)

    @property
    def _behind_body(self) -> bool:
        """Whether falling hair is behind the body: it is seen from the front."""
        return not self._figure.from_behind and not self._figure.in_profile

    @cached_property
    def _fall(self) -> Fall:
        return fall_behind(self._scalp, self._cut, self._details, self._length)

    def behind(self) -> list[Layer]:
        """What hangs behind the head: in front of the body when it is seen from behind."""
        if self._bald:
            return []
        layers = []
        if self._cut.falls and self._behind_body:
            layers.append(self._layer(self._fall.outlines, self._fall.strands))
        if self._cut.crest and not self._figure.from_behind:
            layers += self._crest(near=False)
        return layers + self._tails("behind")

    def shadow(self) -> list[Layer]:
        """What the fringe casts on the forehead."""
        if self._bald or self._figure.from_behind or self._cut.crest:
            return []
        down, right = -0.0062, 0.0026
        outline = tuple(self._head.moved(point, right, down) for point in self._cap_outline)
        shade = shade_of(self._character.skin_colour)
        colour = mix(self._character.skin_colour, shade, 0.62)
        return [Layer("skin", colour, [Shape(outline, "head")], lined=False, clip=self._head.outline)]

    def locks(self) -> list[Layer]:
        """Tied hair beside the head, in front of the shoulders."""
        if self._bald:
            return []
        crest = self._crest(near=False) if self._cut.crest and self._figure.from_behind else []
        return crest + self._tails("locks")

    def cap(self) -> list[Layer]:
        """The hair on the head, with what falls from it in front of the body."""
        if self._bald:
            return []
        outlines: list[Outline] = [self._cap_outline]
        strands = list(self._strands())
        if self._cut.falls and not self._behind_body:
            outlines += self._fall.outlines
            strands += self._fall.strands
        if self._cut.falls and not self._figure.from_behind and self._head.up[1] < _UPRIGHT:
            for sign in (1.0, -1.0):
                if self._scalp.faces(sign * 74.0) > _LOCK_FACES:
                    lock = fall_in_front(self._scalp, self._cut, self._details, self._length, sign)
                    outlines += lock.outlines
                    strands += lock.strands
        if self._cut.spikes:
            outlines += spikes(self._scalp, self._cut.spikes, self._details)
        if self._cut.curls:
            tufts, lines = curls(self._scalp, self._cut.curls, self._details)
            outlines += tufts
            strands += lines
        if self._character.hair_style == "mohawk":
            return self._mohawk()
        colour = self._character.hair_colour
        gloss = Patch(self._scalp.gloss, mix(colour, light_of(colour), 0.62))
        return [self._layer(outlines, strands, () if self._cut.curls else (gloss,)), *self._tails("over")]

    def _mohawk(self) -> list[Layer]:
        """A crest, and sides that are shaved."""
        stubble = mix(self._character.skin_colour, self._character.hair_colour, 0.42)
        sides = Layer("hair", stubble, [Shape(self._cap_outline, "head")], depth=self._head.unit * 0.008)
        if not self._cut.crest:
            return [sides]
        return [sides, *self._crest(near=True)]

    def _crest(self, *, near: bool) -> list[Layer]:
        fins = crest(self._scalp, self._cut.crest, self._details, near=near)
        return [self._layer(fins, ())] if fins else []

    def _tails(self, slot: str) -> list[Layer]:
        """The tied hair that belongs "behind" the head, in front of the shoulders ("locks"), or "over" the
        cap."""
        return [self._tail(place) for place in self._cut.tied if self._slot(place[0]) == slot]

    def _slot(self, azimuth: float) -> str:
        style, faces = self._character.hair_style, self._scalp.faces(azimuth)
        if style == "braid":
            # It hangs over the left shoulder, which is hidden in one of the profiles.
            return (
                "hidden"
                if self._figure.in_profile and self._head.sin < 0
                else "over"
                if faces > 0
                else "locks"
            )
        if faces > _NEAR:
            return "over"
        if self._figure.from_behind or (style == "pigtails" and faces > _BESIDE):
            return "locks"
        return "behind"

    def _tail(self, place: Point) -> Layer:
        style, length = self._character.hair_style, _TAILS[self._character.hair_length]
        if style == "bun":
            return bun(self._scalp, place, self._details)
        if style == "braid":
            behind = self._figure.from_behind
            # The part at the nape is behind the head, or the part on the chest behind the shoulders.
            hidden = shoulder_outline(self._figure) if behind else None
            if self._scalp.faces(place[0]) < 0:
                hidden = self._head.outline
            return braid(self._scalp, self._braid_line(place, length), 0.0165, hidden, ends=not behind)
        thick = 0.021 if style == "pigtails" else 0.027
        return tail(self._scalp, place, self._details, length, thick, 0.004)

    def _braid_line(self, place: Point, length: float) -> list[Point]:
        """From the nape over the left shoulder and down the chest; from behind, as far as the shoulder."""
        figure = self._figure
        root = self._scalp.raised(*place, -0.004)
        over = figure.body_point(0.052, -0.16, -0.006)
        shoulder = figure.body_point(0.056, -0.05, 0.030)
        if figure.from_behind:
            return [root, over, shoulder]
        down = (length - 0.10) * figure.unit / max(figure.spine_length, 1.0)
        shares = (0.12, 0.45, 0.75, 1.0)
        chest = [figure.body_point(0.058 - 0.006 * share, down * share, 0.064) for share in shares]
        return [root, over, shoulder, *chest]

    def _strands(self) -> tuple[Stroke, ...]:
        """Lines on the cap: short ones where locks of the fringe part, long ones from the border upwards."""
        head, scalp = self._head, self._scalp
        width = head.unit * 0.0016
        strokes = []
        for azimuth, y in self._border.notches:
            if scalp.faces(azimuth) > 0.15:
                strokes.append(Stroke(scalp.meridian(azimuth, y, y + 0.012), width, shade=True))
        if self._cut.curls or (self._cut.falls and not self._behind_body):
            return tuple(strokes)
        if self._cut.tied:
            strokes += [Stroke(line, width, shade=True) for line in self._combed() if line]
            return tuple(strokes)
        for index in range(9):
            azimuth = head.turn - 72.0 + 18.0 * index + self._details.number(f"strand {index}", -5.0, 5.0)
            low = self._border.window(azimuth, azimuth + 1.0)[0][1]
            start = low + 0.012
            end = self._details.number(f"strand end {index}", 0.046, 0.068)
            strokes.append(Stroke(scalp.meridian(azimuth, start, max(end, start + 0.01)), width, shade=True))
        return tuple(strokes)

    def _combed(self) -> list[Outline]:
        """Strands towards the band that is nearest."""
        lines = []
        for index, azimuth in enumerate((70, 84, 100, 118, 136, 156, 178)):
            for sign in (1.0, -1.0):
                start = sign * azimuth + self._details.number(f"strand {index} {sign}", -5.0, 5.0)
                low = self._border.window(start, start + 1.0)[0][1] + 0.010
                band = min(self._cut.tied, key=lambda place: abs((place[0] - start + 180.0) % 360.0 - 180.0))
                lines.append(self._scalp.combed((start, low), band, 0.88))
        return lines

    def _layer(
        self, outlines: Sequence[Outline], strokes: Sequence[Stroke], patches: Sequence[Patch] = ()
    ) -> Layer:
        return Layer(
            "hair",
            self._character.hair_colour,
            [Shape(outline, "head") for outline in outlines],
            depth=self._head.unit * 0.009,
            patches=patches,
            strokes=strokes,
        )
