"""Detects the kind of a model file from the names and shapes of its tensors, or from the file's name.

Models are classified by ComfyUI's own detection, which runs on tensors without data. Control models are in
`control_kinds.py`, LoRAs in `lora_kinds.py`, text encoders and VAEs in `encoder_kinds.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from comfy import model_detection, sd

from ..forge.families import FAMILIES
from ..forge.model_identity import (
    ModelFacts,
    Prediction,
    families_of_class,
    siblings_of,
    variants_of_header,
)
from ..forge.model_names import guess_family
from .encoder_kinds import ENCODERS
from .gguf_files import ARCHITECTURE
from .lora_kinds import detect_lora
from .model_files import Header, Tensor
from .packing import packing_of, unusable_packing

# What a checkpoint has besides its UNet; without them only a UNet is loaded, which no prompt can reach.
_TEXT_ENCODERS = ("cond_stage_model.", "conditioner.", "text_encoders.")
_VAES = ("first_stage_model.", "vae.")
_HEATMAP_HEAD = "heatmap_head.conv_layers.0.weight"
_FIRST_CONVOLUTION = "input_blocks.0.0.weight"
_LATENT_CHANNELS = 4  # more: the masked latent and the mask of an inpainting model, or another hint
_FLUX_INPUT = "img_in.weight"
_FLUX_CHANNELS = 64  # of a patch; more: the picture that Fill, Canny and Depth are given
# A scale of each packed layer, which ComfyUI's detection would log.
_SCALES = ".comfy_quant"
_V_PREDICTION = ("v_pred", "edm_vpred.sigma_max")
_LAYERED = "time_text_embed.addition_t_embedding.weight"
#: `general.architecture` of a GGUF file -> class of ComfyUI's detection, for names that are not ComfyUI's.
_ARCHITECTURES = {"sd1": "SD15", "sdxl": "SDXL", "qwen_image": "QwenImage", "lumina2": "ZImage"}

NOT_WHOLE = "holds no text encoder or no VAE, so it is no whole checkpoint"
_BARE = f"{NOT_WHOLE}: move it to models/diffusion_models"
_WHOLE = "is a whole checkpoint, with text encoder and VAE: move it to models/checkpoints"
_UNKNOWN = "has tensors that ComfyUI's own detection of models fails on"

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class DetectedModel:
    """A diffusion model as ComfyUI's detection sees it: the class, and its tensors without their prefix."""

    comfy_class: str
    config: object
    tensors: Tensors


def detect_checkpoint(header: Header) -> ModelFacts:
    """Classify a checkpoint with ComfyUI's detection."""
    tensors = header.tensors
    if any(name.endswith(_HEATMAP_HEAD) for name in tensors):
        return ModelFacts(sdpose=True)
    if not is_whole(tensors):
        return ModelFacts(problem=_BARE if _is_known(tensors) else NOT_WHOLE)
    return _facts(header)


def detect_diffusion_model(header: Header) -> ModelFacts:
    """Classify a diffusion model. ComfyUI also takes it out of a whole checkpoint, which it then uses with
    other files for text encoder and VAE; a family without such files needs the whole one."""
    facts = _facts(header)
    if is_whole(header.tensors) and all(FAMILIES[name].parts is None for name in facts.families):
        return ModelFacts(problem=_WHOLE)
    return facts


def detect_gguf_model(header: Header) -> ModelFacts:
    """Classify a diffusion model in a GGUF file: by its tensors, which have ComfyUI's names, and if that
    fails by the architecture that the file names."""
    try:
        model = detect_model(header.tensors)
    except Exception:  # noqa: BLE001 - see `_facts`
        model = None
    if model is None:
        comfy_class = _ARCHITECTURES.get(header.metadata.get(ARCHITECTURE, ""), "")
        model = DetectedModel(comfy_class, None, header.tensors)
    return _of_model(model, "eps", "gguf")


def detect_text_encoder(header: Header) -> ModelFacts:
    """Classify a text encoder with ComfyUI's detection."""
    try:
        model = sd.detect_te_model(_without_data(header.tensors))
    except Exception:  # noqa: BLE001 - see `_facts`
        return ModelFacts(problem=_UNKNOWN)
    part = None if model is None else ENCODERS.get(model.name)
    return ModelFacts(part=part, precision=packing_of(header))


def detect_lora_file(header: Header) -> ModelFacts:
    """Classify a LoRA; see `lora_kinds.py`."""
    found = detect_lora(header.tensors)
    families = tuple(name for family in found.families for name in siblings_of(family))
    return ModelFacts(families, found.variants, uses_clip=found.uses_clip, problem=found.problem)


def is_whole(tensors: Tensors) -> bool:
    """Whether the file has a text encoder and a VAE beside the diffusion model."""
    return _has(tensors, _TEXT_ENCODERS) and _has(tensors, _VAES)


def guess_checkpoint(name: str) -> ModelFacts:
    """Guess the family from the name: a pickle cannot be inspected without loading it."""
    family = guess_family(name)
    return ModelFacts((family,) if family else (), guessed=True)


def detect_model(tensors: Tensors) -> DetectedModel | None:
    """The diffusion model of a file with ComfyUI's detection; None for one that it does not know. Raises
    anything, because the detection assumes certain tensors."""
    prefix = model_detection.unet_prefix_from_state_dict(tensors)
    inside = {name[len(prefix) :]: each for name, each in tensors.items() if name.startswith(prefix)}
    own = inside or tensors  # the prefix of a bare file comes back as "model."
    shapes = _without_data(own)
    config = model_detection.model_config_from_unet(shapes, "")
    if config is None:
        config = _detect_diffusers(shapes)
    return None if config is None else DetectedModel(type(config).__name__, config, own)


def _without_data(tensors: Tensors) -> dict[str, torch.Tensor]:
    return {
        name: torch.empty(tensor.shape, device="meta")
        for name, tensor in tensors.items()
        if not name.endswith(_SCALES)
    }


def _detect_diffusers(shapes: Mapping[str, torch.Tensor]) -> object | None:
    """The configuration of a model with the names that diffusers gives its layers."""
    converted = model_detection.convert_diffusers_mmdit(dict(shapes), "")
    if converted:
        return model_detection.model_config_from_unet(converted, "")  # type: ignore[no-any-return]
    if "down_blocks.0.resnets.0.norm1.weight" in shapes:
        return model_detection.model_config_from_diffusers_unet(shapes)  # type: ignore[no-any-return]
    return None


def _facts(header: Header) -> ModelFacts:
    problem = unusable_packing(header)
    if problem is not None:
        return ModelFacts(problem=problem)
    try:
        model = detect_model(header.tensors)
    except Exception:  # noqa: BLE001 - ComfyUI's detection assumes certain tensors, and raises anything
        return ModelFacts(problem=_UNKNOWN)
    if model is None:
        return ModelFacts()
    marked = any(mark in header.tensors for mark in _V_PREDICTION)
    return _of_model(model, "v" if marked else "eps", packing_of(header))


def _of_model(model: DetectedModel, prediction: Prediction, precision: str | None) -> ModelFacts:
    families = families_of_class(model.comfy_class, model.tensors)
    if not families or _LAYERED in model.tensors:  # Qwen-Image-Layered makes several pictures at once
        return ModelFacts()
    return ModelFacts(
        families,
        variants_of_header(families[0], model.tensors),
        prediction,
        precision,
        special=_takes_more_than_text(model.tensors),
    )


def _takes_more_than_text(tensors: Tensors) -> bool:
    channels, patch = _columns(tensors, _FIRST_CONVOLUTION), _columns(tensors, _FLUX_INPUT)
    return (channels or 0) > _LATENT_CHANNELS or _is_wide_flux(tensors, patch)


def _is_wide_flux(tensors: Tensors, patch: int | None) -> bool:
    return "double_blocks.0.img_attn.qkv.weight" in tensors and patch in (
        2 * _FLUX_CHANNELS,
        6 * _FLUX_CHANNELS,
    )


def _is_known(tensors: Tensors) -> bool:
    """Whether it is the diffusion model of a family."""
    try:
        model = detect_model(tensors)
    except Exception:  # noqa: BLE001 - see `_facts`
        return False
    return model is not None and any(model.comfy_class in row.comfy_classes for row in FAMILIES.values())


def _columns(tensors: Tensors, name: str) -> int | None:
    """The number of input channels of a layer; None for a tensor without such a dimension."""
    shape = tensors[name].shape if name in tensors else ()
    return shape[1] if len(shape) > 1 else None


def _has(tensors: Tensors, prefixes: tuple[str, ...]) -> bool:
    return any(name.startswith(prefixes) for name in tensors)
