"""The formats with all frames in one picture: TexturePacker's JSON, Aseprite's, Godot's and Unity's.

Sources of the formats: docs/export.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from ..errors import TooLargeError
from ..pictures.png_strips import write_png
from .frames import CLEAR, FrameSet
from .limits import MOST_SIDE
from .members import TextPart, json_part

#: Pixels between frames, against bleeding.
PADDING = 2
#: Milliseconds of a frame of an animation.
FRAME_MILLISECONDS = 100
_SMALLEST_SIDE = 16
#: Rows of empty space that are written at once.
_ROWS = 256


@dataclass(frozen=True)
class Atlas:
    """A grid of frames in a picture whose sides are powers of two. `corners` are those of the frames."""

    width: int
    height: int
    columns: int
    corners: tuple[tuple[int, int], ...]


def lay_out(number: int, width: int, height: int) -> Atlas | None:
    """The smallest atlas for so many frames of that size, of several the one that is nearest to a square;
    None if no side of at most MOST_SIDE pixels is enough."""
    best: tuple[tuple[int, int], Atlas] | None = None
    side = _SMALLEST_SIDE
    while side <= MOST_SIDE:
        columns = min(number, (side - PADDING) // (width + PADDING))
        if columns >= 1:
            rows = -(-number // columns)
            tall = _power_of_two(PADDING + rows * (height + PADDING))
            rank = (side * tall, max(side, tall))
            if tall <= MOST_SIDE and (best is None or rank < best[0]):
                corners = tuple(
                    (
                        PADDING + index % columns * (width + PADDING),
                        PADDING + index // columns * (height + PADDING),
                    )
                    for index in range(number)
                )
                best = rank, Atlas(side, tall, columns, corners)
        side *= 2
    return best[1] if best else None


def _power_of_two(pixels: int) -> int:
    return max(_SMALLEST_SIDE, 1 << (pixels - 1).bit_length())


def draw_atlas(atlas: Atlas, frames: FrameSet, draw: Callable[[int], Image.Image]) -> Iterator[bytes]:
    """The PNG, of which one row of frames is in memory at a time."""
    return write_png(atlas.width, atlas.height, "RGBA", _strips(atlas, frames, draw))


def _strips(atlas: Atlas, frames: FrameSet, draw: Callable[[int], Image.Image]) -> Iterator[Image.Image]:
    done = 0
    for start in range(0, len(atlas.corners), atlas.columns):
        strip = Image.new("RGBA", (atlas.width, PADDING + frames.height), CLEAR)
        for index in range(start, min(start + atlas.columns, len(atlas.corners))):
            strip.paste(draw(index), (atlas.corners[index][0], PADDING))
        done += strip.height
        yield strip
    while done < atlas.height:
        rows = min(_ROWS, atlas.height - done)
        done += rows
        yield Image.new("RGBA", (atlas.width, rows), CLEAR)


def fitting_atlas(frames: FrameSet) -> Atlas:
    """Raises TooLargeError, which says what would fit."""
    number = len(frames.placements)
    atlas = lay_out(number, frames.width, frames.height)
    if atlas is not None:
        return atlas
    fits = 0
    for height in range(frames.height - 1, 0, -1):
        if lay_out(number, max(1, -(-frames.width * height // frames.height) + 1), height) is not None:
            fits = height
            break
    raise TooLargeError(
        f"{number} frames of {frames.width}x{frames.height} pixels do not fit into an atlas of "
        f"{MOST_SIDE}x{MOST_SIDE}. Send height={fits} or less, or export fewer pictures.",
        code="export_too_large",
        parameters={"limit": MOST_SIDE},
    )


@dataclass(frozen=True)
class Drawn:
    """An atlas with its frames, and the names of what it shows."""

    atlas: Atlas
    frames: FrameSet
    image: str
    names: tuple[str, ...]
    animations: dict[str, list[int]]


def texture_packer_parts(drawn: Drawn, slug: str, app: str) -> Sequence[TextPart]:
    """The two JSON files that go with an atlas."""
    pivot_x, pivot_y = drawn.frames.pivot_share
    # Phaser reads `pivot`, PixiJS `anchor`: the same shares of the frame.
    pivot = {"x": pivot_x, "y": pivot_y}
    entries = {
        name: {**_frame(drawn, index), "pivot": pivot, "anchor": pivot}
        for index, name in enumerate(drawn.names)
    }
    meta = _meta(drawn, app)
    animations = {
        name: [drawn.names[index] for index in indices] for name, indices in drawn.animations.items()
    }
    listed = [{"filename": name, **entry} for name, entry in entries.items()]
    return (
        json_part(f"{slug}.json", {"frames": entries, "animations": animations, "meta": meta}),
        json_part(f"{slug}.array.json", {"frames": listed, "meta": meta}),
    )


def aseprite_json(drawn: Drawn) -> dict[str, Any]:
    """As Aseprite's `--data` with `--list-tags` and `--list-slices` writes it: a tag for each animation, and
    a slice with the pivot."""
    frames = drawn.frames
    entries = {
        name: {**_frame(drawn, index), "duration": FRAME_MILLISECONDS}
        for index, name in enumerate(drawn.names)
    }
    tags = [
        {"name": name, "from": indices[0], "to": indices[-1], "direction": "forward", "color": "#000000ff"}
        for name, indices in drawn.animations.items()
    ]
    key = {
        "frame": 0,
        "bounds": {"x": 0, "y": 0, "w": frames.width, "h": frames.height},
        "pivot": {"x": frames.pivot[0], "y": frames.pivot[1]},
    }
    return {
        "frames": entries,
        "meta": {
            **_meta(drawn, "https://www.aseprite.org/"),
            "frameTags": tags,
            "slices": [{"name": "feet", "color": "#0000ffff", "keys": [key]}],
        },
    }


def unity_json(drawn: Drawn) -> list[dict[str, Any]]:
    """The sprites as Unity's SpriteRect has them: rectangles and pivots from the lower left corner, with the
    alignment 9, "Custom"."""
    frames, atlas = drawn.frames, drawn.atlas
    pivot_x, pivot_y = frames.pivot_share
    return [
        {
            "name": name,
            "texture": drawn.image,
            "rect": {
                "x": x,
                "y": atlas.height - y - frames.height,
                "width": frames.width,
                "height": frames.height,
            },
            "alignment": 9,
            "pivot": {"x": pivot_x, "y": round(1 - pivot_y, 6)},
            "border": {"x": 0, "y": 0, "z": 0, "w": 0},
        }
        for name, (x, y) in zip(drawn.names, atlas.corners, strict=True)
    ]


def _frame(drawn: Drawn, index: int) -> dict[str, Any]:
    x, y = drawn.atlas.corners[index]
    size = {"w": drawn.frames.width, "h": drawn.frames.height}
    return {
        "frame": {"x": x, "y": y, **size},
        "rotated": False,
        "trimmed": False,
        "spriteSourceSize": {"x": 0, "y": 0, **size},
        "sourceSize": size,
    }


def _meta(drawn: Drawn, app: str) -> dict[str, Any]:
    return {
        "app": app,
        "version": "1.0",
        "image": drawn.image,
        "format": "RGBA8888",
        "size": {"w": drawn.atlas.width, "h": drawn.atlas.height},
        "scale": "1",
    }
