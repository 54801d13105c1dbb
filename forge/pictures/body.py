"""A standing person in three dimensions, which can be projected from any side.

Body frame: x to the person's left, y up from the ground, z forward; one unit is the person's height, and the
vertical axis runs through the neck. Pictures are orthographic projections of this one body, so all views of a
turnaround show the same person in the same pose at the same scale.

Heights and segment lengths are the fractions of stature from Drillis and Contini, "Body Segment Parameters"
(1966), as drawn in Winter, "Biomechanics and Motor Control of Human Movement", figure 4.1. The breadths there
are outer breadths (shoulders 0.259, hips 0.191), while a pose estimator marks the centres of the joints. So
shoulders use 0.8 and hips 0.6 of them, chosen by eye. With the chin at 0.870, the figure is 7.7 heads high.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Vector = tuple[float, float, float]

ANKLE_HEIGHT = 0.039
SHANK = 0.246
THIGH = 0.245
SHOULDER_HEIGHT = 0.818
NOSE_HEIGHT = 0.908
EYE_HEIGHT = 0.936
EAR_HEIGHT = 0.926
UPPER_ARM = 0.186
FOREARM = 0.146
HALF_SHOULDERS = 0.8 * 0.259 / 2
HALF_HIPS = 0.6 * 0.191 / 2
# Half of the distance between the pupils (63 mm) and between the ears (145 mm) at a stature of 1755 mm.
HALF_EYES = 0.018
HALF_EARS = 0.041

# Distance of the parts of the face in front of the vertical axis.
NOSE_FORWARD = 0.074
EYES_FORWARD = 0.056
EARS_FORWARD = 0.008

# Direction that each part of the face points in, in degrees from straight ahead, positive to the person's
# left.
FACING = {"nose": 0.0, "right_eye": -20.0, "left_eye": 20.0, "right_ear": -90.0, "left_ear": 90.0}
# A part stays visible until it is turned a little past the outline of the head: both ears are visible from
# the front and from the back, and the nose is visible in profile, but not the far eye.
VISIBLE_WITHIN = 100.0


@dataclass(frozen=True)
class LimbAngles:
    """Direction of a hanging segment: `spread` degrees away from the body, `swing` degrees forward."""

    spread: float
    swing: float

    def vector(self, length: float, side: int) -> Vector:
        """The segment as a vector; `side` is +1 for the person's left and -1 for the right."""
        spread, swing = math.radians(self.spread), math.radians(self.swing)
        return (
            side * length * math.sin(spread),
            -length * math.cos(spread) * math.cos(swing),
            length * math.cos(spread) * math.sin(swing),
        )


@dataclass(frozen=True)
class SideOfBody:
    """Arm and leg of one side, and how far its shoulder and hip are turned forward (degrees of yaw)."""

    upper_arm: LimbAngles
    forearm: LimbAngles
    thigh: LimbAngles
    shank: LimbAngles
    shoulder_forward: float
    hip_forward: float


# A slight A-pose, so that the arms do not touch the body, and half a step with the right foot. Left and right
# differ only in depth: from the front this is invisible, in profile the two legs and the two arms do not
# coincide, and in the quarter view the feet do not overlap.
LEFT = SideOfBody(
    upper_arm=LimbAngles(24.0, 5.0),
    forearm=LimbAngles(19.0, 13.0),
    thigh=LimbAngles(2.5, -4.0),
    shank=LimbAngles(2.5, -8.0),
    shoulder_forward=5.0,
    hip_forward=-6.0,
)
RIGHT = SideOfBody(
    upper_arm=LimbAngles(24.0, -12.0),
    forearm=LimbAngles(19.0, -3.0),
    thigh=LimbAngles(2.5, 8.0),
    shank=LimbAngles(2.5, 2.0),
    shoulder_forward=-5.0,
    hip_forward=6.0,
)


def _add(first: Vector, second: Vector) -> Vector:
    return (first[0] + second[0], first[1] + second[1], first[2] + second[2])


def _girdle_end(half_breadth: float, height: float, forward: float, side: int) -> Vector:
    """The end of the shoulder line or hip line on one side, turned about the vertical axis."""
    turn = math.radians(forward)
    return (side * half_breadth * math.cos(turn), height, half_breadth * math.sin(turn))


def standing_body() -> dict[str, Vector]:
    """Joint positions of the standing person, by keypoint name, in the body frame."""
    joints: dict[str, Vector] = {
        "nose": (0.0, NOSE_HEIGHT, NOSE_FORWARD),
        "neck": (0.0, SHOULDER_HEIGHT, 0.0),
    }
    for name, side, half in (("right", -1, RIGHT), ("left", 1, LEFT)):
        shoulder = _girdle_end(HALF_SHOULDERS, SHOULDER_HEIGHT, half.shoulder_forward, side)
        elbow = _add(shoulder, half.upper_arm.vector(UPPER_ARM, side))
        thigh, shank = half.thigh.vector(THIGH, side), half.shank.vector(SHANK, side)
        # The ankle is always at its height above the ground, whatever the angles of the leg.
        hip = _girdle_end(HALF_HIPS, ANKLE_HEIGHT - thigh[1] - shank[1], half.hip_forward, side)
        knee = _add(hip, thigh)
        joints |= {
            f"{name}_shoulder": shoulder,
            f"{name}_elbow": elbow,
            f"{name}_wrist": _add(elbow, half.forearm.vector(FOREARM, side)),
            f"{name}_hip": hip,
            f"{name}_knee": knee,
            f"{name}_ankle": _add(knee, shank),
            f"{name}_eye": (side * HALF_EYES, EYE_HEIGHT, EYES_FORWARD),
            f"{name}_ear": (side * HALF_EARS, EAR_HEIGHT, EARS_FORWARD),
        }
    return joints


def seen_from(joints: dict[str, Vector], turn: float) -> dict[str, tuple[float, float]]:
    """Project the body after turning it by `turn` degrees from the front towards the picture's left.

    Returns the visible joints by name: x to the right of the body's axis in the picture, y up from the
    ground, in units of the person's height. At 0 the person faces the viewer (their left is on the picture's
    right), at 90 they face the picture's left with their left side near, at 180 they show the back.
    """
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    visible: dict[str, tuple[float, float]] = {}
    for name, (x, y, z) in joints.items():
        if name in FACING:
            angle = abs((FACING[name] - turn + 180.0) % 360.0 - 180.0)
            if angle > VISIBLE_WITHIN:
                continue
        visible[name] = (x * cosine - z * sine, y)
    return visible
