"""Attention over a picture's own tokens and weighted sets of tokens of other pictures.

With own logits s_i and extra logits t_j, the output is
(sum_i e^s_i v_i + w sum_j e^t_j v_j) / (sum_i e^s_i + w sum_j e^t_j): scaled dot-product attention
(Vaswani et al. 2017, section 3.2.1) with log(w) added to the logits of the extra tokens.

An attention mask could add that bias too, but flash attention accepts none and other backends get slower with
one. Instead the bias is part of the vectors: each head gets a few more channels, in which every query is one
and the extra keys are the bias.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

# (queries, keys, values) -> output of (batch, tokens, heads * channels). The three are of that shape too, or
# all three are (batch, heads, tokens, channels).
Attention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]

CHANNEL_STEP = 8  # fast attention kernels need a multiple of this many channels per head
TOKENS = -2  # the dimension of the tokens in both shapes


@dataclass(frozen=True)
class ExtraTokens:
    """Keys and values, in one of the shapes of `Attention`, and the weight of each token, above 0."""

    keys: torch.Tensor
    values: torch.Tensor
    weight: float


def attend(
    attention: Attention,
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    heads: int,
    extras: Sequence[ExtraTokens],
) -> torch.Tensor:
    """Apply `attention` to own tokens (weight 1) and extra ones; tensors as in `Attention`.

    Exact, with one call of the same backend whatever the weights. `attention` must scale its logits by the
    square root of the channels per head that it gets, which is the default of every backend.
    """
    if not extras:
        return attention(queries, keys, values)
    if all(extra.weight == 1 for extra in extras):
        return attention(
            queries,
            torch.cat([keys, *(extra.keys for extra in extras)], dim=TOKENS),
            torch.cat([values, *(extra.values for extra in extras)], dim=TOKENS),
        )
    return _attend_weighted(attention, queries, keys, values, heads, extras)


def _attend_weighted(
    attention: Attention,
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    heads: int,
    extras: Sequence[ExtraTokens],
) -> torch.Tensor:
    channels = _by_head(queries, heads).shape[-1]
    wide = (channels // CHANNEL_STEP + 1) * CHANNEL_STEP
    sets = [ExtraTokens(keys, values, 1.0), *extras]
    tokens = sum(each.keys.shape[TOKENS] for each in sets)

    # The backend divides by the square root of the wider head's channels; scaling the queries compensates.
    wide_queries = _empty_like(queries, queries.shape[TOKENS], heads, wide).fill_(1)
    _by_head(wide_queries, heads)[..., :channels] = _by_head(queries, heads) * math.sqrt(wide / channels)
    wide_keys = _empty_like(keys, tokens, heads, wide).zero_()
    wide_values = _empty_like(values, tokens, heads, wide).zero_()
    keys_by_head, values_by_head = _by_head(wide_keys, heads), _by_head(wide_values, heads)
    start = 0
    for each in sets:
        stop = start + each.keys.shape[TOKENS]
        keys_by_head[:, :, start:stop, :channels] = _by_head(each.keys, heads)
        values_by_head[:, :, start:stop, :channels] = _by_head(each.values, heads)
        if each.weight != 1:
            share, rest = _bias(each.weight, wide, wide - channels, keys.dtype)
            # Assign numbers, not a tensor, which would make the CPU wait for the device.
            keys_by_head[:, :, start:stop, channels:] = share
            keys_by_head[:, :, start:stop, -1] = rest
        start = stop
    output = attention(wide_queries, wide_keys, wide_values)
    return output.unflatten(-1, (heads, -1))[..., :channels].flatten(2)


def _by_head(tokens: torch.Tensor, heads: int) -> torch.Tensor:
    """A view of (batch, heads, tokens, channels)."""
    return tokens if tokens.ndim == 4 else tokens.unflatten(-1, (heads, -1)).transpose(1, 2)


def _empty_like(tokens: torch.Tensor, count: int, heads: int, channels: int) -> torch.Tensor:
    """A tensor of that many tokens and channels per head, whose dimensions are in the order of `tokens`."""
    if tokens.ndim == 4:
        return tokens.new_empty(*tokens.shape[:2], count, channels)
    return tokens.new_empty(len(tokens), count, heads * channels)


def _bias(weight: float, wide: int, channels: int, dtype: torch.dtype) -> tuple[float, float]:
    """Values for the added channels of a key: (all but the last, the last).

    Their sum, divided by sqrt(`wide`) as the backend does, is log(weight). The bias is spread over the
    channels, because one large value would cost precision in backends that quantise keys. The last channel
    corrects the rounding of the others, which keeps the weight within a few thousandths even in bfloat16.
    """
    whole = math.log(weight) * math.sqrt(wide)
    share: float = torch.tensor(whole / channels).to(dtype).item()
    return share, whole - share * (channels - 1)
