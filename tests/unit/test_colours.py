"""The tests' colour difference is the published CIEDE2000."""

from __future__ import annotations

import pytest
from colours import Lab, ciede2000, colour_difference, lab_of

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


@pytest.mark.parametrize("number", PUBLISHED)
def test_published_pairs(number: int) -> None:
    one, other, expected = PUBLISHED[number]
    assert ciede2000(one, other) == pytest.approx(expected, abs=5e-5)
    assert ciede2000(other, one) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((255, 255, 255), (100, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_known_colours(colour: tuple[int, int, int], expected: Lab) -> None:
    assert lab_of(colour) == pytest.approx(expected, abs=0.02)


def test_the_difference_of_a_colour_to_itself_is_none() -> None:
    assert colour_difference((12, 200, 99), (12, 200, 99)) == 0
