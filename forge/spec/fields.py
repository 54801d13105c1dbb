"""Rules of request fields, as data.

A field is declared once, in `settings.AvatarSettings` or `request.AvatarRequest`. The request body and its
validation, the OpenAPI document, the stored spec, `parameters`, the panel's form and the check of the table
in docs/api.md all read the declaration. Standard library only: nodes import this package without pydantic.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

#: Where the form shows a field; `slot` is a place for a picture. None of these: the form does not have it.
FormGroup = Literal["main", "advanced", "slot"]
#: "several_views": only a request for several views may have it. "pose": only one with a pose image.
Applicability = Literal["always", "several_views", "pose"]
#: Lists of `GET /capabilities` from which the form takes the choices.
ChoiceSource = Literal["checkpoints", "samplers", "schedulers"]


@dataclass(frozen=True)
class Text:
    """Text of several lines, in characters. Control characters other than tab and new line are refused."""

    max_length: int
    min_length: int = 0
    rows: int = 1  # of the form's control
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Name:
    """A name on one line, in characters; one of a list of `GET /capabilities`."""

    max_length: int
    source: ChoiceSource


@dataclass(frozen=True)
class FileId:
    """The id of an uploaded file."""


@dataclass(frozen=True)
class Base64Picture:
    """A picture or pose as base64, with or without a `data:` prefix."""


@dataclass(frozen=True)
class Url:
    max_length: int


@dataclass(frozen=True)
class Flag:
    """true or false."""


@dataclass(frozen=True)
class Whole:
    """A whole number between two others, both included."""

    minimum: int
    maximum: int
    multiple_of: int = 1


@dataclass(frozen=True)
class Real:
    """A number between two others, both included. `step` is that of the form's control."""

    minimum: float
    maximum: float
    step: float = 0.05


@dataclass(frozen=True)
class Choice:
    """One of the values. `automatic` leaves the choice to the server. `stored` are those of a spec."""

    values: tuple[str, ...]
    automatic: str
    stored: tuple[str, ...]


Rule = Text | Name | FileId | Base64Picture | Url | Flag | Whole | Real | Choice

_KEY = "avatarforge"
REQUIRED: Any = object()


@dataclass(frozen=True)
class RequestField:
    """One field of a request.

    `default` is used when the request leaves it out; None means that `resolve_request` decides. `optional`:
    None is a value of its own ("no clothing"). `before` is for rows stored before the field existed; REQUIRED
    where all rows have it. `repeated`: it appears in `parameters`.
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
    """A dataclass field that is a request field. Its value is None until it is chosen; see `RequestField`."""
    values = {
        "rule": rule,
        "description": description,
        "default": default,
        "before": before,
        "repeated": repeated,
        "form": form,
        "applies": applies,
    }
    start = default if isinstance(rule, Flag) else None
    return dataclasses.field(default=start, metadata={_KEY: values})


def declared_fields(kind: type[Any]) -> Mapping[str, RequestField]:
    """The request fields of a dataclass, in the order of their declaration."""
    hints = typing.get_type_hints(kind)
    return {
        one.name: RequestField(name=one.name, optional=_takes_none(hints[one.name]), **one.metadata[_KEY])
        for one in dataclasses.fields(kind)
        if _KEY in one.metadata
    }


def _takes_none(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType) and type(None) in typing.get_args(hint)
