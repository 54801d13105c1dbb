"""Puts the layers of a figure into their order from back to front, for every side that it is seen from."""

from __future__ import annotations

from dataclasses import replace

from .clothes.wardrobe import Wardrobe
from .figure.anatomy import arm_shapes, leg_shapes, neck_shape, torso_shapes
from .figure.beard import beard_layers
from .figure.face import face_layers
from .figure.feet import foot_shapes
from .figure.hands import finger_lines, hand_shapes
from .figure.head import Head, head_of
from .figure.physique import Figure
from .hair.hair import Hair
from .painting.detail import Details
from .painting.geometry import add, ellipse
from .painting.layers import Layer, Patch, Shape, Stroke


def figure_layers(figure: Figure, details: Details) -> list[Layer]:
    """All layers of a figure, from back to front."""
    body = _Body(figure, head_of(figure), details)
    if figure.from_behind:
        return body.from_behind()
    return body.from_the_side() if figure.in_profile else body.from_the_front()


class _Body:
    def __init__(self, figure: Figure, head: Head, details: Details) -> None:
        self._figure, self._head, self._details = figure, head, details
        self._skin = figure.character.skin_colour
        self._hair = Hair(head, details)
        self._clothes = Wardrobe(figure, head, details)
        # Where no side is nearer, the right one is drawn first.
        self._near = figure.near or "left"
        self._far = "right" if self._near == "left" else "left"

    def from_the_front(self) -> list[Layer]:
        far_arm, near_arm = self._arm(self._far), self._arm(self._near)
        turned = self._figure.near is not None
        return [
            *self._clothes.cape(),
            *self._hair.behind(),
            *self._clothes.behind_head(),
            *(far_arm if turned else ()),
            *self._legs(),
            *self._torso(),
            *self._head_layers(),
            *(near_arm if turned else (*far_arm, *near_arm)),
        ]

    def from_the_side(self) -> list[Layer]:
        return [
            *self._arm(self._far),
            *self._clothes.cape(),
            *self._legs(),
            *self._torso(),
            *self._hair.behind(),
            *self._clothes.behind_head(),
            *self._head_layers(),
            *self._arm(self._near),
        ]

    def from_behind(self) -> list[Layer]:
        far_arm, near_arm = self._arm(self._far), self._arm(self._near)
        turned = self._figure.near is not None
        return [
            *far_arm,
            *(() if turned else near_arm),
            *self._legs(),
            *self._torso(),
            *(near_arm if turned else ()),
            *self._clothes.cape(),
            *self._clothes.behind_head(),
            *self._head_layers(),
            *self._hair.behind(),
        ]

    def _layer(self, shapes: list[Shape], depth: float, patches: tuple[Patch, ...] = ()) -> Layer:
        return Layer("skin", self._skin, shapes, depth=self._figure.px(depth), patches=patches)

    def _arm(self, side: str) -> list[Layer]:
        figure = self._figure
        skin = self._layer(arm_shapes(figure, side), 0.010)
        fingers = tuple(Stroke(line, figure.px(0.0014)) for line in finger_lines(figure, side))
        hand = replace(self._layer(hand_shapes(figure, side), 0.004), strokes=fingers)
        return [*self._clothes.behind_arm(side), skin, *self._clothes.arm(side, hand)]

    def _legs(self) -> list[Layer]:
        return [
            layer
            for side in (self._far, self._near)
            for layer in (
                self._layer([*leg_shapes(self._figure, side), *foot_shapes(self._figure, side)], 0.014),
                *self._clothes.leg(side),
            )
        ]

    def _torso(self) -> list[Layer]:
        figure, head = self._figure, self._head
        under_chin = add(head.base, figure.spine, figure.px(0.004))
        shadow = Patch(ellipse(under_chin, figure.px(0.05), figure.px(0.030)))
        shapes = [*torso_shapes(figure), neck_shape(figure, head.base)]
        skin = self._layer(shapes, 0.016, () if figure.from_behind else (shadow,))
        return [skin, *self._clothes.torso(), *self._clothes.neck()]

    def _head_layers(self) -> list[Layer]:
        return [
            *self._head.layers(self._figure.px(0.010)),
            *self._hair.shadow(),
            *beard_layers(self._head, self._details),
            *face_layers(self._head),
            *self._hair.locks(),
            *self._hair.cap(),
            *self._head.ears_over_hair(),
            *self._clothes.headwear(),
        ]
