"""Declarations of request fields.

A field is declared once, in `settings.AvatarSettings` or `request.AvatarRequest`. The request body and its
validation, the OpenAPI document, the stored spec, `parameters`, the panel's form and the check of the table
in docs/api.md all read the declaration. Uses only the standard library, because nodes import this package
without pydantic.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

#: Where the form shows a field; `slot` is a place for a picture. The form omits a field without a group.
FormGroup = Literal["main", "advanced", "slot"]
#: "sheet": allowed only in generate_all_poses. "several_views": allowed only in a request for several views.
#: "pose": allowed only with a pose. "reference": allowed only with a reference picture. "family": allowed
#: only if the model's family has it. "pixel_art": allowed only with pixel_height. "character": allowed only
#: with a character.
Applicability = Literal[
    "always", "sheet", "several_views", "pose", "reference", "family", "pixel_art", "character"
]
#: Lists of `GET /capabilities` from which the form takes the choices; "templates" is `GET /templates`, and
#: "poses" is `GET /poses/library`.
ChoiceSource = Literal[
    "checkpoints", "models", "families", "loras", "samplers", "schedulers", "templates", "poses"
]


@dataclass(frozen=True)
class Text:
    """Multi-line text. Lengths are in characters. Control characters except tab and new line are refused."""

    max_length: int
    min_length: int = 0
    rows: int = 1  # of the form's control
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Name:
    """A name from a list of `GET /capabilities`, on one line. `max_length` is in characters."""

    max_length: int
    source: ChoiceSource


@dataclass(frozen=True)
class FileId:
    """The id of an uploaded file."""


@dataclass(frozen=True)
class CharacterId:
    """The id of a character."""


@dataclass(frozen=True)
class Base64Picture:
    """A picture or pose as base64, with or without a `data:` prefix."""


@dataclass(frozen=True)
class Url:
    """A URL. `max_length` is in characters."""

    max_length: int


@dataclass(frozen=True)
class Flag:
    """true or false."""


@dataclass(frozen=True)
class Whole:
    """An integer from `minimum` to `maximum`, inclusive."""

    minimum: int
    maximum: int
    multiple_of: int = 1


@dataclass(frozen=True)
class Real:
    """A number from `minimum` to `maximum`, inclusive. `step` is for the form's control."""

    minimum: float
    maximum: float
    step: float = 0.05


@dataclass(frozen=True)
class Choice:
    """One of `values`. `automatic` leaves the choice to the server. `stored` are the values in a spec."""

    values: tuple[str, ...]
    automatic: str
    stored: tuple[str, ...]


@dataclass(frozen=True)
class Loras:
    """A list of at most `maximum` LoRAs, each with a name from the list "loras" and strengths from `minimum`
    to `maximum_strength`."""

    maximum: int
    minimum: float
    maximum_strength: float


@dataclass(frozen=True)
class References:
    """A list of at most `maximum` reference pictures, each a file id with a role and a strength."""

    maximum: int


@dataclass(frozen=True)
class Views:
    """A list of different views."""


@dataclass(frozen=True)
class Conditions:
    """What a picture must reach: numbers from 0 to the largest value of their scale, each by its name, the
    view, and a number of tries from 1 to `most_tries`."""

    most_tries: int


Rule = (
    Text
    | Name
    | FileId
    | CharacterId
    | Base64Picture
    | Url
    | Flag
    | Whole
    | Real
    | Choice
    | Loras
    | References
    | Views
    | Conditions
)

_KEY = "avatarforge"
REQUIRED: Any = object()


@dataclass(frozen=True)
class RequestField:
    """A field of a request.

    `default` is used if the request omits the field; None means that `resolve_request` decides. `optional`:
    None is a valid value ("no clothing"). `before` is the value for rows stored before the field existed, or
    REQUIRED if all rows have it. `repeated`: the field appears in `parameters`.
    """

    name: str
    rule: Rule
    description: str
    default: Any
    before: Any
    optional: bool
    repeated: bool
    form: FormGroup | None
    applies: Applicability

    @property
    def required(self) -> bool:
        """Whether every request must have the field: it is a text that must not be empty."""
        return isinstance(self.rule, Text) and self.rule.min_length > 0


def declare(
    rule: Rule,
    description: str,
    *,
    default: Any = None,
    before: Any = REQUIRED,
    repeated: bool = True,
    form: FormGroup | None = None,
    applies: Applicability = "always",
) -> Any:
    """Declare a dataclass field as a request field. It is None until a value is chosen; see
    `RequestField`."""
    values = {
        "rule": rule,
        "description": description,
        "default": default,
        "before": before,
        "repeated": repeated,
        "form": form,
        "applies": applies,
    }
    return dataclasses.field(default=None, metadata={_KEY: values})


def declared_fields(kind: type[Any]) -> Mapping[str, RequestField]:
    """The request fields of a dataclass, in the order of their declaration."""
    hints = typing.get_type_hints(kind)
    return {
        field.name: RequestField(
            name=field.name, optional=_allows_none(hints[field.name]), **field.metadata[_KEY]
        )
        for field in dataclasses.fields(kind)
        if _KEY in field.metadata
    }


def _allows_none(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType) and type(None) in typing.get_args(hint)
