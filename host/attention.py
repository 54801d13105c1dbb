"""Attention that also sees tokens of other pictures, each set of them with a weight.

With own logits s_i and extra logits t_j, the output is
(sum_i e^s_i v_i + w sum_j e^t_j v_j) / (sum_i e^s_i + w sum_j e^t_j): scaled dot-product attention
(Vaswani et al. 2017, section 3.2.1) with log(w) added to the logits of the extra tokens.

An attention mask would say that as well, but flash attention takes none and the others become slower with
one. Here the bias travels inside the vectors: each head gets a few more channels, in which every query is one
and the extra keys are the bias.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

# (queries, keys, values) -> output, each (batch, tokens, heads * channels).
Attention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]

CHANNEL_STEP = 8  # what fast attention kernels want a head's channels to be a multiple of


@dataclass(frozen=True)
class ExtraTokens:
    """Keys and values, (batch, tokens, heads * channels) both, and the weight of each token, above 0."""

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
    """What `attention` gives for own tokens (weight 1) and extra ones; tensors as in `Attention`.

    Exact: the weights change neither the backend nor the number of calls. `attention` has to scale its logits
    by the root of the channels per head that it is given, as every backend does unless told otherwise.
    """
    if not extras:
        return attention(queries, keys, values)
    if all(extra.weight == 1 for extra in extras):
        return attention(
            queries,
            torch.cat([keys, *(extra.keys for extra in extras)], dim=1),
            torch.cat([values, *(extra.values for extra in extras)], dim=1),
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
    channels = queries.shape[-1] // heads
    wide = (channels // CHANNEL_STEP + 1) * CHANNEL_STEP
    sets = [ExtraTokens(keys, values, 1.0), *extras]
    tokens = sum(each.keys.shape[1] for each in sets)

    # The backend divides by the root of the wider head; the queries make up for that.
    wide_queries = queries.new_ones(*queries.shape[:2], heads, wide)
    wide_queries[..., :channels] = _by_head(queries, heads) * math.sqrt(wide / channels)
    wide_keys = keys.new_zeros(keys.shape[0], tokens, heads, wide)
    wide_values = values.new_zeros(values.shape[0], tokens, heads, wide)
    start = 0
    for each in sets:
        stop = start + each.keys.shape[1]
        wide_keys[:, start:stop, :, :channels] = _by_head(each.keys, heads)
        wide_values[:, start:stop, :, :channels] = _by_head(each.values, heads)
        if each.weight != 1:
            share, rest = _bias(each.weight, wide, wide - channels, keys.dtype)
            # Filled with numbers, not with a tensor: that would make the processor wait for the device.
            wide_keys[:, start:stop, :, channels:] = share
            wide_keys[:, start:stop, :, -1] = rest
        start = stop
    output = attention(wide_queries.flatten(2), wide_keys.flatten(2), wide_values.flatten(2))
    return _by_head(output, heads)[..., :channels].flatten(2)


def _by_head(tokens: torch.Tensor, heads: int) -> torch.Tensor:
    return tokens.unflatten(-1, (heads, -1))


def _bias(weight: float, wide: int, channels: int, dtype: torch.dtype) -> tuple[float, float]:
    """What the added channels of a key hold: all but the last, and the last.

    Their sum, divided by the root of `wide` as the backend does, is log(weight). Spread out, no channel
    stands far above a key's own, which backends that quantise keys would pay for; the last makes up for the
    rounding of the others, so that even bfloat16 keeps the weight to some thousandths.
    """
    whole = math.log(weight) * math.sqrt(wide)
    share: float = torch.tensor(whole / channels).to(dtype).item()
    return share, whole - share * (channels - 1)
