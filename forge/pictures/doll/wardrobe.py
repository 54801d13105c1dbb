"""The clothes of a figure: which module draws which slot, and where in the order of layers."""

from __future__ import annotations

from collections.abc import Callable

from . import cape, eyewear, headwear, held
from .character import Worn
from .description import Slot
from .detail import Details
from .head import Head
from .layers import Layer
from .physique import Figure

Draw = Callable[[Figure, Head, Worn, Details], list[Layer]]


class Wardrobe:
    """The layers of the clothes that a figure wears, by the place where they belong."""

    def __init__(self, figure: Figure, head: Head, details: Details) -> None:
        self._figure, self._head, self._details = figure, head, details

    def worn(self, slot: Slot) -> Worn | None:
        return self._figure.character.garments.get(slot)

    def arm(self, side: str, hand: Layer) -> list[Layer]:
        """Sleeves, the hand with its glove, and what it holds in front of it."""
        holds = self.worn(held.SLOTS[side]) is not None
        return [held.fist(self._figure, side, hand) if holds else hand, *self._held(side)[1]]

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
        return []

    def torso(self) -> list[Layer]:
        return []

    def neck(self) -> list[Layer]:
        """What lies around the neck, in front of the chest."""
        return [] if self._figure.from_behind else self._draw("cape", cape.collar)

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
