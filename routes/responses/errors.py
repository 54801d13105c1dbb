"""Error responses."""

from __future__ import annotations

from pydantic import Field

from ...forge.error_codes import ErrorCode
from ..models import LazyModel


class Problem(LazyModel):
    loc: list[str | int]
    msg: str
    type: str


class ErrorBody(LazyModel):
    code: ErrorCode = Field(description="For programs: what went wrong. It never changes its meaning.")
    parameters: dict[str, str | int] = Field(
        default_factory=dict,
        description="Values for a sentence in another language; left out where there are none.",
    )


class ErrorAnswer(ErrorBody):
    detail: str = Field(description="A sentence for people.")


class InvalidAnswer(ErrorBody):
    detail: list[Problem]
