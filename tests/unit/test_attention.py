"""The weights of extra tokens in attention, against a softmax that is written out."""

from __future__ import annotations

import pytest
import torch

from avatarforge.host.attention import ExtraTokens, attend

HEADS = 2


def backend(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """As ComfyUI's: heads apart, scaled by the root of a head's channels, no mask."""
    apart = [each.unflatten(-1, (HEADS, -1)).transpose(1, 2) for each in (queries, keys, values)]
    return torch.nn.functional.scaled_dot_product_attention(*apart).transpose(1, 2).flatten(2)


def written_out(queries: torch.Tensor, sets: list[tuple[torch.Tensor, torch.Tensor, float]]) -> torch.Tensor:
    """sum(w e^s v) / sum(w e^s) in double precision."""
    apart = [
        tuple(each.double().unflatten(-1, (HEADS, -1)).transpose(1, 2) for each in (queries, keys, values))
        for keys, values, _ in sets
    ]
    scale = apart[0][0].shape[-1] ** -0.5
    grown = torch.cat(
        [(q @ k.mT * scale).exp() * weight for (q, k, _), (_, _, weight) in zip(apart, sets, strict=True)], -1
    )
    values = torch.cat([v for _, _, v in apart], dim=2)
    return (grown @ values / grown.sum(-1, keepdim=True)).transpose(1, 2).flatten(2)


def tokens(count: int, channels: int, seed: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(3, count, HEADS * channels, generator=generator).to(dtype)


@pytest.mark.parametrize("channels", [16, 40, 64, 77, 160])
@pytest.mark.parametrize("weights", [(0.01,), (0.3,), (1.0,), (1.7,), (0.5, 0.5), (1.0, 0.05, 0.9)])
def test_each_set_of_tokens_counts_with_its_weight(channels: int, weights: tuple[float, ...]) -> None:
    queries, keys, values = (tokens(12, channels, seed) for seed in range(3))
    extras = [
        ExtraTokens(tokens(9 + n, channels, 10 + n), tokens(9 + n, channels, 20 + n), weight)
        for n, weight in enumerate(weights)
    ]
    found = attend(backend, queries, keys, values, HEADS, extras)
    sets = [(keys, values, 1.0), *((each.keys, each.values, each.weight) for each in extras)]
    torch.testing.assert_close(found.double(), written_out(queries, sets), rtol=1e-5, atol=2e-6)
    without = written_out(queries, sets[:1])
    assert (found - without).abs().max() > 1e-3


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 2e-3), (torch.bfloat16, 1.6e-2)])
@pytest.mark.parametrize("weight", [0.01, 0.37, 1.0])
def test_half_precision_keeps_the_weight(dtype: torch.dtype, tolerance: float, weight: float) -> None:
    queries, keys, values, more_keys, more_values = (tokens(64, 64, seed, dtype) for seed in range(5))
    found = attend(backend, queries, keys, values, HEADS, [ExtraTokens(more_keys, more_values, weight)])
    assert found.dtype == dtype
    expected = written_out(queries, [(keys, values, 1.0), (more_keys, more_values, weight)])
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("weight", [0.01, 0.2, 0.7])
def test_half_precision_does_not_shift_the_sum_of_the_weights(dtype: torch.dtype, weight: float) -> None:
    """With equal logits and values of one, what is read is the share of the extra tokens itself."""
    queries = keys = torch.zeros(1, 100, HEADS * 64, dtype=dtype)
    nothing, everything = torch.zeros_like(keys), torch.ones_like(keys)
    found = attend(backend, queries, keys, nothing, HEADS, [ExtraTokens(keys, everything, weight)])
    assert found.float().mean().item() == pytest.approx(weight / (1 + weight), rel=6e-3)


def test_tokens_equal_to_the_own_change_nothing() -> None:
    queries, keys, values = (tokens(12, 40, seed) for seed in range(3))
    found = attend(backend, queries, keys, values, HEADS, [ExtraTokens(keys, values, 0.6)])
    torch.testing.assert_close(found, backend(queries, keys, values), rtol=1e-5, atol=1e-6)


def test_without_extra_tokens_the_backend_gets_the_tensors_themselves() -> None:
    queries, keys, values = (tokens(12, 40, seed) for seed in range(3))
    seen: list[tuple[torch.Tensor, ...]] = []

    def note(*given: torch.Tensor) -> torch.Tensor:
        seen.append(given)
        return backend(*given)

    attend(note, queries, keys, values, HEADS, [])
    assert len(seen) == 1
    assert all(a is b for a, b in zip(seen[0], (queries, keys, values), strict=True))


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_the_backend_is_called_once_with_channels_in_eights(weight: float) -> None:
    queries, keys, values = (tokens(12, 40, seed) for seed in range(3))
    widths: list[set[int]] = []

    def note(*given: torch.Tensor) -> torch.Tensor:
        widths.append({each.shape[-1] for each in given})
        return backend(*given)

    attend(note, queries, keys, values, HEADS, [ExtraTokens(keys, values, weight)])
    assert widths == [{HEADS * (40 if weight == 1 else 48)}]
