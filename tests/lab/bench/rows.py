"""What a benchmark finds: rows of a table, and curves of cost against size."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        part: the heading that it stands under.
        name: what was measured.
        value: the figure with its unit, ready to print.
        target: in words; "" for a figure that others are compared with.
        holds: whether the target holds; None without a target, or where it could not be measured here.
    """

    part: str
    name: str
    value: str
    target: str = ""
    holds: bool | None = None


@dataclass(frozen=True)
class Curve:
    """Points of one line in a plot, both axes logarithmic.

    Attributes:
        plot: title of the plot; curves of one title share it.
        label: what this line is.
        x_label, y_label: with units; the same for all curves of a plot.
        points: (x, y), both above 0.
    """

    plot: str
    label: str
    x_label: str
    y_label: str
    points: tuple[tuple[float, float], ...]


def percentile(values: Sequence[float], part: float) -> float:
    """The nearest-rank percentile: at least ``part`` (0 to 1) of the values are not above it."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(part * len(ranked)) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
