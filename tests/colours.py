"""Differences between colours as people see them."""

from __future__ import annotations

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

Lab = tuple[float, float, float]

#: Pairs of table 1 in Sharma, Wu and Dalal (2005), by their number.
PUBLISHED: dict[int, tuple[Lab, Lab, float]] = {
    1: ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    2: ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    3: ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412),
    4: ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    7: ((50, 0, 0), (50, -1, 2), 2.3669),
    9: ((50, 2.4900, -0.0010), (50, -2.4900, 0.0009), 7.1792),
    11: ((50, 2.4900, -0.0010), (50, -2.4900, 0.0011), 7.2195),
    13: ((50, -0.0010, 2.4900), (50, 0.0009, -2.4900), 4.8045),
    17: ((50, 2.5000, 0), (73, 25, -18), 27.1492),
    18: ((50, 2.5000, 0), (61, -5, 29), 22.8977),
    19: ((50, 2.5000, 0), (56, -27, -3), 31.9030),
    20: ((50, 2.5000, 0), (58, 24, 15), 19.4535),
    21: ((50, 2.5000, 0), (50, 3.1736, 0.5854), 1.0000),
    25: ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    26: ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    34: ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
}

_D65 = (0.95047, 1.0, 1.08883)


def lab_of(colour: tuple[int, int, int]) -> Lab:
    """CIE L*a*b* (D65) of an sRGB colour (0..255 per channel)."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    x = 0.4124564 * red + 0.3575761 * green + 0.1804375 * blue
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = 0.0193339 * red + 0.1191920 * green + 0.9503041 * blue
    fx, fy, fz = (_cube_root(value / white) for value, white in zip((x, y, z), _D65, strict=True))
    return (116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz))


def colour_difference(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """CIEDE2000 of two sRGB colours: 1 is about what people just notice."""
    return ciede2000(lab_of(one), lab_of(other))


def ciede2000(one: Lab, other: Lab) -> float:
    """CIEDE2000 with k = 1, as in Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula:
    Implementation Notes, Supplementary Test Data, and Mathematical Observations", Color Research and
    Application 30 (2005) 21-30."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_chroma = (hypot(a1, b1) + hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7))
    chroma1, chroma2 = hypot(stretch * a1, b1), hypot(stretch * a2, b2)
    hue1, hue2 = _hue(stretch * a1, b1), _hue(stretch * a2, b2)
    turn, hue_sum = hue2 - hue1, hue1 + hue2
    if chroma1 * chroma2 == 0:
        turn, mean_hue = 0.0, hue_sum
    elif abs(turn) <= 180:
        mean_hue = hue_sum / 2
    else:
        turn += -360 if turn > 180 else 360
        mean_hue = (hue_sum + 360) / 2 if hue_sum < 360 else (hue_sum - 360) / 2
    lightness, chroma = l2 - l1, chroma2 - chroma1
    hue = 2 * sqrt(chroma1 * chroma2) * sin(radians(turn / 2))
    mean_l, mean_c = (l1 + l2) / 2, (chroma1 + chroma2) / 2
    weight = (
        1
        - 0.17 * cos(radians(mean_hue - 30))
        + 0.24 * cos(radians(2 * mean_hue))
        + 0.32 * cos(radians(3 * mean_hue + 6))
        - 0.20 * cos(radians(4 * mean_hue - 63))
    )
    scale_l = 1 + 0.015 * (mean_l - 50) ** 2 / sqrt(20 + (mean_l - 50) ** 2)
    scale_c = 1 + 0.045 * mean_c
    scale_h = 1 + 0.015 * mean_c * weight
    rotation = (
        -2 * sqrt(mean_c**7 / (mean_c**7 + 25**7)) * sin(radians(60 * exp(-(((mean_hue - 275) / 25) ** 2))))
    )
    return sqrt(
        (lightness / scale_l) ** 2
        + (chroma / scale_c) ** 2
        + (hue / scale_h) ** 2
        + rotation * (chroma / scale_c) * (hue / scale_h)
    )


def _hue(a: float, b: float) -> float:
    return degrees(atan2(b, a)) % 360 if a or b else 0.0


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _cube_root(value: float) -> float:
    return value ** (1 / 3) if value > (6 / 29) ** 3 else value * (29 / 6) ** 2 / 3 + 4 / 29
