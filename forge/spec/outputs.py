"""The file names of a generation's pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .avatar import AvatarSpec

#: Format it with the number of the picture, from 1.
OUTPUT_NAME = "avatarforge_{:05d}.png"


def output_names(spec: AvatarSpec) -> Mapping[str, int]:
    """The file name of each picture -> its index in `spec.pictures`."""
    return {OUTPUT_NAME.format(position + 1): position for position in range(len(spec.pictures))}
