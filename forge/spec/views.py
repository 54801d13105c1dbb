"""The views of a character: eight directions around it, and the four of the classic sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

ViewName = Literal[
    "front",
    "back",
    "side",
    "quarter",
    "left",
    "right",
    "quarter_left",
    "quarter_right",
    "back_left",
    "back_right",
]
VIEW_NAMES: tuple[ViewName, ...] = get_args(ViewName)
#: The views of a sheet, unless the request chooses others.
SHEET_VIEWS: tuple[ViewName, ...] = VIEW_NAMES[:4]
#: Eight directions, clockwise as seen from above, so that neighbours are an eighth of a turn apart.
EIGHT_VIEWS: tuple[ViewName, ...] = (
    "front",
    "quarter_left",
    "left",
    "back_left",
    "back",
    "back_right",
    "right",
    "quarter_right",
)

# The options of nodes for several views, and for no particular view.
ALL_FOUR = "all four"
ALL_EIGHT = "all eight"
ANY_VIEW = "any"

Elevation = Literal["level", "above", "below"]
ELEVATIONS: tuple[Elevation, ...] = get_args(Elevation)
LEVEL: Elevation = "level"


@dataclass(frozen=True)
class View:
    """A view. `positive` and `negative` are tags for it and against other views, `sentence` says the same for
    text encoders that understand sentences. A `narrow` view is cut to a part of the width.

    `turn` is in degrees from the front towards the picture's left. Names with "left" and "right" are those of
    the picture: in the left view the character faces the picture's left edge. "side" and "quarter" face that
    side, too.
    """

    name: ViewName
    description: str
    turn: float
    positive: str
    negative: str
    sentence: str
    narrow: bool = False

    @property
    def shows_face(self) -> bool:
        """Whether more of the face than its outline is visible."""
        return abs(self.turn) <= 90


NARROW = 5 / 8  # width of a standing figure in profile, at most, as a share of its height


def node_views(views: Sequence[str | None]) -> dict[str, str]:
    """The options `view` and `views` of AvatarForge's nodes for these views, one per row."""
    names = tuple(views)
    if len(names) == 1:
        return {"view": names[0] or ANY_VIEW, "views": ""}
    for option, meaning in ((ALL_FOUR, SHEET_VIEWS), (ALL_EIGHT, EIGHT_VIEWS)):
        if names == meaning:
            return {"view": option, "views": ""}
    return {"view": str(names[0]), "views": ", ".join(map(str, names))}


def views_of_node(view: str, views: str = "") -> tuple[str | None, ...]:
    """The views, one per row, of the options that `node_views` gives; None is no particular view.

    `views` wins over `view` unless it is empty. Raises ValueError for an unknown name in it.
    """
    names = [name.strip().lower() for name in views.split(",") if name.strip()]
    unknown = [name for name in names if name not in VIEWS]
    if unknown:
        raise ValueError(f"There is no view {unknown[0]!r}: use {', '.join(VIEW_NAMES)}.")
    if names:
        return tuple(names)
    if view in (ALL_FOUR, ALL_EIGHT):
        return SHEET_VIEWS if view == ALL_FOUR else EIGHT_VIEWS
    return (None,) if view == ANY_VIEW else (view,)


def in_order(views: Iterable[str]) -> tuple[str, ...]:
    """These views in the order of `VIEW_NAMES`: the front, which the others look at, comes first."""
    wanted = frozenset(views)
    return tuple(name for name in VIEW_NAMES if name in wanted)


def view_width(view_name: str | None, width: int, height: int, step: int) -> int:
    """The width of a view in a frame of `width` x `height` pixels; that of a narrow view is in steps of
    `step` pixels."""
    if view_name is None or not VIEWS[view_name].narrow:
        return width
    return min(width, max(int(height * NARROW) // step * step, step))


_FACE = "face, eyes, nose, mouth, facing the viewer, looking at the viewer"


VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        View(
            "front",
            "Front-facing view, standard proportions",
            0.0,
            "front view, facing the viewer",
            "back view, from behind, side view, profile",
            "The character is seen from the front and faces the viewer",
        ),
        View(
            "back",
            "Back view, different lighting",
            180.0,
            "back view, from behind, facing away, back of the head, rim light",
            f"front view, {_FACE}, profile",
            "The character is seen from behind, facing away, with rim light along its outline: only the back "
            "of the head is visible, no face",
        ),
        View(
            "side",
            "Side profile, narrow aspect ratio",
            90.0,
            "side view, profile, facing left",
            "front view, facing the viewer, back view, from behind, three-quarter view",
            "The character is seen from the side, in profile, facing left",
            narrow=True,
        ),
        View(
            "quarter",
            "3/4 view, partial features",
            40.0,
            "three-quarter view, turned at an angle",
            "front view, back view, from behind, profile",
            "The character is seen in a three-quarter view, face and body turned at an angle",
        ),
        View(
            "left",
            "Side profile, facing the left edge",
            90.0,
            "side view, profile, facing left",
            "facing right, front view, facing the viewer, back view, from behind, three-quarter view",
            "The character is seen from the side, in profile, facing the left edge of the picture",
            narrow=True,
        ),
        View(
            "right",
            "Side profile, facing the right edge",
            -90.0,
            "side view, profile, facing right",
            "facing left, front view, facing the viewer, back view, from behind, three-quarter view",
            "The character is seen from the side, in profile, facing the right edge of the picture",
            narrow=True,
        ),
        View(
            "quarter_left",
            "3/4 view, turned to the left edge",
            45.0,
            "three-quarter view, turned to the left",
            "turned to the right, front view, back view, from behind, profile",
            "The character is seen in a three-quarter view, face and body turned towards the left edge of "
            "the picture",
        ),
        View(
            "quarter_right",
            "3/4 view, turned to the right edge",
            -45.0,
            "three-quarter view, turned to the right",
            "turned to the left, front view, back view, from behind, profile",
            "The character is seen in a three-quarter view, face and body turned towards the right edge of "
            "the picture",
        ),
        View(
            "back_left",
            "3/4 view from behind, turned to the left edge",
            135.0,
            "three-quarter back view, from behind, facing away to the left, back of the head",
            f"turned to the right, front view, {_FACE}",
            "The character is seen from behind at an angle, turned towards the left edge of the picture: "
            "the back of the head is visible, no face",
        ),
        View(
            "back_right",
            "3/4 view from behind, turned to the right edge",
            -135.0,
            "three-quarter back view, from behind, facing away to the right, back of the head",
            f"turned to the left, front view, {_FACE}",
            "The character is seen from behind at an angle, turned towards the right edge of the picture: "
            "the back of the head is visible, no face",
        ),
    )
}
