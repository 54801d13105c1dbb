"""Palettes: a few colours that stand for many. Pure, and the same on every machine: sums are whole numbers,
so that no order of additions can change a colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Colours of a palette, each red, green and blue.
Palette = tuple[tuple[int, int, int], ...]
Ints = NDArray[np.int64]

#: Weights of red, green and blue in the distance of colours; near enough to what the eye sees.
_DISTANCE = np.array([2, 4, 3])
#: Distinct colours that are compared with a palette at once.
_CHUNK = 4096
#: Distinct colours of which a palette is made, and how often it moves to their means.
_MOST_DISTINCT, _ROUNDS = 16_384, 4


def make_palette(distinct: Ints, counts: Ints, colors: int) -> Palette:
    """At most `colors` colours for these, which are in so many cells each: they themselves if that is enough.

    Otherwise the colours are split where they vary most until there are enough groups, as in the quantizer of
    Wu (1991), and each group moves to the mean of the colours that are nearest to it. A colour counts by the
    square root of its cells: an iris has few, and is looked at more than a coat. Raises ValueError for fewer
    than one colour.
    """
    if colors < 1:
        raise ValueError(f"A palette cannot have {colors} colours.")
    if len(distinct) <= colors:
        return palette_from(distinct)
    distinct, weights = _weighted(distinct, counts)
    palette = np.array(
        [_center(distinct[group], weights[group]) for group in _groups(distinct, weights, colors)]
    )
    for _ in range(_ROUNDS):
        palette = _moved(distinct, weights, np.unique(palette, axis=0))
    return palette_from(palette)


def _weighted(colors: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """(colours, their weights). Of very many, those that are almost alike count as one."""
    if len(colors) > _MOST_DISTINCT:
        bins, first, members = np.unique(pack(colors >> 3), return_index=True, return_inverse=True)
        colors, counts = colors[first], np.bincount(members, counts, len(bins)).astype(np.int64)
    return colors, np.ceil(np.sqrt(counts)).astype(np.int64)


def _groups(colors: Ints, weights: Ints, most: int) -> list[Ints]:
    """At most so many groups of colours, as indices."""
    groups = [np.arange(len(colors))]
    spreads = [_spread(colors, weights)]
    while len(groups) < most:
        widest = max(range(len(groups)), key=lambda number: spreads[number].max())
        if spreads[widest].max() <= 0:
            break
        group, channel = groups[widest], spreads[widest].argmax()
        level = colors[group, channel]
        above = level * weights[group].sum() > (level * weights[group]).sum()
        parts = group[~above], group[above]
        groups[widest : widest + 1] = parts
        spreads[widest : widest + 1] = [_spread(colors[part], weights[part]) for part in parts]
    return groups


def _spread(colors: Ints, weights: Ints) -> NDArray[np.float64]:
    """How far a group spreads in each channel: the sum of its squared distances from its mean."""
    if len(colors) < 2:
        return np.zeros(3)
    sums = (colors * weights[:, None]).sum(0)
    squares = (colors * colors * weights[:, None]).sum(0)
    spread: NDArray[np.float64] = (squares - sums * sums / weights.sum()) * _DISTANCE
    return spread


def _center(colors: Ints, weights: Ints) -> Ints:
    return mean_of((colors * weights[:, None]).sum(0), weights.sum())


def _moved(colors: Ints, weights: Ints, palette: Ints) -> Ints:
    """Each colour of the palette as the mean of the colours that are nearest to it."""
    nearest = nearest_of(colors, palette)
    totals = np.bincount(nearest, weights, len(palette)).astype(np.int64)
    sums = [np.bincount(nearest, colors[:, channel] * weights, len(palette)) for channel in range(3)]
    moved = mean_of(np.stack(sums, axis=-1).astype(np.int64), totals)
    return moved[totals > 0]


def nearest_of(colors: Ints, palette: Ints) -> Ints:
    """For each colour the number of the nearest one of the palette; of several the first."""
    weighted = (palette * _DISTANCE).astype(np.float64)  # whole numbers, and exact
    own = (weighted * palette).sum(1)
    nearest = np.empty(len(colors), np.int64)
    for start in range(0, len(colors), _CHUNK):
        part = colors[start : start + _CHUNK]
        nearest[start : start + _CHUNK] = (own - 2 * (part.astype(np.float64) @ weighted.T)).argmin(1)
    return nearest


def mean_of(sums: Ints, counts: Ints) -> Ints:
    """Rounded means; 0 of nothing."""
    divisors = np.maximum(counts, 1)[..., None]
    means: Ints = (2 * sums + divisors) // (2 * divisors)
    return means


def pack(colors: NDArray[Any]) -> Ints:
    """Colours (..., 3) as one number each."""
    wide = colors.astype(np.int64)
    packed: Ints = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    return packed


def palette_from(colors: NDArray[Any]) -> Palette:
    """Colours as (number, 3), sorted, each once."""
    return tuple(sorted({(int(red), int(green), int(blue)) for red, green, blue in colors}))
