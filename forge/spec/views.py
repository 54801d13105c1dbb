"""The four views of a character, in the order in which a sheet shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ViewName = Literal["front", "back", "side", "quarter"]
VIEW_NAMES: tuple[ViewName, ...] = get_args(ViewName)

# The options of nodes for all views, and for no particular view.
ALL_FOUR = "all four"
ANY_VIEW = "any"


@dataclass(frozen=True)
class View:
    """A view. `positive` and `negative` are tags for it and against other views, `sentence` says the same for
    text encoders that understand sentences. A `narrow` view is cut to a part of the width."""

    name: ViewName
    description: str
    positive: str
    negative: str
    sentence: str
    narrow: bool = False


NARROW = 5 / 8  # width of a standing figure in profile, at most, as a share of its height


def view_width(view_name: str | None, width: int, height: int, step: int) -> int:
    """The width of a view in a frame of `width` x `height` pixels; that of a narrow view is in steps of
    `step` pixels."""
    if view_name is None or not VIEWS[view_name].narrow:
        return width
    return min(width, max(int(height * NARROW) // step * step, step))


VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        View(
            "front",
            "Front-facing view, standard proportions",
            "front view, facing the viewer",
            "back view, from behind, side view, profile",
            "The character is seen from the front and faces the viewer",
        ),
        View(
            "back",
            "Back view, different lighting",
            "back view, from behind, facing away, back of the head",
            "front view, face, eyes, nose, mouth, facing the viewer, looking at the viewer, profile",
            "The character is seen from behind, facing away: only the back of the head is visible, no face",
        ),
        View(
            "side",
            "Side profile, narrow aspect ratio",
            "side view, profile, facing left",
            "front view, facing the viewer, back view, from behind, three-quarter view",
            "The character is seen from the side, in profile, facing left",
            narrow=True,
        ),
        View(
            "quarter",
            "3/4 view, partial features",
            "three-quarter view, turned at an angle",
            "front view, back view, from behind, profile",
            "The character is seen in a three-quarter view, face and body turned at an angle",
        ),
    )
}
