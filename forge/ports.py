"""What AvatarForge needs of the program that it lives in, as protocols. `host` provides them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

# An API prompt as ComfyUI runs it: {node id: {"class_type", "inputs", "_meta"}}.
Prompt = dict[str, dict[str, Any]]


# Nodes of ComfyUI versions and packs that not everyone has: what is used only where it is there.
OPTIONAL_NODES = frozenset(
    {
        "DWPreprocessor",  # comfyui_controlnet_aux
        "SDPoseKeypointExtractor",  # a recent ComfyUI itself
        "IPAdapterUnifiedLoader",  # ComfyUI_IPAdapter_plus
        "IPAdapterAdvanced",
    }
)


# What ComfyUI's ControlNetLoader loads, and the kind that it does not.
ControlKind = Literal["ControlNet", "Control-LoRA", "T2I adapter", "ControlNet-LLLite"]


@dataclass(frozen=True)
class ModelFile:
    """An installed model, named as ComfyUI's loader nodes name it. `family` is a key of
    `families.FAMILIES`, or None when it is none of those. `union`: a ControlNet of several
    kinds, which has to be told the kind.

    `guessed`: the family is a guess from the name, because the file cannot be looked into. `special`: a
    checkpoint that takes more than words, such as one for inpainting. `kind` is that of a control model.
    `problem`: why the file cannot be used, as words that follow "it": "is empty"; None where nothing is
    known against it.
    """

    name: str
    family: str | None
    union: bool = False
    guessed: bool = False
    special: bool = False
    kind: ControlKind = "ControlNet"
    problem: str | None = None


@dataclass(frozen=True)
class SkippedFile:
    """A model file that cannot be used. `folder` is ComfyUI's name of the folder, such as "checkpoints";
    `name` is the file's in it, never a path of the server, and None where the whole folder cannot be
    listed. `reason` are words that follow "it"."""

    folder: str
    name: str | None
    reason: str


@dataclass(frozen=True)
class InstalledModels:
    """`nodes` are those of OPTIONAL_NODES that this ComfyUI has, `ipadapters` and `clip_visions` the
    files in these folders, `sdpose` the checkpoints that carry SDPose's heatmap head. `skipped` are all files
    that cannot be used, of every folder. `embeddings` are the files in that folder, None where it could not
    be read."""

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


@dataclass(frozen=True)
class CheckedPrompt:
    """A prompt that ComfyUI accepted, as it will run it; `ticket` is the host's own."""

    prompt_id: str
    ticket: Any
    prompt: Prompt = field(default_factory=dict)


@dataclass(frozen=True)
class QueueState:
    """prompt_ids: waiting ones in the order in which they will run, and running ones."""

    waiting: tuple[str, ...]
    running: frozenset[str]


@dataclass(frozen=True)
class PromptEvent:
    """What happened to a prompt. `filenames` is set for `saved`: the pictures that an output node has
    just written. For `failed`, `error` holds the node's own message, for the client, and `reason` what
    may stand in a log: the node and the exception's type, since a node's words can repeat the prompt.

    `queue_changed` carries no prompt_id: something entered or left ComfyUI's queue.
    """

    kind: Literal["started", "saved", "succeeded", "failed", "interrupted", "queue_changed"]
    prompt_id: str = ""
    error: str | None = None
    filenames: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class NodeState:
    """How far a node is, in steps of its own; one that counts none goes from 0 of 1 to 1 of 1."""

    running: bool
    value: float
    maximum: float


@dataclass(frozen=True)
class PromptProgress:
    """How far the nodes of a running prompt are, by node id; those not begun are absent."""

    prompt_id: str
    nodes: Mapping[str, NodeState]


@dataclass(frozen=True)
class PreviewPicture:
    """What a sampler has so far of the picture in this row of its batch, as a JPEG."""

    prompt_id: str
    node_id: str
    row: int
    jpeg: bytes


class Host(Protocol):
    """ComfyUI, as far as the product knows it. Called on the event loop; events arrive there too."""

    @property
    def output_folder(self) -> Path:
        """The folder under which all pictures of ours lie, one folder per generation."""

    @property
    def url(self) -> str:
        """Where the server answers, for people."""

    async def installed_models(self, *, fresh: bool = True) -> InstalledModels:
        """What the loaders could load now; not `fresh`: now or a second ago, which needs no wait."""

    async def batch_fits(self, checkpoint: str, width: int, height: int, count: int) -> bool:
        """Whether the card can sample so many pictures (pixels) of that checkpoint in one batch."""

    async def check(self, prompt_id: str, prompt: Prompt) -> CheckedPrompt:
        """Let ComfyUI validate the prompt. Raises PromptRefusedError."""

    def enqueue(self, checked: CheckedPrompt) -> None:
        """Put it into the execution queue, behind what waits there."""

    def cancel(self, prompt_id: str) -> None:
        """Take it out of the queue, or interrupt it when it runs; else do nothing.

        An interruption of a prompt that has just been taken and has not told `started` can be lost."""

    def queue_state(self) -> QueueState:
        """What waits and what runs, of anyone."""

    def verdict(self, prompt_id: str) -> PromptEvent | None:
        """How a prompt ended, from ComfyUI's history or its last messages; None when neither knows."""

    def stopped(self) -> str | None:
        """Why nothing runs any more, in words for people; None while the queue is worked on."""

    def listen(self, listener: Callable[[PromptEvent], None]) -> None:
        """Have events of our prompts delivered, on the event loop."""

    def watch(self, watcher: Callable[[PromptProgress | PreviewPicture], None]) -> None:
        """Have progress and previews of our prompts delivered, on the event loop: many a second."""

    async def system_stats(self) -> Mapping[str, Any]:
        """What ComfyUI's `/system_stats` gives."""
