"""All kinds of garments and things held."""

from __future__ import annotations

from collections.abc import Mapping

from .accessories import ACCESSORIES
from .clothes import CLOTHES
from .kinds import Kind

#: By name, in the order of `description.Slot`.
GARMENTS: Mapping[str, Kind] = {**CLOTHES, **ACCESSORIES}
