"""The template of a generation: which version of which graph of a user it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Slot = Literal[
    "prompt",
    "negative",
    "character",
    "pose",
    "reference",
    "seed",
    "width",
    "height",
    "steps",
    "cfg",
    "output",
]
SLOTS: tuple[Slot, ...] = get_args(Slot)


@dataclass(frozen=True)
class TemplateUse:
    """A version of a template, under the name that it had. `slots` are the names of its slots."""

    name: str
    id: str
    version: int
    slots: tuple[str, ...] = ()
    unknown: Mapping[str, Any] = field(default_factory=dict)
