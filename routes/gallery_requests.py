"""Request models about many generations at once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from ..forge.generations.gallery import MOST_CHOSEN, MOST_TAGS
from .requests import Body
from .value_types import StoredId, Tag

_Flag = Annotated[bool, Strict()]
_ChosenIds = Annotated[
    list[Annotated[StoredId, Field(max_length=64)]], Field(min_length=1, max_length=MOST_CHOSEN)
]


class ChosenBody(Body):
    """The generations of which the pictures are wanted."""

    generation_ids: _ChosenIds


class DeleteChosenBody(ChosenBody):
    """The generations to delete."""

    keep_outputs: _Flag = Field(False, description="Leave the pictures in ComfyUI's output folder.")


class MarksBody(ChosenBody):
    """What to note on generations. What is left out stays as it is."""

    favourite: _Flag | None = Field(None, description="Whether they are favourites.")
    add_tags: list[Tag] = Field([], max_length=MOST_TAGS, description="Kept in lower case.")
    remove_tags: list[Tag] = Field([], max_length=MOST_TAGS)
