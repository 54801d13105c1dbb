"""Shirts, jumpers and armour of the upper body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..character.character import Worn
from ..character.shades import mix, shade_of
from ..figure.anatomy import limb_point, limb_width
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import across, add, ellipse, hull
from ..painting.layers import Layer, Patch, Shape, Stroke
from .armour import cuirass, pauldron
from .cloth import (
    FOLD,
    arm_folds,
    band,
    bodice,
    cloth_layer,
    front_is_visible,
    front_line,
    lower_part,
    neckline,
    ring,
    tube,
)
from .collars import collar, crossed_collar, hood
from .skirts import hem_trim, skirt, skirt_folds


@dataclass(frozen=True)
class Top:
    """The pattern of a top. `sleeve` is how far it covers the arm, `hem` how far it covers the torso; from
    1 on it hangs over the hips, and `skirt` is how far it covers the legs below."""

    sleeve: float
    widen: float
    neck: str = "crew"
    hem: float = 1.0
    skirt: float = 0.0
    flare: float = 0.0
    buttons: bool = False
    collar: bool = False
    ribbed: bool = False
    zipped: bool = False


TOPS: Mapping[str, Top] = {
    "tshirt": Top(0.56, 0.008),
    "shirt": Top(1.94, 0.008, "v", buttons=True, collar=True),
    "tanktop": Top(0.0, 0.003, "scoop"),
    "hoodie": Top(1.95, 0.013, "crew", zipped=True, ribbed=True),
    "sweater": Top(1.95, 0.011, "crew", ribbed=True),
    "tunic": Top(1.9, 0.008, "v", skirt=0.62, flare=0.020),
    "vest": Top(0.0, 0.008, "v", hem=0.98, buttons=True),
    "cuirass": Top(0.0, 0.010, "none", hem=0.86),
    "chainmail": Top(1.2, 0.007, "crew", skirt=0.40, flare=0.012),
}
#: Dresses by the same pattern: `skirt` is how far they cover the legs.
DRESSES: Mapping[str, Top] = {
    "dress": Top(0.5, 0.005, "scoop", skirt=1.08, flare=0.055),
    "gown": Top(0.0, 0.005, "wide", skirt=1.97, flare=0.080),
    "robe": Top(1.9, 0.014, "v", skirt=1.93, flare=0.036),
    "kimono": Top(1.7, 0.010, "v", skirt=1.86, flare=0.012),
}
_WIDE_SLEEVES = {"robe": 0.034, "kimono": 0.050}
_RIB = 0.06


def top_torso(figure: Figure, worn: Worn, details: Details, part: str = "top") -> list[Layer]:
    """The torso of a top or a dress."""
    pattern = TOPS.get(worn.kind) or DRESSES[worn.kind]
    patches: list[Patch] = []
    strokes: list[Stroke] = []
    end = 0.80 if pattern.skirt else 1.04 if pattern.hem >= 1 else pattern.hem
    shapes = bodice(figure, pattern.widen, end=end)
    if worn.kind in ("tanktop", "gown"):
        shapes = _sleeveless(figure, pattern.widen, end, bare_shoulders=worn.kind == "gown")
    if pattern.skirt:
        lower = skirt(figure, pattern.skirt, pattern.widen + 0.004, pattern.flare)
        shapes += lower.shapes
        strokes += skirt_folds(figure, pattern.skirt, details, part)
        if worn.kind != "chainmail":
            strokes += hem_trim(figure, lower.hem, worn.accent, 0.011)
    if pattern.ribbed:
        patches.append(Patch(lower_part(figure, 1.06), mix(worn.colour, shade_of(worn.colour), 0.55)))
    visible = front_is_visible(figure)
    if visible and (pattern.buttons or pattern.zipped):
        strokes.append(Stroke(front_line(figure, 0.08, 1.1), figure.px(FOLD * 1.2)))
    if visible and pattern.buttons:
        patches += _buttons(figure, worn)
    strokes += _waist_folds(figure, details)
    if worn.kind == "chainmail":
        strokes += _rings(figure)
    layers = [
        cloth_layer(
            figure,
            part,
            worn,
            shapes,
            depth=0.016,
            cut=neckline(figure, pattern.neck),
            patches=tuple(patches),
            strokes=tuple(strokes),
        )
    ]
    if worn.kind == "cuirass":
        layers = cuirass(figure, worn, shapes)
    if worn.kind == "hoodie":
        layers += hood(figure, worn)
    if pattern.collar:
        layers += collar(figure, worn)
    if worn.kind == "kimono":
        layers += crossed_collar(figure, worn, part)
    if worn.kind in ("gown", "dress", "kimono"):
        layers.append(_sash(figure, worn, part))
    return layers


def top_sleeve(figure: Figure, worn: Worn, side: str, details: Details, part: str = "top") -> list[Layer]:
    """The sleeve of a top or a dress, or the plates of armour on an arm."""
    if worn.kind == "cuirass":
        return pauldron(figure, worn, side)
    pattern = TOPS.get(worn.kind) or DRESSES[worn.kind]
    if not pattern.sleeve:
        return []
    wide = _WIDE_SLEEVES.get(worn.kind)
    if wide:
        return _wide_sleeve(figure, worn, side, pattern, wide, part)
    patches = []
    if pattern.ribbed or pattern.collar:
        rib = ring(figure, side, "arm", pattern.sleeve - _RIB, pattern.sleeve, 0.03)
        patches.append(Patch(rib, mix(worn.colour, shade_of(worn.colour), 0.55)))
    flare = 0.007 if pattern.sleeve < 1 else 0.002
    shapes = tube(figure, side, "arm", 0.0, pattern.sleeve, pattern.widen * 0.85, flare)
    strokes = arm_folds(figure, side, details) if pattern.sleeve > 1.3 else ()
    return [cloth_layer(figure, part, worn, shapes, depth=0.009, patches=tuple(patches), strokes=strokes)]


def _sleeveless(figure: Figure, widen: float, end: float, *, bare_shoulders: bool) -> list[Shape]:
    start = 0.10
    shapes = bodice(figure, widen, start=start, end=end, shoulders=False)
    if bare_shoulders:
        return shapes
    side = across(figure.spine)
    straps = []
    for sign in (1.0, -1.0):
        top = add(
            add(figure.chest, side, sign * figure.px(0.056) * max(0.35, abs(figure.cos))),
            figure.spine,
            -figure.px(0.030),
        )
        low = figure.body_point(sign * 0.06, 0.22, 0.02)
        straps.append(
            Shape(
                hull(
                    (
                        *ellipse(top, figure.px(0.020), figure.px(0.012)),
                        *ellipse(low, figure.px(0.034), figure.px(0.02)),
                    )
                ),
                "torso",
            )
        )
    return [*shapes, *straps]


def _buttons(figure: Figure, worn: Worn) -> list[Patch]:
    return [
        Patch(
            ellipse(figure.body_point(0.0, share, 0.055), figure.px(0.0042), figure.px(0.0042), count=10),
            worn.accent,
            lined=True,
        )
        for share in (0.22, 0.40, 0.58, 0.76, 0.93)
    ]


def _waist_folds(figure: Figure, details: Details) -> list[Stroke]:
    strokes = []
    for index, (side, share) in enumerate(((0.07, 0.60), (-0.07, 0.66), (0.06, 0.78), (-0.06, 0.30))):
        start = figure.body_point(side, share, 0.01)
        drop = details.number(f"waist {index}", 0.008, 0.020)
        end = add(
            figure.body_point(side * details.number(f"waist reach {index}", 0.35, 0.65), share, 0.03),
            figure.spine,
            figure.px(drop),
        )
        strokes.append(Stroke((start, end), figure.px(FOLD), shade=True))
    return strokes


def _rings(figure: Figure) -> list[Stroke]:
    """Rows of chain mail."""
    strokes = []
    for row in range(18):
        share = 0.05 + row * 0.085
        points = [
            figure.body_point(side * 0.016, share + (0.018 if side % 2 else 0.0), 0.02)
            for side in range(-8, 9)
        ]
        strokes.append(Stroke(tuple(points), figure.px(0.0013), shade=True))
    return strokes


def _wide_sleeve(figure: Figure, worn: Worn, side: str, pattern: Top, wide: float, part: str) -> list[Layer]:
    """A sleeve that hangs open below the forearm."""
    shapes = tube(figure, side, "arm", 0.0, 1.05, pattern.widen)
    elbow, _ = limb_point(figure, side, "arm", 0.95)
    wrist, direction = limb_point(figure, side, "arm", pattern.sleeve)
    half_elbow = limb_width(figure, "arm", 0.95) + figure.px(pattern.widen)
    half = limb_width(figure, "arm", 1.9) + figure.px(0.012)
    normal = across(direction)
    # The open end hangs down, whatever the arm does.
    hang = figure.px(wide * 1.5)
    drop = add(wrist, (0.0, 1.0), hang)
    outline = hull(
        (
            *ellipse(elbow, half_elbow, half_elbow),
            add(wrist, normal, half),
            add(wrist, normal, -half),
            add(drop, (1.0, 0.0), half * 0.8),
            add(drop, (1.0, 0.0), -half * 0.8),
        )
    )
    trim = hull(
        (
            add(wrist, normal, half * 1.2),
            add(wrist, normal, -half * 1.2),
            add(drop, (1.0, 0.0), half),
            add(drop, (1.0, 0.0), -half),
            add(add(wrist, normal, half), direction, -figure.px(0.014)),
            add(add(wrist, normal, -half), direction, -figure.px(0.014)),
            add(drop, direction, -figure.px(0.014)),
        )
    )
    limb = f"{side}_forearm"
    return [
        cloth_layer(
            figure,
            part,
            worn,
            [*shapes, Shape(outline, limb)],
            depth=0.012,
            patches=(Patch(trim, worn.accent, lined=True),),
        )
    ]


def _sash(figure: Figure, worn: Worn, part: str) -> Layer:
    return cloth_layer(
        figure, part, worn, [Shape(band(figure, 0.62, 0.74, 0.008), "torso")], depth=0.006, colour=worn.accent
    )
