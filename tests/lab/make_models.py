"""Write one synthetic model file. A script for ComfyUI's own interpreter.

    python make_models.py COMFYUI_ROOT KIND OUTPUT

ComfyUI recognises a model by the names and shapes of its tensors. The shapes therefore come from ComfyUI's
own classes, built on the meta device; the values are seeded noise. Such a file works with the real loaders,
sampler and VAE, and its pictures are noise.

Everything that detection does not depend on is as small as possible: every level of the UNet has 320
channels, and all but the first few layers of a stack are zeros, which a residual layer passes through. Zeros
are holes in the file, so that the 1.4 GB CLIP-G of SDXL takes little space where files can be sparse.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Shapes = dict[str, tuple[int, ...]]

#: Layers of a stack beyond these are zeros (see the module's docstring).
FILLED_TEXT_LAYERS = 2
FILLED_TRANSFORMER_BLOCKS = 1
#: Rank of the synthetic Control-LoRA.
LORA_RANK = 4
#: Decoder width. Stable Diffusion's is 128; with 32, a ComfyUI that reads the width from the file decodes 16
#: times faster.
SMALL_DECODER, STANDARD_DECODER = 32, 128

#: Layers of a T2I adapter that act on deeper levels than a synthetic UNet has.
ADAPTER_DEPTHS = re.compile(r"body\.[2-9]\.")
STACKED = re.compile(
    r"(?:encoder\.layers|transformer\.resblocks|(?P<blocks>transformer_blocks))\.(?P<index>\d+)\."
)


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


def shapes_of(module: Any, prefix: str) -> Shapes:
    """Shapes of a module's tensors by name, with ``prefix`` added to each name."""
    return {prefix + name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def unet_shapes(config: Mapping[str, Any]) -> Shapes:
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    return shapes_of(UNetModel(**config, device="meta"), "model.diffusion_model.")


def controlnet_shapes(config: Mapping[str, Any]) -> Shapes:
    from comfy.cldm.cldm import ControlNet

    # A ControlNet mirrors only the encoder half of its UNet.
    encoder = {name: value for name, value in config.items() if name != "out_channels"}
    return shapes_of(ControlNet(hint_channels=3, **encoder, device="meta"), "control_model.")


def vae_shapes(decoder_width: int) -> Shapes:
    import torch
    from comfy.ldm.models.autoencoder import AutoencoderKL

    encoder = {
        "double_z": True,
        "z_channels": 4,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": 128,
        "ch_mult": [1, 2, 4, 4],
        "num_res_blocks": 2,
        "attn_resolutions": [],
        "dropout": 0.0,
    }
    narrow = (
        {} if decoder_width == STANDARD_DECODER else {"decoder_ddconfig": {**encoder, "ch": decoder_width}}
    )
    with torch.device("meta"):
        return shapes_of(AutoencoderKL(ddconfig=encoder, embed_dim=4, **narrow), "first_stage_model.")


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


def checkpoint_sd15(decoder_width: int) -> Shapes:
    return {**unet_shapes(sd15_unet()), **vae_shapes(decoder_width), **sd15_text_shapes()}


def checkpoint_sdxl(decoder_width: int) -> Shapes:
    return {**unet_shapes(sdxl_unet()), **vae_shapes(decoder_width), **sdxl_text_shapes()}


def controlnet_sd15(_decoder_width: int) -> Shapes:
    return controlnet_shapes(sd15_unet())


def deep_checkpoint_sd15(decoder_width: int) -> Shapes:
    return {**unet_shapes(deep_sd15_unet()), **vae_shapes(decoder_width), **sd15_text_shapes()}


def t2i_adapter_sd15(_decoder_width: int) -> Shapes:
    from comfy.t2i_adapter.adapter import Adapter

    channels = [320, 640, 1280, 1280]
    adapter = Adapter(cin=192, channels=channels, nums_rb=2, ksize=1, sk=True, use_conv=False, xl=False)
    return shapes_of(adapter, "")


def control_lora_sd15(_decoder_width: int) -> Shapes:
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
    return shapes


def controlnet_sdxl(_decoder_width: int) -> Shapes:
    # A ControlNet needs as many outputs as its UNet has levels, but not the same depth. These depths are
    # those of Segmind Vega, SDXL's smallest relative with as many levels. ComfyUI logs an error for depths
    # that it does not know.
    return controlnet_shapes({**sdxl_unet(), "transformer_depth": [0, 0, 1, 1, 2, 2]})


KINDS: dict[str, Callable[[int], Shapes]] = {
    "sd15": checkpoint_sd15,
    "sd15-openpose": controlnet_sd15,
    "sd15-deep": deep_checkpoint_sd15,
    "sd15-t2i-openpose": t2i_adapter_sd15,
    "sd15-control-lora-openpose": control_lora_sd15,
    "sdxl": checkpoint_sdxl,
    "sdxl-openpose": controlnet_sdxl,
}


def is_hole(name: str) -> bool:
    """Whether a tensor belongs to a layer that is all zeros."""
    if ADAPTER_DEPTHS.match(name):
        return True
    stacked = STACKED.search(name)
    if stacked is None:
        return False
    filled = FILLED_TRANSFORMER_BLOCKS if stacked["blocks"] else FILLED_TEXT_LAYERS
    return int(stacked["index"]) >= filled


def noise(name: str, shape: tuple[int, ...]) -> bytes:
    """Little-endian float16 values for a tensor. They are always the same, because its name is the seed.

    Norm weights (the one-dimensional ones) are ones and biases zeros; all others are normally distributed
    with variance 1 / fan-in, which keeps activations near 1 through any number of layers.
    """
    import torch

    if len(shape) < 2:
        value = 0.0 if name.endswith("bias") else 1.0
        return bytes(torch.full(shape, value, dtype=torch.float16).numpy().tobytes())
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")
    values = torch.empty(shape).normal_(generator=torch.Generator().manual_seed(seed))
    fan_in = values[0].numel()
    return bytes((values * fan_in**-0.5).half().numpy().tobytes())


def write_safetensors(path: Path, shapes: Shapes, note: str) -> None:
    """Write a sparse safetensors file (format: https://github.com/huggingface/safetensors#format)."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt", "avatarforge": note}}
    offset = 0
    for name, shape in shapes.items():
        end = offset + 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)))
        file.write(encoded)
        for name, shape in shapes.items():
            if is_hole(name):
                file.seek(2 * math.prod(shape), 1)
            else:
                file.write(noise(name, shape))
        file.truncate(8 + len(encoded) + offset)


def main(root: str, kind: str, output: str) -> None:
    sys.path.insert(0, root)
    from comfy.cli_args import args

    args.cpu = True  # Only shapes are needed, so do not touch a GPU.
    reads_decoder_width = "decoder_ddconfig" in (Path(root) / "comfy" / "sd.py").read_text(encoding="utf-8")
    shapes = KINDS[kind](SMALL_DECODER if reads_decoder_width else STANDARD_DECODER)
    write_safetensors(
        Path(output), shapes, "Synthetic model filled with noise, for tests. Its pictures are noise."
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
