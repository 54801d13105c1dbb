"""The clothes of a figure: which module draws which slot, and where in the order of layers."""

from __future__ import annotations

from collections.abc import Callable

from ..character.character import Worn
from ..character.description import Slot
from ..figure.head import Head
from ..figure.physique import Figure
from ..held import held
from ..painting.detail import Details
from ..painting.layers import Layer
from . import cape, eyewear, headwear
from .bottoms import BOTTOMS, bottom_leg, bottom_torso
from .coats import coat_sleeve, coat_torso
from .shoes import gloves, shoe
from .tops import top_sleeve, top_torso
from .trimmings import belt, neckwear

Draw = Callable[[Figure, Head, Worn, Details], list[Layer]]


class Wardrobe:
    """The layers of the clothes that a figure wears, by the place where they belong."""

    def __init__(self, figure: Figure, head: Head, details: Details) -> None:
        self._figure, self._head, self._details = figure, head, details

    def worn(self, slot: Slot) -> Worn | None:
        return self._figure.character.garments.get(slot)

    def arm(self, side: str, hand: Layer) -> list[Layer]:
        """Sleeves, the hand with its glove, and what it holds in front of it."""
        figure, details = self._figure, self._details
        layers: list[Layer] = []
        for slot in ("top", "dress"):
            worn = self.worn(slot)
            if worn is not None:
                layers += top_sleeve(figure, worn, side, details, slot)
        coat, glove = self.worn("outer"), self.worn("hands")
        if coat is not None:
            layers += coat_sleeve(figure, coat, side, details)
        hands = gloves(figure, glove, side) if glove is not None else [hand]
        if self.worn(held.SLOTS[side]) is not None:
            hands = [held.fist(figure, side, each) for each in hands]
        return [*layers, *hands, *self._held(side)[1]]

    def behind_arm(self, side: str) -> list[Layer]:
        """What the hand holds, behind it."""
        return self._held(side)[0]

    def _held(self, side: str) -> tuple[list[Layer], list[Layer]]:
        worn = self.worn(held.SLOTS[side])
        if worn is None:
            return [], []
        return held.held(self._figure, self._head, worn, self._details, side)

    def leg(self, side: str) -> list[Layer]:
        """The leg of trousers, and the shoe."""
        layers: list[Layer] = []
        bottom, feet = self.worn("bottom"), self.worn("feet")
        if bottom is not None:
            layers += bottom_leg(self._figure, bottom, side, self._details)
        if feet is not None:
            layers += shoe(self._figure, feet, side)
        return layers

    def torso(self) -> list[Layer]:
        figure, details = self._figure, self._details
        top, bottom, dress, coat = (self.worn(slot) for slot in ("top", "bottom", "dress", "outer"))
        hips = bottom_torso(figure, bottom, details) if bottom is not None else []
        chest = top_torso(figure, top, details) if top is not None else []
        # A skirt is worn over a top, trousers under it.
        tucked = bottom is not None and BOTTOMS[bottom.kind].skirt
        layers = [*chest, *hips] if tucked else [*hips, *chest]
        if dress is not None:
            layers += top_torso(figure, dress, details, "dress")
        sash = self.worn("belt")
        if sash is not None:
            layers += belt(figure, sash, details, 0.016)
        if coat is not None:
            layers += coat_torso(figure, coat, details)
        return layers

    def neck(self) -> list[Layer]:
        """What lies around the neck and on the shoulders, in front of the chest."""
        worn = self.worn("neck")
        neck = neckwear(self._figure, self._head, worn, self._details) if worn is not None else []
        return neck if self._figure.from_behind else [*self._draw("cape", cape.collar), *neck]

    def cape(self) -> list[Layer]:
        """Drawn before the body from the front and the side, and after it from behind."""
        return self._draw("cape", cape.in_front if self._figure.from_behind else cape.behind)

    def behind_head(self) -> list[Layer]:
        """The back of a hood or a brim."""
        return self._draw("head", headwear.behind)

    def headwear(self) -> list[Layer]:
        return [*self._draw("eyes", eyewear.in_front), *self._draw("head", headwear.in_front)]

    def _draw(self, slot: Slot, draw: Draw) -> list[Layer]:
        worn = self.worn(slot)
        return draw(self._figure, self._head, worn, self._details) if worn else []
