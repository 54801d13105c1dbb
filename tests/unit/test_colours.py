"""The tests' colour difference is the published CIEDE2000."""

from __future__ import annotations

import pytest
from colours import PUBLISHED, Lab, ciede2000, colour_difference, lab_of


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
