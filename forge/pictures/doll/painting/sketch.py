"""The first pass: construction lines in pencil, whatever the style."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import ImageChops

from ...skeleton import KEYPOINT_NAMES, LIMBS
from ..character.description import Colour
from ..character.shades import luminance, mix
from ..poses.person import Point
from .geometry import Outline, between, ellipse
from .masks import Box, area_of, filled, line_pieces, scaled, shifted, without
from .render import Canvas

_PENCIL: Colour = (96, 90, 104)
_PENCIL_ON_DARK: Colour = (214, 208, 222)
_BLUE: Colour = (92, 140, 206)
#: Lines across and along the torso, between the middles of these pairs of joints.
_GUIDES = (
    (("right_shoulder", "right_shoulder"), ("left_shoulder", "left_shoulder")),
    (("right_hip", "right_hip"), ("left_hip", "left_hip")),
    (("right_shoulder", "left_shoulder"), ("right_hip", "left_hip")),
)
_BONES = tuple((KEYPOINT_NAMES[first], KEYPOINT_NAMES[second]) for first, second in LIMBS)


def sketch(canvas: Canvas) -> None:
    """Draw the bones in blue, and the outlines of all layers in pencil, those behind others too."""
    pencil = _PENCIL_ON_DARK if luminance(canvas.paper) < 0.4 else _PENCIL
    for joints in canvas.scene.skeletons:
        _bones(canvas, joints)
    for layer in canvas.scene.layers:
        area = area_of(layer, canvas.view, canvas.line * 2 + 2)
        if area is None:
            continue
        if not layer.lined:
            canvas.image.paste(pencil, area.box, scaled(area.mask, 0.45))
            continue
        ring = without(canvas.edge(area.mask, 0.7), area.mask)
        # A second line beside the first, as a hand draws it.
        again = scaled(shifted(ring, round(canvas.line), -round(canvas.line)), 0.3)
        canvas.image.paste(pencil, area.box, ImageChops.lighter(scaled(ring, 0.6), again))


def _bones(canvas: Canvas, joints: Mapping[str, Point]) -> None:
    view, unit = canvas.view, canvas.scene.unit
    box: Box = (0, 0, *view.size)
    lines: list[Outline] = [(joints[first], joints[second]) for first, second in _BONES]
    lines += [
        (between(joints[one], joints[other]), between(joints[third], joints[fourth]))
        for (one, other), (third, fourth) in _GUIDES
    ]
    width = unit * 0.004
    pieces = [piece for line in lines for piece in line_pieces(line, (width, width))]
    discs = [ellipse(point, unit * 0.013, unit * 0.013) for point in joints.values()]
    holes = [ellipse(point, unit * 0.008, unit * 0.008) for point in joints.values()]
    bones = without(filled([*pieces, *discs], view, box, thin=True), filled(holes, view, box))
    canvas.image.paste(mix(canvas.paper, _BLUE, 0.6), box, bones)
