"""What a drawing consists of: layers of outlines, from back to front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..character.description import Colour, Material
from .geometry import Outline


@dataclass(frozen=True)
class Shape:
    """A closed outline, and the segment of the body that it belongs to (`parts.LIMBS`)."""

    outline: Outline
    limb: str = "none"


@dataclass(frozen=True)
class Stroke:
    """An open line inside a layer. `width` is in pixels. None as its colour: that of the layer's lines.
    `shade`: it is drawn with the shade pass, not with the line pass."""

    points: Outline
    width: float
    colour: Colour | None = None
    shade: bool = False


@dataclass(frozen=True)
class Patch:
    """An area inside a layer: a shadow if it has no colour, else a second colour. `part` names it in the mask
    if it is not part of its layer. `lined` patches have an outline."""

    outline: Outline
    colour: Colour | None = None
    part: str | None = None
    lined: bool = False


@dataclass(frozen=True)
class Layer:
    """Shapes of one part (`parts.PARTS`) and one colour, with one outline around all of them.

    `cut` is left out of the shapes, and `clip` limits them. `depth` is how far its shade reaches in from its
    edge, in pixels; 0 has no shade. `lined`: it has an outline. `material` decides the highlights.
    """

    part: str
    colour: Colour
    shapes: Sequence[Shape]
    depth: float = 0.0
    lined: bool = True
    cut: Outline | None = None
    clip: Outline | None = None
    patches: Sequence[Patch] = field(default=())
    strokes: Sequence[Stroke] = field(default=())
    material: Material = "cloth"
