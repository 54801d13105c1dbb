"""Checkpoints of SD1.5 and SDXL, and their ControlNets.

Everything that detection does not depend on is as small as possible: every level of the UNet has 320
channels, and all but the first few layers of a stack are zeros, which a residual layer passes through. Zeros
are holes in the file, so that the 1.4 GB CLIP-G of SDXL takes little space where files can be sparse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .files import Model, Shapes
from .modules import shapes_of
from .vaes import sd_vae

#: Layers of a stack beyond these are zeros (see the module's docstring).
FILLED_TEXT_LAYERS = 2
FILLED_TRANSFORMER_BLOCKS = 1
#: Rank of the synthetic Control-LoRA.
LORA_RANK = 4

#: Layers of a T2I adapter that act on deeper levels than a synthetic UNet has.
ADAPTER_DEPTHS = re.compile(r"body\.[2-9]\.")
STACKED = re.compile(
    r"(?:encoder\.layers|transformer\.resblocks|(?P<blocks>transformer_blocks))\.(?P<index>\d+)\."
)


def is_hole(name: str) -> bool:
    """Whether a tensor belongs to a layer that is all zeros."""
    if ADAPTER_DEPTHS.match(name):
        return True
    stacked = STACKED.search(name)
    if stacked is None:
        return False
    filled = FILLED_TRANSFORMER_BLOCKS if stacked["blocks"] else FILLED_TEXT_LAYERS
    return int(stacked["index"]) >= filled


def sd15_unet() -> dict[str, Any]:
    """What detection requires of an SD1.5 UNet, and a minimum of everything else."""
    return {
        "image_size": 32,
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": 320,
        "channel_mult": [1, 1],
        "num_res_blocks": [1, 1],
        "transformer_depth": [1, 1],
        "transformer_depth_output": [1, 1, 1, 1],
        "transformer_depth_middle": 1,
        "context_dim": 768,
        "use_spatial_transformer": True,
        "legacy": False,
        "num_heads": 8,
    }


def deep_sd15_unet() -> dict[str, Any]:
    """SD1.5 with two layers in its first level, like the real one: T2I adapters act after the second."""
    return {
        **sd15_unet(),
        "num_res_blocks": [2, 1],
        "transformer_depth": [1, 1, 1],
        "transformer_depth_output": [1, 1, 1, 1, 1],
    }


def sdxl_unet() -> dict[str, Any]:
    """The same for SDXL, which only its full ``transformer_depth`` tells from its smaller relatives."""
    return {
        "image_size": 32,
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": 320,
        "channel_mult": [1, 1, 1],
        "num_res_blocks": [2, 2, 2],
        "transformer_depth": [0, 0, 2, 2, 10, 10],
        "transformer_depth_output": [0, 0, 0, 1, 1, 1, 1, 1, 1],
        "transformer_depth_middle": 1,
        "context_dim": 2048,
        "use_linear_in_transformer": True,
        "num_classes": "sequential",
        "adm_in_channels": 2816,
        "use_spatial_transformer": True,
        "legacy": False,
        "num_head_channels": 64,
    }


def unet_shapes(config: Mapping[str, Any]) -> Shapes:
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    return shapes_of(UNetModel(**config, device="meta"), "model.diffusion_model.")


def controlnet_shapes(config: Mapping[str, Any]) -> Shapes:
    from comfy.cldm.cldm import ControlNet

    # A ControlNet mirrors only the encoder half of its UNet.
    encoder = {name: value for name, value in config.items() if name != "out_channels"}
    return shapes_of(ControlNet(hint_channels=3, **encoder, device="meta"), "control_model.")


def sd15_text_shapes() -> Shapes:
    from comfy.sd1_clip import SDClipModel

    shapes = shapes_of(SDClipModel(device="meta"), "cond_stage_model.")
    # Checkpoints of this family do not contain these: ComfyUI has both built in.
    omitted = ("logit_scale", "text_projection.weight")
    return {name: shape for name, shape in shapes.items() if not name.endswith(omitted)}


def sdxl_text_shapes() -> Shapes:
    """CLIP-L in Hugging Face's layout and CLIP-G in OpenCLIP's, as in SDXL checkpoints."""
    import torch
    from comfy import supported_models
    from comfy.sdxl_clip import SDXLClipModel

    model = SDXLClipModel(device="meta")
    tensors = {
        name: torch.empty(tuple(value.shape), device="meta") for name, value in model.state_dict().items()
    }
    saved = supported_models.SDXL(sdxl_unet()).process_clip_state_dict_for_saving(tensors)
    return {name: tuple(value.shape) for name, value in saved.items() if not name.endswith("position_ids")}


def checkpoint_sd15(decoder_width: int) -> Model:
    return Model({**unet_shapes(sd15_unet()), **sd_vae(decoder_width), **sd15_text_shapes()}, is_hole)


def checkpoint_sdxl(decoder_width: int) -> Model:
    return Model({**unet_shapes(sdxl_unet()), **sd_vae(decoder_width), **sdxl_text_shapes()}, is_hole)


def checkpoint_sdxl_v_pred(decoder_width: int) -> Model:
    """SDXL with the two empty tensors by which NoobAI says that it predicts v, down to zero noise."""
    model = checkpoint_sdxl(decoder_width)
    return Model({**model.shapes, "v_pred": (0,), "ztsnr": (0,)}, is_hole)


def controlnet_sd15(_decoder_width: int) -> Model:
    return Model(controlnet_shapes(sd15_unet()), is_hole)


def deep_checkpoint_sd15(decoder_width: int) -> Model:
    return Model({**unet_shapes(deep_sd15_unet()), **sd_vae(decoder_width), **sd15_text_shapes()}, is_hole)


def t2i_adapter_sd15(_decoder_width: int) -> Model:
    from comfy.t2i_adapter.adapter import Adapter

    channels = [320, 640, 1280, 1280]
    adapter = Adapter(cin=192, channels=channels, nums_rb=2, ksize=1, sk=True, use_conv=False, xl=False)
    return Model(shapes_of(adapter), is_hole)


def control_lora_sd15(_decoder_width: int) -> Model:
    """A Control-LoRA's own layers, and low-rank differences to the checkpoint in cross-attention only."""
    full = controlnet_shapes(deep_sd15_unet())
    shapes: Shapes = {"lora_controlnet": (0,)}
    for name, shape in full.items():
        name = name.removeprefix("control_model.")
        if name.startswith(("input_hint_block.", "zero_convs.", "middle_block_out.")):
            shapes[name] = shape
        elif name.endswith(".attn2.to_k.weight"):
            layer = name.removesuffix("weight")
            shapes |= {f"{layer}up": (shape[0], LORA_RANK), f"{layer}down": (LORA_RANK, shape[1])}
    return Model(shapes, is_hole)


def controlnet_sdxl(_decoder_width: int) -> Model:
    # A ControlNet needs as many outputs as its UNet has levels, but not the same depth. These depths are
    # those of Segmind Vega, SDXL's smallest relative with as many levels. ComfyUI logs an error for depths
    # that it does not know.
    return Model(controlnet_shapes({**sdxl_unet(), "transformer_depth": [0, 0, 1, 1, 2, 2]}), is_hole)
