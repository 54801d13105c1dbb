"""Types of values in requests. They validate a value and define its JSON schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
)
from pydantic_core import CoreSchema, PydanticCustomError

from ..forge.access.signing import LONGEST as LONGEST_LINK
from ..forge.export.limits import LARGEST_HEIGHT, MOST_REPEATS, SMALLEST_HEIGHT
from ..forge.generations.gallery import LONGEST_TAG, tag_key
from ..forge.ids import UUID_PATTERN, canonical_id
from ..forge.spec.request import MOST_COUNT, MOST_PICTURES
from ..forge.spec.views import ViewName
from .context import PREFIX


def whole(value: Any) -> Any:
    # JSON has one type of number, so 20.0 is an integer.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _from_text(value: Any) -> Any:
    # Query values are strings; only plain digits count as a number.
    return int(value) if isinstance(value, str) and re.fullmatch("-?[0-9]{1,20}", value) else value


def _without(pattern: str, exceptions: str) -> BeforeValidator:
    # Before a text is stripped, which would remove some of them from its ends.
    forbidden = re.compile(pattern)

    def check(value: Any) -> Any:
        if isinstance(value, str) and forbidden.search(value):
            raise PydanticCustomError("control_character", f"Control characters{exceptions} are not allowed")
        return value

    return BeforeValidator(check)


def distinct(what: str) -> AfterValidator:
    """For a list: refuses a value that it has twice."""

    def check(values: list[Any]) -> list[Any]:
        if len(set(values)) < len(values):
            raise PydanticCustomError("repeated_value", "Each {what} can be chosen once only", {"what": what})
        return values

    return AfterValidator(check)


@dataclass(frozen=True)
class _SchemaPattern:
    """Adds a pattern to the JSON schema only. A validator checks it, with an error message of its own."""

    pattern: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}


@dataclass(frozen=True)
class _Base64:
    """Declares base64 in the JSON schema. The store decodes it."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "contentEncoding": "base64"}


# The bounds are part of the types, because pydantic omits those of the fields from the OpenAPI document.
Strength = Annotated[float, Strict(), Field(ge=0, le=1)]
LinkSeconds = Annotated[int, Strict(), Field(ge=1, le=LONGEST_LINK), BeforeValidator(whole)]
Count = Annotated[int, Strict(), Field(ge=1, le=MOST_COUNT), BeforeValidator(whole)]
CharacterVersion = Annotated[int, Strict(), Field(ge=1, le=2**31 - 1), BeforeValidator(whole)]
QueryWhole = Annotated[int, Strict(), BeforeValidator(_from_text)]
QueryPosition = Annotated[int, Strict(), Field(ge=1, le=MOST_PICTURES), BeforeValidator(_from_text)]
QuerySeed = Annotated[int, Strict(), Field(ge=0, le=2**64 - 1), BeforeValidator(_from_text)]
Version = Annotated[int, Strict(), Field(ge=0, le=2**53), BeforeValidator(_from_text)]
VersionNumber = Annotated[int, Strict(), Field(ge=1, le=2**31 - 1), BeforeValidator(_from_text)]
FrameHeight = Annotated[
    int, Strict(), Field(ge=SMALLEST_HEIGHT, le=LARGEST_HEIGHT), BeforeValidator(_from_text)
]
Repeats = Annotated[int, Strict(), Field(ge=1, le=MOST_REPEATS), BeforeValidator(_from_text)]
Days = Annotated[int, Strict(), Field(ge=0, le=36_500), BeforeValidator(_from_text)]


def _time(value: str) -> str:
    try:
        microseconds_of(value)
    except ValueError as error:
        raise PydanticCustomError("time", "Send a UTC time such as 2026-01-31T09:00:00Z") from error
    return value


def microseconds_of(time: str) -> int:
    """Microseconds since 1970 of a UTC time such as 2026-01-31T09:00:00Z. Raises ValueError."""
    if not re.fullmatch(TIME_PATTERN, time, re.ASCII):
        raise ValueError(time)
    moment = datetime.fromisoformat(time[:19]).replace(tzinfo=timezone.utc)
    return int(moment.timestamp()) * 1_000_000 + int(time[20:-1].ljust(6, "0"))


def _tag(value: str) -> str:
    key = tag_key(value)
    if not 1 <= len(key) <= LONGEST_TAG:
        raise PydanticCustomError(
            "tag_length", "A tag has 1 to {longest} characters", {"longest": LONGEST_TAG}
        )
    return key


TIME_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"
QueryTime = Annotated[str, AfterValidator(_time), _SchemaPattern(TIME_PATTERN)]
# Without C0, DEL, C1 (ECMA-48) and surrogates, which break logs, metadata and databases.
Name = Annotated[
    str,
    _without(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", ""),
    _SchemaPattern(r"^[^\u0000-\u001f\u007f-\u009f]*$"),
]
Tag = Annotated[Name, StringConstraints(max_length=LONGEST_TAG), AfterValidator(_tag)]
# Texts are stripped, and pydantic then refuses surrogates by itself.
NO_CONTROLS = _without(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", " other than tab and new line")
TEXT_PATTERN = _SchemaPattern(r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$")
Text = Annotated[str, StringConstraints(strip_whitespace=True), NO_CONTROLS, TEXT_PATTERN]
# Case-insensitive in requests; converted to the stored form here.
StoredId = Annotated[Name, AfterValidator(canonical_id)]
QueryId = Annotated[str, StringConstraints(pattern=f"^{UUID_PATTERN}$"), AfterValidator(canonical_id)]
GenerationCursor = Annotated[str, _SchemaPattern("^[0-9]{1,18}$")]
VersionCursor = Annotated[str, _SchemaPattern("^[0-9]{1,9}$")]
FileCursor = Annotated[str, _SchemaPattern("^[0-9]{1,18}-[0-9A-Fa-f-]{36}$")]
Picture = Annotated[str, _Base64()]
DistinctViews = Annotated[list[ViewName], distinct("view")]
# For the OpenAPI document. `links` validates the URLs, with better error messages.
_SIZES = "(6[4-9]|[7-9][0-9]|[1-4][0-9]{2}|50[0-9]|51[0-2])"
_PREVIEWS = f"generations/{UUID_PATTERN}/previews/[0-9]{{1,4}}(\\?version=[0-9]{{1,15}})?"
_FILES = f"files/{UUID_PATTERN}(/thumbnail(\\?size={_SIZES})?)?"
_PICTURES = f"({_FILES}|outputs/{UUID_PATTERN}/[A-Za-z0-9_.-]+|{_PREVIEWS})"
PictureUrl = Annotated[
    str,
    StringConstraints(max_length=512),
    Field(json_schema_extra={"pattern": f"^(/api)?({PREFIX})?/{_PICTURES}$"}),
]
ModelName = Annotated[Name, StringConstraints(min_length=1, max_length=512)]
