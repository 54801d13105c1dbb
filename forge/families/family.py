"""The declaration of a model family: how its files are told apart, its defaults, and what it can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol

from ..spec.avatar import AvatarSpec
from ..spec.reference import ReferenceMethod, ReferenceRole
from ..spec.settings import CONSISTENCY
from .builder import Link, PromptBuilder
from .prompt_text import QualityWords, Shown, Words

#: "controlnet": a ControlNet. "patch": a patch of the model, from models/model_patches. "picture": the
#: skeleton is a numbered reference picture, and a sentence in the prompt says what it is. "keypoints": the
#: joints are drawn where the pose has them.
PoseMethodName = Literal["controlnet", "patch", "picture", "keypoints"]
#: How a view sees the front when the views run one after another. "seed": all views draw the same choices.
AnchorName = Literal["attention", "picture", "seed"]
EncoderKind = Literal[
    "clip_l",
    "clip_g",
    "t5xxl",
    "qwen3_06b",
    "qwen3_4b",
    "qwen3_8b",
    "mistral_24b",
    "qwen25_vl_7b",
    "qwen3_vl_4b",
]
VaeKind = Literal["sd", "flux", "flux2", "wan"]
#: Settings of a request that only some families have.
OptionalSetting = Literal["clip_skip", "guidance", "shift"]


class Shaped(Protocol):
    """A tensor of a file's header."""

    @property
    def shape(self) -> Sequence[int]: ...


@dataclass(frozen=True)
class Sampling:
    """How a family samples. `width` and `height` are in pixels: the size that it was trained at, in portrait
    format for a whole figure. None: the family does not have the setting."""

    width: int
    height: int
    steps: int
    cfg: float | None
    sampler: str | None
    scheduler: str | None
    guidance: float | None = None
    shift: float | None = None
    clip_skip: int | None = None


@dataclass(frozen=True)
class LatentShape:
    """`cell` is in pixels per latent cell, `patch` in cells per side of a transformer's token. `video`:
    latents have a dimension for frames."""

    channels: int
    cell: int = 8
    video: bool = False
    patch: int = 1

    @property
    def step(self) -> int:
        """Sides of a picture are multiples of this many pixels: ControlNets do not pad tokens."""
        return self.cell * self.patch


@dataclass(frozen=True)
class Parts:
    """The files that a model without text encoders and VAE needs. `clip_type` is the type for CLIPLoader, or
    for DualCLIPLoader if there are two encoders. `vae_names` prefers some VAEs of the kind by their name."""

    encoders: tuple[EncoderKind, ...]
    clip_type: str
    vae: VaeKind
    vae_names: str | None = None


@dataclass(frozen=True)
class ControlFiles:
    """How control models of a family whose UNet reads text by cross-attention are recognised.

    `context_width`: channels of the text that cross-attention reads. `label_width`: channels of the other
    conditions, None if there are none. `adapter_widths`: channels of the first convolution of T2I adapters
    (comfy/controlnet.py: `load_t2i_adapter`).
    """

    context_width: int
    label_width: int | None
    adapter_widths: frozenset[int]


@dataclass(frozen=True)
class HelperLora:
    """A LoRA that is used when it is installed. `names` is a pattern on the words of its name, `helps` is
    what it is used for: the built-in views, or a pose. `words` are the sentences, by view, that it was
    trained on; they turn the camera around the person of a reference picture."""

    names: str
    helps: Literal["views", "pose"]
    strength: float = 1.0
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReferenceLimits:
    """Which reference pictures a method takes for one picture.

    `most` is how many; for the method "picture" the skeleton of a pose and the front that a view looks at
    count, too. `each` is how many of one role, None for as many as fit. A method whose only role is
    "identity" cannot tell apart what of a picture counts.
    """

    most: int
    roles: tuple[ReferenceRole, ...] = ("identity",)
    each: int | None = None


#: Of shared attention: each picture costs another run of the model at every step.
BY_ATTENTION = ReferenceLimits(4)


@dataclass(frozen=True)
class Loaded:
    """Links to the loaded model."""

    model: Link
    clip: Link
    vae: Link


@dataclass(frozen=True)
class Picture:
    """A reference picture. `shows` says what the prompt calls it. `method` is how it is applied."""

    image: Link
    shows: Shown
    method: Literal["picture", "redux"] = "picture"
    strength: float = 1.0


@dataclass(frozen=True)
class Encoded:
    """Links to a positive and a negative conditioning. `nodes` are the nodes that apply the pictures, in
    their order."""

    positive: Link
    negative: Link
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PoseHint:
    """The pose pictures of the views, one per row of `image`."""

    image: Link
    strength: float
    label: str


@dataclass(frozen=True)
class Posed:
    """A model and conditioning with the pose, and the node that applies it."""

    model: Link
    encoded: Encoded
    node: str


@dataclass(frozen=True)
class Canvas:
    """What is to be sampled: `size` is (width, height) in pixels, `latent` has one row per view.

    `denoise` is the share of the noise that is added to the latent: below 1 it starts from a picture. The
    number of steps is the same.
    """

    latent: Link
    size: tuple[int, int]
    seed: int
    label: str
    denoise: float = 1.0


Load = Callable[[PromptBuilder, AvatarSpec], Loaded]
Encode = Callable[[PromptBuilder, AvatarSpec, Loaded, Words, Sequence[Picture]], Encoded]
Pose = Callable[[PromptBuilder, AvatarSpec, Loaded, Encoded, PoseHint], Posed]
Sample = Callable[[PromptBuilder, AvatarSpec, Link, Encoded, Canvas], Link]


@dataclass(frozen=True)
class GraphFunctions:
    """The parts of the graph. `encode` gets reference pictures only if the family has a method "picture" or
    "redux"; `pose` is None if it has neither "controlnet" nor "patch". `sample` returns a latent."""

    load: Load
    encode: Encode
    sample: Sample
    pose: Pose | None = None


@dataclass(frozen=True)
class Variant:
    """A variant of a family. `names` is a pattern on the words of a file's name (`model_names.words_of`) for
    variants that the header does not tell. `changes` replace fields of the family."""

    name: str
    label: str
    names: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """A model family, or one that draws by itself and has no model.

    Files are recognised by `comfy_classes`, classes of ComfyUI's detection. `siblings` is a pattern on the
    words of the name that tells the family from a later one in `FAMILIES` with the same classes, and
    `is_family` does that by the header. `header_variants` gives the variants that a header allows; empty
    allows all. Files that cannot be inspected are recognised by `file_names`, which match names of the
    family, and `likely_names`, those of well-known models. `lora_names` tells the families that headers of
    LoRAs do not always distinguish.

    `pose` and `references` have the methods for a pose and for reference pictures, best first: a reference
    can be a numbered reference picture ("picture"), be read through CLIP vision by an adapter ("redux",
    "ipadapter"), be seen by self-attention ("attention"), or give its colours ("palette"). `anchor` is how
    views see the front one after another; None if they cannot. `batch`: several views can run as one batch.
    `ipadapters` is what ComfyUI_IPAdapter_plus looks for, best first, as (preset of its unified loader,
    pattern of the file in models/ipadapter, usual name of the file), and `face_ipadapters` the same for a
    face alone; from that pack's README and utils.py.
    `union_type` is the type that selects the pose mode of a union ControlNet, and `union_bones` is how thick
    the bones of its skeletons are (`pictures.skeleton.BoneStyle`). `predicts_v`: some of its checkpoints
    predict the velocity, and say so only in their name. `rank`: of models that suit a request alike, that of
    the highest rank is taken. `distilled` are the changed sampling settings of distilled models, by the names
    in DISTILLATIONS. `pose_strength` is used if a request does not say one. `picture_noun` is what prompts
    call a numbered picture. `lora_on_clip`: LoRAs also change the text encoder. `consistency` is used if a
    request does not say one. `most_steps` is the largest number of steps, None for that of the request field.

    A drawn family has no `graph`: `graphs.drawn_graph` builds it, and `model` is the name by which a request
    asks for it instead of a file. Of its `latent` only the step of sizes counts, and its words are empty.
    """

    name: str
    label: str
    comfy_classes: tuple[str, ...]
    sampling: Sampling
    words: QualityWords
    latent: LatentShape
    parts: Parts | None
    graph: GraphFunctions | None
    pose: tuple[PoseMethodName, ...]
    references: Mapping[ReferenceMethod, ReferenceLimits]
    anchor: AnchorName | None
    batch: bool
    variants: tuple[Variant, ...] = (Variant("base", "base"),)
    settings: frozenset[OptionalSetting] = frozenset()
    distilled: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    siblings: str | None = None
    is_family: Callable[[Mapping[str, Shaped]], bool] | None = None
    header_variants: Callable[[Mapping[str, Shaped]], tuple[str, ...]] | None = None
    file_names: str | None = None
    likely_names: str | None = None
    lora_names: str | None = None
    control: ControlFiles | None = None
    union_type: str | None = None
    union_bones: str = "standard"
    predicts_v: bool = False
    rank: int = 0
    ipadapters: tuple[tuple[str, str, str], ...] = ()
    face_ipadapters: tuple[tuple[str, str, str], ...] = ()
    pose_strength: float = 1.0
    picture_noun: str = "image"
    lora_on_clip: bool = False
    helper_loras: tuple[HelperLora, ...] = ()
    consistency: float = CONSISTENCY
    most_steps: int | None = None
    model: str | None = None

    @property
    def drawn(self) -> bool:
        """Whether its pictures are drawn, without any model."""
        return self.graph is None

    @property
    def lacks(self) -> frozenset[str]:
        """The request fields that the family does not have, besides those that only some families have."""
        unset = {name for name in ("cfg", "sampler", "scheduler") if getattr(self.sampling, name) is None}
        return frozenset({*unset, "loras", "elevation"} if self.drawn else unset)

    @cached_property
    def _by_variant(self) -> dict[str | None, Family]:
        changed: dict[str | None, Family] = {
            each.name: replace(self, **each.changes) for each in self.variants
        }
        return {None: changed[self.variants[0].name], **changed}

    def variant(self, name: str | None) -> Family:
        """The family with the changes of a variant; None, or one of a later release, is the first."""
        return self._by_variant.get(name, self._by_variant[None])

    def sampling_of(self, distillation: str | None) -> Sampling:
        """The sampling settings of a model that is distilled, or is not if None."""
        return replace(self.sampling, **self.distilled.get(distillation or "", {}))
