"""What the API answers. These models serialise, and make the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, create_model

from ..forge.error_codes import ErrorCode
from ..forge.maintenance.report import KINDS
from ..forge.spec import fields
from ..forge.spec.fields import Applicability, ChoiceSource, FormGroup, RequestField
from ..forge.spec.request import REQUEST_FIELDS
from ..forge.spec.views import ViewName
from ..forge.spec.warning import WarningCode
from .models import LazyModel

Status = Literal["queued", "processing", "completed", "failed"]
_KINDS = "Problems by kind. " + " ".join(f"`{kind}`: {words}" for kind, words in KINDS.items())


class Dimensions(LazyModel):
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")


class StoredFile(LazyModel):
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


class FilesAnswer(LazyModel):
    total: int = Field(description="How many there are.")
    files: list[ListedFile]
    limit: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class HashAnswer(LazyModel):
    exists: bool
    file_id: str | None
    message: str


class FileDeletedAnswer(LazyModel):
    file_id: str
    deleted: Literal["hard", "soft"]
    message: str


class CleanupAnswer(LazyModel):
    files_deleted: int
    cleanup_days: int
    message: str


class OutputFile(LazyModel):
    filename: str
    url: str = Field(description="Resolves against the server's root and against the API's prefix.")
    pose_type: ViewName | None = Field(description="null: the pose image alone decided the view.")
    size: int = Field(description="Bytes.")
    dimensions: Dimensions
    seed: int | None = Field(description="A re-roll changes it; null for a graph queued by hand.")


def _parameter(field: RequestField) -> tuple[Any, Any]:
    match field.rule:
        case fields.Flag():
            kind: Any = bool
        case fields.Whole():
            kind = int
        case fields.Real():
            kind = float
        case fields.Choice() as rule:
            kind = Literal[rule.stored]
        case _:
            kind = str
    return (kind | None if field.optional or field.applies != "always" else kind), ...


def _parameter_fields() -> dict[str, Any]:
    return {name: _parameter(field) for name, field in REQUEST_FIELDS.items() if field.repeated}


#: Made of the declarations in `forge/spec`: a new field is added there.
Parameters = create_model(
    "Parameters",
    __base__=LazyModel,
    __module__=__name__,
    __doc__="Every value actually used. Sent again as a body, it gives the same pictures.",
    **_parameter_fields(),
)


class Steps(LazyModel):
    first: int
    last: int


class InputReceipt(LazyModel):
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


class CurrentNode(LazyModel):
    """What runs now."""

    node: str = Field(description="The node's type.")
    node_id: str = Field(description="Its id in the prompt.")
    view: ViewName | None = Field(description="null: it works on several views, or on none.")
    step: int
    steps: int = Field(description="1 for a node that counts no steps.")


class PreviewFile(LazyModel):
    view: ViewName | None
    url: str = Field(description="A JPEG. Resolves against the server's root; it changes with the picture.")


class WarningDetail(LazyModel):
    """A warning that a program can tell apart, and a page can show in another language."""

    code: WarningCode | None = Field(description="null: written by a release without codes.")
    detail: str
    parameters: dict[str, str | int | list[str]] = Field(description="The values in the sentence.")


class GenerationAnswer(LazyModel):
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
    reroll: ViewName | None = Field(description="The view that is being re-rolled.")
    progress: float = Field(
        description="0 to 1: steps done, of all views. 1 when completed; when failed, how far it came."
    )
    current: CurrentNode | None = Field(description="While it runs.")
    queue_position: int | None = Field(description="While it is queued: 1 starts next.")
    eta_seconds: float | None = Field(
        description="Running time left, by past runs of the same family, size, steps and number of views; "
        "waiting in the queue is not counted. null: no such run is known."
    )
    previews: list[PreviewFile] = Field(description="While it runs, in the order of its views.")
    inputs: list[InputReceipt]
    warnings: list[str]
    warning_details: list[WarningDetail] = Field(description="The same with codes, one for each sentence.")


Control = Literal["text", "number", "digits", "switch", "choice", "installed", "file"]


class FormField(LazyModel):
    """One field of a generation request, as a form shows it."""

    name: str = Field(description="The field's name in the request.")
    description: str
    group: FormGroup = Field(description="slot: a place for a picture.")
    control: Control = Field(
        description="digits: a whole number too large for JavaScript. installed: one of a list of "
        "GET /capabilities, see `source`. file: the id of an uploaded file."
    )
    required: bool
    default: str | float | bool | None = Field(
        description="Used when the field is left out; null: it depends on the other fields and the settings."
    )
    applies: Applicability = Field(
        description="several_views: only with all poses. pose: only with a pose image."
    )
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    max_length: int | None = Field(None, description="Characters.")
    rows: int = Field(1, description="Lines of the control.")
    choices: list[str] = Field(default_factory=list)
    suggestions: list[str] = Field(default_factory=list, description="Any other text is taken as well.")
    source: ChoiceSource | None = None


class FormFieldsAnswer(LazyModel):
    fields: list[FormField] = Field(description="In the order in which a form shows them.")


class PromptAnswer(LazyModel):
    prompt: dict[str, dict[str, Any]] = Field(description="The graph, as ComfyUI's POST /prompt takes it.")


class GenerationsAnswer(LazyModel):
    total: int = Field(description="How many match the filter.")
    generations: list[GenerationAnswer]
    limit: int
    offset: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class GenerationDeletedAnswer(LazyModel):
    generation_id: str
    deleted: Literal[True]
    message: str


class SignedUrl(LazyModel):
    url: str = Field(description="As it was sent.")
    signed_url: str = Field(
        description="The same, its id in lower case, with `expires` and `signature`: needs no key."
    )
    expires_at: str


class SignedUrlsAnswer(LazyModel):
    urls: list[SignedUrl] = Field(description="In the order in which they were sent.")


class SkeletonDrawing(LazyModel):
    """The built-in skeleton of a view, in pixels of its own frame, x rightwards and y downwards."""

    width: int
    height: int
    joints: list[tuple[float, float] | None] = Field(
        description="The 18 keypoints in OpenPose's order; null: not seen from there."
    )
    bones: list[tuple[int, int]] = Field(description="Pairs of positions in `joints`.")


class Pose(LazyModel):
    name: ViewName
    description: str
    narrow: bool = Field(description="Narrower than it is high.")
    skeleton: SkeletonDrawing


class PosesAnswer(LazyModel):
    poses: list[Pose]


class Part(LazyModel):
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


class Method(LazyModel):
    """One way to apply an input."""

    name: Literal["controlnet", "ipadapter", "attention", "dwpose", "sdpose"]
    works: bool = Field(description="With what is installed now.")
    model: str | None = Field(
        description="The file that does it; null: none is needed, or it brings its own."
    )
    missing: str | None = Field(description="The file and folder that it lacks; null where it works.")
    family_is_guess: bool = Field(
        False, description="That the model fits is a guess from its name: the file cannot be looked into."
    )


class CheckpointMethods(LazyModel):
    """What works with one installed checkpoint."""

    name: str
    family: str | None = Field(description="null: not of a family that AvatarForge knows.")
    family_label: str | None
    supported: bool
    pose: list[Method] = Field(description="Ways to apply a pose, best first.")
    reference: list[Method] = Field(description="Ways to apply a reference, best first.")
    family_is_guess: bool = Field(
        False, description="`family` is a guess from the name: the file cannot be looked into."
    )
    problem: str | None = Field(
        None,
        description='Why the file cannot be used, as words that follow "it": `is empty`; null: none known.',
    )


class SkippedFile(LazyModel):
    """A model file that cannot be used. The others are not affected."""

    folder: str = Field(description="Under `models`, such as `checkpoints`.")
    name: str | None = Field(description="In that folder; null: the whole folder cannot be listed.")
    reason: str = Field(description='As words that follow "it": `is empty`.')


class CapabilitiesAnswer(LazyModel):
    checkpoints: list[CheckpointMethods]
    pose_extractors: list[Method] = Field(description="What reads the pose of a photo, best first.")
    reasons: list[str] = Field(description="What cannot be done now, and what to install; [] when all can.")
    samplers: list[str] = Field(description="Those of this ComfyUI, as `sampler` takes them.")
    schedulers: list[str] = Field(description="Those of this ComfyUI, as `scheduler` takes them.")
    skipped_files: list[SkippedFile] = Field(
        default_factory=list, description="Files that cannot be used, and why; the first 100."
    )
    skipped_total: int = Field(0, description="How many files cannot be used.")


class FamilySummary(LazyModel):
    pose: list[str] = Field(description="Methods that work, best first.")
    reference: list[str] = Field(description="Methods that work, best first.")


class CapabilitiesSummary(LazyModel):
    families: dict[str, FamilySummary] = Field(default_factory=dict, description="Those with a checkpoint.")
    pose_extractors: list[str] = Field(default_factory=list, description="Those that work, best first.")
    missing: list[str] = Field(default_factory=list, description="The `reasons` of GET /capabilities.")


class HealthStatus(LazyModel):
    """What a monitor without the key gets where a key is needed."""

    api_status: Literal["healthy", "degraded", "unavailable"]


class HealthAnswer(HealthStatus):
    reason: str | None
    comfyui: ComfyPart
    database: Part
    storage: StoragePart
    queue: QueuePart
    capabilities: CapabilitiesSummary


class StoreProblem(LazyModel):
    kind: str
    detail: str = Field(description="A sentence that says what is wrong.")
    file_id: str | None
    generation_id: str | None
    name: str | None = Field(description="A file's name in the storage or among the outputs.")
    repaired: str | None = Field(description="What was done; null where nothing was.")


class VerifyAnswer(LazyModel):
    clean: bool = Field(description="Nothing was found. What this run repaired, it has found.")
    repair: bool
    files: int = Field(description="Stored files that were looked at.")
    bytes: int = Field(description="Bytes of the good ones.")
    outputs: int = Field(description="Generated pictures that were looked at.")
    output_bytes: int
    lost_files: int = Field(description="Known to be lost since an earlier repair; no problem any more.")
    lost_outputs: int
    counts: dict[str, int] = Field(description=_KINDS)
    problems_total: int
    problems: list[StoreProblem] = Field(description="The first 1000.")
    seconds: float


class Problem(LazyModel):
    loc: list[str | int]
    msg: str
    type: str


class ErrorBody(LazyModel):
    code: ErrorCode = Field(description="For programs: what went wrong. It never changes its meaning.")
    parameters: dict[str, str | int] = Field(
        default_factory=dict,
        description="Values for a sentence in another language; left out where there are none.",
    )


class ErrorAnswer(ErrorBody):
    detail: str = Field(description="A sentence for people.")


class InvalidAnswer(ErrorBody):
    detail: list[Problem]
