"""Recognises control models: ControlNets, T2I adapters, and patches from models/model_patches.

ComfyUI's side is `load_controlnet_state_dict` in comfy/controlnet.py and ModelPatchLoader in
comfy_extras/nodes_model_patch.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..forge.families import FAMILIES
from ..forge.model_identity import ModelFacts
from ..forge.model_names import guess_control_kind, guess_family, names_union
from ..forge.ports import ControlKind
from .model_files import Header, Tensor

Tensors = Mapping[str, Tensor]

# Keys of cross-attention: as SD and diffusers name them, and in a Control-LoRA.
_CROSS_ATTENTION = (".attn2.to_k.weight", ".attn2.to_k.down")
_LABEL_EMBEDDING = ("label_emb.0.0.weight", "label_emb.0.0.down")
# Only a complete UNet has the second half.
_DECODERS = ("output_blocks.", "up_blocks.")
# First convolutions of T2I adapters: the full one, the light one, the full one of diffusers
# (comfy/controlnet.py: `load_t2i_adapter`).
_ADAPTER_INPUTS = ("conv_in.weight", "body.0.in_conv.weight", "adapter.conv_in.weight")
_ADAPTER_BODIES = ("body.0.block1.weight", "body.0.in_conv.weight", "adapter.body.0.resnets.0.block1.weight")
_LIGHT_ADAPTER_WIDTHS = (64, 192)

# ControlNets of transformers: what their kind has besides the blocks.
_BLOCKS = "controlnet_blocks.0.weight"
_XLABS = "double_blocks.0.img_attn.norm.key_norm.scale"
_MISTOLINE = "controlnet_blocks.0.linear.weight"
_STABLE_DIFFUSION_3 = "pos_embed_input.proj.weight"
_QWEN_INSTANTX = "transformer_blocks.0.img_mlp.net.0.proj.weight"
_FLUX_INSTANTX = "controlnet_x_embedder.weight"
_FLUX_MODES = "controlnet_mode_embedder.weight"
_QWEN_FUN = ("control_blocks.0.after_proj.weight", "control_img_in.weight")
_PATCH_CHANNELS = 64  # of a patch of a latent; more: an inpainting ControlNet also takes a mask

# Patches of models, in the order in which ComfyUI's loader looks for them.
_ANIMA_LLLITE = "lllite_conditioning1.conv1.weight"
_QWEN_DIFFSYNTH = "controlnet_blocks.0.y_rms.weight"
_Z_IMAGE_FUN = "control_all_x_embedder.2-1.weight"
_OTHER_PATCHES = (
    "feature_embedder.mid_layer_norm.bias",  # USO's reference projector
    "controlnet_patch_embedding.weight",  # Uni3C
    "audio_proj.proj1.weight",  # talking heads
    "model.control_model.input_hint_block.0.weight",  # SUPIR
    "control_model.input_hint_block.0.weight",
)

LLLITE_PROBLEM = "is a ControlNet-LLLite, which ComfyUI's ControlNet loader does not read"
_PATCH_PROBLEM = "is a patch of a model, not a ControlNet: move it to models/model_patches"
_CONTROLNET_PROBLEM = "is a ControlNet, not a patch of a model: move it to models/controlnet"
_NO_PATCH = "is no patch of a model that ComfyUI knows"


def detect_control_model(header: Header) -> ModelFacts:
    """Classify a ControlNet: those of Stable Diffusion by the width of the text embeddings that their
    cross-attention reads, those of transformers by the names of their parts."""
    tensors = header.tensors
    if _patch_family(tensors) is not None:
        return ModelFacts(problem=_PATCH_PROBLEM)
    if any(name.startswith("lllite_") for name in tensors):
        return ModelFacts(kind="ControlNet-LLLite", problem=LLLITE_PROBLEM)
    of_transformer = _of_transformer(tensors)
    if of_transformer is not None:
        return of_transformer
    if any(name in tensors for name in _ADAPTER_BODIES):
        return _detect_adapter(tensors)
    if any(part in name for name in tensors for part in _DECODERS):
        return ModelFacts(problem="is a whole UNet, not a ControlNet")
    if "difference" in tensors:
        return ModelFacts(problem="holds only the difference to a checkpoint: a whole ControlNet is needed")
    kind: ControlKind = "Control-LoRA" if "lora_controlnet" in tensors else "ControlNet"
    # Only a union ControlNet has a task embedding.
    union = any(name.split(".")[-1] == "task_embedding" for name in tensors)
    return ModelFacts(_control_families(tensors), union=union, kind=kind)


def detect_patch(header: Header) -> ModelFacts:
    """Classify a patch of a model."""
    tensors = header.tensors
    family = _patch_family(tensors)
    if family is not None:
        special = family == "qwen_image" and _columns(tensors, "img_in.weight") not in (None, _PATCH_CHANNELS)
        kind: ControlKind = "ControlNet-LLLite" if family == "anima" else "ControlNet"
        return ModelFacts((family,), special=special, kind=kind)
    if any(name in tensors for name in _OTHER_PATCHES):
        return ModelFacts()
    is_controlnet = _of_transformer(tensors) is not None or _control_families(tensors)
    return ModelFacts(problem=_CONTROLNET_PROBLEM if is_controlnet else _NO_PATCH)


def guess_control_model(name: str) -> ModelFacts:
    kind = guess_control_kind(name)
    problem = LLLITE_PROBLEM if kind == "ControlNet-LLLite" else None
    family = None if problem else guess_family(name)
    return ModelFacts(
        (family,) if family else (), guessed=True, union=names_union(name), kind=kind, problem=problem
    )


def _of_transformer(tensors: Tensors) -> ModelFacts | None:
    """A ControlNet of a model without a UNet; None for anything else."""
    if _BLOCKS in tensors:
        if _XLABS in tensors:
            return ModelFacts(("flux",))
        if _STABLE_DIFFUSION_3 in tensors:
            return ModelFacts()
        masked = _columns(tensors, _FLUX_INSTANTX) not in (None, _PATCH_CHANNELS)
        if _QWEN_INSTANTX in tensors:
            return ModelFacts(("qwen_image",), special=masked)
        if _FLUX_INSTANTX in tensors:
            return ModelFacts(("flux",), special=masked, union=_FLUX_MODES in tensors)
    if all(name in tensors for name in _QWEN_FUN):
        return ModelFacts(("qwen_image",))
    return ModelFacts(("flux",)) if _MISTOLINE in tensors else None


def _patch_family(tensors: Tensors) -> str | None:
    if _ANIMA_LLLITE in tensors:
        return "anima"
    if _QWEN_DIFFSYNTH in tensors:
        return "qwen_image"
    return "z_image" if _Z_IMAGE_FUN in tensors else None


def _control_families(tensors: Tensors) -> tuple[str, ...]:
    widths = {_columns(tensors, name) for name in tensors if name.endswith(_CROSS_ATTENTION)}
    rows = {name: row.control for name, row in FAMILIES.items() if row.control is not None}
    if widths:
        return tuple(name for name, row in rows.items() if {row.context_width} == widths)
    # A Control-LoRA may leave attention unchanged.
    labels = {_columns(tensors, name) for name in tensors if name.endswith(_LABEL_EMBEDDING)}
    return tuple(name for name, row in rows.items() if row.label_width and {row.label_width} == labels)


def _detect_adapter(tensors: Tensors) -> ModelFacts:
    width = next((_columns(tensors, name) for name in _ADAPTER_INPUTS if name in tensors), None)
    if "body.0.in_conv.weight" in tensors and width not in _LIGHT_ADAPTER_WIDTHS:
        return ModelFacts(kind="T2I adapter")  # ComfyUI loads every light adapter as one for SD1.5
    rows = {name: row.control for name, row in FAMILIES.items() if row.control is not None}
    families = tuple(name for name, row in rows.items() if width in row.adapter_widths)
    return ModelFacts(families, kind="T2I adapter")


def _columns(tensors: Tensors, name: str) -> int | None:
    """The number of input channels of a layer; None for a tensor without such a dimension."""
    shape = tensors[name].shape if name in tensors else ()
    return shape[1] if len(shape) > 1 else None
