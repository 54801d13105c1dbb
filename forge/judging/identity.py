"""Whether two pictures show the same character, by the numbers of an image model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

from ..pictures.figure import Box, find_figure
from ..spec.scores import Measure
from .evidence import Evidence

METHOD = "cosine of the figures, closest reference"
#: Figures whose shapes (height by width) differ by more than this factor are framed too differently: a
#: portrait says little about a whole figure.
MOST_STRETCH = 1.8
#: Medians of 100 times the cosine, for pictures of the same and of different characters. DINOv2 on the whole
#: subject: as OmniChar gives them. Nothing is known of CLIP-Vision models, whose scale is another.
MEDIANS = {"dino": {"genuine": 59.6, "impostor": 37.2}}
MARGIN = 0.05  # around the figure, as a share of its box


def measure_identity(evidence: Evidence) -> Measure:
    """100 times the cosine between the picture and the closest of the references, or else the front; each cut
    to its figure. 0 for what is opposite."""
    if evidence.embed is None:
        return Measure(reason="No model that compares pictures is installed.")
    others = [*evidence.references]
    if not others and evidence.front is not None:
        others = [evidence.front.picture]
    if not others:
        return Measure(reason="There is no reference and no front to compare with.")
    own = _box(evidence.shown.picture)
    alike = [other for other in others if _stretch(own, _box(other)) <= MOST_STRETCH]
    if not alike:
        return Measure(reason="The figure is framed too differently from every reference.")
    numbers = evidence.embed(_cut(evidence.shown.picture, own))
    cosines = [cosine(numbers, evidence.embed(_cut(other, _box(other)))) for other in alike]
    if all(math.isnan(value) for value in cosines):
        return Measure(reason="The model gave no numbers that can be compared.")
    best = max(range(len(cosines)), key=lambda number: (not math.isnan(cosines[number]), cosines[number]))
    model = evidence.embedding_model or ""
    medians = next((values for name, values in MEDIANS.items() if name in model.lower()), None)
    return Measure(
        round(100 * max(0.0, cosines[best]), 1),
        METHOD,
        evidence.embedding_model,
        details={"compared": len(alike), "left_out": len(others) - len(alike), "medians": medians},
    )


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of the angle between two vectors; NaN for one of length 0 or with numbers that are none."""
    if len(one) != len(other):
        return math.nan
    lengths = math.hypot(*one) * math.hypot(*other)
    if not math.isfinite(lengths) or lengths == 0:
        return math.nan
    return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(one, other, strict=True)) / lengths))


def _box(picture: Image.Image) -> Box:
    """The box of the figure with a margin; the whole picture where no figure can be told from the rest."""
    figure = find_figure(picture)
    if figure is None:
        return (0, 0, picture.width, picture.height)
    left, top, right, bottom = figure.box
    margin = round(MARGIN * max(right - left, bottom - top))
    return (
        max(0, left - margin),
        max(0, top - margin),
        min(picture.width, right + margin),
        min(picture.height, bottom + margin),
    )


def _cut(picture: Image.Image, box: Box) -> Image.Image:
    """The box on a square of the picture's corner colour, because image models squeeze what is not square."""
    part = picture.convert("RGB").crop(box)
    side = max(part.size)
    square = Image.new("RGB", (side, side), part.getpixel((0, 0)))
    square.paste(part, ((side - part.width) // 2, (side - part.height) // 2))
    return square


def _stretch(one: Box, other: Box) -> float:
    """By what factor the shapes of two boxes differ, at least 1."""
    first, second = ((bottom - top) / (right - left) for left, top, right, bottom in (one, other))
    return max(first / second, second / first)
