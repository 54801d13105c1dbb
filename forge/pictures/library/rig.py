"""From a posture (angles, and what hands and feet reach for) to the joints of a body in three dimensions.

The body has the measures of `pictures.body`. Arms are posed in the frame of the torso and legs in that of the
ground. A limb is given by the directions of its two segments, or by the point that its end reaches for: then
the law of cosines gives the bend of its middle joint, which points towards a pole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..body import (
    ANKLE_HEIGHT,
    EAR_HEIGHT,
    EARS_FORWARD,
    EYE_HEIGHT,
    EYES_FORWARD,
    FOREARM,
    HALF_EARS,
    HALF_EYES,
    HALF_HIPS,
    HALF_SHOULDERS,
    NOSE_FORWARD,
    NOSE_HEIGHT,
    SHANK,
    SHOULDER_HEIGHT,
    THIGH,
    UPPER_ARM,
    LimbAngles,
    Vector,
)
from .hands import Grip, hand_points
from .vectors import ORIGIN, UPRIGHT, Attitude, across, add, dot, outward, scaled, subtract, unit

SIDES = (("right", -1), ("left", 1))
TORSO = SHOULDER_HEIGHT - ANKLE_HEIGHT - SHANK - THIGH
#: From the neck (the middle of the shoulders) to where the head turns.
NECK = 0.03
CROWN = 1.0 - SHOULDER_HEIGHT
#: The straightest that a limb gets.
STRETCHED = 0.9995

#: How far a joint is above the ground when its part of the body lies on it.
CLEARANCE: Mapping[str, float] = {
    "ankle": ANKLE_HEIGHT,
    "knee": 0.03,
    "hip": 0.055,
    "wrist": 0.02,
    "elbow": 0.022,
    "shoulder": 0.05,
    "ear": 0.045,
}


@dataclass(frozen=True)
class Angles:
    """A limb by the directions of its two segments."""

    upper: LimbAngles
    lower: LimbAngles


@dataclass(frozen=True)
class Reach:
    """A limb by the place of its end: (out, up, forward), away from the body's middle on its own side.

    An arm reaches for a point of the torso's frame, from the middle of the hips; with `ground`, and always
    for a leg, it is a point of the ground's frame, from below the body's middle. `pole` is where elbow or
    knee points.
    """

    end: Vector
    pole: Vector | None = None
    ground: bool = False


Limb = Angles | Reach


@dataclass(frozen=True)
class Arm:
    """An arm with its hand. `palm` is where the palm faces, (out, up, forward), and `hand` where the fingers
    point; both in the frame of the torso."""

    limb: Limb
    grip: Grip = Grip.RELAXED
    palm: Vector | None = None
    hand: Vector | None = None


@dataclass(frozen=True)
class Posture:
    """How a person holds themselves. `middle` is the middle of the hips: to the left, up from the ground,
    forward. `whole` turns the posed body, such as one that lies. Then it is set down on the ground, or
    `above` it, in statures."""

    left_arm: Arm
    right_arm: Arm
    left_leg: Limb
    right_leg: Limb
    middle: Vector = (0.0, TORSO, 0.0)
    hips: Attitude = UPRIGHT
    torso: Attitude = UPRIGHT
    head: Attitude = UPRIGHT
    whole: Attitude = UPRIGHT
    above: float = 0.0


@dataclass(frozen=True)
class Body:
    """A posed body in the body frame, in statures: the 18 joints by name, 21 points of each hand, where the
    crown of the head is, and how the head is turned."""

    joints: Mapping[str, Vector]
    hands: Mapping[str, tuple[Vector, ...]]
    crown: Vector
    #: Directions of the head: to the person's left, up and forward.
    head_axes: tuple[Vector, Vector, Vector]
    #: Where the head's own points are measured from.
    head_origin: Vector = field(default=ORIGIN)


_KNEE: Vector = (0.12, 0.0, 1.0)
_ELBOW: Vector = (0.5, -0.5, -0.8)


def pose_body(posture: Posture) -> Body:
    """The body in this posture, standing, sitting or lying on the ground below the middle of the frame."""
    joints: dict[str, Vector] = {}
    hands: dict[str, tuple[Vector, ...]] = {}
    neck = add(posture.middle, posture.torso.apply((0.0, TORSO, 0.0)))
    joints["neck"] = neck
    for name, side in SIDES:
        arm = posture.left_arm if side > 0 else posture.right_arm
        leg = posture.left_leg if side > 0 else posture.right_leg
        hip = add(posture.middle, posture.hips.apply((side * HALF_HIPS, 0.0, 0.0)))
        knee, ankle = _leg(leg, hip, side)
        shoulder = add(neck, posture.torso.apply((side * HALF_SHOULDERS, 0.0, 0.0)))
        elbow, wrist = _arm(arm.limb, shoulder, side, posture)
        ends = {
            "hip": hip,
            "knee": knee,
            "ankle": ankle,
            "shoulder": shoulder,
            "elbow": elbow,
            "wrist": wrist,
        }
        joints |= {f"{name}_{part}": point for part, point in ends.items()}
        fingers = posture.torso.apply(outward(arm.hand, side)) if arm.hand else subtract(wrist, elbow)
        palm = posture.torso.apply(outward(arm.palm, side)) if arm.palm else None
        hands[name] = hand_points(wrist, fingers, palm, side, arm.grip)
    origin = add(neck, posture.torso.apply((0.0, NECK, 0.0)))
    for name, at in HEAD_POINTS.items():
        joints[name] = add(origin, posture.head.apply(at))
    crown = add(origin, posture.head.apply((0.0, CROWN - NECK, 0.0)))
    axes = tuple(posture.head.apply(axis) for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    return _set_down(Body(joints, hands, crown, (axes[0], axes[1], axes[2]), origin), posture)


#: The parts of the face, from where the head turns.
HEAD_POINTS: Mapping[str, Vector] = {
    "nose": (0.0, NOSE_HEIGHT - SHOULDER_HEIGHT - NECK, NOSE_FORWARD),
    **{
        f"{name}_{part}": (side * out, height - SHOULDER_HEIGHT - NECK, forward)
        for name, side in SIDES
        for part, out, height, forward in (
            ("eye", HALF_EYES, EYE_HEIGHT, EYES_FORWARD),
            ("ear", HALF_EARS, EAR_HEIGHT, EARS_FORWARD),
        )
    },
}


def _leg(limb: Limb, hip: Vector, side: int) -> tuple[Vector, Vector]:
    if isinstance(limb, Angles):
        knee = add(hip, limb.upper.vector(THIGH, side))
        return knee, add(knee, limb.lower.vector(SHANK, side))
    pole = outward(limb.pole or _KNEE, side)
    return _bent(hip, outward(limb.end, side), pole, (THIGH, SHANK))


def _arm(limb: Limb, shoulder: Vector, side: int, posture: Posture) -> tuple[Vector, Vector]:
    turn = posture.torso.apply
    if isinstance(limb, Angles):
        elbow = add(shoulder, turn(limb.upper.vector(UPPER_ARM, side)))
        return elbow, add(elbow, turn(limb.lower.vector(FOREARM, side)))
    end, pole = outward(limb.end, side), outward(limb.pole or _ELBOW, side)
    if not limb.ground:
        end, pole = add(posture.middle, turn(end)), turn(pole)
    return _bent(shoulder, end, pole, (UPPER_ARM, FOREARM))


def _bent(root: Vector, end: Vector, pole: Vector, lengths: tuple[float, float]) -> tuple[Vector, Vector]:
    """(middle joint, end) of a limb from `root` that reaches for `end`, or towards it as far as it can."""
    upper, lower = lengths
    line = subtract(end, root)
    span = math.sqrt(dot(line, line))
    direction = scaled(line, 1.0 / span)
    span = max(abs(upper - lower) + 0.001, min(span, STRETCHED * (upper + lower)))
    along = (span * span + upper * upper - lower * lower) / (2 * span)
    height = math.sqrt(max(0.0, upper * upper - along * along))
    bend = unit(across(pole, direction))
    middle = add(root, add(scaled(direction, along), scaled(bend, height)))
    return middle, add(root, scaled(direction, span))


def _set_down(body: Body, posture: Posture) -> Body:
    """Turn the whole body, put it on the ground, and put the vertical axis through its middle."""
    turn = posture.whole.apply
    joints = {name: turn(point) for name, point in body.joints.items()}
    lowest = min(
        point[1] - CLEARANCE[part]
        for name, point in joints.items()
        if (part := name.rpartition("_")[2]) in CLEARANCE
    )
    columns = [(point[0], point[2]) for point in joints.values()]
    move: Vector = (
        -_centre([x for x, _ in columns]),
        posture.above - lowest,
        -_centre([z for _, z in columns]),
    )
    axes = body.head_axes
    return Body(
        {name: add(point, move) for name, point in joints.items()},
        {name: tuple(add(turn(point), move) for point in points) for name, points in body.hands.items()},
        add(turn(body.crown), move),
        (turn(axes[0]), turn(axes[1]), turn(axes[2])),
        add(turn(body.head_origin), move),
    )


def _centre(values: list[float]) -> float:
    return (min(values) + max(values)) / 2
