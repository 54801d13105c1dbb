"""Arms, legs and whole postures that several poses share."""

from __future__ import annotations

from ..body import ANKLE_HEIGHT, LimbAngles, Vector
from .hands import Grip
from .rig import Angles, Arm, Reach

BACK: Vector = (0.0, 0.0, -1.0)
DOWN: Vector = (0.0, -1.0, 0.0)


def arm(
    upper: tuple[float, float],
    lower: tuple[float, float],
    grip: Grip = Grip.RELAXED,
    palm: Vector | None = None,
    hand: Vector | None = None,
) -> Arm:
    """An arm by (spread, swing) of its two segments: degrees away from the body and forward."""
    return Arm(Angles(LimbAngles(*upper), LimbAngles(*lower)), grip, palm, hand)


def reach(
    end: Vector,
    pole: Vector | None = None,
    grip: Grip = Grip.RELAXED,
    *,
    palm: Vector | None = None,
    hand: Vector | None = None,
    ground: bool = False,
) -> Arm:
    """An arm whose wrist is at a point of the torso, or of the ground."""
    return Arm(Reach(end, pole, ground), grip, palm, hand)


def leg(upper: tuple[float, float], lower: tuple[float, float]) -> Angles:
    """A leg by (spread, swing) of its two segments."""
    return Angles(LimbAngles(*upper), LimbAngles(*lower))


def foot(out: float, forward: float, up: float = ANKLE_HEIGHT, pole: Vector | None = None) -> Reach:
    """A leg whose ankle is `out` from below the middle of the frame, and `forward` of it."""
    return Reach((out, up, forward), pole)


HANGING = arm((9.0, 0.0), (7.0, 9.0))
HAND_ON_HIP = reach((0.128, 0.035, 0.03), (1.0, -0.1, -0.35), Grip.FIST, hand=(-0.6, -0.45, 0.65))
GUARD_NEAR_CHIN = reach((0.065, 0.27, 0.125), (0.6, -1.0, 0.0), Grip.FIST, hand=(-0.2, 1.0, 0.3))
