"""Protocols for what AvatarForge needs from the program it runs in. `host` implements them for ComfyUI."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

# A prompt in ComfyUI's API format: {node id: {"class_type", "inputs", "_meta"}}.
Prompt = dict[str, dict[str, Any]]


# Nodes of newer ComfyUI versions and other packs, which are used only if they are installed.
OPTIONAL_NODES = frozenset(
    {
        "DWPreprocessor",  # comfyui_controlnet_aux
        "SDPoseKeypointExtractor",  # a recent ComfyUI itself
        "IPAdapterUnifiedLoader",  # ComfyUI_IPAdapter_plus
        "IPAdapterAdvanced",
        "IPAdapterPreciseStyleTransfer",  # of its releases whose adapters can take the style alone
    }
)


# The kinds that ComfyUI's ControlNetLoader loads, and one that it does not.
ControlKind = Literal["ControlNet", "Control-LoRA", "T2I adapter", "ControlNet-LLLite"]


#: Answers that a list of installed models remembers.
MOST_ANSWERS = 256
Answer = TypeVar("Answer")

#: What decided a model's family and variant: its header, its name, or the user's override.
ToldBy = Literal["header", "name", "override"]


@dataclass(frozen=True)
class ModelFile:
    """An installed model, named as in ComfyUI's loader nodes. `family` is a key of `families.FAMILIES`, or
    None for another family. `union`: a ControlNet for several kinds of hints, which must be told the kind.

    `guessed`: the family is a guess from the name, because the file cannot be inspected. `special`: a
    checkpoint that needs more than text, such as one for inpainting. `kind` is that of a control model.
    `problem`: why the file cannot be used, phrased to follow "it": "is empty"; None if it can.

    `folder` is ComfyUI's name of its folder: "checkpoints", "diffusion_models", "unet_gguf", "controlnet",
    "model_patches", "loras"; "" if a drawn family stands for a model. `variant` is one of its family, None
    for the first. `distillation` is a key of `families.DISTILLATIONS`. `prediction` is "eps", "v" (the header
    says so) or "v_unmarked" (only the name does). `precision` is that of packed weights, such as "fp8_scaled"
    or "gguf". `told_by` is for the family, `variant_told_by` for the variant. `size` is in bytes.
    `uses_clip`: a LoRA that changes text encoders.
    """

    name: str
    family: str | None
    union: bool = False
    guessed: bool = False
    special: bool = False
    kind: ControlKind = "ControlNet"
    problem: str | None = None
    folder: str = "checkpoints"
    variant: str | None = None
    distillation: str | None = None
    prediction: Literal["eps", "v", "v_unmarked"] = "eps"
    precision: str | None = None
    told_by: ToldBy = "header"
    variant_told_by: ToldBy = "name"
    size: int = 0
    uses_clip: bool = False


@dataclass(frozen=True)
class PartFile:
    """A text encoder or a VAE. `kind` is one of `families.ENCODER_KINDS` or `families.VAE_KINDS`, None for
    another. `folder` is "text_encoders", "clip_gguf" or "vae"."""

    name: str
    kind: str | None
    folder: str
    problem: str | None = None
    precision: str | None = None


@dataclass(frozen=True)
class SkippedFile:
    """A model file that cannot be used. `folder` is ComfyUI's name of the folder, such as "checkpoints".
    `name` is the file's name in it, never a path of the server, and None if the folder cannot be listed.
    `reason` is phrased to follow "it"."""

    folder: str
    name: str | None
    reason: str


@dataclass(frozen=True)
class InstalledModels:
    """Everything that is installed. `nodes` are the installed OPTIONAL_NODES, `ipadapters` and `clip_visions`
    the files in these folders, `sdpose` the checkpoints with SDPose's heatmap head. `skipped` are the
    unusable files of all folders. `embeddings` are the files in that folder, None if it could not be read.
    `diffusion_models` are those without text encoders and VAE, GGUF files included. `model_patches` are
    control patches of models, `style_models` the files in that folder."""

    checkpoints: tuple[ModelFile, ...]
    controlnets: tuple[ModelFile, ...]
    samplers: tuple[str, ...]
    schedulers: tuple[str, ...]
    nodes: frozenset[str] = frozenset()
    ipadapters: tuple[str, ...] = ()
    clip_visions: tuple[str, ...] = ()
    sdpose: tuple[str, ...] = ()
    skipped: tuple[SkippedFile, ...] = ()
    embeddings: tuple[str, ...] | None = None
    diffusion_models: tuple[ModelFile, ...] = ()
    text_encoders: tuple[PartFile, ...] = ()
    vaes: tuple[PartFile, ...] = ()
    loras: tuple[ModelFile, ...] = ()
    model_patches: tuple[ModelFile, ...] = ()
    style_models: tuple[str, ...] = ()
    _answers: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def models(self) -> tuple[ModelFile, ...]:
        """Everything that a request can name as its model."""
        return self.checkpoints + self.diffusion_models

    def remember(self, question: Hashable, find: Callable[[], Answer]) -> Answer:
        """What `find` returns, which is not None and depends on the question and this list alone. It is found
        once: all requests of a batch ask the same, and there can be hundreds of models. An error is not
        remembered."""
        known: Answer | None = self._answers.get(question)
        if known is not None:
            return known
        found = find()
        if len(self._answers) >= MOST_ANSWERS:
            self._answers.clear()
        self._answers[question] = found
        return found


@dataclass(frozen=True)
class CheckedPrompt:
    """A prompt that ComfyUI validated, as it will run it; `ticket` is private to the host."""

    prompt_id: str
    ticket: Any
    prompt: Prompt = field(default_factory=dict)


@dataclass(frozen=True)
class QueueState:
    """The prompt ids in the queue: waiting ones, in the order in which they will run, and running ones."""

    waiting: tuple[str, ...]
    running: frozenset[str]


@dataclass(frozen=True)
class PromptEvent:
    """An event of a prompt. For `saved`, `filenames` are the pictures that an output node has just written.
    For `failed`, `error` is the node's message, for the client, and `reason` is for the log: only the node
    and the type of the exception, because a node's message can repeat the prompt.

    `queue_changed` has no prompt_id: something entered or left ComfyUI's queue.
    """

    kind: Literal["started", "saved", "succeeded", "failed", "interrupted", "queue_changed"]
    prompt_id: str = ""
    error: str | None = None
    filenames: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class NodeState:
    """Progress of a node in its own steps; a node that reports none goes from 0 of 1 to 1 of 1."""

    running: bool
    value: float
    maximum: float


@dataclass(frozen=True)
class PromptProgress:
    """Progress of the nodes of a running prompt, by node id; nodes that have not started are absent."""

    prompt_id: str
    nodes: Mapping[str, NodeState]


@dataclass(frozen=True)
class PreviewPicture:
    """A preview of the picture in this row of a sampler's batch, as a JPEG."""

    prompt_id: str
    node_id: str
    row: int
    jpeg: bytes


class Host(Protocol):
    """What AvatarForge uses of ComfyUI. Methods are called on the event loop, and events arrive there."""

    @property
    def output_folder(self) -> Path:
        """The folder of all generated pictures, with one subfolder per generation."""

    @property
    def url(self) -> str:
        """The server's address, for people."""

    async def installed_models(self, *, fresh: bool = True) -> InstalledModels:
        """The installed models, with what the user says about them (`model_overrides`). If not `fresh`, both
        may be a second old."""

    async def batch_fits(self, folder: str, name: str, width: int, height: int, count: int) -> bool:
        """Whether the GPU can sample `count` pictures of this size, in pixels, in one batch with the model
        in this file. `folder` is ComfyUI's name of its folder."""

    async def check(self, prompt_id: str, prompt: Prompt) -> CheckedPrompt:
        """Have ComfyUI validate the prompt. Raises PromptRefusedError."""

    def enqueue(self, checked: CheckedPrompt) -> None:
        """Put it at the end of the execution queue. Raises UnavailableError."""

    def cancel(self, prompt_id: str) -> None:
        """Remove it from the queue, or interrupt it if it is running; otherwise do nothing.

        An interruption can be lost between the prompt leaving the queue and its `started` event."""

    def queue_state(self) -> QueueState:
        """The whole queue, with the prompts of other clients."""

    def verdict(self, prompt_id: str) -> PromptEvent | None:
        """How a prompt ended, from ComfyUI's history or its last messages; None if unknown."""

    def stopped(self) -> str | None:
        """Why ComfyUI no longer runs prompts, as a sentence for people; None while it does."""

    def listen(self, listener: Callable[[PromptEvent], None]) -> None:
        """Deliver events of AvatarForge's prompts, on the event loop."""

    def watch(self, watcher: Callable[[PromptProgress | PreviewPicture], None]) -> None:
        """Deliver progress and previews of AvatarForge's prompts, on the event loop, many times a second."""

    async def system_stats(self) -> Mapping[str, Any]:
        """What ComfyUI's `/system_stats` returns."""
