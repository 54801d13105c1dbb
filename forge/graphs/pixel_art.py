"""Adds the reduction to large pixels to a graph, between the finished picture and its save node."""

from __future__ import annotations

from ..families.builder import Link, PromptBuilder
from ..spec.avatar import AvatarSpec
from .links import PALETTE_INPUT, PIXEL_ART

_PICTURE, _PARTS = 0, 1


class PixelArt:
    """The reductions of one prompt; none if the spec does not ask for large pixels.

    All views of a sheet have one palette: that of the first, or in a re-roll of the saved first one. So
    does a re-roll of the first itself, because the other views keep their colours.
    """

    def __init__(self, build: PromptBuilder, spec: AvatarSpec) -> None:
        self._build = build
        self._spec = spec
        self._palette: Link | None = None

    def begin_sheet(self) -> None:
        """Forget the palette of the sheet before."""
        self._palette = None

    def use_saved_palette(self, generation_id: str, position: int) -> None:
        """Take the palette of a saved picture of the generation, unless it has only one."""
        if self._spec.pixel_height is not None and self._spec.has_several_views:
            self._palette = load_saved(self._build, generation_id, position)

    def reduce(self, images: Link, label: str, parts: Link | None = None) -> tuple[Link, Link | None]:
        """(the picture to save, its parts); as they are if the spec does not ask for large pixels."""
        spec = self._spec
        if spec.pixel_height is None:
            return images, parts
        optional = {PALETTE_INPUT: self._palette, "parts": parts}
        node = self._build.add(
            PIXEL_ART,
            f"Pixel art{label}",
            images=images,
            pixel_height=spec.pixel_height,
            colors=spec.pixel_colors,
            **{name: link for name, link in optional.items() if link is not None},
        )
        if self._palette is None and spec.has_several_views:
            self._palette = node.out(_PICTURE)
        return node.out(_PICTURE), node.out(_PARTS) if parts is not None else None


def load_saved(build: PromptBuilder, generation_id: str, position: int) -> Link:
    """Load a saved picture of a generation, once however often a prompt uses it."""
    return build.add_shared(
        "AvatarForgeLoadView", "Saved front", generation_id=generation_id, position=position + 1
    ).out()
