"""Query models. They validate the queries of requests and define them in the OpenAPI document."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    ConfigDict,
    Field,
)

from ..forge.generations.gallery import LONGEST_SEARCH
from ..forge.model_overrides import Folder, PartFolder
from ..forge.spec.avatar import Kind
from ..forge.spec.views import ViewName
from ..forge.store.thumbnails import LARGEST, SMALLEST, USUAL
from .models import LazyModel
from .responses import Status
from .value_types import (
    Days,
    FileCursor,
    GenerationCursor,
    ModelName,
    Name,
    QueryId,
    QueryPosition,
    QuerySeed,
    QueryTime,
    QueryWhole,
    Tag,
    Version,
)


class Query(LazyModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PoseQuery(Query):
    pose: ViewName = Field(description="The view to draw.")


class RerollQuery(Query):
    pose: ViewName | None = Field(None, description="The view to draw again.")
    position: QueryPosition | None = Field(
        None,
        description="The number of the picture in output_files, from 1: needed where several show the view.",
    )
    seed: QuerySeed | None = Field(None, description="Chosen for you when left out.")


class ModelsQuery(Query):
    folder: Folder | PartFolder | None = Field(
        None, description="Only the files of this folder, such as `loras`."
    )


class ModelFileQuery(Query):
    folder: Folder = Field(description="ComfyUI's name of its folder.")
    name: ModelName = Field(description="As in GET /models.")


class ForceQuery(Query):
    force: bool = Field(False, description="Delete even if generations use the file.")


class VerifyQuery(Query):
    repair: bool = Field(False, description="Repair what can be repaired; nothing is thrown away.")


class KeepOutputsQuery(Query):
    keep_outputs: bool = Field(False, description="Leave the pictures in ComfyUI's output folder.")


class CleanupQuery(Query):
    days: Days | None = Field(None, description="Default: FILE_CLEANUP_DAYS.")


class ListQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Results per page.")
    offset: QueryWhole = Field(0, ge=0, le=2**53, description="Skip so many.")
    status: Status | None = Field(None, description="Only those in this state.")
    character_id: QueryId | None = Field(None, description="Only those that show this character.")
    batch_id: QueryId | None = Field(None, description="Only those of this batch.")
    cursor: GenerationCursor | None = Field(
        None, max_length=32, description="next_cursor of the page before: arrivals do not shift the pages."
    )
    q: Name | None = Field(
        None,
        max_length=LONGEST_SEARCH,
        description="Only those with each of these words in their prompt, clothing, outfit, style, character "
        "or model.",
    )
    view: ViewName | None = Field(None, description="Only those that show this view.")
    kind: Kind | None = Field(None, description="Only those of this kind.")
    model: ModelName | None = Field(None, description="Only those of this model, as in their parameters.")
    tag: Tag | None = Field(None, description="Only those with this tag.")
    favourite: bool = Field(False, description="Only favourites.")
    created_from: QueryTime | None = Field(None, max_length=32, description="Only those made then or later.")
    created_before: QueryTime | None = Field(None, max_length=32, description="Only those made before then.")
    sort: Literal["newest", "oldest"] = Field("newest", description="Which come first.")


class FilesQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Results per page.")
    cursor: FileCursor | None = Field(
        None, max_length=64, description="next_cursor of the page before: arrivals do not shift the pages."
    )


class WaitQuery(Query):
    wait: QueryWhole = Field(
        0, ge=0, le=60, description="Seconds: answer when the generation has ended, at the latest then."
    )


class EventsQuery(Query):
    last_event_id: str | None = Field(
        None,
        pattern="^[0-9A-Fa-f]{1,32}-[0-9]{1,18}$",
        description="For clients that cannot send the header Last-Event-ID.",
    )


class PreviewQuery(Query):
    version: Version | None = Field(None, description="Nothing but another URL for another picture.")


class ThumbnailQuery(Query):
    size: QueryWhole = Field(USUAL, ge=SMALLEST, le=LARGEST, description="Pixels of the longer side.")
