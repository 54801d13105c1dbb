"""A LoRA in a request and in a spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STRENGTH = 1.0


@dataclass(frozen=True)
class LoraUse:
    """An installed LoRA and its strength: 0 is as if absent, negative values push away from it.

    `clip_strength` is for the text encoder; None is the same as `strength`. `helps` is "" for a LoRA of the
    request; otherwise the family uses it by itself, for "views" or for a "pose".
    """

    name: str
    strength: float = STRENGTH
    clip_strength: float | None = None
    helps: str = ""
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_effect(self) -> bool:
        return self.strength != 0 or bool(self.clip_strength)
