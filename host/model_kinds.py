"""Detects the kind of a model file from the names and shapes of its tensors, or from the file's name.

Checkpoints are classified by ComfyUI's own detection, which runs on tensors without data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from comfy import model_detection

from ..forge.families import FAMILIES
from ..forge.model_names import guess_control_kind, guess_family, names_union
from ..forge.ports import ControlKind

Shapes = Mapping[str, torch.Tensor]

# What a checkpoint has besides its UNet; without them only a UNet is loaded, which no prompt can reach.
_TEXT_ENCODERS = ("cond_stage_model.", "conditioner.", "text_encoders.")
_VAES = ("first_stage_model.", "vae.")
_HEATMAP_HEAD = "heatmap_head.conv_layers.0.weight"
_FIRST_CONVOLUTION = "model.diffusion_model.input_blocks.0.0.weight"
_INPAINTING_CHANNELS = 9  # the latent, the masked latent and the mask
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

_CONTROL_FILES = {row.name: row.control for row in FAMILIES.values() if row.control is not None}

LLLITE_PROBLEM = "is a ControlNet-LLLite, which ComfyUI's ControlNet loader does not read"


@dataclass(frozen=True)
class ModelFacts:
    """What a file's header says about it, or its name if it has no header; see `ports.ModelFile`."""

    family: str | None = None
    union: bool = False
    sdpose: bool = False
    guessed: bool = False
    special: bool = False
    kind: ControlKind = "ControlNet"
    problem: str | None = None


def detect_checkpoint(shapes: Shapes) -> ModelFacts:
    """Classify a checkpoint with ComfyUI's detection."""
    if any(name.endswith(_HEATMAP_HEAD) for name in shapes):
        return ModelFacts(sdpose=True)
    if not (_has(shapes, _TEXT_ENCODERS) and _has(shapes, _VAES)):
        return ModelFacts(problem="holds no text encoder or no VAE, so it is no whole checkpoint")
    try:
        prefix = model_detection.unet_prefix_from_state_dict(shapes)
        config = model_detection.model_config_from_unet(shapes, prefix)
    except Exception:  # noqa: BLE001 - ComfyUI's detection assumes certain tensors, and raises anything
        return ModelFacts(problem="has tensors that ComfyUI's own detection of models fails on")
    kind = type(config).__name__
    family = next((row.name for row in FAMILIES.values() if kind in row.comfy_classes), None)
    return ModelFacts(family, special=_width(shapes, _FIRST_CONVOLUTION) == _INPAINTING_CHANNELS)


def detect_control_model(shapes: Shapes) -> ModelFacts:
    """Classify a ControlNet by the width of the text embeddings that its cross-attention reads. Only a union
    ControlNet has a task embedding. T2I adapters read no text: their first convolution shows the family."""
    if any(name.startswith("lllite_") for name in shapes):
        return ModelFacts(kind="ControlNet-LLLite", problem=LLLITE_PROBLEM)
    if any(name in shapes for name in _ADAPTER_BODIES):
        return _detect_adapter(shapes)
    if any(part in name for name in shapes for part in _DECODERS):
        return ModelFacts(problem="is a whole UNet, not a ControlNet")
    if "difference" in shapes:
        return ModelFacts(problem="holds only the difference to a checkpoint: a whole ControlNet is needed")
    kind: ControlKind = "Control-LoRA" if "lora_controlnet" in shapes else "ControlNet"
    union = any(name.split(".")[-1] == "task_embedding" for name in shapes)
    return ModelFacts(_control_family(shapes), union, kind=kind)


def guess_checkpoint(name: str) -> ModelFacts:
    """Guess the family from the name: a pickle cannot be inspected without loading it."""
    return ModelFacts(guess_family(name), guessed=True)


def guess_control_model(name: str) -> ModelFacts:
    kind = guess_control_kind(name)
    problem = LLLITE_PROBLEM if kind == "ControlNet-LLLite" else None
    family = None if problem else guess_family(name)
    return ModelFacts(family, names_union(name), guessed=True, kind=kind, problem=problem)


def _control_family(shapes: Shapes) -> str | None:
    widths = {_width(shapes, name) for name in shapes if name.endswith(_CROSS_ATTENTION)}
    if not widths:  # a Control-LoRA may leave attention unchanged
        labels = {_width(shapes, name) for name in shapes if name.endswith(_LABEL_EMBEDDING)}
        return next((name for name, files in _CONTROL_FILES.items() if {files.label_width} == labels), None)
    return next((name for name, files in _CONTROL_FILES.items() if {files.context_width} == widths), None)


def _detect_adapter(shapes: Shapes) -> ModelFacts:
    width = next((_width(shapes, name) for name in _ADAPTER_INPUTS if name in shapes), None)
    family = next((name for name, files in _CONTROL_FILES.items() if width in files.adapter_widths), None)
    if "body.0.in_conv.weight" in shapes and width not in _LIGHT_ADAPTER_WIDTHS:
        family = None  # ComfyUI loads every light adapter as one for SD1.5
    return ModelFacts(family, kind="T2I adapter")


def _width(shapes: Shapes, name: str) -> int | None:
    """The number of input channels of a layer; None for a tensor without such a dimension."""
    tensor = shapes.get(name)
    return int(tensor.shape[1]) if tensor is not None and tensor.ndim > 1 else None


def _has(shapes: Shapes, prefixes: tuple[str, ...]) -> bool:
    return any(name.startswith(prefixes) for name in shapes)
