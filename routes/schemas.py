"""The API's bodies, queries and answers. These models validate, serialise and make the OpenAPI document."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints

from ..forge.store.thumbnails import LARGEST, SMALLEST, USUAL
from ..forge.views import ViewName

Status = Literal["queued", "processing", "completed", "failed"]


def _whole(value: Any) -> Any:
    # JSON knows one kind of number: 20.0 is the whole number 20.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _from_text(value: Any) -> Any:
    # Query values are texts; only plain digits count as a number there.
    return int(value) if isinstance(value, str) and re.fullmatch("-?[0-9]{1,19}", value) else value


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


class ThumbnailQuery(Query):
    size: QueryWhole = Field(USUAL, ge=SMALLEST, le=LARGEST, description="Pixels of the longer side.")


class Dimensions(BaseModel):
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")


class StoredFile(BaseModel):
    file_id: str
    filename: str
    content_hash: str = Field(description="SHA-256 of the bytes, hex.")
    size: int = Field(description="Bytes.")
    mime_type: str
    dimensions: Dimensions
    url: str = Field(description="Resolves against the server's root and against the API's prefix.")
    created_at: str


class UploadAnswer(StoredFile):
    is_duplicate: bool


class ListedFile(StoredFile):
    last_used_at: str
    references: int = Field(description="How many generations use it.")


class FilesAnswer(BaseModel):
    total: int = Field(description="How many there are.")
    files: list[ListedFile]
    limit: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class HashAnswer(BaseModel):
    exists: bool
    file_id: str | None
    message: str


class FileDeletedAnswer(BaseModel):
    file_id: str
    deleted: Literal["hard", "soft"]
    message: str


class CleanupAnswer(BaseModel):
    files_deleted: int
    cleanup_days: int
    message: str


class OutputFile(BaseModel):
    filename: str
    url: str = Field(description="Resolves against the server's root and against the API's prefix.")
    pose_type: ViewName | None = Field(description="null: the pose image alone decided the view.")
    size: int = Field(description="Bytes.")
    dimensions: Dimensions
    seed: int | None = Field(description="A re-roll changes it; null for a graph queued by hand.")


class Parameters(BaseModel):
    """Every value actually used. Sent again as a body, it gives the same pictures."""

    prompt: str
    pose_file_id: str | None
    reference_file_id: str | None
    clothing: str | None
    style: str | None
    realism: bool
    negative_prompt: str | None
    width: int
    height: int
    steps: int
    cfg: float
    sampler: str
    scheduler: str
    seed: int
    checkpoint: str
    pose_strength: float | None
    pose_mode: str | None
    reference_strength: float | None
    consistency: float | None
    turnaround: Literal["batch", "sequential"] | None = Field(description="Which way it went.")


class Steps(BaseModel):
    first: int
    last: int


class InputReceipt(BaseModel):
    """How one picture was applied to one view."""

    role: Literal["pose", "reference", "view", "anchor"] = Field(
        description="view: a built-in skeleton. anchor: the front, which the other views look at."
    )
    pose_type: ViewName | None
    kind: str = Field(description="What the picture was recognised as.")
    file_id: str | None
    content_hash: str | None
    comfyui_prompt_id: str = Field(description="The prompt that applied it; a re-roll has its own.")
    node: str = Field(description="Id of the node in that prompt.")
    node_type: str
    model: str = Field(description="The model file that applied it.")
    strength: float
    steps: Steps = Field(description="The sampling steps during which it worked, from 1.")


class GenerationAnswer(BaseModel):
    generation_id: str
    status: Status
    message: str
    kind: Literal["avatar", "pose", "all_poses", "graph"] = Field(
        description="graph: queued by hand in the editor, with a node that saves avatars."
    )
    created_at: str
    started_at: str | None
    completed_at: str | None
    error: str | None
    comfyui_prompt_id: str
    output_files: list[OutputFile]
    parameters: Parameters | None = Field(description="null for a graph queued by hand.")
    reroll: ViewName | None = Field(description="The view that is being made anew.")
    inputs: list[InputReceipt]
    warnings: list[str]


class GenerationsAnswer(BaseModel):
    total: int = Field(description="How many match the filter.")
    generations: list[GenerationAnswer]
    limit: int
    offset: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class GenerationDeletedAnswer(BaseModel):
    generation_id: str
    deleted: Literal[True]
    message: str


class Pose(BaseModel):
    name: ViewName
    description: str
    narrow: bool = Field(description="Narrower than it is high.")


class PosesAnswer(BaseModel):
    poses: list[Pose]


class Part(BaseModel):
    status: Literal["healthy", "unhealthy"]
    reason: str | None = None


class ComfyPart(Part):
    url: str
    stats: dict[str, Any]


class StoragePart(Part):
    files: int = 0
    bytes: int = 0


class QueuePart(Part):
    waiting: int = Field(0, description="Prompts of anyone that wait in ComfyUI.")
    running: int = 0
    generations: dict[str, int] = Field(default_factory=dict, description="Ours, by status.")


class Method(BaseModel):
    """One way to apply an input."""

    name: Literal["controlnet", "ipadapter", "attention", "dwpose", "sdpose"]
    works: bool = Field(description="With what is installed now.")
    model: str | None = Field(
        description="The file that does it; null: none is needed, or it brings its own."
    )
    missing: str | None = Field(description="The file and folder that it lacks; null where it works.")


class CheckpointMethods(BaseModel):
    """What works with one installed checkpoint."""

    name: str
    family: str | None = Field(description="null: not of a family that AvatarForge knows.")
    family_label: str | None
    supported: bool
    pose: list[Method] = Field(description="Ways to apply a pose, best first.")
    reference: list[Method] = Field(description="Ways to apply a reference, best first.")


class CapabilitiesAnswer(BaseModel):
    checkpoints: list[CheckpointMethods]
    pose_extractors: list[Method] = Field(description="What reads the pose of a photo, best first.")
    reasons: list[str] = Field(description="What cannot be done now, and what to install; [] when all can.")


class FamilySummary(BaseModel):
    pose: list[str] = Field(description="Methods that work, best first.")
    reference: list[str] = Field(description="Methods that work, best first.")


class CapabilitiesSummary(BaseModel):
    families: dict[str, FamilySummary] = Field(default_factory=dict, description="Those with a checkpoint.")
    pose_extractors: list[str] = Field(default_factory=list, description="Those that work, best first.")
    missing: list[str] = Field(default_factory=list, description="The `reasons` of GET /capabilities.")


class HealthAnswer(BaseModel):
    api_status: Literal["healthy", "degraded", "unavailable"]
    reason: str | None
    comfyui: ComfyPart
    database: Part
    storage: StoragePart
    queue: QueuePart
    capabilities: CapabilitiesSummary


class Problem(BaseModel):
    loc: list[str | int]
    msg: str
    type: str


class ErrorAnswer(BaseModel):
    detail: str


class InvalidAnswer(BaseModel):
    detail: list[Problem]
