"""What clients send: bodies and queries. These models validate, and make the OpenAPI document."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints

from ..forge.store.thumbnails import LARGEST, SMALLEST, USUAL
from ..forge.views import ViewName
from .schemas import Status


def _whole(value: Any) -> Any:
    # JSON knows one kind of number: 20.0 is the whole number 20.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _from_text(value: Any) -> Any:
    # Query values are texts; only plain digits count as a number there.
    return int(value) if isinstance(value, str) and re.fullmatch("-?[0-9]{1,20}", value) else value


Whole = Annotated[int, Strict(), BeforeValidator(_whole)]
QueryWhole = Annotated[int, Strict(), BeforeValidator(_from_text)]
Text = Annotated[str, StringConstraints(strip_whitespace=True)]


class Body(BaseModel):
    """What clients send: strict types, no unknown fields, no NaN."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class AvatarBody(Body):
    """A character in words, with optional pictures and settings. What is left out is chosen for you
    and comes back in `parameters`."""

    prompt: Text = Field(min_length=1, max_length=10_000, description="Detailed avatar description.")
    pose_file_id: str | None = Field(None, max_length=64, description="ID of an uploaded pose image.")
    reference_file_id: str | None = Field(
        None, max_length=64, description="ID of an uploaded reference image."
    )
    clothing: Text | None = Field(None, max_length=2_000, description="Specific clothing details.")
    style: Text | None = Field(None, max_length=500, description="Art style: 'watercolor', 'pixel art', ...")
    realism: Annotated[bool, Strict()] = Field(False, description="true: realistic, false: anime.")
    pose_image: str | None = Field(None, description="[LEGACY] Base64 image; upload a file instead.")
    reference_image: str | None = Field(None, description="[LEGACY] Base64 image; upload a file instead.")
    negative_prompt: Text | None = Field(None, max_length=10_000, description="What must not be seen.")
    width: Whole | None = Field(None, ge=64, le=4096, multiple_of=8, description="Pixels.")
    height: Whole | None = Field(None, ge=64, le=4096, multiple_of=8, description="Pixels.")
    steps: Whole | None = Field(None, ge=1, le=150, description="Sampling steps.")
    cfg: Annotated[float, Strict()] | None = Field(
        None, ge=0, le=30, description="Classifier-free guidance scale."
    )
    sampler: str | None = Field(None, max_length=100, description="A sampler of this ComfyUI.")
    scheduler: str | None = Field(None, max_length=100, description="A scheduler of this ComfyUI.")
    seed: Whole | None = Field(
        None, ge=0, le=2**64 - 1, description="The same seed and inputs repeat a picture."
    )
    checkpoint: str | None = Field(
        None, max_length=512, description="An installed checkpoint, by its file name."
    )
    pose_strength: Annotated[float, Strict()] | None = Field(
        None, ge=0, le=2, description="Of the pose image, else of the built-in skeletons. 0: as if absent."
    )
    pose_mode: Literal["auto", "skeleton", "photo", "raw"] | None = Field(
        None, description="What the pose image is; auto recognises it from its content."
    )
    reference_strength: Annotated[float, Strict()] | None = Field(
        None, ge=0, le=1, description="0: as if absent. 1: seen as strongly as the picture itself."
    )
    consistency: Annotated[float, Strict()] | None = Field(
        None, ge=0, le=1, description="All poses: how strongly the views look at the front. 0 is off."
    )
    turnaround: Literal["auto", "batch", "sequential"] | None = Field(
        None, description="All poses: in one batch, or one after another for a card with little memory."
    )
    callback_url: str | None = Field(
        None, max_length=2048, description="Called when it has completed or failed (Standard Webhooks)."
    )


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PoseQuery(Query):
    pose: ViewName = Field(description="The view to draw.")


class RerollQuery(PoseQuery):
    seed: QueryWhole | None = Field(None, ge=0, le=2**64 - 1, description="Chosen for you when left out.")


class ForceQuery(Query):
    force: bool = Field(False, description="Delete even if generations use the file.")


class KeepOutputsQuery(Query):
    keep_outputs: bool = Field(False, description="Leave the pictures in ComfyUI's output folder.")


class CleanupQuery(Query):
    days: QueryWhole | None = Field(None, ge=0, le=36_500, description="Default: FILE_CLEANUP_DAYS.")


class ListQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Results per page.")
    offset: QueryWhole = Field(0, ge=0, le=2**53, description="Skip so many.")
    status: Status | None = Field(None, description="Only those in this state.")
    cursor: str | None = Field(
        None, max_length=32, description="next_cursor of the page before: arrivals do not shift the pages."
    )


class FilesQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Results per page.")
    cursor: str | None = Field(
        None, max_length=64, description="next_cursor of the page before: arrivals do not shift the pages."
    )


class WaitQuery(Query):
    wait: QueryWhole = Field(
        0, ge=0, le=60, description="Seconds: answer when the generation has ended, at the latest then."
    )


class EventsQuery(Query):
    last_event_id: str | None = Field(
        None, max_length=64, description="For clients that cannot send the header Last-Event-ID."
    )


class PreviewQuery(Query):
    version: QueryWhole | None = Field(
        None, ge=0, le=2**53, description="Nothing but another URL for another picture."
    )


class ThumbnailQuery(Query):
    size: QueryWhole = Field(USUAL, ge=SMALLEST, le=LARGEST, description="Pixels of the longer side.")
