"""Where the tokens of the picture are in the self-attention of each class of model.

A UNet's self-attention sees the picture alone, and ComfyUI marks it with attn1 patches. A diffusion
transformer attends over one sequence, [text, picture, reference latents], and the classes differ in how large
a patch is, in padding, and in what else passes through the attention function. That is the table below; the
hooks of `attention_sources` know no class.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

# Set by ComfyUI's transformers: how many tokens each reference latent has. They follow the picture's.
REFERENCE_TOKENS = "reference_image_num_tokens"


@dataclass(frozen=True)
class PictureTokens:
    """The arrangement of a transformer's tokens.

    `patch`: latent cells per side of a token. `multiple`: the picture's tokens are padded to a multiple of
    this many. `alone`: there are no other tokens, and attention to the text is a call of its own, so that the
    self-attention has to be told apart by its attn1 patch. `masked`: the model's attention mask has one
    column per token of the picture, not only of the text.
    """

    patch: int
    multiple: int = 1
    alone: bool = False
    masked: bool = False

    def count(self, latent: torch.Tensor) -> int:
        """Tokens of a picture; `latent` is (batch, channels, [frames,] height, width)."""
        *frames, height, width = latent.shape[2:]
        return math.prod(frames) * -(-height // self.patch) * -(-width // self.patch)

    def find(self, count: int, total: int, options: Mapping[str, Any]) -> slice | None:
        """Which of `total` tokens are the `count` of the picture; None if they cannot be among them.

        `options` are the transformer options that the attention gets.
        """
        padded = -(-count // self.multiple) * self.multiple
        start = total - sum(options.get(REFERENCE_TOKENS) or ()) - padded
        if start < 0 or (self.alone and start):
            return None
        return slice(start, start + count)


@dataclass(frozen=True)
class _Attributes:
    """The names of a model's attributes that hold the numbers of `PictureTokens`."""

    patch: str
    multiple: str | None = None
    alone: bool = False
    masked: bool = False


# By the full name of the class, so that nothing is imported that an older ComfyUI lacks. A subclass may
# arrange its tokens differently, so it is not taken for its base.
TRANSFORMERS: dict[str, _Attributes] = {
    "comfy.ldm.flux.model.Flux": _Attributes("patch_size", masked=True),  # FLUX.1 and FLUX.2
    "comfy.ldm.chroma.model.Chroma": _Attributes("patch_size", masked=True),
    "comfy.ldm.qwen_image.model.QwenImageTransformer2DModel": _Attributes("patch_size"),
    "comfy.ldm.krea2.model.SingleStreamDiT": _Attributes("patch"),
    "comfy.ldm.lumina.model.NextDiT": _Attributes("patch_size", "pad_tokens_multiple"),  # Z-Image
    "comfy.ldm.anima.model.Anima": _Attributes("patch_spatial", alone=True),
}


def picture_tokens(model: Any) -> PictureTokens | None:
    """The arrangement of the tokens of a model patcher's transformer; None for a UNet.

    Raises ValueError for any other model: its attention is not known.
    """
    diffusion_model = model.get_model_object("diffusion_model")
    if isinstance(diffusion_model, UNetModel):
        return None
    kind = type(diffusion_model)
    attributes = TRANSFORMERS.get(f"{kind.__module__}.{kind.__qualname__}")
    if attributes is None:
        raise ValueError(
            f"This model's attention is not supported: {kind.__name__}. Sharing attention between views and "
            "with a reference works with Stable Diffusion 1.5, SDXL, FLUX.1, FLUX.2, Chroma, Qwen-Image, "
            "Krea 2, Z-Image and Anima. Set the strength to 0, or remove the node."
        )
    multiple = attributes.multiple and getattr(diffusion_model, attributes.multiple)
    return PictureTokens(
        getattr(diffusion_model, attributes.patch), multiple or 1, attributes.alone, attributes.masked
    )


def supports_shared_attention(model: Any) -> bool:
    """Whether `attention_sources` can extend the self-attention of this model patcher."""
    try:
        picture_tokens(model)
    except ValueError:
        return False
    return True
