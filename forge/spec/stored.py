"""Stores dataclasses in JSON columns, so that rows of earlier and later releases can be read.

A field that is missing in a row gets the dataclass's default. Fields of later releases are kept in the
mapping `unknown` and written back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar

UNKNOWN = "unknown"


class Stored(Protocol):
    """A dataclass with a field `unknown`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def unknown(self) -> Mapping[str, Any]: ...


Record = TypeVar("Record", bound=Stored)


def from_fields(kind: type[Record], data: Mapping[str, Any]) -> Record:
    """Build a dataclass of this kind. Raises ValueError if a field without a default is missing."""
    names = _field_names(kind)
    try:
        if names.issuperset(data):
            return kind(**data)
        values = {name: value for name, value in data.items() if name in names}
        unknown = {name: value for name, value in data.items() if name not in names}
        return kind(**{**values, UNKNOWN: unknown})
    except TypeError as error:
        raise ValueError(f"A stored {kind.__name__} is incomplete: {error}") from error


@cache
def _field_names(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind)) - {UNKNOWN}


@cache
def _names_in_order(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name != UNKNOWN)


def to_fields(record: Stored) -> dict[str, Any]:
    """The fields as plain values, with the unknown ones. Nested dataclasses become mappings, too."""
    values = {name: _plain(getattr(record, name)) for name in _names_in_order(type(record))}
    return {**values, **record.unknown}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value  # almost all of them
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return to_fields(value) if hasattr(value, UNKNOWN) else value


def to_json_text(fields: Mapping[str, Any]) -> str:
    """Compact JSON, for a column."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
