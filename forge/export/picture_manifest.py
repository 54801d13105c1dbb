"""The manifest of exported pictures: what it says, as data, its JSON and its schema.

docs/export.md describes every field. A field is only added together with a new format version.
"""

from __future__ import annotations

import json
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from ..pictures.figure_box import FoundBy
from ..spec.stored import to_json_text
from .selection import SubjectKind

FORMAT: Final = "avatarforge-pictures"
FORMAT_VERSION: Final = 1
MANIFEST = "manifest.json"

#: How pictures are exported, in the order in which they are documented.
ExportFormat = Literal[
    "zip",
    "sheet",
    "atlas",
    "aseprite",
    "godot",
    "unity",
    "rpgmaker",
    "renpy",
    "lora",
    "3d",
    "manifest",
]
EXPORT_FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)

_Whole = Field(ge=0)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class ExportedSubject(_Part):
    """What was exported. `unfinished` generations of it had no picture."""

    kind: SubjectKind
    id: str
    name: str
    unfinished: int = _Whole


class FigureEntry(_Part):
    """Where the figure is in the picture as it was made, in pixels: its box (left, top, right, bottom) and
    the point between its feet (x, y)."""

    box: tuple[int, int, int, int]
    feet: tuple[float, float]
    found_by: FoundBy


class FrameEntry(_Part):
    """Where the picture is in the member `image`, in pixels from its upper left corner."""

    image: str
    x: int = _Whole
    y: int = _Whole
    width: int = Field(ge=1)
    height: int = Field(ge=1)


class PictureEntry(_Part):
    """A picture. `width`, `height`, `size` (bytes) and `sha256` are of the picture as it was made, which is
    the member `member` if that is not null. `caption` is the member with its caption. `position` and `take`
    count from 1."""

    name: str
    animation: str
    generation_id: str
    position: int = Field(ge=1)
    take: int = Field(ge=1)
    view: str | None
    outfit: str | None
    expression: str | None
    pose: str | None
    seed: int | None
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    size: int = _Whole
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    member: str | None = None
    caption: str | None = None
    figure: FigureEntry | None = None
    frame: FrameEntry | None = None


class FramesEntry(_Part):
    """All frames have one size, and the feet at one point: `pivot` (x, y) in pixels from the upper left
    corner, `pivot_share` the same as shares of width and height."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)
    pivot: tuple[int, int]
    pivot_share: tuple[float, float]


class ImageEntry(_Part):
    """A drawn picture of the export."""

    member: str
    width: int = Field(ge=1)
    height: int = Field(ge=1)


class PictureManifest(_Part):
    """What an export of pictures contains. `left_out` are pictures whose bytes were gone, and pictures that
    the format has no place for."""

    format: Literal["avatarforge-pictures"] = FORMAT
    format_version: Literal[1] = FORMAT_VERSION
    exported_by: str
    export: ExportFormat
    subject: ExportedSubject
    pictures: list[PictureEntry]
    frames: FramesEntry | None = None
    images: list[ImageEntry] = []
    palette: list[str] = Field([], description="The main colours of the figures, as #rrggbb.")
    left_out: list[str] = []


def manifest_bytes(manifest: PictureManifest) -> bytes:
    return to_json_text(manifest.model_dump(mode="json")).encode()


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the manifest."""
    schema = PictureManifest.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """The schema as it stands in docs/export.schema.json."""
    return json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n"
