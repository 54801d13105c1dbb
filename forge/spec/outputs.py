"""The file names of a generation's pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .avatar import AvatarSpec

#: Format it with the number of the picture, from 1.
OUTPUT_NAME = "avatarforge_{:05d}.png"
#: Of a later take of it: format it also with the number of the take.
_TAKE_NAME = "avatarforge_{:05d}_take_{:03d}.png"


def output_name(position: int, take: int = 1) -> str:
    """The file name of a take of a picture. `position` counts from 0, `take` from 1. No take shares its name
    with another one, so that a file never changes once it is complete."""
    number = position + 1
    return OUTPUT_NAME.format(number) if take == 1 else _TAKE_NAME.format(number, take)


def output_names(spec: AvatarSpec) -> Mapping[str, int]:
    """The file name of each picture -> its index in `spec.pictures`."""
    return {OUTPUT_NAME.format(position + 1): position for position in range(len(spec.pictures))}
