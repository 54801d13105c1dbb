"""What a version of a character is, as it is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .fields import Choice, Name, Real, RequestField, Views, Whole
from .lora import LoraUse
from .reference import REFERENCE_STRENGTH, ReferenceRole
from .request import REQUEST_FIELDS
from .stored import from_fields, to_fields, to_json_text

#: Version of the stored form.
CONTENT_VERSION = 1

MOST_REFERENCES = 16
MOST_OUTFITS = 64
MOST_EXPRESSIONS = 64
LONGEST_DESCRIPTION = 10_000
LONGEST_NAME = 100  # characters, as of outfits and expressions
LONGEST_WORDS = 1_000

#: The fields of which a character names one at most. A request that names one of them, or a checkpoint,
#: chooses its own model.
MODEL_FIELDS = ("model", "family", "template")
#: What a character has under a name of its own, or what belongs to its references.
_NO_DEFAULTS = {*MODEL_FIELDS, "checkpoint", "seed", "reference_strength", "character_version", "count"}


def _can_be_a_default(name: str, request_field: RequestField) -> bool:
    plain = isinstance(request_field.rule, (Whole, Real, Choice, Name, Views))
    return plain and request_field.repeated and name not in _NO_DEFAULTS


#: The fields of a request for which a character can have a value of its own: plain settings.
DEFAULT_FIELDS = {name: item for name, item in REQUEST_FIELDS.items() if _can_be_a_default(name, item)}


@dataclass(frozen=True)
class CharacterReference:
    """A picture of the character. `view` is the view that it shows, None if that is not known."""

    file_id: str
    role: ReferenceRole = "identity"
    strength: float = REFERENCE_STRENGTH
    view: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outfit:
    """Named clothes: their words, and a picture of them if there is one."""

    name: str
    words: str
    file_id: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NamedExpression:
    """An expression of the face that is not built in, in words."""

    name: str
    words: str
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CharacterContent:
    """One version of a character. None is "not chosen", as in a request.

    `description` is what every picture shows. At most one of `model`, `family` and `template` is there.
    `defaults` are values of DEFAULT_FIELDS.
    """

    name: str
    description: str
    negative: str | None = None
    clothing: str | None = None
    style: str | None = None
    realism: bool | None = None
    references: tuple[CharacterReference, ...] = ()
    model: str | None = None
    family: str | None = None
    template: str | None = None
    loras: tuple[LoraUse, ...] = ()
    seed: int | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    outfits: tuple[Outfit, ...] = ()
    expressions: tuple[NamedExpression, ...] = ()
    version: int = CONTENT_VERSION
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file_ids(self) -> tuple[str, ...]:
        """The files that it names, each once."""
        outfits = (outfit.file_id for outfit in self.outfits if outfit.file_id is not None)
        return tuple(dict.fromkeys([*(item.file_id for item in self.references), *outfits]))

    @property
    def portrait(self) -> str | None:
        """The file that shows the character in lists: its first identity reference."""
        return next((item.file_id for item in self.references if item.role == "identity"), None)

    def to_json(self) -> str:
        return to_json_text(to_fields(self))

    @classmethod
    def from_json(cls, text: str) -> CharacterContent:
        """Read a version stored by any release. Raises ValueError if it is invalid."""
        data: dict[str, Any] = json.loads(text)
        lists = {
            "references": CharacterReference,
            "loras": LoraUse,
            "outfits": Outfit,
            "expressions": NamedExpression,
        }
        read: dict[str, Any] = {
            name: tuple(from_fields(kind, item) for item in data.get(name) or ())
            for name, kind in lists.items()
        }
        return from_fields(CharacterContent, {"version": CONTENT_VERSION, **data, **read})
