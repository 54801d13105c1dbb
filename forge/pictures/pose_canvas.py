"""Reads the size of the canvas that a pose was drawn on or extracted from, under the names of various
programs.

OpenPose itself writes none. ControlNet, its editors and POSE_KEYPOINT write `canvas_width` and
`canvas_height`, older editors `width` and `height`. If a size were ignored, the pose would be drawn at a
wrong one. So a pose is refused if a field looks like a canvas but is not understood.
"""

from __future__ import annotations

import re
from typing import Any

from .pose_points import InvalidPose

MAX_CANVAS_SIDE = 16_384

Size = tuple[int, int]

# Names are compared in lower case and without separators: canvas_width, canvasWidth.
_SUBJECT = "(canvas|image|img|picture|frame|video|source|original)?"
_SIDE = re.compile(_SUBJECT + "(width|height|w|h)")
_SIZE = re.compile(_SUBJECT + "(size|resolution|dimensions)|canvas")
_WRITE = 'write "canvas_width" and "canvas_height" in pixels'
_CONTAINERS = frozenset(("image", "img", "picture", "frame", "metadata", "meta", "info"))
_SIMILAR = re.compile("canvas|resolution|dimension|shape")
# For lists with these names, some programs write the height first.
_UNORDERED = re.compile("(image|img|picture|frame|video|source|original)")


def read_canvas(frame: dict[str, Any]) -> Size | None:
    """Width and height in pixels; None if the frame has none.

    Raises InvalidPose for a size that is incomplete, impossible, or given twice with different values.
    """
    sizes = _sizes(frame)
    for name, size in sizes[1:]:
        if size != sizes[0][1]:
            raise _conflict(sizes[0][0], sizes[0][1], name, size)
    return sizes[0][1] if sizes else None


def _sizes(frame: dict[str, Any]) -> list[tuple[str, Size]]:
    given = {key: value for key, value in frame.items() if value is not None}
    sizes = _sides(given)
    for key, value in given.items():
        name = _plain(key)
        if _SIZE.fullmatch(name):
            sizes.append((key, _compound(key, value)))
        elif name in _CONTAINERS and isinstance(value, dict):
            sizes += [(f"{key}.{inner}", size) for inner, size in _sizes(value)]
        elif _SIMILAR.search(name) and not _SIDE.fullmatch(name):
            raise InvalidPose(
                f"The pose seems to give its canvas as {_quoted(key)}, which is not read; {_WRITE}."
            )
    return sizes


def _sides(given: dict[str, Any]) -> list[tuple[str, Size]]:
    """Pairs of a width and a height, each with the name of its width."""
    pairs: dict[tuple[str | None, bool], dict[str, tuple[str, Any]]] = {}
    for key, value in given.items():
        match = _SIDE.fullmatch(_plain(key))
        if match:
            sides = pairs.setdefault((match[1], len(match[2]) == 1), {})
            earlier, side = sides.setdefault(match[2][0], (key, value))
            if side != value:
                raise _conflict(earlier, side, key, value)
    sizes = []
    for sides in pairs.values():
        named = " and ".join(_quoted(key) for key, _ in sides.values())
        if len(sides) == 1:
            raise InvalidPose(
                f"The pose gives its canvas as {named} alone; a canvas has a width and a height."
            )
        (name, width), (_, height) = sides["w"], sides["h"]
        sizes.append((name, (_side(width, named), _side(height, named))))
    return sizes


def _compound(key: str, value: Any) -> Size:
    """A size under one name: an object, or a list with the width first."""
    if isinstance(value, dict):
        inner = [size for _, size in _sides({name: side for name, side in value.items() if side is not None})]
        if len(inner) == 1:
            return inner[0]
    elif isinstance(value, list) and len(value) == 2:
        width, height = (_side(side, f"The numbers of {_quoted(key)}") for side in value)
        if width != height and _UNORDERED.match(_plain(key)):
            raise InvalidPose(
                f"The pose gives its canvas as {_quoted(key)}, which does not say which of the two numbers "
                f"is the width; {_WRITE}."
            )
        return width, height
    raise InvalidPose(
        f"The pose gives its canvas as {_quoted(key)}, but not as a width and a height; {_WRITE}."
    )


def _side(value: Any, named: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= MAX_CANVAS_SIDE:
        raise InvalidPose(f"{named} are numbers from 1 to {MAX_CANVAS_SIDE}, in pixels.")
    return round(value)


def _conflict(first: str, value: Any, second: str, other: Any) -> InvalidPose:
    first, second = _quoted(first), _quoted(second)
    values = f"{first} says {_shown(value)}, {second} says {_shown(other)}"
    return InvalidPose(f"The pose gives its canvas more than once, and not the same: {values}.")


def _shown(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)[:20]


def _quoted(key: str) -> str:
    return f'"{key[:40]}"'


def _plain(key: str) -> str:
    return re.sub("[^a-z0-9]", "", key.lower())
