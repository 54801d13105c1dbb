"""What stands out from the cap: spikes, curls and a mohawk's crest."""

from __future__ import annotations

import math

from ..painting.detail import Details
from ..painting.geometry import Outline, hull, ribbon, smooth_line
from ..painting.layers import Stroke
from ..poses.person import Point
from .cap import Scalp
from .loose import curl_line, round_tuft

#: Places of spikes as (azimuth, height, length, half breadth in statures), on the left side; the right is
#: mirrored.
_SPIKES = (
    (0.0, 0.062, 1.00, 0.024),
    (40.0, 0.062, 1.05, 0.024),
    (84.0, 0.056, 1.10, 0.025),
    (126.0, 0.056, 1.10, 0.025),
    (180.0, 0.058, 1.10, 0.025),
    (0.0, 0.073, 1.00, 0.022),
    (90.0, 0.073, 1.00, 0.021),
    (180.0, 0.071, 1.15, 0.024),
    (88.0, 0.032, 0.85, 0.021),
    (118.0, 0.028, 1.00, 0.022),
    (150.0, 0.028, 1.05, 0.022),
    (180.0, 0.030, 1.05, 0.022),
    (112.0, 0.004, 0.75, 0.015),
    (136.0, 0.000, 0.90, 0.019),
    (162.0, 0.000, 0.90, 0.019),
    (140.0, -0.024, 0.75, 0.015),
    (180.0, -0.024, 0.80, 0.016),
)
_CURLS = tuple(
    (azimuth, height)
    for height, step in ((0.074, 60), (0.062, 40), (0.046, 26), (0.022, 24), (-0.004, 24))
    for azimuth in range(0, 360, step)
)

#: Small curls on the border beside the face.
_BESIDE_FACE = ((58.0, 0.024), (63.0, 0.010), (68.0, -0.004))


def spikes(scalp: Scalp, length: float, details: Details) -> list[Outline]:
    """Pointed locks that stand up and back from the head."""
    outlines = []
    for number, (azimuth, height, share, breadth) in enumerate(_SPIKES):
        for sign in (1.0,) if azimuth in (0.0, 180.0) else (1.0, -1.0):
            if scalp.faces(sign * azimuth) < -0.55 and height < 0.055:
                continue
            reach = length * share * details.number(f"spike {number} {sign}", 0.82, 1.15)
            outlines.append(_spike(scalp, sign * azimuth, height, reach, breadth))
    return outlines


def _combed(azimuth: float, height: float) -> tuple[float, float, float]:
    """Where a spike points: away from the surface, up and back, as shares of its length."""
    if height > 0.04:
        return (0.30, 0.62, 0.05) if abs(azimuth) < 45.0 else (0.62, 0.62, 0.18)
    return (0.85, 0.34, 0.20) if height > 0.01 else (0.55, -0.40, 0.10)


def _spike(scalp: Scalp, azimuth: float, height: float, reach: float, half: float) -> Outline:
    """A lock from a broad base to its tip. On the crown it is combed up and back, at the nape down."""
    out, up, back = _combed(azimuth, height)
    root = scalp.raised(azimuth, height, -0.016)
    middle = scalp.raised(azimuth, height, reach * out * 0.45, reach * up * 0.22, reach * back * 0.3)
    tip = scalp.raised(azimuth, height, reach * out, reach * up, reach * back)
    line = smooth_line([root, middle, tip], 5)
    last = len(line) - 1
    unit = scalp.head.unit
    return ribbon(line, [half * unit * (1.0 - 0.985 * (index / last) ** 1.1) for index in range(last + 1)])


def curls(scalp: Scalp, size: float, details: Details) -> tuple[list[Outline], list[Stroke]]:
    """Round tufts all over the scalp, and the lines of some of them."""
    radius = size * scalp.head.unit
    outlines, lines = [], []
    for number, (azimuth, height) in enumerate(_CURLS):
        faces = scalp.faces(azimuth)
        aside = abs((azimuth + 180) % 360 - 180)
        in_face = aside < 78
        if faces < -0.35 or (in_face and height < 0.04):
            continue
        shift = details.number(f"curl {number}", -6.0, 6.0)
        # The curls on the forehead are small.
        size = radius * (0.72 if in_face and height < 0.06 else 1.0)
        centre = scalp.raised(azimuth + shift, height, -0.002, 0.009 if height > 0.07 else 0.003)
        length = size * details.number(f"size {number}", 0.85, 1.15)
        # The others are inside the cap, and have no edge to show.
        if faces < 0.5 or in_face or height > 0.06 or height < 0.01 or aside < 104.0:
            outlines.append(round_tuft(centre, length))
        if faces > 0.1 and number % 2 == 0:
            start = details.number(f"bend {number}", 0.0, 6.28)
            lines.append(curl_line(centre, length * 0.62, start, scalp.head.unit * 0.0016))
    for sign in (1.0, -1.0):
        for place, y in _BESIDE_FACE:
            if scalp.faces(sign * place) > -0.2:
                outlines.append(round_tuft(scalp.point(sign * place, y), radius * 0.5))
    return outlines, lines


def crest(scalp: Scalp, length: float, details: Details, *, near: bool) -> list[Outline]:
    """A mohawk: fins in the head's middle plane from the forehead to the nape, those on the near or on the
    far side of the head. In profile all are on the near side."""
    size, cosine = scalp.head.enlarged, scalp.head.cos
    fins = []
    count = 9
    for number in range(count):
        angle = math.radians(46.0 + 152.0 * number / (count - 1))
        if (math.cos(angle) * cosine > -0.30) != near:
            continue
        reach = length * (0.80 + 0.36 * math.sin(math.pi * (number + 0.6) / count))
        reach *= details.number(f"fin {number}", 0.9, 1.1)
        half = 0.0150 * math.sin(math.pi * (number + 1.6) / (count + 1.8)) * size
        base = [_on_crest(scalp, angle + turn, -0.010, x) for turn in (-0.22, 0.24) for x in (half, -half)]
        middle = [
            _on_crest(scalp, angle + turn, reach * 0.5, x * 0.85)
            for turn in (-0.12, 0.22)
            for x in (half, -half)
        ]
        fins.append(hull((*base, *middle, _on_crest(scalp, angle + 0.14, reach, 0.0))))
    return fins


def _on_crest(scalp: Scalp, angle: float, out: float, x: float) -> Point:
    """A point above the middle line of the skull: the angle is 0 straight ahead and a half turn behind."""
    size = scalp.head.enlarged
    y, z = math.sin(angle), math.cos(angle)
    deep = 0.0535 if z > 0 else 0.0550
    return scalp.head.at(x, (0.0670 * y + out * y) * size + 0.004 * size, (deep * z + out * z) * size)
