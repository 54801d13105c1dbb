"""The parts of a drawing and the segments of the body, as its masks number them."""

from __future__ import annotations

#: Names of the values in `Drawing.parts`. Stored pictures have these values: append only.
PARTS: tuple[str, ...] = (
    "background",
    "skin",
    "hair",
    "left_eye",
    "right_eye",
    "left_iris",
    "right_iris",
    "brows",
    "nose",
    "mouth",
    "beard",
    "top",
    "bottom",
    "dress",
    "outer",
    "cape",
    "feet",
    "hands",
    "head",
    "eyes",
    "neck",
    "belt",
    "right_hand",
    "left_hand",
)
#: Names of the values in `Drawing.limbs`: the segment of the body that a pixel belongs to, clothed or not.
LIMBS: tuple[str, ...] = (
    "none",
    "head",
    "neck",
    "torso",
    "right_upper_arm",
    "right_forearm",
    "right_hand",
    "left_upper_arm",
    "left_forearm",
    "left_hand",
    "right_thigh",
    "right_shank",
    "right_foot",
    "left_thigh",
    "left_shank",
    "left_foot",
)
