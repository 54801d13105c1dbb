"""Responses about characters."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ..models import LazyModel
from .generations import LoraParameter, ReferenceParameter


class CharacterSummary(LazyModel):
    character_id: str
    name: str
    version: int = Field(description="1 for the first; If-Match takes it.")
    description: str
    thumbnail: str | None = Field(description="A small picture of its first identity reference.")
    created_at: str
    updated_at: str


class OutfitAnswer(LazyModel):
    name: str
    words: str
    file_id: str | None


class ExpressionAnswer(LazyModel):
    name: str
    words: str


class CharacterAnswer(CharacterSummary):
    newest_version: int = Field(description="Differs from `version` when an older one was asked for.")
    negative: str | None
    clothing: str | None
    style: str | None
    realism: bool | None
    references: list[ReferenceParameter]
    model: str | None
    family: str | None
    template: str | None
    loras: list[LoraParameter]
    seed: int | None
    defaults: dict[str, Any]
    outfits: list[OutfitAnswer]
    expressions: list[ExpressionAnswer]


class MissingPart(LazyModel):
    kind: Literal["model", "family", "lora", "template", "pose"] = Field(
        description="The field that names it."
    )
    name: str


class ImportedCharacterAnswer(CharacterAnswer):
    outcome: Literal["created", "copied", "restored", "replaced", "unchanged"] = Field(
        description="created: with the id of the file. copied: with a new one. restored: it had been deleted "
        "here. replaced: with a new version. unchanged: it was here already."
    )
    files_added: int = Field(description="How many of its files were not stored before.")
    poses_added: int = Field(description="How many poses the library did not have.")
    missing: list[MissingPart] = Field(description="What it names and is not here.")
    exported_by: str
    licence_note: str
    message: str


class CharactersAnswer(LazyModel):
    total: int = Field(description="How many match.")
    characters: list[CharacterSummary]
    limit: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class CharacterVersion(LazyModel):
    version: int
    name: str = Field(description="The name that it had.")
    created_at: str


class CharacterVersionsAnswer(LazyModel):
    total: int = Field(description="How many versions are kept.")
    versions: list[CharacterVersion]
    limit: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class CharacterDeletedAnswer(LazyModel):
    character_id: str
    deleted: Literal[True]
    message: str
