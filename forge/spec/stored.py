"""Dataclasses in JSON columns: rows of earlier and of later releases can both be read.

A field that a row lacks gets the dataclass's default. A field that this release does not know is kept in the
mapping `unknown` and written back in its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Protocol, TypeVar

UNKNOWN = "unknown"


class Stored(Protocol):
    """A dataclass with a field `unknown`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def unknown(self) -> Mapping[str, Any]: ...


Record = TypeVar("Record", bound=Stored)


def from_fields(kind: type[Record], data: Mapping[str, Any]) -> Record:
    """Build a dataclass of this kind. Raises ValueError when a field without a default is missing."""
    names = {one.name for one in fields(kind)} - {UNKNOWN}
    known = {name: value for name, value in data.items() if name in names}
    unknown = {name: value for name, value in data.items() if name not in names}
    try:
        return kind(**{**known, UNKNOWN: unknown})
    except TypeError as error:
        raise ValueError(f"A stored {kind.__name__} is incomplete: {error}") from error


def to_fields(record: Stored) -> dict[str, Any]:
    """Its fields as plain values, unknown ones in their places. Nested dataclasses are rendered too."""
    values: dict[str, Any] = {}
    for one in fields(record):
        if one.name != UNKNOWN:
            value = getattr(record, one.name)
            values[one.name] = to_fields(value) if hasattr(value, UNKNOWN) else value
    return {**values, **record.unknown}


def to_json_text(fields: Mapping[str, Any]) -> str:
    """Compact JSON, as columns hold it."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
