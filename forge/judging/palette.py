"""Whether a picture has the colours of its front and its references, without any model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..pictures.figure import SOLID, find_figure
from ..pictures.palette import make_palette, nearest_of, pack
from ..spec.scores import Measure
from .colour import difference, lab_of
from .evidence import Evidence, Shown
from .parts import PARTS, Mask, part_masks
from .pose import torso_of

METHOD = "CIEDE2000 between weighted palettes"
#: Long side of the copy whose colours are counted, in pixels; colours of a palette; bits of a channel that
#: tell colours apart.
SIDE, COLOURS, BITS = 192, 8, 5
#: Into how many units of equal weight a palette is divided, to be moved onto another one.
UNITS = 32
#: A part of fewer pixels than this share of the copy is not looked at.
LEAST = 0.001
#: The mean difference at which nothing is left of the score. Red and orange are about 27 apart, black and
#: white 100.
FURTHEST = 40.0
WHOLE = "whole"


@dataclass(frozen=True)
class Palette:
    """Colours (number, 3) with their weights, which add up to 1."""

    colours: NDArray[np.int64]
    weights: NDArray[np.float64]


def measure_palette(evidence: Evidence) -> Measure:
    """The mean of the scores against the front, part by part, and against the closest reference, as a whole.

    The score of a distance d, in CIEDE2000, is 100 (1 - d / 40), and at least 0. The distance of two palettes
    is the least mean difference over which the colours of one can be moved onto those of the other: the earth
    mover's distance (Rubner, Tomasi and Guibas, 2000).
    """
    if evidence.front is None and not evidence.references:
        return Measure(reason="There is no front and no reference to compare with.")
    located = _with_found(evidence)
    own = palettes_of(located)
    if not own:
        return Measure(reason="The figure cannot be told from its background.")
    scores: dict[str, float] = {}
    parts: dict[str, float] = {}
    if evidence.front is not None:
        other = palettes_of(evidence.front)
        # Without joints in both, only the whole figures can be compared.
        shared = [name for name in PARTS if name in own and name in other] or [WHOLE] * (
            WHOLE in own and WHOLE in other
        )
        parts = {name: score_of(distance(own[name], other[name])) for name in shared}
        if parts:
            scores["front"] = sum(parts.values()) / len(parts)
    if WHOLE in own:
        wholes = [palettes_of(Shown(picture)).get(WHOLE) for picture in evidence.references]
        against = [score_of(distance(own[WHOLE], other)) for other in wholes if other is not None]
        if against:
            scores["reference"] = max(against)
    if not scores:
        return Measure(reason="No figure can be told from its background in what it is compared with.")
    details = {name: round(value, 1) for name, value in {**scores, **parts}.items()}
    return Measure(round(sum(scores.values()) / len(scores), 1), METHOD, details=details)


def score_of(difference_: float) -> float:
    return 100 * max(0.0, 1 - difference_ / FURTHEST)


def palettes_of(shown: Shown) -> dict[str, Palette]:
    """The palettes of the parts that can be located, and of the whole figure where that is told from its
    background."""
    picture = shown.picture
    scale = min(1.0, SIDE / max(picture.size))
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    small = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX))
    figure = find_figure(picture)
    mask = None
    if figure is not None:
        mask = np.asarray(figure.mask.resize(size, Image.Resampling.BOX)) >= SOLID
    masks: dict[str, Mask] = {}
    person = next((one for one in shown.people or () if torso_of(one.body)), None)
    if person is not None:
        masks = dict(part_masks(person, size, scale))
        if mask is not None:
            masks = {name: part & mask for name, part in masks.items()}
    if mask is not None:
        masks[WHOLE] = mask
    least = LEAST * size[0] * size[1]
    return {name: _palette(small[part]) for name, part in masks.items() if part.sum() >= least}


def distance(one: Palette, other: Palette) -> float:
    """The earth mover's distance of two palettes, in CIEDE2000."""
    first, second = (lab_of(_units(palette)) for palette in (one, other))
    costs = difference(first[:, None], second[None, :])
    return float(costs[np.arange(UNITS), assign(costs)].mean())


def assign(costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each row its own column of a square matrix, so that the sum of the costs is least.

    The Hungarian method (Kuhn, 1955) by shortest augmenting paths: `rows` and `columns` are the dual values.
    """
    size = len(costs)
    rows, columns = np.zeros(size + 1), np.zeros(size + 1)
    owner = np.full(size + 1, size)  # by column; `size` stands for none, the last column for the start
    for row in range(size):
        owner[size], column = row, size
        least, before = np.full(size, np.inf), np.full(size, size)
        visited = np.zeros(size + 1, bool)
        while owner[column] != size:
            visited[column] = True
            reduced = costs[owner[column]] - rows[owner[column]] - columns[:size]
            better = ~visited[:size] & (reduced < least)
            least[better], before[better] = reduced[better], column
            free = np.where(visited[:size], np.inf, least)
            following = int(free.argmin())
            step = free[following]
            rows[owner[visited]] += step
            columns[visited] -= step
            least[~visited[:size]] -= step
            column = following
        while column != size:
            owner[column] = owner[before[column]]
            column = int(before[column])
    assigned = np.empty(size, np.int64)
    assigned[owner[:size]] = np.arange(size)
    return assigned


def _with_found(evidence: Evidence) -> Shown:
    """The picture with the joints that locate its parts: those it was made with, else those found in it."""
    if evidence.shown.people or not evidence.found:
        return evidence.shown
    return Shown(evidence.shown.picture, evidence.found)


def _palette(pixels: NDArray[np.uint8]) -> Palette:
    """A palette of at most COLOURS colours for pixels (number, 3), weighted by their pixels."""
    _, first, counts = np.unique(pack(pixels >> (8 - BITS)), return_index=True, return_counts=True)
    distinct = pixels[first].astype(np.int64)
    colours = np.array(make_palette(distinct, counts.astype(np.int64), COLOURS), np.int64)
    weights = np.bincount(nearest_of(distinct, colours), counts, len(colours))
    return Palette(colours[weights > 0], weights[weights > 0] / weights.sum())


def _units(palette: Palette) -> NDArray[np.int64]:
    """UNITS colours that have about the weights of the palette, by largest remainders."""
    exact = palette.weights * UNITS
    counts = np.floor(exact).astype(np.int64)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: UNITS - counts.sum()]] += 1
    return np.repeat(palette.colours, counts, axis=0)
