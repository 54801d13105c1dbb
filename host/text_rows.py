"""Texts of a batch as the rows of one conditioning, each with the effect that it has alone.

Models differ in what they do with a text of fewer tokens than the others, so that the way to make texts
equally long depends on the text encoder. ComfyUI's classes that encode for exactly one family of models have
their way in `_WAYS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import comfy.model_management
import torch
from torch.nn.functional import pad

Encoded = list[Any]  # [(1, tokens, channels), options], the only entry of a conditioning
MASK = "attention_mask"  # (1, tokens), 0 where the encoder has padded

# Only cross-attention reads these encoders' tokens: repeating a text leaves it the same, since every token
# then occurs equally often (comfy/conds.py joins two prompts the same way).
_CLIP = {"l", "g", "h"}
FLUX2_TOKENS = 512  # the model itself pads to as many (comfy/model_base.py: Flux2)


def stack_texts(clip: Any, texts: Sequence[str], model: Any = None) -> Encoded:
    """One conditioning entry with a row per text, encoded by `clip`.

    `model` is the model patcher that will use it; only Anima's texts need it. Raises ValueError for texts
    that cannot become equally long without changing the pictures, or if `model` is needed and missing.
    """
    tokens = [clip.tokenize(text) for text in texts]
    rows = [_encode(clip, each) for each in tokens]
    if any("t5xxl_ids" in options for _, options in rows):
        rows = [_adapted(model, row) for row in rows]
    rows = [_with_padding_marked(row) for row in rows]
    if len({_length(row) for row in rows}) > 1:
        rows = _equally_long(clip, tokens, rows)
    options = dict(rows[0][1])
    pooled = [each.get("pooled_output") for _, each in rows]
    if all(output is not None for output in pooled):
        options["pooled_output"] = torch.cat(pooled)
    if any(MASK in each for _, each in rows):
        options[MASK] = torch.cat([_mask(row) for row in rows])
    return [torch.cat([row[0] for row in rows]), options]


def _encode(clip: Any, tokens: Any) -> Encoded:
    entry: Encoded = clip.encode_from_tokens_scheduled(tokens)[0]
    return entry


def _length(row: Encoded) -> int:
    return int(row[0].shape[1])


def _with_padding_marked(row: Encoded) -> Encoded:
    """Without a mask that hides nothing, which some encoders return and which is as good as none."""
    mask = row[1].get(MASK)
    if mask is None or not bool(mask.all()):
        return row
    return [row[0], {name: value for name, value in row[1].items() if name != MASK}]


def _mask(row: Encoded) -> torch.Tensor:
    mask: torch.Tensor | None = row[1].get(MASK)
    if mask is None:
        return torch.ones(1, _length(row), dtype=torch.long, device=row[0].device)
    return mask


def _adapted(model: Any, row: Encoded) -> Encoded:
    """Anima's text as its transformer reads it: ComfyUI would adapt a single text in the sampler."""
    if model is None:
        raise ValueError(
            "These texts are for Anima, which adapts each by itself: connect the model to encode several."
        )
    diffusion_model = model.get_model_object("diffusion_model")
    if not hasattr(diffusion_model, "preprocess_text_embeds"):
        raise ValueError("The text encoder is Anima's, and the connected model is not.")
    comfy.model_management.load_models_gpu([model])
    device, dtype = model.load_device, model.model.get_dtype_inference()
    options = {name: value for name, value in row[1].items() if name not in ("t5xxl_ids", "t5xxl_weights")}
    ids, weights = row[1]["t5xxl_ids"], row[1].get("t5xxl_weights")
    if weights is not None:
        weights = weights.unsqueeze(0).unsqueeze(-1).to(device=device, dtype=dtype)
    with torch.inference_mode():
        adapted = diffusion_model.preprocess_text_embeds(
            row[0].to(device=device, dtype=dtype), ids.unsqueeze(0).to(device), t5xxl_weights=weights
        )
    # The mask belongs to the tokens before.
    options.pop(MASK, None)
    return [adapted.to(comfy.model_management.intermediate_device()), options]


def _equally_long(clip: Any, tokens: Sequence[Any], rows: list[Encoded]) -> list[Encoded]:
    lengths = [_length(row) for row in rows]
    kind = type(getattr(clip, "tokenizer", None))
    way = _WAYS.get(f"{kind.__module__}.{kind.__qualname__}")
    if isinstance(tokens[0], dict) and set(tokens[0]) <= _CLIP:
        length = math.lcm(*lengths)
        return [[row[0].repeat(1, length // _length(row), 1), row[1]] for row in rows]
    if way is not None:
        rows = way(clip, tokens, rows)
    if len({_length(row) for row in rows}) > 1:
        raise ValueError(
            f"The texts of the batch have {', '.join(map(str, lengths))} tokens, and this model reads any "
            "padding as part of the text. Make them equally long, or draw each picture in a run of its own."
        )
    return rows


def _padded_by_encoder(clip: Any, tokens: Sequence[Any], _rows: list[Encoded]) -> list[Encoded]:
    """Shorter texts get more of the padding tokens that this encoder always adds."""
    (name,) = set(tokens[0]) - _CLIP
    longest = max(len(part) for each in tokens for part in each[name])
    padding = (getattr(clip.tokenizer, name).pad_token, 1.0)
    padded = [
        {**each, name: [[*part, *[padding] * (longest - len(part))] for part in each[name]]}
        for each in tokens
    ]
    return [_with_padding_marked(_encode(clip, each)) for each in padded]


def _padded_left(_clip: Any, _tokens: Sequence[Any], rows: list[Encoded]) -> list[Encoded]:
    """Zeros before the text, as the model itself adds them."""
    length = max(FLUX2_TOKENS, *(_length(row) for row in rows))
    return [_with_zeros(row, length - _length(row), 0) for row in rows]


def _padded_and_hidden(_clip: Any, _tokens: Sequence[Any], rows: list[Encoded]) -> list[Encoded]:
    """Zeros after the text, hidden by a mask that the model applies."""
    length = max(_length(row) for row in rows)
    return [_with_zeros(row, 0, length - _length(row)) for row in rows]


def _with_zeros(row: Encoded, before: int, after: int) -> Encoded:
    hidden = pad(_mask(row), (before, after))
    return [pad(row[0], (0, 0, before, after)), {**row[1], MASK: hidden}]


_WAYS: dict[str, Callable[[Any, Sequence[Any], list[Encoded]], list[Encoded]]] = {
    "comfy.text_encoders.flux.FluxTokenizer": _padded_by_encoder,  # FLUX.1, at least 256 tokens
    "comfy.text_encoders.flux.KleinTokenizer": _padded_by_encoder,  # FLUX.2 klein, at least 512
    "comfy.text_encoders.flux.KleinTokenizer8B": _padded_by_encoder,
    "comfy.text_encoders.flux.Flux2Tokenizer": _padded_left,  # FLUX.2 dev
    "comfy.text_encoders.qwen_image.QwenImageTokenizer": _padded_and_hidden,
}
