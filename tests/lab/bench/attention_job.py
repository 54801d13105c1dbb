"""Times ComfyUI's sampler with and without the pack's attention patch. A script for ComfyUI's interpreter.

    python attention_job.py COMFYUI_ROOT PACK_ROOT [--cpu]

The last line of output is JSON. The weights are noise, because they do not affect the time.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

VIEWS = 4
STEPS = 3
ROUNDS = 3
SDXL = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 320,
    "channel_mult": [1, 2, 4],
    "num_res_blocks": [2, 2, 2],
    "transformer_depth": [0, 0, 2, 2, 10, 10],
    "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10],
    "transformer_depth_middle": 10,
    "context_dim": 2048,
    "use_linear_in_transformer": True,
    "num_classes": "sequential",
    "adm_in_channels": 2816,
    "use_spatial_transformer": True,
    "legacy": False,
    "num_head_channels": 64,
}
# Fits two CPU cores and one second: only the upper two levels, with one narrow block each.
SMALL = {
    **SDXL,
    "model_channels": 64,
    "channel_mult": [1, 2],
    "num_res_blocks": [1, 1],
    "transformer_depth": [0, 1],
    "transformer_depth_output": [0, 0, 1, 1],
    "transformer_depth_middle": 1,
}
Patch = Callable[[Any], Any]


def main(comfyui: str, pack: str, *, cpu: bool) -> None:
    sys.path[:0] = [comfyui, str(Path(pack) / "tests")]
    from lab.pack import load_pack

    load_pack(Path(pack))
    from comfy.cli_args import args

    args.cpu = cpu
    import torch

    dtype, side = (torch.float32, 32) if cpu else (torch.float16, 128)
    model = _model(SMALL if cpu else SDXL, dtype)
    patches = _patches(side)
    steps: dict[str, list[float]] = {name: [] for name in patches}
    models = {name: patch(model) for name, patch in patches.items()}
    for name in patches:
        _sample(models[name], side, 2)
    for turn in range(ROUNDS):  # interleaved and rotated, so that other load affects all of them
        names = list(patches)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            steps[name] += _sample(models[name], side, STEPS)
    backends = {name: _backends(models[name], side) for name in patches}
    device = "processor" if cpu else torch.cuda.get_device_name()
    shape = f"{'part of ' if cpu else ''}SDXL's UNet at {side * 8}x{side * 8}, {dtype}".replace("torch.", "")
    print(json.dumps({"device": device, "shape": shape, "steps": steps, "backends": backends}))


def _model(shapes: dict[str, Any], dtype: Any) -> Any:
    import torch
    from comfy import model_management, model_patcher, supported_models

    config = supported_models.SDXL(dict(shapes))
    config.set_inference_dtype(dtype, dtype)
    device = model_management.get_torch_device()
    model = config.get_model({}, device=device)
    with torch.no_grad():
        for weight in model.diffusion_model.parameters():
            weight.normal_(std=0.02)
    model.to(device)
    return model_patcher.ModelPatcher(model, load_device=device, offload_device=device)


def _patches(side: int) -> dict[str, Patch]:
    import torch

    from avatarforge.host.attention_sources import Reference, SharedViews, add_source

    def reference(model: Any) -> Any:
        return add_source(model, Reference(torch.randn(1, 4, side, side), 0.8, 0.0, 1.0))

    return {
        "no patch": lambda model: model,
        "consistency 1": lambda model: add_source(model, SharedViews(1.0)),
        "consistency 0.7": lambda model: add_source(model, SharedViews(0.7)),
        "reference 0.8": reference,
    }


def _sample(model: Any, side: int, count: int) -> list[float]:
    """Seconds of each step except the first."""
    import comfy.sample
    import torch

    timestamps: list[float] = []

    def on_step(*_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        timestamps.append(time.perf_counter())

    conditioning = [[torch.randn(VIEWS, 77, 2048), {"pooled_output": torch.randn(VIEWS, 1280)}]]
    latent = torch.zeros(VIEWS, 4, side, side)
    with torch.inference_mode():
        comfy.sample.sample(
            model,
            comfy.sample.prepare_noise(latent, 1),
            count,
            5.0,
            "euler",
            "normal",
            conditioning,
            conditioning,
            latent,
            callback=on_step,
            disable_pbar=True,
            seed=1,
        )
    return [after - before for before, after in itertools.pairwise(timestamps)]


def _backends(model: Any, side: int) -> list[str]:
    """ComfyUI's attention function, and the PyTorch kernels that it called."""
    from comfy.ldm.modules import attention
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        _sample(model, side, 1)
    kernels = {
        event.key.removeprefix("aten::")
        for event in profiler.key_averages()
        if "scaled_dot_product" in event.key and event.key != "aten::scaled_dot_product_attention"
    }
    return [attention.optimized_attention.__name__, *sorted(kernels)]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], cpu="--cpu" in sys.argv)
