"""A reference picture in a request and in a spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

#: How a reference picture is applied; see `families.family.Family.identity`.
ReferenceMethod = Literal["picture", "redux", "ipadapter", "attention", "palette"]
REFERENCE_METHODS: tuple[ReferenceMethod, ...] = get_args(ReferenceMethod)
#: What of a reference picture the result shares: the whole person, the face alone, the clothes, or how it is
#: drawn. When a family cannot take all of them, those that come first here are used first.
ReferenceRole = Literal["identity", "face", "outfit", "style"]
REFERENCE_ROLES: tuple[ReferenceRole, ...] = get_args(ReferenceRole)
REFERENCE_STRENGTH = 0.8


@dataclass(frozen=True)
class RequestedReference:
    """A reference as a request names it. `view` is the view that the picture shows, None if that is not
    known."""

    file_id: str
    role: ReferenceRole = "identity"
    strength: float = REFERENCE_STRENGTH
    view: str | None = None


@dataclass(frozen=True)
class ReferenceUse:
    """A stored reference and its strength: 0 has no effect, 1 attends to it as much as to the picture itself.

    `method` is a ReferenceMethod, or "template" for the slot of one. `preset` is for "ipadapter", `model` for
    that and "redux", `clip_vision` for "redux". `view` is the view that the picture shows, None if that is
    not known.
    """

    file_id: str
    content_hash: str
    strength: float
    method: str = "attention"
    preset: str | None = None
    model: str | None = None
    clip_vision: str | None = None
    role: ReferenceRole = "identity"
    view: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)
