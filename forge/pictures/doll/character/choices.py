"""Choices that a seed makes. Each depends on the seed and its own name alone, so that none moves another."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .description import Colour

#: Sum of the channels' differences (0..765) up to which a colour counts as one that is ruled out.
SAME_COLOUR = 60


@dataclass(frozen=True)
class Choices:
    """Choices of one view of a character: from `seed`, which all of its views share, and from `view_seed`
    with `view`. `consistency` (0..1) is how far the shared ones count: colours are blended, and of other
    choices that share are the shared ones.

    All are derived with SHA-256, so they are the same on every machine and Python. An option's chance is its
    weight. Leaving out an option that is not chosen changes nothing.
    """

    seed: int
    view_seed: int
    view: str
    consistency: float

    def pick(self, feature: str, options: Mapping[str, int], excluded: Collection[str] = ()) -> str:
        """One of the options (name -> weight). Options of weight 0 are for when all others are excluded; if
        every option is, it is as if none were."""
        allowed = _allowed(options, excluded)
        own = _number(f"keep/{self.view_seed}/{self.view}/{feature}")
        return _best(self._shared() if own < self.consistency else self._own(), feature, allowed)

    def colour(
        self, feature: str, options: Mapping[str, tuple[Colour, int]], excluded: Collection[Colour] = ()
    ) -> Colour:
        """A colour of the options (name -> colour and weight)."""
        ruled_out = [name for name, (colour, _) in options.items() if is_excluded(colour, excluded)]
        allowed = _allowed({name: weight for name, (_, weight) in options.items()}, ruled_out)
        shared = options[_best(self._shared(), feature, allowed)][0]
        if self.consistency >= 1:
            return shared
        own = options[_best(self._own(), feature, allowed)][0]
        return blend(own, shared, self.consistency)

    def _shared(self) -> str:
        return f"shared/{self.seed}"

    def _own(self) -> str:
        return f"view/{self.view_seed}/{self.view}"


def is_excluded(colour: Colour, excluded: Collection[Colour]) -> bool:
    """Whether a colour is, or looks like, one of these."""
    return any(
        sum(abs(one - other) for one, other in zip(colour, item, strict=True)) <= SAME_COLOUR
        for item in excluded
    )


def blend(one: Colour, other: Colour, share: float) -> Colour:
    """Between two colours: `one` at 0, `other` at 1, each channel rounded."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def _allowed(options: Mapping[str, int], excluded: Collection[str]) -> Mapping[str, int]:
    left = {name: weight for name, weight in options.items() if name not in excluded} or options
    return {name: weight for name, weight in left.items() if weight} or dict.fromkeys(left, 1)


def _best(source: str, feature: str, options: Mapping[str, int]) -> str:
    """Each option draws as many numbers as its weight; the highest wins."""
    return max(
        options,
        key=lambda name: max(_draw(f"{source}/{feature}/{name}/{turn}") for turn in range(options[name])),
    )


def _draw(text: str) -> bytes:
    # A view's name may be any text.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _number(text: str) -> float:
    """A number from 0 up to, but not, 1."""
    return int.from_bytes(_draw(text)[:6], "big") / 2**48
