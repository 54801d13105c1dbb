"""What the API answers. These models serialise, and make the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from ..forge.views import ViewName

Status = Literal["queued", "processing", "completed", "failed"]


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


class SkeletonDrawing(BaseModel):
    """The built-in skeleton of a view, in pixels of its own frame, x rightwards and y downwards."""

    width: int
    height: int
    joints: list[tuple[float, float] | None] = Field(
        description="The 18 keypoints in OpenPose's order; null: not seen from there."
    )
    bones: list[tuple[int, int]] = Field(description="Pairs of positions in `joints`.")


class Pose(BaseModel):
    name: ViewName
    description: str
    narrow: bool = Field(description="Narrower than it is high.")
    skeleton: SkeletonDrawing


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
    samplers: list[str] = Field(description="Those of this ComfyUI, as `sampler` takes them.")
    schedulers: list[str] = Field(description="Those of this ComfyUI, as `scheduler` takes them.")


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
