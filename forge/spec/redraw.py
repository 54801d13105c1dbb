"""A redraw of a finished picture: only the face changes, once for each expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .stored import from_fields

DENOISE, LEAST_DENOISE = 0.6, 0.2
MARGIN, MOST_MARGIN = 0.25, 1.0
#: Share of the region's radius over which the new picture fades in, from the border inwards.
FEATHER = 0.35


@dataclass(frozen=True)
class RedrawnExpression:
    """An expression under the name that the request gave it. `words` are those of an expression that is not
    built in."""

    name: str
    words: str = ""
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RedrawUse:
    """The picture whose face is redrawn, and how.

    `file_id` and `content_hash` are those of its copy in the store, `width` and `height` its pixels.
    `generation_id` and `position` (from 1) say where it came from, for people: the generation may be deleted
    since. `views` are those of that generation, which decide where its keypoints are. `identity_seed` is that
    of the character in a drawn picture, which has no `denoise`. `margin` is a share of the head's radius.

    If the picture was made without keypoints, `extractor` with its `extractor_model` reads them from it, or
    `kept_file_id` is the skeleton that was read from it earlier.
    """

    file_id: str
    content_hash: str
    width: int
    height: int
    generation_id: str
    position: int
    views: tuple[str | None, ...]
    expressions: tuple[RedrawnExpression, ...]
    identity_seed: int
    denoise: float | None = DENOISE
    margin: float = MARGIN
    extractor: str | None = None
    extractor_model: str | None = None
    kept_file_id: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reads_picture(self) -> bool:
        """Whether the keypoints are read from the picture itself."""
        return self.extractor is not None or self.kept_file_id is not None

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the expressions that are not built in."""
        return tuple(expression.words for expression in self.expressions if expression.words)


def read_redraw(data: Mapping[str, Any]) -> RedrawUse:
    """Read a stored redraw. Raises ValueError if it is incomplete."""
    expressions = tuple(from_fields(RedrawnExpression, item) for item in data.get("expressions", ()))
    values = {**data, "views": tuple(data.get("views", ())), "expressions": expressions}
    return from_fields(RedrawUse, values)


def redraw_parameters(redraw: RedrawUse, seed: int) -> dict[str, Any]:
    """The body of a request that repeats this redraw. A drawn one takes no seed."""
    return {
        "generation_id": redraw.generation_id,
        "position": redraw.position,
        "expressions": [expression.name for expression in redraw.expressions],
        "denoise": None if redraw.denoise is None else float(redraw.denoise),
        "margin": float(redraw.margin),
        "seed": None if redraw.denoise is None else seed,
    }
