"""Results of a benchmark: rows of a table, and curves of cost against size."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        part: heading of its table.
        name: what was measured.
        value: the figure with its unit, ready to print.
        target: as text; "" for a figure that only serves for comparison.
        holds: whether the target holds; None without a target, or if it could not be measured here.
    """

    part: str
    name: str
    value: str
    target: str = ""
    holds: bool | None = None


@dataclass(frozen=True)
class Curve:
    """One line in a plot with logarithmic axes.

    Attributes:
        plot: title of the plot, shared by all its curves.
        label: name of this line.
        x_label, y_label: with units; the same for all curves of a plot.
        points: (x, y), both above 0.
    """

    plot: str
    label: str
    x_label: str
    y_label: str
    points: tuple[tuple[float, float], ...]


def percentile(values: Sequence[float], fraction: float) -> float:
    """The nearest-rank percentile: at least ``fraction`` (0 to 1) of the values are less or equal."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(fraction * len(ranked)) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
