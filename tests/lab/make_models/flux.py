"""Flux.1, two of its ControlNet formats, and FLUX.2.

ComfyUI takes all widths but the attention heads' from the files, so these models are small. They have two
blocks of each kind: a LoRA or a hook that acts on one of them is told from one that acts on all.
"""

from __future__ import annotations

from typing import Any

from .files import Model, Shapes, scaled_fp8
from .modules import linear_layers, on_meta, shapes_of

#: Two heads of 128.
WIDTH = 256
#: Text widths of FLUX.2: three layers of Qwen3-4B, of Qwen3-8B, of Mistral.
KLEIN_4B_TEXT, KLEIN_9B_TEXT, DEV_TEXT = 3 * 2560, 3 * 4096, 3 * 5120
#: Kinds of picture that Flux's union ControlNets know.
UNION_MODES = 10


def flux1() -> dict[str, Any]:
    return {
        "axes_dim": [16, 56, 56],
        "num_heads": WIDTH // 128,
        "mlp_ratio": 4.0,
        "theta": 10000,
        "in_channels": 16,
        "out_channels": 16,
        "patch_size": 2,
        "qkv_bias": True,
        "txt_ids_dims": [],
        "hidden_size": WIDTH,
        "context_in_dim": 4096,
        "vec_in_dim": 768,
        "depth": 2,
        "depth_single_blocks": 2,
        "guidance_embed": True,
    }


def flux2() -> dict[str, Any]:
    return {
        **flux1(),
        "axes_dim": [32, 32, 32, 32],
        "mlp_ratio": 3.0,
        "theta": 2000,
        "in_channels": 128,
        "out_channels": 128,
        "patch_size": 1,
        "qkv_bias": False,
        "txt_ids_dims": [3],
        "global_modulation": True,
        "mlp_silu_act": True,
        "ops_bias": False,
        "context_in_dim": KLEIN_4B_TEXT,
        "vec_in_dim": None,
        "guidance_embed": False,
    }


def original_names(shapes: Shapes) -> Shapes:
    """Black Forest Labs' own names for the norms of queries and keys, which ComfyUI renames when loading."""
    return {
        name.replace("_norm.weight", "_norm.scale") if ".norm." in name else name: shape
        for name, shape in shapes.items()
    }


def flux1_model(_decoder_width: int) -> Model:
    from comfy.ldm.flux.model import Flux

    return Model(original_names(shapes_of(on_meta(Flux, **flux1()))))


def flux2_klein_4b(_decoder_width: int) -> Model:
    from comfy.ldm.flux.model import Flux

    return Model(original_names(shapes_of(on_meta(Flux, **flux2()))))


def flux2_klein_9b(_decoder_width: int) -> Model:
    from comfy.ldm.flux.model import Flux

    return Model(original_names(shapes_of(on_meta(Flux, **{**flux2(), "context_in_dim": KLEIN_9B_TEXT}))))


def flux2_dev(_decoder_width: int) -> Model:
    from comfy.ldm.flux.model import Flux

    config = {**flux2(), "context_in_dim": DEV_TEXT, "guidance_embed": True}
    return Model(original_names(shapes_of(on_meta(Flux, **config))))


def flux2_klein_base_4b(_decoder_width: int) -> Model:
    """The same in scaled fp8, as many people have large models. ComfyUI keeps that also on a CPU."""
    from comfy.ldm.flux.model import Flux

    transformer = on_meta(Flux, **flux2())
    return scaled_fp8(original_names(shapes_of(transformer)), linear_layers(transformer))


def controlnet_xlabs(_decoder_width: int) -> Model:
    """XLabs' format: it reads the picture itself. ComfyUI knows it by ``key_norm.scale``."""
    from comfy.ldm.flux.controlnet import ControlNetFlux

    config = {**flux1(), "depth_single_blocks": 0}
    return Model(original_names(shapes_of(on_meta(ControlNetFlux, **config))))


def controlnet_union(_decoder_width: int) -> Model:
    """InstantX's format, with diffusers' names: it reads the picture's latent, and is told its kind."""
    from comfy.ldm.flux.controlnet import ControlNetFlux
    from comfy.utils import flux_to_diffusers

    config = {**flux1(), "depth_single_blocks": 0}
    network = on_meta(
        ControlNetFlux,
        latent_input=True,
        num_union_modes=UNION_MODES,
        control_latent_channels=16,
        **config,
    )
    shapes = shapes_of(network)
    renamed: Shapes = {}
    used = set()
    for name, target in flux_to_diffusers(config).items():
        # The target is a name, or that of a tensor and the rows of it that this one stands for.
        original, rows = (target, None) if isinstance(target, str) else target[:2]
        # Names of LyCORIS, which stand for tensors that have another name too.
        if original in shapes and ".linear_" not in name.replace("embedder.linear_", ""):
            used.add(original)
            renamed[name] = shapes[original] if rows is None else (rows[2], *shapes[original][1:])
    return Model({**renamed, **{name: shape for name, shape in shapes.items() if name not in used}})
