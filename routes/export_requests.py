"""Request models of exports."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from ..forge.errors import UnprocessableError
from ..forge.export.formats import FORMATS
from ..forge.export.manifest import LONGEST_NOTE
from ..forge.export.material import ExportOptions
from ..forge.export.picture_manifest import ExportFormat
from .queries import Query
from .value_types import NO_CONTROLS, TEXT_PATTERN, FrameHeight, Repeats

#: The format of `GET /characters/{character_id}/export` that is the character itself.
CHARACTER: Literal["character"] = "character"

_Trigger = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{1,40}$")]
_Licence = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NOTE),
    NO_CONTROLS,
    TEXT_PATTERN,
]


class _PicturesQuery(Query):
    height: FrameHeight | None = Field(
        None,
        description="Pixels of a frame's height at most, in formats with frames; of the format 3d its side.",
    )
    trigger: _Trigger | None = Field(
        None, description="lora: the word that stands for the character. Its name when left out."
    )
    repeats: Repeats | None = Field(
        None,
        description="lora: how often an epoch shows each picture. Chosen by their number when left out.",
    )
    skip_lost: bool = Field(
        False, description="Leave pictures out whose bytes are gone, instead of refusing the export."
    )


class PicturesExportQuery(_PicturesQuery):
    format: ExportFormat = Field("zip", description="What the export is for; see docs/export.md.")


class CharacterExportQuery(_PicturesQuery):
    format: Literal["character"] | ExportFormat = Field(
        CHARACTER,
        description="The character itself, for another AvatarForge, or its pictures; see docs/export.md.",
    )
    versions: Literal["all", "newest"] = Field(
        "all", description="Of the character itself: all that are kept, or the newest alone."
    )
    licence: _Licence | None = Field(
        None,
        description="Of the character itself: what others may do with the file's pictures and words.",
    )
    favourites: bool = Field(False, description="Of its pictures: those of favourite generations alone.")


def options_of(query: PicturesExportQuery | CharacterExportQuery) -> ExportOptions:
    """What the client chose for an export of pictures. Raises UnprocessableError for a field that the
    format does not have."""
    chosen = query.format
    if chosen == CHARACTER:
        raise ValueError("The character itself has no options of this kind.")
    _refuse_others(query, chosen, {"versions", "licence"}, "only the character itself, without a format, has")
    if chosen != "lora":
        _refuse_others(query, chosen, {"trigger", "repeats"}, "only the format lora has")
    if not FORMATS[chosen].measures:
        _refuse_others(query, chosen, {"height"}, "only formats with frames have")
    return ExportOptions(chosen, query.height, query.trigger, query.repeats, query.skip_lost)


def require_character_fields(query: CharacterExportQuery) -> None:
    """Raises UnprocessableError for a field that the character itself does not have."""
    fields = {"height", "trigger", "repeats", "skip_lost", "favourites"}
    _refuse_others(query, query.format, fields, "only exports of its pictures have")


def _refuse_others(query: Any, chosen: str, names: set[str], who: str) -> None:
    for name in sorted(names & query.model_fields_set):
        raise UnprocessableError(
            f"The format {chosen} has no {name}: {who} it.",
            ("query", name),
            code="field_not_applicable",
            parameters={"field": name},
        )
