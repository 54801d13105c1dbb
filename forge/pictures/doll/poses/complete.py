"""Infers the joints that a pose does not show, and the size of the person, from those that it does.

Joints that are given stay exactly where they are. Torso and head keep the shape of the standing body at the
person's turn. An arm or leg repeats the other one, or hangs as on the standing body.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping

from ...skeleton import KEYPOINT_NAMES
from .person import Person, Point
from .proportions import (
    HEAD,
    SIDES,
    STANDING,
    as_complex,
    length,
    mean,
    middle,
    stature_of,
    up_of,
)

#: Pixels per stature of a person of whom too little is given to tell: about that of a figure in a frame of
#: 512 pixels.
DEFAULT_UNIT = 480.0
#: A head may be this many times larger or smaller than the standing body's, as stylised figures' are.
HEAD_SCALES = (0.6, 2.0)
#: A head is tilted by at most so many degrees against the torso where its keypoints are too few to be sure.
HEAD_TILT = 60.0

_LIMBS: tuple[tuple[str, str, str, bool], ...] = (
    ("shoulder", "elbow", "wrist", False),
    ("hip", "knee", "ankle", True),
)


def complete(person: Person, turn: float) -> dict[str, Point]:
    """All 18 joints by name, in pixels: those given unchanged, the missing ones inferred.

    `turn` is in degrees from the front towards the picture's left. Inferred joints may be outside of the
    picture.
    """
    figure = _Figure(person, turn)
    figure.add_torso()
    for limb in _LIMBS:
        figure.add_limbs(*limb)
    figure.add_head()
    return {
        name: person.body[name] if name in person.body else (figure.at[name].real, figure.at[name].imag)
        for name in KEYPOINT_NAMES
    }


def unit_of(person: Person, joints: Mapping[str, Point], turn: float) -> float:
    """Pixels per stature (the height of the standing body).

    Segments look shorter than they are when they point towards the viewer, but never longer, so nearly the
    largest ratio to the standing body counts. `joints` are those of `complete`, which count only if nothing
    given tells. Always positive and finite.
    """
    # In profile, shoulders and hips have no breadth; what is left of it is the error of the turn.
    wide = abs(math.cos(math.radians(turn))) > 0.3
    for points in (as_complex(person.body), as_complex(joints)):
        unit = stature_of(points, wide=wide) or stature_of(points)
        if unit is not None:
            return unit
    return DEFAULT_UNIT


class _Figure:
    """A person to whom joints are added, from the neck outwards. `at` has the points of the picture so
    far."""

    def __init__(self, person: Person, turn: float) -> None:
        self.at = as_complex(person.body)
        self.given = frozenset(self.at)
        self.unit = unit_of(person, {}, turn)
        self.up = up_of(self.at)
        self.sine, self.cosine = math.sin(math.radians(turn)), math.cos(math.radians(turn))

    def standing(self, name: str) -> complex:
        """Where the joint of the standing body is in the picture, relative to the middle of its feet."""
        x, y, z = STANDING[name]
        return self.unit * ((x * self.cosine - z * self.sine) * self.up * 1j + y * self.up)

    def from_joint(self, source: str, target: str) -> complex:
        """Where `target` is if both joints are as on the standing body."""
        return self.at[source] + self.standing(target) - self.standing(source)

    def from_any(self, sources: tuple[str, ...], target: str) -> complex | None:
        """The mean of what the sources that are known say about `target`."""
        return mean(self.from_joint(source, target) for source in sources if source in self.at)

    def add_torso(self) -> None:
        at = self.at
        if "neck" not in at:
            at["neck"] = self._neck()
        for side, other in (SIDES, SIDES[::-1]):
            shoulder, opposite = f"{side}_shoulder", f"{other}_shoulder"
            if shoulder not in at and opposite not in self.given:
                at[shoulder] = self.from_joint("neck", shoulder)
            elif shoulder not in at and "neck" in self.given:
                at[shoulder] = 2 * at["neck"] - at[opposite]
            elif shoulder not in at:
                at[shoulder] = self.from_joint(opposite, shoulder)
            hip, opposite, knee = f"{side}_hip", f"{other}_hip", f"{side}_knee"
            if hip not in at and opposite in self.given:
                at[hip] = self.from_joint(opposite, hip)
            elif hip not in at:
                at[hip] = self._within_reach(self.from_joint("neck", hip), knee, hip)

    def _neck(self) -> complex:
        """The neck, from the nearest joints that are known."""
        shoulders = middle(self.at, "shoulder")
        if shoulders is not None:
            return shoulders
        sources = (
            *(tuple(f"{side}_{joint}" for side in SIDES) for joint in ("shoulder", "hip")),
            HEAD,
            *(tuple(f"{side}_{joint}" for side in SIDES) for joint in ("elbow", "knee", "wrist", "ankle")),
        )
        found = (self.from_any(names, "neck") for names in sources)
        return next((neck for neck in found if neck is not None), 0j)

    def _within_reach(self, start: complex, anchor: str, name: str) -> complex:
        """`start`, moved so that it is not further from the joint `anchor` than the segment is long, if that
        is given."""
        if anchor not in self.given:
            return start
        reach = self.unit * length(name, anchor)
        away = start - self.at[anchor]
        return start if abs(away) <= reach else self.at[anchor] + away / abs(away) * reach

    def add_limbs(self, root: str, bend: str, end: str, forward: bool) -> None:
        for side, other in (SIDES, SIDES[::-1]):
            names = (f"{side}_{root}", f"{side}_{bend}", f"{side}_{end}")
            opposite = (f"{other}_{root}", f"{other}_{bend}", f"{other}_{end}")
            if names[1] not in self.at:
                if names[2] in self.at:
                    self.at[names[1]] = self._bent(names, forward)
                else:
                    self.at[names[1]] = self._like(opposite[:2], names[:2])
            if names[2] not in self.at:
                self.at[names[2]] = self._like(opposite[1:], names[1:])

    def _like(self, opposite: tuple[str, ...], names: tuple[str, ...]) -> complex:
        """The lower end of a segment: as on the other side if that is given, else as on the standing body."""
        upper, lower = names
        if not self.given.issuperset(opposite):
            return self.from_joint(upper, lower)
        turned = (self.at[opposite[1]] - self.at[opposite[0]]) / self.up
        # The other side is the mirror image of this one from the front and from behind, and coincides with it
        # in profile.
        mirrored = complex(turned.real, turned.imag * (self.sine**2 - self.cosine**2))
        if abs(mirrored) > 1e-9:
            mirrored *= abs(turned) / abs(mirrored)
        return self.at[upper] + mirrored * self.up

    def _bent(self, names: tuple[str, ...], forward: bool) -> complex:
        """The middle joint of a limb whose ends are known: knees point forward, elbows backward and
        outward."""
        root, bend, end = names
        upper, lower = self.unit * length(root, bend), self.unit * length(bend, end)
        line = self.at[end] - self.at[root]
        span = abs(line)
        if span < 1e-6:
            return self.from_joint(root, bend)
        if span >= upper + lower:
            return self.at[root] + line * (upper / (upper + lower))
        along = max(-upper, min(upper, (span * span + upper * upper - lower * lower) / (2 * span)))
        height = math.sqrt(max(0.0, upper * upper - along * along))
        outward = 0.7 * (self.cosine if root.startswith("left") else -self.cosine)
        sideways = (-self.sine if forward else self.sine) + outward
        direction = line / span
        # Of the two directions across the limb, the one that leads where the joint bends to. Seen from the
        # front, a bend forward is hidden.
        across = direction * 1j
        leads = (across / self.up).imag
        shown = math.copysign(min(1.0, abs(sideways)), leads * sideways)
        return self.at[root] + direction * along + across * height * shown

    def add_head(self) -> None:
        at = self.at
        given = [name for name in HEAD if name in self.given]
        if not given:
            for name in HEAD:
                at[name] = self.from_joint("neck", name)
            return
        scaled = self._head_turn(given)
        standing = mean(self.standing(name) for name in given) or 0j
        centre = mean(at[name] for name in given) or 0j
        for name in HEAD:
            if name not in at:
                at[name] = centre + scaled * (self.standing(name) - standing)

    def _head_turn(self, given: list[str]) -> complex:
        """How much the head is larger than the standing body's, and turned in the picture, as a factor: the
        least squares fit of the given keypoints of the head and the neck."""
        fitted = [*given, "neck"] if "neck" in self.given else given
        model = [self.standing(name) for name in fitted]
        points = [self.at[name] for name in fitted]
        centre, target = sum(model) / len(model), sum(points) / len(points)
        spread = sum(abs(item - centre) ** 2 for item in model)
        if spread < 1e-6:
            return 1 + 0j
        products = (
            (item - centre).conjugate() * (point - target) for item, point in zip(model, points, strict=True)
        )
        factor = sum(products) / spread
        if abs(factor) < 1e-6 or abs(math.degrees(cmath.phase(factor))) > HEAD_TILT:
            return 1 + 0j
        low, high = HEAD_SCALES
        return factor / abs(factor) * max(low, min(high, abs(factor)))
