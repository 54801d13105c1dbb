"""Which synthetic files a host test of a model family needs.

    needed = family_models.of("flux", "z_image")
    server = comfy_factory(models=needed.kinds, nodes=needed.nodes)

The encoders but CLIP-L are hollow: only with the stand-in pack in ``nodes`` does ComfyUI run them. Under
another name, a file is ``{"diffusion_models/any.safetensors": synthetic.make(comfyui, kind)}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import synthetic

STAND_INS = Path(__file__).resolve().parents[1] / "stand_ins"
#: The pack that runs hollow text encoders.
HOLLOW_ENCODERS = STAND_INS / "hollow_encoders.py"


@dataclass(frozen=True)
class FamilyModels:
    """The kinds of :mod:`lab.synthetic` that make up a family.

    Attributes:
        models: diffusion models or checkpoints, its variants included; the first is the usual one.
        encoders: text encoders, in the order of the loader's inputs; none for a checkpoint.
        other_encoders: those of a model that has others than the first one.
        encoder_type: the ``type`` input of CLIPLoader or DualCLIPLoader.
        vae: the VAE, unless it is in the checkpoint.
        controls: ControlNets and control patches for poses.
        lora: a LoRA.
        lora_has_clip: whether the LoRA has layers for CLIP too.
    """

    models: tuple[str, ...]
    lora: str
    encoders: tuple[str, ...] = ()
    encoder_type: str = ""
    vae: str = ""
    controls: tuple[str, ...] = ()
    lora_has_clip: bool = False
    other_encoders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[str, ...]:
        others = [kind for kinds in self.other_encoders.values() for kind in kinds]
        kinds = (*self.models, *self.encoders, *others, self.vae, *self.controls, self.lora)
        return tuple(kind for kind in kinds if kind)

    def encoders_for(self, model: str) -> tuple[str, ...]:
        return self.other_encoders.get(model, self.encoders)


FAMILIES = {
    "sd15": FamilyModels(("sd15",), "lora-sd15", controls=("sd15-openpose",), lora_has_clip=True),
    "sdxl": FamilyModels(
        ("sdxl", "sdxl-v_pred"), "lora-sdxl", controls=("sdxl-openpose",), lora_has_clip=True
    ),
    "flux": FamilyModels(
        ("flux1-dev", "flux1-kontext-dev"),
        "lora-flux1",
        ("clip_l", "t5xxl"),
        "flux",
        "vae-flux",
        ("flux1-union", "flux1-openpose-xlabs"),
        lora_has_clip=True,
    ),
    "flux2": FamilyModels(
        ("flux-2-klein-4b", "flux-2-klein-base-4b", "flux-2-klein-9b", "flux2_dev"),
        "lora-flux2",
        ("qwen_3_4b",),
        "flux2",
        "vae-flux2",
        other_encoders={"flux-2-klein-9b": ("qwen_3_8b",), "flux2_dev": ("mistral_3_small_flux2",)},
    ),
    "qwen_image": FamilyModels(
        ("qwen_image",),
        "lora-qwen_image",
        ("qwen_2.5_vl_7b",),
        "qwen_image",
        "vae-qwen_image",
        ("qwen_image-union",),
    ),
    "qwen_edit": FamilyModels(
        ("qwen_image_edit_2509", "qwen_image_edit_2511"),
        "lora-qwen_image",
        ("qwen_2.5_vl_7b",),
        "qwen_image",
        "vae-qwen_image",
    ),
    "z_image": FamilyModels(
        ("z_image_turbo", "z_image_base"),
        "lora-z_image",
        ("qwen_3_4b",),
        "lumina2",
        "vae-flux",
        ("z_image_turbo-fun-controlnet-union",),
    ),
    "anima": FamilyModels(
        ("anima",),
        "lora-anima",
        ("qwen_3_06b",),
        "stable_diffusion",
        "vae-qwen_image",
        ("anima-lllite-openpose",),
    ),
    "krea2": FamilyModels(("krea2_turbo",), "lora-krea2", ("qwen3_vl_4b",), "krea2", "vae-qwen_image"),
}


@dataclass(frozen=True)
class Needed:
    """Arguments for ``comfy_factory``: ``models`` (the kinds) and ``nodes``."""

    kinds: tuple[str, ...]
    nodes: tuple[Path, ...]


def of(*families: str) -> Needed:
    """The files of these families, each once, and the stand-in pack if one has a hollow encoder."""
    kinds = dict.fromkeys(kind for family in families for kind in FAMILIES[family].kinds)
    hollow = any(FAMILIES[family].encoders for family in families)
    return Needed(tuple(kinds), (HOLLOW_ENCODERS,) if hollow else ())


def file_name(kind: str) -> str:
    """The name under which ComfyUI's menus show a kind."""
    return synthetic.file_name(kind)
