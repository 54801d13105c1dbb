"""Draws the views of one character: from words, seeds, poses and a reference to pictures and their parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from ..openpose_json import PoseDocument
from ..skeleton import view_skeleton
from .character.character import choose_character
from .character.description import Colour, Description
from .character.palette import palette_from_picture, palette_of
from .character.reference import WeightedPalette
from .drawing import DollOrder, Drawing, draw_doll
from .poses.facing import turn_for
from .poses.people import people_in, person_of

#: As `view_seed`: the same as `seed`.
SAME_SEED = -1
_FRONT = "front"
#: Called after each pass with the row, the number of passes drawn, and a preview. May raise.
AfterPass = Callable[[int, int, Image.Image], None]


@dataclass(frozen=True)
class ViewsOrder:
    """What to draw: one row per view, None for that of its pose alone, each of `size` (width, height) pixels.

    `seed` decides what the words leave open, and `view_seed` (or SAME_SEED) the details of the pictures; with
    a `consistency` below 1 it also decides a share of what the words leave open, for each view by itself.
    `poses` are by view; the others stand on the built-in skeletons. `palette` has the colours of references.
    """

    description: Description
    views: tuple[str | None, ...]
    size: tuple[int, int]
    seed: int
    view_seed: int
    consistency: float
    passes: int
    poses: Mapping[str | None, PoseDocument] = field(default_factory=dict)
    palette: WeightedPalette | None = None

    @property
    def own_seed(self) -> int:
        """The seed of what the views decide by themselves."""
        return self.seed if self.view_seed == SAME_SEED else self.view_seed


def draw_views(order: ViewsOrder, after_pass: AfterPass) -> Sequence[Drawing]:
    """Draw all rows, one after another, each with all of its passes. A row is the same alone and among
    others."""
    return [_draw_view(order, row, view, after_pass) for row, view in enumerate(order.views)]


def reference_palette(picture: Image.Image, parts: Image.Image | None) -> Mapping[str, Colour]:
    """The colours of a reference: by its parts (mode L, of its size) if it has any, else the colours that it
    shows most."""
    if parts is not None and parts.getbbox() is not None:
        return palette_of(picture, parts)
    return palette_from_picture(picture)


def _draw_view(order: ViewsOrder, row: int, view: str | None, after_pass: AfterPass) -> Drawing:
    character = choose_character(
        order.description,
        seed=order.seed,
        view_seed=order.own_seed,
        view=view or "",
        consistency=order.consistency,
        palette=order.palette,
    )
    given = order.poses.get(view)
    if given is not None:
        people = people_in(given, *order.size)
    else:
        view = view or _FRONT
        people = (person_of(view_skeleton(view), *order.size),)
    return draw_doll(
        DollOrder(
            people=people,
            turn=turn_for(people[0], view),
            character=character,
            size=order.size,
            seed=order.own_seed,
            passes=order.passes,
        ),
        lambda done, preview: after_pass(row, done, preview),
    )
