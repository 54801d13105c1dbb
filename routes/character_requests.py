"""Request models about characters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, Strict, StringConstraints, create_model

from ..forge.spec.character_content import (
    DEFAULT_FIELDS,
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    LONGEST_WORDS,
    MOST_EXPRESSIONS,
    MOST_OUTFITS,
    MOST_REFERENCES,
)
from ..forge.spec.redraw import DENOISE, LEAST_DENOISE, MARGIN, MOST_MARGIN
from ..forge.spec.request import MOST_PICTURES, REQUEST_FIELDS
from .queries import Query
from .requests import Body, ReferenceBody, declared
from .value_types import (
    NO_CONTROLS,
    TEXT_PATTERN,
    FileCursor,
    Name,
    QueryWhole,
    StoredId,
    VersionCursor,
    VersionNumber,
    whole,
)

_Named = Annotated[Name, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
_Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_WORDS),
    NO_CONTROLS,
    TEXT_PATTERN,
]
_Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_DESCRIPTION),
    NO_CONTROLS,
    TEXT_PATTERN,
]
_Negative = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=LONGEST_DESCRIPTION),
    NO_CONTROLS,
    TEXT_PATTERN,
]


class OutfitBody(Body):
    """Named clothes."""

    name: _Named = Field(description="Unique within the character; capitals make no difference.")
    words: _Words = Field(description="The clothes in words.")
    file_id: StoredId | None = Field(None, max_length=64, description="An uploaded picture of them.")


class ExpressionBody(Body):
    """A named expression of the face."""

    name: _Named = Field(description="Unique within the character, and none of the built-in ones.")
    words: _Words = Field(description="The expression in words.")


def _as_in_requests(*names: str) -> dict[str, Any]:
    """Fields that are the same in a request for pictures."""
    return {name: declared(REQUEST_FIELDS[name]) for name in names}


DefaultsBody = create_model(
    "DefaultsBody",
    __base__=Body,
    __module__=__name__,
    __doc__="Settings of a request that the character has unless the request has its own.",
    **_as_in_requests(*DEFAULT_FIELDS),
)


class _ContentBody(Body):
    negative: _Negative | None = Field(None, description="What must never be seen.")
    realism: bool | None = Field(None, strict=True, description="true: realistic, false: anime.")
    references: list[ReferenceBody] | None = Field(
        None, max_length=MOST_REFERENCES, description="Uploaded pictures of it, each with a role."
    )
    defaults: DefaultsBody | None = Field(None, description="Settings, such as width, height and steps.")
    outfits: list[OutfitBody] | None = Field(None, max_length=MOST_OUTFITS)
    expressions: list[ExpressionBody] | None = Field(None, max_length=MOST_EXPRESSIONS)


_COMMON = _as_in_requests("clothing", "style", "model", "family", "template", "loras", "seed")
_NAME = Field(description="Unique; capitals make no difference.")

CharacterBody = create_model(
    "CharacterBody",
    __base__=_ContentBody,
    __module__=__name__,
    __doc__="A new character. At most one of model, family and template.",
    name=(_Named, _NAME),
    description=(_Description, Field(description="What never changes: every picture shows it.")),
    **_COMMON,
)

CharacterChangesBody = create_model(
    "CharacterChangesBody",
    __base__=_ContentBody,
    __module__=__name__,
    __doc__="What changes. null clears a field; what is left out stays; a list replaces the whole list.",
    name=(_Named, Field(default_factory=str, description="A new name.")),
    description=(_Description, Field(default_factory=str, description="A new description.")),
    **_COMMON,
)

CharacterOfGenerationBody = create_model(
    "CharacterOfGenerationBody",
    __base__=_ContentBody,
    __module__=__name__,
    __doc__="The name of the new character, and what it has instead of what the generation used.",
    name=(_Named, _NAME),
    description=(_Description, Field(default_factory=str, description="Instead of the prompt.")),
    **_COMMON,
)


_Position = Annotated[int, Strict(), Field(ge=1, le=MOST_PICTURES), BeforeValidator(whole)]
_Denoise = Annotated[float, Strict(), Field(ge=LEAST_DENOISE, le=1)]
_Margin = Annotated[float, Strict(), Field(ge=0, le=MOST_MARGIN)]


class _RedrawFields(Body):
    generation_id: StoredId = Field(max_length=64, description="A completed generation of the character.")
    position: _Position | None = Field(
        None, description="The number of the picture, from 1; the first that shows the face when left out."
    )
    expressions: list[_Named] | None = Field(
        None,
        min_length=1,
        max_length=MOST_PICTURES,
        description="Built-in ones and those of the character, by name; all when left out.",
    )
    denoise: _Denoise | None = Field(
        None, description=f"How much of the face changes; 1: all of it. {DENOISE} when left out."
    )
    margin: _Margin = Field(MARGIN, description="Around the head, as a share of its radius.")


RedrawBody = create_model(
    "RedrawBody",
    __base__=_RedrawFields,
    __module__=__name__,
    __doc__="A finished picture whose face is redrawn, once for each expression.",
    **_as_in_requests("seed", "callback_url"),
)


class CharactersQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Results per page.")
    cursor: FileCursor | None = Field(
        None, max_length=64, description="next_cursor of the page before: arrivals do not shift the pages."
    )
    q: Name | None = Field(
        None, max_length=100, description="Only those with this in their name or early in their description."
    )


class CharacterQuery(Query):
    version: VersionNumber | None = Field(None, description="The newest when left out.")


class VersionsQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Results per page.")
    cursor: VersionCursor | None = Field(None, max_length=9, description="next_cursor of the page before.")


class ImportQuery(Query):
    name: _Named | None = Field(None, description="Another name for the character.")
    as_copy: bool = Field(False, description="Save it as another character, with a new id.")
    replace: bool = Field(
        False,
        description="If the character is here with other versions: make the file's newest one its new one.",
    )
    format: Literal["avatarforge", "omnichar"] = Field(
        "avatarforge", description="omnichar: a .char file, which needs the package omnichar-sdk."
    )


def read_content(values: Any) -> dict[str, Any]:
    """The fields of a version in a file, checked as those of a new character. Raises ValidationError."""
    return CharacterBody.model_validate(values).model_dump(exclude_unset=True)
