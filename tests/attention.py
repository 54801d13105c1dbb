"""ComfyUI's UNets, samplers and patcher inside this process, and what their self-attention sees.

The models are small and have random weights. Everything runs on the processor: a server could not show its
tensors.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from lab.host import ComfyUI

OVERRIDE = "optimized_attention_override"
SMALL = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "channel_mult": [1, 2],
    "num_res_blocks": [1, 1],
    "use_spatial_transformer": True,
    "legacy": False,
}
FAMILIES = {
    "sd15": {
        "transformer_depth": [1, 1],
        "transformer_depth_output": [1, 1, 1, 1],
        "transformer_depth_middle": 1,
        "context_dim": 24,
    },
    "sdxl": {
        "transformer_depth": [0, 2],
        "transformer_depth_output": [0, 0, 2, 2],
        "transformer_depth_middle": 2,
        "context_dim": 24,
        "use_linear_in_transformer": True,
        "num_classes": "sequential",
        "adm_in_channels": 2816,
    },
}
#: Self-attentions of the two UNets above.
PLACES = {"sd15": 7, "sdxl": 8}
TEXT_TOKENS = 7  # no picture here has as many tokens


@contextmanager
def comfyui_in_this_process(comfyui: ComfyUI, base: Path) -> Iterator[SimpleNamespace]:
    """ComfyUI's modules and our nodes, imported as ComfyUI itself would be with ``--cpu``."""
    path = sys.path.copy()
    sys.path.append(str(comfyui.root))
    from comfy.cli_args import args

    args.cpu = True
    args.base_directory = str(base)
    import comfy.model_patcher
    import comfy.sample
    import comfy.supported_models
    import comfy_extras.nodes_hypertile

    from avatarforge.avatarforge_nodes import reference, turnaround
    from avatarforge.host import attention_calls, conditioning, picture_tokens, view_previews

    # Operations this small take longest where threads wait for each other.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield SimpleNamespace(
            sample=comfy.sample,
            models=comfy.supported_models,
            patcher=comfy.model_patcher,
            hypertile=comfy_extras.nodes_hypertile.HyperTile,
            reference=reference,
            turnaround=turnaround,
            attention_calls=attention_calls,
            conditioning=conditioning,
            picture_tokens=picture_tokens,
            view_previews=view_previews,
        )
    finally:
        torch.set_num_threads(threads)
        sys.path[:] = path  # ComfyUI's `nodes` puts a folder of very plain names in front


def make_model(
    host: SimpleNamespace, family: str, dtype: torch.dtype = torch.float32, channels: int = 4
) -> Any:
    """A ModelPatcher of this family; one of inpainting has 9 channels."""
    config = getattr(host.models, family.upper())({**SMALL, **FAMILIES[family], "in_channels": channels})
    config.unet_config.update(num_heads=2, num_head_channels=-1, dtype=dtype)
    model = config.get_model({}, device=torch.device("cpu"))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in model.diffusion_model.named_parameters():
            numbers = torch.randn(weight.shape, generator=generator)
            # Queries and keys large enough for an attention that prefers some tokens to others.
            fan = weight[0].numel() if weight.ndim > 1 else 100
            gain = 2.0 if "attn1.to_q" in name or "attn1.to_k" in name else 1.0
            weight.copy_(numbers * gain * fan**-0.5 + (1.0 if "norm" in name and weight.ndim == 1 else 0.0))
    cpu = torch.device("cpu")
    return host.patcher.ModelPatcher(model, load_device=cpu, offload_device=cpu)


def words(seed: int, count: int = 1) -> list[Any]:
    """A conditioning; with a count, one row per picture."""
    generator = torch.Generator().manual_seed(seed)
    return [
        [
            torch.randn(count, TEXT_TOKENS, 24, generator=generator),
            {"pooled_output": torch.randn(count, 1280, generator=generator)},
        ]
    ]


def picture(height: int, width: int, seed: int = 5, count: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 4, height, width, generator=generator) * 3


def run(
    host: SimpleNamespace, model: Any, *, views: int = 1, size: tuple[int, int] = (8, 8), **changes: Any
) -> Any:
    """Latents of a run of ComfyUI's KSampler, each view from noise and words of its own."""
    given = {
        "seed": 3,
        "steps": 2,
        "cfg": 5.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "positive": words(1, views),
        "negative": words(2),
        **changes,
    }
    latent = torch.zeros(views, 4, *size)
    noise = host.sample.prepare_noise(latent, given["seed"])
    with torch.inference_mode():
        samples: torch.Tensor = host.sample.sample(
            model, noise, latent_image=latent, disable_pbar=True, **given
        )
    assert samples.isfinite().all()
    return samples.clone()


def share(host: SimpleNamespace, model: Any, consistency: float) -> Any:
    return host.turnaround.ShareViews.execute(model, consistency).args[0]


def refer(
    host: SimpleNamespace,
    model: Any,
    latent: torch.Tensor,
    strength: float = 1.0,
    start: float = 0.0,
    end: float = 1.0,
) -> Any:
    return host.reference.ApplyReference.execute(model, {"samples": latent}, strength, start, end).args[0]


class Seen:
    """Another pack's override that goes around all others and keeps what each self-attention got and gave."""

    def __init__(self, model: Any) -> None:
        self.calls: list[tuple[tuple[Any, ...], tuple[torch.Tensor, ...], torch.Tensor, int]] = []
        options = model.model_options["transformer_options"]
        options[OVERRIDE] = partial(self._watch, options.get(OVERRIDE))

    def _watch(self, inner: Any, attention: Any, *args: Any, **kwargs: Any) -> Any:
        output = inner(attention, *args, **kwargs) if inner else attention(*args, **kwargs)
        queries, keys, values, heads = args[:4]
        if keys.shape[1] != TEXT_TOKENS:
            options = kwargs["transformer_options"]
            place = (options["block"], options["block_index"])
            self.calls.append((place, (queries, keys, values), output, heads))
        return output


def softmax_over(
    queries: torch.Tensor, sets: list[tuple[torch.Tensor, torch.Tensor, float]], heads: int
) -> torch.Tensor:
    """sum(w e^s v) / sum(w e^s) for one row: (tokens, heads * channels), in double precision."""

    def apart(tokens: torch.Tensor) -> torch.Tensor:
        return tokens.double().unflatten(-1, (heads, -1)).transpose(0, 1)

    scale = (queries.shape[-1] // heads) ** -0.5
    grown = torch.cat([(apart(queries) @ apart(k).mT * scale).exp() * w for k, _, w in sets], dim=-1)
    output = grown @ torch.cat([apart(v) for _, v, _ in sets], dim=1) / grown.sum(-1, keepdim=True)
    return output.transpose(0, 1).flatten(1)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found.double(), expected.double(), rtol=1e-4, atol=1e-4)
