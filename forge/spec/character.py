"""The character of a generation: which version of it the pictures show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CharacterUse:
    """A version of a character, under the name that it had.

    `description` is what every picture of the character shows. `outfit` is the name of the outfit that the
    request asked for, whose words are part of the clothing.
    """

    id: str
    version: int
    name: str
    description: str
    outfit: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)
