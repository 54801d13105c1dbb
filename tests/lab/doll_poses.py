"""Poses for the paper dolls of the documentation: the standing body with other arms and legs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Of an arm or a leg, its upper and its lower half: degrees away from the body, and degrees forward.
Angles = tuple[float, float]
Limb = tuple[Angles, Angles]
SIDES = {"right": -1, "left": 1}
GROUND = 0.96  # of the picture's height, from the top


@dataclass(frozen=True)
class Pose:
    """A limb that is None stays as the standing body has it."""

    right_arm: Limb | None = None
    left_arm: Limb | None = None
    right_leg: Limb | None = None
    left_leg: Limb | None = None


STANDING = Pose()
RELAXED = Pose(right_arm=((13, -8), (7, 6)), left_arm=((13, 4), (7, 16)))
WAVING = Pose(left_arm=((105, 10), (150, 10)))
CHEERING = Pose(right_arm=((140, 0), (160, 5)), left_arm=((140, 0), (160, 5)))
HANDS_ON_HIPS = Pose(right_arm=((48, -12), (-46, 10)), left_arm=((48, -12), (-46, 10)))
OPEN_ARMS = Pose(right_arm=((38, 10), (62, 25)), left_arm=((38, 10), (62, 25)))
POINTING = Pose(right_arm=((86, 5), (90, 5)), left_arm=((48, -12), (-46, 10)))
WALKING = Pose(
    right_arm=((8, 30), (4, 55)),
    left_arm=((8, -32), (6, -12)),
    right_leg=((2, -18), (2, -38)),
    left_leg=((2, 26), (2, 10)),
)
RUNNING = Pose(
    right_arm=((10, 48), (5, 120)),
    left_arm=((14, -58), (4, 30)),
    right_leg=((2, -26), (2, -88)),
    left_leg=((2, 58), (2, -6)),
)
GUARD = Pose(
    right_arm=((52, 25), (120, 40)),
    left_arm=((28, 30), (-20, 70)),
    right_leg=((16, -8), (14, -16)),
    left_leg=((18, 18), (12, 2)),
)
WIDE = Pose(
    right_arm=((60, 0), (30, 20)),
    left_arm=((60, 0), (30, 20)),
    right_leg=((20, 4), (16, 0)),
    left_leg=((20, 4), (16, 0)),
)
KICK = Pose(
    right_arm=((80, 0), (120, 10)),
    left_arm=((70, 0), (40, 30)),
    right_leg=((4, 0), (2, -4)),
    left_leg=((62, 20), (60, 10)),
)
SITTING = Pose(
    right_arm=((16, 20), (4, 62)),
    left_arm=((16, 20), (4, 62)),
    right_leg=((8, 82), (3, 0)),
    left_leg=((8, 82), (3, 4)),
)
THINKING = Pose(right_arm=((22, 20), (-150, 40)), left_arm=((24, 14), (-75, 30)))


def joints_of(pose: Pose) -> Mapping[str, tuple[float, float, float]]:
    """The joints of `body.standing_body` in this pose, standing on the ground. Needs the loaded pack."""
    body = importlib.import_module("avatarforge.forge.pictures.body")
    joints = body.standing_body()
    for name, side in SIDES.items():
        _bend(body, joints, side, getattr(pose, f"{name}_arm"), _names(name, "shoulder", "elbow", "wrist"))
        _bend(body, joints, side, getattr(pose, f"{name}_leg"), _names(name, "hip", "knee", "ankle"))
    lowest = min(joints[f"{name}_ankle"][1] for name in SIDES)
    return {name: (x, y + body.ANKLE_HEIGHT - lowest, z) for name, (x, y, z) in joints.items()}


def person_in(pose: Pose, turn: float, size: tuple[int, int], share: float) -> Any:
    """The visible joints in the pixels of a picture, seen from `turn` degrees (`body.seen_from`).

    The figure stands near the lower edge, `share` of the picture's height tall if its arms hang. Raised
    arms may exceed the picture. Needs the loaded pack.
    """
    body = importlib.import_module("avatarforge.forge.pictures.body")
    person = importlib.import_module("avatarforge.forge.pictures.doll.poses.person")
    width, height = size
    seen = body.seen_from(joints_of(pose), turn)
    left, right = min(x for x, _ in seen.values()), max(x for x, _ in seen.values())
    tall = height * share
    middle = width / 2 - (left + right) / 2 * tall
    return person.Person(
        {name: (middle + x * tall, height * GROUND - y * tall) for name, (x, y) in seen.items()}
    )


def _names(side: str, *parts: str) -> list[str]:
    return [f"{side}_{part}" for part in parts]


def _bend(body: Any, joints: dict[str, Any], side: int, limb: Limb | None, names: list[str]) -> None:
    if limb is None:
        return
    lengths = (body.UPPER_ARM, body.FOREARM) if "shoulder" in names[0] else (body.THIGH, body.SHANK)
    for angles, length, start, end in zip(limb, lengths, names[:-1], names[1:], strict=True):
        step = body.LimbAngles(*angles).vector(length, side)
        joints[end] = tuple(a + b for a, b in zip(joints[start], step, strict=True))
