"""What is painted: the layers of a drawing, and how far it is painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..character.description import Colour, StyleName
from ..poses.person import Point
from .layers import Layer


@dataclass(frozen=True)
class Scene:
    """A drawing before it is painted. `size` is (width, height) and `unit` the stature of the largest figure,
    in pixels. `skeletons` are the joints of every figure by name."""

    size: tuple[int, int]
    background: Colour
    unit: float
    layers: Sequence[Layer]
    skeletons: Sequence[Mapping[str, Point]]
    style: StyleName
    realism: bool


@dataclass(frozen=True)
class Look:
    """Which passes after the sketch are painted, besides the flat colours, and whether shade is soft."""

    shade: bool = True
    line: bool = True
    soft: bool = False
