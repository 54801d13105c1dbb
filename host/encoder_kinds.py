"""Recognises text encoders and VAEs by the names and shapes of their tensors.

Widths of packed weights are not what they seem, so only the number of rows, and vectors, are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..forge.model_names import words_of
from .gguf_files import ARCHITECTURE
from .model_files import Header, Tensor

#: Member of ComfyUI's TEModel (comfy/sd.py) -> kind. Others are of families that AvatarForge does not know.
ENCODERS = {
    "CLIP_L": "clip_l",
    "CLIP_G": "clip_g",
    "T5_XXL": "t5xxl",
    "QWEN3_06B": "qwen3_06b",
    "QWEN3_4B": "qwen3_4b",
    "QWEN3_8B": "qwen3_8b",
    "MISTRAL3_24B": "mistral_24b",
    "MISTRAL3_24B_PRUNED_FLUX2": "mistral_24b",
    "QWEN25_7B": "qwen25_vl_7b",
    "QWEN3VL_4B": "qwen3_vl_4b",
}
#: (architecture of a GGUF file, its embedding length) -> kind. The names are llama.cpp's.
_GGUF_ENCODERS = {
    ("t5", 4096): "t5xxl",
    ("t5encoder", 4096): "t5xxl",
    ("qwen3", 1024): "qwen3_06b",
    ("qwen3", 2560): "qwen3_4b",
    ("qwen3", 4096): "qwen3_8b",
    ("llama", 5120): "mistral_24b",
    ("mistral3", 5120): "mistral_24b",
    ("qwen2vl", 3584): "qwen25_vl_7b",
    ("qwen3vl", 2560): "qwen3_vl_4b",
}
#: Words of the names of encoders that cannot be inspected.
_ENCODER_NAMES = (
    (re.compile(r"\bclip l\b"), "clip_l"),
    (re.compile(r"\bclip g\b"), "clip_g"),
    (re.compile(r"\bt 5 ?xxl|\bt 5 v 1 1 xxl"), "t5xxl"),
)

_VAE_INPUT = "decoder.conv_in.weight"
_WAN = "decoder.middle.0.residual.0.gamma"
_WAN22 = "decoder.upsamples.0.upsamples.0.residual.2.weight"
_PICTURE_CHANNELS = 3
_SD3_NAME = re.compile(r"\bsd( )?(3|35)\b|\bstable ?diffusion ?3")
_VAE_NAMES = (
    (re.compile(r"\bflux ?2\b"), "flux2"),
    (re.compile(r"\bflux|^ae$"), "flux"),
    (re.compile(r"\bwan\b|\bqwen"), "wan"),
)
#: Other files in the folder `vae`, as small decoders for previews.
_NOT_SD_NAMES = re.compile(r"\b(ltxv?|hun ?yuan\w*|mochi|cosmos|cascade|sd ?3|audio|ta?e(sd|f|w|hv)\w*)\b")


def gguf_encoder(header: Header) -> str | None:
    """The kind of a text encoder in a GGUF file."""
    architecture = header.metadata.get(ARCHITECTURE, "")
    width = header.metadata.get(f"{architecture}.embedding_length", "")
    if not width.isdecimal() or len(width) > 9:
        return None
    return _GGUF_ENCODERS.get((architecture, int(width)))


def guess_encoder(name: str) -> str | None:
    words = words_of(name)
    return next((kind for pattern, kind in _ENCODER_NAMES if pattern.search(words)), None)


def detect_vae(tensors: Mapping[str, Tensor], name: str) -> str | None:
    """The kind of a VAE. That of Stable Diffusion 3 differs from Flux's in nothing but its numbers, so its
    name tells."""
    if _WAN in tensors and _WAN22 not in tensors:
        channels = _columns(tensors, "encoder.conv1.weight")  # 4: that of Qwen-Image-Layered
        return "wan" if channels in (None, _PICTURE_CHANNELS) else None
    shape = tensors[_VAE_INPUT].shape if _VAE_INPUT in tensors else ()
    if len(shape) != 4:
        return None
    if shape[1] == 32:
        return "flux2" if "bn.running_mean" in tensors else None
    if shape[1] == 16:
        return None if _SD3_NAME.search(words_of(name)) else "flux"
    return "sd" if shape[1] == 4 else None


def guess_vae(name: str) -> str | None:
    words = words_of(name)
    known = next((kind for pattern, kind in _VAE_NAMES if pattern.search(words)), None)
    return known or (None if _NOT_SD_NAMES.search(words) else "sd")


def _columns(tensors: Mapping[str, Tensor], name: str) -> int | None:
    shape = tensors[name].shape if name in tensors else ()
    return shape[1] if len(shape) > 1 else None
