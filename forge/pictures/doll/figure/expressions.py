"""How the eight expressions change the face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Expression:
    """Lengths are statures.

    `open` and `iris` are relative to the neutral eye. `slant` lifts the outer end of the upper lid and lowers
    the inner one; `squint` lifts the lower lid by a share of the eye. `look` moves the irises to the
    picture's right and down, as shares of the eye. `brow_in` and `brow_out` move the ends of the brows up;
    `frown` moves one brow down against the other. `smile` lifts the corners of the mouth, `gape` is how far
    it is open, `wide` its width relative to the neutral one, `skew` lifts one corner, `wave` makes its line
    waver. `teeth` is the share of the open mouth that they fill. `blush` is from 0 to 1. `wrinkle` creases
    the nose.
    """

    open: float = 1.0
    slant: float = 0.0
    squint: float = 0.0
    iris: float = 1.0
    look: tuple[float, float] = (0.0, 0.0)
    brow_in: float = 0.0
    brow_out: float = 0.0
    frown: float = 0.0
    smile: float = 0.0018
    gape: float = 0.0
    wide: float = 1.0
    skew: float = 0.0
    wave: float = 0.0
    teeth: float = 0.0
    blush: float = 0.1
    wrinkle: bool = False


EXPRESSIONS: Mapping[str, Expression] = {
    "neutral": Expression(),
    "happy": Expression(
        open=0.94,
        squint=0.34,
        brow_in=0.0025,
        brow_out=0.0025,
        smile=0.0062,
        gape=0.0125,
        wide=1.30,
        teeth=0.30,
        blush=0.42,
    ),
    "sad": Expression(
        open=0.80,
        slant=-0.0030,
        look=(0.0, 0.18),
        brow_in=0.0065,
        brow_out=-0.0035,
        smile=-0.0050,
        wide=0.86,
    ),
    "angry": Expression(
        open=0.84,
        slant=0.0034,
        squint=0.14,
        iris=0.84,
        brow_in=-0.0062,
        brow_out=0.0056,
        smile=-0.0046,
        gape=0.0072,
        wide=1.08,
        teeth=1.0,
    ),
    "surprised": Expression(
        open=1.26,
        iris=0.80,
        brow_in=0.0088,
        brow_out=0.0082,
        smile=-0.0008,
        gape=0.0150,
        wide=0.62,
    ),
    "afraid": Expression(
        open=1.14,
        slant=-0.0018,
        iris=0.62,
        brow_in=0.0092,
        brow_out=-0.0010,
        smile=-0.0032,
        gape=0.0078,
        wide=1.12,
        wave=0.0007,
        teeth=0.42,
        blush=0.0,
    ),
    "disgusted": Expression(
        open=0.60,
        slant=0.0012,
        squint=0.36,
        look=(0.30, 0.0),
        brow_in=-0.0044,
        brow_out=0.0006,
        frown=0.0034,
        smile=-0.0042,
        wide=0.95,
        skew=0.0032,
        wave=0.0009,
        blush=0.0,
        wrinkle=True,
    ),
    "embarrassed": Expression(
        open=0.86,
        slant=-0.0014,
        look=(-0.36, 0.14),
        brow_in=0.0058,
        brow_out=-0.0002,
        smile=0.0012,
        wide=0.72,
        wave=0.0011,
        blush=1.0,
    ),
}
