"""Responses about many generations at once."""

from __future__ import annotations

from pydantic import Field

from ..models import LazyModel


class Offered(LazyModel):
    """A value of a filter."""

    value: str = Field(description="Send it as the filter.")
    name: str = Field(description="For people: the name of a character; otherwise the same as `value`.")
    number: int = Field(description="How many generations have it.")


class GalleryFiltersAnswer(LazyModel):
    """The values of each filter that at least one generation has, those of the most generations first."""

    models: list[Offered]
    characters: list[Offered]
    tags: list[Offered]
    views: list[Offered]
    kinds: list[Offered]
    favourites: int = Field(description="How many generations are favourites.")


class Marked(LazyModel):
    """What is noted on a generation now."""

    generation_id: str
    favourite: bool
    tags: list[str]


class MarksAnswer(LazyModel):
    generations: list[Marked]
    missing: list[str] = Field(description="Ids that no generation has.")
    message: str


class ChosenDeletedAnswer(LazyModel):
    deleted: int = Field(description="How many generations were deleted.")
    missing: list[str] = Field(description="Ids that no generation has.")
    message: str
