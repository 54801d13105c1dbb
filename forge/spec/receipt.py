"""The receipt of a generation: the inputs applied to its pictures, and its warnings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from .stored import from_fields, to_fields, to_json_text
from .warning import GenerationWarning, read_warnings, without_repeats, write_warnings

#: Version of the stored form. Rows without one were written before version 1.
RECEIPT_VERSION = 1
_OFTEN_MISSING = ("reference_role", "picture")


@dataclass(frozen=True)
class AppliedInput:
    """A picture, and the node and model that apply it to one view.

    `role` is "pose" or "reference" for an uploaded picture, "source" for one that is redrawn, "view" for a
    built-in skeleton, "anchor" for the view that the others attend to, "lora" for a LoRA. `kind` is the
    recognised kind of the picture. `node` is the id of a node in the prompt `prompt_id`. `first_step` and
    `last_step` count from 1. `reference_role` is a `reference.ReferenceRole`; None if it is no reference, or
    in a row of a release without roles. `picture` is the number of the picture, from 1; None unless there are
    several of the view.
    """

    role: str
    view: str | None
    kind: str
    file_id: str | None
    content_hash: str | None
    node: str
    node_type: str
    model: str
    strength: float
    first_step: int
    last_step: int
    prompt_id: str = ""
    reference_role: str | None = None
    picture: int | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TriedPicture:
    """How often a picture was made until it was good enough, or until there were enough tries: which of its
    takes was chosen, whether that passes, and by which conditions it was chosen. `position` counts from 0."""

    position: int
    tries: int
    take: int
    passed: bool
    conditions: tuple[str, ...]
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Receipt:
    """The applied inputs and the warnings of a generation, and what was tried of its pictures."""

    inputs: tuple[AppliedInput, ...] = ()
    warnings: tuple[GenerationWarning, ...] = ()
    tried: tuple[TriedPicture, ...] = ()
    version: int = RECEIPT_VERSION
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def for_prompt(self, prompt_id: str) -> Receipt:
        """The same receipt for another prompt of the same graph."""
        return replace(self, inputs=tuple(replace(applied, prompt_id=prompt_id) for applied in self.inputs))

    def with_warnings(self, warnings: Iterable[GenerationWarning]) -> Receipt:
        """A copy with these warnings, without repeated ones, instead of its own."""
        return replace(self, warnings=without_repeats(warnings))

    def to_json(self) -> str:
        inputs = [_without_missing(to_fields(applied)) for applied in self.inputs]
        values = {**to_fields(self), "inputs": inputs, **write_warnings(self.warnings)}
        if not self.tried:
            del values["tried"]
        return to_json_text(values)

    @classmethod
    def from_json(cls, text: str) -> Receipt:
        """Read a receipt stored by any release. Raises ValueError if it is invalid."""
        return _read(text)


def _without_missing(line: dict[str, Any]) -> dict[str, Any]:
    """Most lines are no references, and of the only picture of a view."""
    return {name: value for name, value in line.items() if value is not None or name not in _OFTEN_MISSING}


# A generation is read again whenever its status changes, with the same receipt.
@lru_cache(maxsize=128)
def _read(text: str) -> Receipt:
    data: dict[str, Any] = json.loads(text)
    inputs = tuple(from_fields(AppliedInput, applied) for applied in data.get("inputs", ()))
    tried = tuple(_read_tried(item) for item in data.get("tried", ()))
    rest = {name: value for name, value in data.items() if name != "warning_details"}
    values = {**rest, "inputs": inputs, "warnings": read_warnings(data), "tried": tried}
    return from_fields(Receipt, values)


def _read_tried(data: dict[str, Any]) -> TriedPicture:
    return from_fields(TriedPicture, {**data, "conditions": tuple(data.get("conditions", ()))})
